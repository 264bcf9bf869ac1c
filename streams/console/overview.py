"""The country at a glance: open alerts by oblast on a map or a tile grid, flows, stock, follow-up, data quality.

Every picture has a table beside it. Figures are for people who may see small cells: nothing here is for publication.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from streams.console import bars, figures
from streams.console.reading import Fields
from streams.console.visit import Visit, Way

TILES: dict[str, tuple[int, int]] = {
    "KZ-59": (4, 0),
    "KZ-39": (3, 1), "KZ-11": (4, 1), "KZ-55": (5, 1),
    "KZ-27": (0, 2), "KZ-15": (1, 2), "KZ-62": (3, 2), "KZ-71": (4, 2), "KZ-35": (5, 2), "KZ-10": (6, 2), "KZ-63": (7, 2),
    "KZ-23": (0, 3), "KZ-43": (2, 3), "KZ-61": (3, 3), "KZ-31": (4, 3), "KZ-19": (5, 3), "KZ-33": (6, 3),
    "KZ-47": (0, 4), "KZ-79": (3, 4), "KZ-75": (5, 4),
}  # fmt: skip
"""Where each oblast lies on our own grid: column, row. No map of the country's boundaries is freely licensed."""

TILE = 96
_STEPS = 5


@dataclass(frozen=True, slots=True)
class Tile:
    """One oblast on the grid.

    Attributes:
        code: ISO 3166-2:KZ.
        x: left edge.
        y: top edge.
        alerts: open alerts.
        sure: of them established.
        step: 0 (none) to 5 (most): how dark.
    """

    code: str
    x: int
    y: int
    alerts: int
    sure: int
    step: int


def ways() -> list[Way]:
    """Returns the routes."""
    return [Way("/overview", _overview, "see_overview")]


def tiles(rows: list[Fields]) -> list[Tile]:
    """Returns the grid.

    Args:
        rows: open alerts by oblast and grade.
    """
    counts: dict[str, int] = {}
    sure: dict[str, int] = {}
    for row in rows:
        counts[row["oblast"]] = counts.get(row["oblast"], 0) + row["alerts"]
        if row["grade"] == "established":
            sure[row["oblast"]] = sure.get(row["oblast"], 0) + row["alerts"]
    most = max(counts.values(), default=0)
    found = []
    for code, (column, line) in TILES.items():
        count = counts.get(code, 0)
        step = -(-count * _STEPS // most) if count else 0
        found.append(Tile(code, column * TILE, line * TILE, count, sure.get(code, 0), step))
    return found


def _overview(visit: Visit) -> Response:
    reading, oblast = visit.desk.reading, visit.oblast
    rows = reading.by_oblast(oblast)
    flows = reading.flows(oblast)
    grid = [tile for tile in tiles(rows) if not oblast or tile.code == oblast]
    return visit.page(
        "overview.html",
        grid=grid,
        tile_of={tile.code: tile for tile in grid},
        size=TILE,
        elsewhere=sum(row["alerts"] for row in rows if row["oblast"] not in TILES),
        flows=flows,
        drawn=bars.bars(flows),
        width=bars.WIDTH,
        height=bars.HEIGHT,
        present=figures.present(reading, oblast),
        expiring=figures.expiring(reading, oblast),
        quotas=figures.quotas(reading, oblast),
        overdue=figures.overdue(reading, oblast),
        silent=sum(row["silent_hours"] > figures.SILENT_HOURS for row in figures.posts(reading, oblast)),
        funnel=reading.funnel(oblast),
        quality=[] if oblast else reading.quality(),
    )
