"""An administrator's map is drawn as it is or refused with a sentence that says where it is wrong."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from streams.console.country_map import WIDTH, CountryMap, read_map
from streams.console.desk import furnish
from streams.console.overview import TILES
from streams.errors import SetupError
from streams.policy.load import load
from streams.settings import Settings
from tests.unit.console.conftest import CHEAP

OBLASTS = load("kz").codes.oblasts


def square(code: str) -> dict[str, Any]:
    """Returns an oblast as a square of two degrees, where it stands on the grid of tiles; invented, like its borders."""
    west, north = 47 + 2.0 * TILES[code][0], 55 - 2.0 * TILES[code][1]
    corners = [[west, north], [west + 2, north], [west + 2, north - 2], [west, north - 2], [west, north]]
    return {
        "type": "Feature",
        "properties": {"name": "invented", "code": code},
        "geometry": {"type": "Polygon", "coordinates": [corners]},
    }


def country() -> dict[str, Any]:
    """Returns a map of squares."""
    return {"type": "FeatureCollection", "features": [square(code) for code in TILES]}


def drawn(content: object, tmp_path: Path) -> CountryMap:
    path = tmp_path / "oblasts.geojson"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return read_map(path, OBLASTS)


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]


def test_every_oblast_is_drawn_where_it_lies_and_its_figure_stands_in_it(tmp_path: Path) -> None:
    found = drawn(country(), tmp_path)
    assert {shape.code for shape in found.shapes} == set(OBLASTS)
    assert found.width == WIDTH
    middles = {shape.code: (shape.x, shape.y) for shape in found.shapes}
    assert middles["KZ-23"][0] < middles["KZ-63"][0], "Atyrau lies west of East Kazakhstan"
    assert middles["KZ-59"][1] < middles["KZ-75"][1], "North Kazakhstan lies north of Almaty"
    for shape in found.shapes:
        xs, ys = [x for x, _ in points(shape.path)], [y for _, y in points(shape.path)]
        assert min(xs) < shape.x < max(xs)
        assert min(ys) < shape.y < max(ys)
        assert -1 <= min(xs) <= max(xs) <= WIDTH + 1
        assert -1 <= min(ys) <= max(ys) <= found.height + 1


def test_what_two_oblasts_share_is_the_same_line_in_both_however_fine_it_is(tmp_path: Path) -> None:
    """A border of ten thousand points between two oblasts: neither a gap nor an overlap after it was simplified."""
    content = country()
    border = [[53 + 0.2 * math.sin(n / 300), 53 - 2.0 * n / 9_999] for n in range(10_000)]
    west, east = (next(one for one in content["features"] if one["properties"]["code"] == code) for code in ("KZ-15", "KZ-62"))
    west["geometry"]["coordinates"] = [[[51, 53], *border, [51, 51], [51, 53]]]
    east["geometry"]["coordinates"] = [[[55, 53], *border, [55, 51], [55, 53]]]
    found = {shape.code: shape for shape in drawn(content, tmp_path).shapes}
    inside = [set(points(found[code].path)) for code in ("KZ-15", "KZ-62")]
    assert len(inside[0] & inside[1]) > 10
    assert len(inside[0] ^ inside[1]) <= 8, "they differ in their outer corners only"
    assert len(found["KZ-15"].path) < 4_000


def test_a_city_too_small_to_be_seen_is_marked_and_lies_above_its_oblast(tmp_path: Path) -> None:
    content = country()
    city = next(one for one in content["features"] if one["properties"]["code"] == "KZ-71")
    city["geometry"] = {
        "type": "MultiPolygon",
        "coordinates": [[[[55.5, 50.5], [55.51, 50.5], [55.51, 50.51], [55.5, 50.51], [55.5, 50.5]]]],
    }
    found = drawn(content, tmp_path)
    assert found.shapes[-1].code == "KZ-71"
    assert found.shapes[-1].small
    assert not any(shape.small for shape in found.shapes[:-1])


def changed(what: str) -> object:
    content = country()
    feature = content["features"][3]
    if what == "missing":
        content["features"] = content["features"][1:]
    elif what == "code":
        feature["properties"] = {"code": "KZ-99"}
    elif what == "unnamed":
        feature["properties"] = {"name": "Kostanay"}
    elif what == "point":
        feature["geometry"] = {"type": "Point", "coordinates": [60, 50]}
    elif what == "metres":
        feature["geometry"]["coordinates"][0][1] = [7_500_000.0, 6_000_000.0]
    elif what == "open":
        feature["geometry"]["coordinates"][0].pop()
    elif what == "words":
        feature["geometry"]["coordinates"][0][1] = ["east", "north"]
    elif what == "nothing":
        feature["geometry"] = None
    elif what == "other":
        return {"type": "Topology"}
    elif what == "text":
        return "oblasts,geometry"
    return content


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("missing", "no feature for KZ-59"),
        ("code", "feature 4: expected an oblast's code such as KZ-75 in one of oblast, code, .*; came 'KZ-99'"),
        ("unnamed", "feature 4: expected an oblast's code .* came None"),
        ("point", r"feature 4 \(KZ-55\): expected a Polygon or a MultiPolygon; came 'Point'"),
        ("metres", r"feature 4 \(KZ-55\): expected degrees, longitude first \(WGS 84\); came 7.5e\+06, 6e\+06"),
        ("open", "a ring needs four points or more, the last like the first"),
        ("words", "its coordinates are not as GeoJSON has them"),
        ("nothing", "expected a Polygon or a MultiPolygon; came None"),
        ("other", "FeatureCollection"),
        ("text", "it is no JSON"),
    ],
)
def test_a_map_that_cannot_be_used_is_refused_with_what_and_where(tmp_path: Path, what: str, said: str) -> None:
    with pytest.raises(SetupError, match=said) as refused:
        drawn(changed(what), tmp_path)
    assert "oblasts.geojson" in refused.value.what


def test_the_console_does_not_start_with_a_map_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        furnish(Settings(home=tmp_path, map_file=tmp_path / "none.geojson"), load("kz"), hasher=CHEAP)
