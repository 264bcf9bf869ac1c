"""Days with two figures each, as bars: what a table says, once more for the eye."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streams.console.reading import Fields

WIDTH = 720
HEIGHT = 160
_GAP = 0.25


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        kind: entries or exits.
        x: left edge.
        y: top.
        width: width.
        height: height.
        day: whose.
        value: crossings.
    """

    kind: str
    x: float
    y: float
    width: float
    height: float
    day: object
    value: int


def bars(rows: Sequence[Fields]) -> list[Bar]:
    """Returns bars of entries and exits by day, from the oldest to the newest.

    Args:
        rows: ``day``, ``entries``, ``exits``, the newest first.
    """
    most = max((max(row["entries"], row["exits"]) for row in rows), default=0)
    if not most:
        return []
    step = WIDTH / len(rows)
    width = step * (1 - _GAP) / 2
    found = []
    for number, row in enumerate(reversed(rows)):
        for place, kind in enumerate(("entries", "exits")):
            height = row[kind] / most * HEIGHT
            x = number * step + step * _GAP / 2 + place * width
            found.append(
                Bar(kind, round(x, 1), round(HEIGHT - height, 1), round(width, 1), round(height, 1), row["day"], row[kind])
            )
    return found
