"""The overview's map, from an administrator's GeoJSON: read once, checked, drawn as SVG paths on the server.

No map of the oblasts is freely licensed, so none is shipped: without one the overview has a grid of tiles. Coordinates are
snapped to a grid before anything is left out; what two oblasts share is therefore the same line in both.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams.errors import SetupError

WIDTH = 800
"""Width of the drawing; its height follows from the country's shape."""
MAX_BYTES = 50_000_000
CODES = ("oblast", "code", "iso_3166_2", "ISO3166-2", "shapeISO", "iso")
"""Properties looked at for the oblast's code, the first there is."""
_STEP = 2.0
"""Points nearer than this are one point."""
_SMALL = 400.0
"""A shape of a smaller area is marked with a dot: a city is hard to see on a map of the country."""

Point = tuple[float, float]
Ring = list[Point]


@dataclass(frozen=True, slots=True)
class Shape:
    """One oblast as it is drawn.

    Attributes:
        code: ISO 3166-2:KZ.
        path: the outline, an SVG path.
        x: where its figure stands.
        y: where its figure stands.
        small: too small to be seen: a dot marks it.
    """

    code: str
    path: str
    x: float
    y: float
    small: bool


@dataclass(frozen=True, slots=True)
class CountryMap:
    """The whole map.

    Attributes:
        width: of the drawing.
        height: of the drawing.
        shapes: the largest first, so that a city lies on the oblast around it.
    """

    width: int
    height: int
    shapes: tuple[Shape, ...]


def read_map(path: Path, oblasts: Collection[str]) -> CountryMap:
    """Returns the map in a file.

    Args:
        path: GeoJSON (RFC 7946): a FeatureCollection of Polygons and MultiPolygons in degrees, each with its oblast's code.
        oblasts: every code there must be, ISO 3166-2:KZ; several features may share one.

    Raises:
        SetupError: it cannot be read, or is not as it must be; says where.
    """
    rings = _rings_of(path, oblasts)
    if missing := sorted(set(oblasts) - set(rings)):
        raise _wrong(path, f"no feature for {', '.join(missing)}")
    everything = [point for of_one in rings.values() for ring in of_one for point in ring]
    west, east = min(lon for lon, _ in everything), max(lon for lon, _ in everything)
    south, north = min(lat for _, lat in everything), max(lat for _, lat in everything)
    if west == east or south == north:
        raise _wrong(path, "all coordinates lie on one line")
    # Equirectangular, true to scale in the middle: enough to tell oblasts apart.
    shrink = math.cos(math.radians((south + north) / 2))
    scale = WIDTH / ((east - west) * shrink)

    def place(point: Point) -> Point:
        return _snap((point[0] - west) * shrink * scale), _snap((north - point[1]) * scale)

    shapes = sorted(
        (_shape(code, [[place(point) for point in ring] for ring in of_one]) for code, of_one in rings.items()),
        key=lambda one: (-one[0], one[1].code),
    )
    return CountryMap(WIDTH, math.ceil((north - south) * scale), tuple(shape for _, shape in shapes))


def _rings_of(path: Path, oblasts: Collection[str]) -> dict[str, list[Ring]]:
    """Returns rings in degrees by oblast."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _wrong(path, f"it is larger than {MAX_BYTES // 1_000_000} MB; simplify it first")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SetupError(f"The map {path} cannot be read: {error.strerror or error}.", "See SHEKARA_MAP_FILE.") from error
    except ValueError as error:
        raise _wrong(path, f"it is no JSON: {error}") from error
    if (
        not isinstance(content, dict)
        or content.get("type") != "FeatureCollection"
        or not isinstance(content.get("features"), list)
    ):
        raise _wrong(path, 'expected {"type": "FeatureCollection", "features": […]}')
    found: dict[str, list[Ring]] = {}
    for number, feature in enumerate(content["features"], start=1):
        where = f"feature {number}"
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict):
            raise _wrong(path, f"{where} has no properties")
        code = next((properties[name] for name in CODES if name in properties), None)
        if not isinstance(code, str) or code not in oblasts:
            raise _wrong(path, f"{where}: expected an oblast's code such as KZ-75 in one of {', '.join(CODES)}; came {code!r}")
        found.setdefault(code, []).extend(_rings(path, f"{where} ({code})", feature.get("geometry")))
    return found


def _rings(path: Path, where: str, geometry: Any) -> Iterator[Ring]:
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise _wrong(path, f"{where}: expected a Polygon or a MultiPolygon; came {kind!r}")
    polygons = [geometry.get("coordinates")] if kind == "Polygon" else geometry.get("coordinates")
    try:
        for ring in [ring for polygon in polygons for ring in polygon]:
            points = [(float(point[0]), float(point[1])) for point in ring]
            beyond = next((one for one in points if not (-180 <= one[0] <= 180 and -90 <= one[1] <= 90)), None)
            if beyond is not None:
                raise _wrong(path, f"{where}: expected degrees, longitude first (WGS 84); came {beyond[0]:g}, {beyond[1]:g}")
            if len(points) < 4 or points[0] != points[-1]:
                raise _wrong(path, f"{where}: a ring needs four points or more, the last like the first")
            yield points
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise _wrong(path, f"{where}: its coordinates are not as GeoJSON has them ({type(error).__name__})") from error


def _wrong(path: Path, what: str) -> SetupError:
    return SetupError(
        f"The map {path} cannot be used: {what}.",
        "See docs/console.md, The map; without SHEKARA_MAP_FILE there is a grid of tiles.",
    )


def _snap(value: float) -> float:
    return round(value / _STEP) * _STEP


def _shape(code: str, rings: list[Ring]) -> tuple[float, Shape]:
    """Returns the area of an oblast's largest ring, and how the oblast is drawn."""
    sized = sorted(((_area(ring), ring) for ring in map(_without_repeats, rings)), key=lambda one: -abs(one[0]))
    area, largest = sized[0]
    kept = [ring for size, ring in sized if abs(size) >= _STEP * _STEP]
    x, y = _middle(largest, area)
    return abs(area), Shape(code, "".join(map(_path, kept)), x, y, abs(area) < _SMALL)


def _without_repeats(ring: Ring) -> Ring:
    """Returns a ring without its end, without points like the one before, and without points on a straight line."""
    distinct = [point for number, point in enumerate(ring[:-1]) if point != ring[number - 1 if number else -2]]
    kept: Ring = []
    for number, (x, y) in enumerate(distinct):
        (x0, y0), (x1, y1) = distinct[number - 1], distinct[(number + 1) % len(distinct)]
        if (x - x0) * (y1 - y) != (y - y0) * (x1 - x) or (x - x0) * (x1 - x) + (y - y0) * (y1 - y) < 0:
            kept.append((x, y))
    return kept or [ring[0]]


def _area(ring: Ring) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)) / 2


def _middle(ring: Ring, area: float) -> Point:
    """Returns a ring's centre of gravity; the middle of its points if it has no area."""
    if not area:
        return round(sum(x for x, _ in ring) / len(ring), 1), round(sum(y for _, y in ring) / len(ring), 1)
    x = y = 0.0
    for a, b in zip(ring, [*ring[1:], ring[0]], strict=True):
        cross = a[0] * b[1] - b[0] * a[1]
        x, y = x + (a[0] + b[0]) * cross, y + (a[1] + b[1]) * cross
    return round(x / (6 * area), 1), round(y / (6 * area), 1)


def _path(ring: Ring) -> str:
    steps = "".join(f"L{x:g} {y:g}" for x, y in ring[1:])
    return f"M{ring[0][0]:g} {ring[0][1]:g}{steps}Z"
