"""An answer made fit for publication: counts by one or two dimensions, through disclosure control. Pure.

A table is released against everything that stands published of the same people: what was suppressed anywhere stays suppressed,
and what was shown in another table hides nothing in this one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from streams.errors import UsageError
from streams.report.disclosure import TOTAL, Key, Release, release

_SPECIFICATION = re.compile(r"(?P<rows>\w+)(?:,(?P<columns>\w+))?:(?P<count>\w+)")

Cell = frozenset[tuple[str, str]]
"""Who is counted, whatever the table: the dimensions that are not totals, with their values."""


class Shown(Protocol):
    """A published cell: ``streams.warehouse.published.Figure`` is one."""

    @property
    def name(self) -> str: ...
    @property
    def row(self) -> str: ...
    @property
    def column(self) -> str: ...
    @property
    def figure(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Layout:
    """What a published table is by.

    Attributes:
        rows: dimension down.
        columns: dimension across; empty: there is one.
        count: the column that is counted.
    """

    rows: str
    columns: str
    count: str

    @property
    def text(self) -> str:
        """Returns it as it is given to ``--public``."""
        return f"{self.rows}{',' if self.columns else ''}{self.columns}:{self.count}"

    def cell(self, key: Key) -> Cell:
        """Returns whom a key of this layout counts."""
        row, column = key
        return frozenset((name, value) for name, value in ((self.rows, row), (self.columns, column)) if name and value != TOTAL)


def layout_of(specification: str) -> Layout:
    """Reads ``ROWS:COUNT`` or ``ROWS,COLUMNS:COUNT``.

    Raises:
        UsageError: it is neither.
    """
    match = _SPECIFICATION.fullmatch(specification.replace(" ", ""))
    if match is None:
        raise UsageError(f"--public {specification}: expected ROWS:COUNT or ROWS,COLUMNS:COUNT, e.g. oblast,grade:alerts.")
    return Layout(match["rows"], match["columns"] or "", match["count"])


def published(
    names: Sequence[str], rows: Sequence[Sequence[Any]], layout: Layout, table: str = "", standing: Iterable[Shown] = ()
) -> Release:
    """Returns an answer as a table for publication.

    Args:
        names: of the columns of ``rows``.
        rows: an answer; rows that agree in the two dimensions are added.
        layout: what the table is by: names of columns.
        table: the view the answer is of: tables of one view that count the same column are of the same people.
        standing: what stands published, of any table.

    Raises:
        UsageError: the layout names no columns of the answer, the count is none, or beside what stands published no table of
            this layout could keep small counts secret.
    """
    wanted = [name for name in (layout.rows, layout.columns, layout.count) if name]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise UsageError(f"--public: the answer has no column {', '.join(missing)}; it has {', '.join(names)}.")
    places = {name: list(names).index(name) for name in wanted}
    counts: dict[Key, int] = {}
    for row in rows:
        count = row[places[layout.count]]
        if isinstance(count, bool) or not isinstance(count, int):
            raise UsageError(f"--public: {layout.count} holds {count!r}: expected whole numbers of people or cases.")
        key = (str(row[places[layout.rows]]), str(row[places[layout.columns]]) if layout.columns else "")
        counts[key] = counts.get(key, 0) + count
    before: dict[Key, int | None] = {}
    hidden: set[Cell] = set()
    seen: set[Cell] = set()
    for one in standing:
        view, _, specification = one.name.partition(" ")
        if view != table:
            continue
        other = layout_of(specification)
        if other.count != layout.count:
            continue
        if other == layout:
            before[one.row, one.column] = one.figure
        else:
            (hidden if one.figure is None else seen).add(other.cell((one.row, one.column)))
    for row, column in before:
        if TOTAL not in (row, column):
            counts.setdefault((row, column), 0)
    return release(
        counts,
        rows=layout.rows,
        columns=layout.columns,
        before=_remembered(layout, before) if before else None,
        secret=lambda key: layout.cell(key) in hidden,
        known=lambda key: layout.cell(key) in seen,
    )


def _remembered(layout: Layout, figures: Mapping[Key, int | None]) -> Release:
    # The counts behind published figures are kept nowhere; the figure is at most half the rounding away, and a later figure that
    # is at least the threshold from it is at least the threshold from it when rounded too.
    return Release(layout.rows, layout.columns, figures, {key: figure or 0 for key, figure in figures.items()})


def as_rows(told: Release) -> list[tuple[str, str, int | None]]:
    """Returns row, column, and a rounded count or none where it is suppressed, in order; totals are ``*``."""
    return [(row, column, told.figures[row, column]) for row, column in sorted(told.figures)]
