"""An answer made fit for publication: counts by one or two dimensions, through disclosure control. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from streams.errors import UsageError
from streams.report.disclosure import Key, release

_SPECIFICATION = re.compile(r"(?P<rows>\w+)(?:,(?P<columns>\w+))?:(?P<count>\w+)")


def published(names: Sequence[str], rows: Sequence[Sequence[Any]], specification: str) -> list[tuple[str, str, int | None]]:
    """Returns a table for publication: row, column, and a rounded count or none where it is suppressed; totals are ``*``.

    Args:
        names: of the columns of ``rows``.
        rows: an answer; rows that agree in the two dimensions are added.
        specification: ``ROWS:COUNT`` or ``ROWS,COLUMNS:COUNT``, by the names of columns.

    Raises:
        UsageError: the specification names no columns of the answer, or the count is none.
    """
    match = _SPECIFICATION.fullmatch(specification.replace(" ", ""))
    if match is None:
        raise UsageError(f"--public {specification}: expected ROWS:COUNT or ROWS,COLUMNS:COUNT, e.g. oblast,grade:alerts.")
    wanted = [name for name in match.groups() if name]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise UsageError(f"--public: the answer has no column {', '.join(missing)}; it has {', '.join(names)}.")
    places = {name: list(names).index(name) for name in wanted}
    counts: dict[Key, int] = {}
    for row in rows:
        count = row[places[match["count"]]]
        if isinstance(count, bool) or not isinstance(count, int):
            raise UsageError(f"--public: {match['count']} holds {count!r}: expected whole numbers of people or cases.")
        key = (str(row[places[match["rows"]]]), str(row[places[match["columns"]]]) if match["columns"] else "")
        counts[key] = counts.get(key, 0) + count
    told = release(counts, rows=match["rows"], columns=match["columns"] or "")
    return [(row, column, told.figures[row, column]) for row, column in sorted(told.figures)]
