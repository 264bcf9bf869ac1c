"""What did we report on 1 March? A view asked over what the warehouse had received by then. Pure.

The definition of every view is known to the engine; the query that is returned puts them, and the tables below them cut at the
instant, before the question as named subqueries. Nothing is stored twice, and any view can be asked so (ADR 0111).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view of the warehouse.

    Attributes:
        name: its name.
        definition: the SELECT of a view as the engine gives it; empty for a table.
        received: whether it has a column ``received_at``.
    """

    name: str
    definition: str
    received: bool


CATALOGUE = """
SELECT t.name, t.as_select,
       t.name IN (SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'received_at')
FROM system.tables AS t WHERE t.database = currentDatabase() ORDER BY t.name
"""
"""Asks for every ``Relation``."""

_MERGED = re.compile(r"merge\(currentDatabase\(\), '\^raw_'\)")


_WORD = re.compile(r"(?<![\w.'])\w+(?![\w'])")
_COMMENT = re.compile(r"(?:--[^\n]*\n|\s)*")


def as_of(name: str, relations: Mapping[str, Relation], database: str, before_ms: int) -> str:
    """Returns a query for the whole of a table or view as it was.

    Args:
        name: the table or view.
        relations: every table and view by name.
        database: the database they are in.
        before_ms: what was received before this instant counts; UTC epoch ms.
    """
    parts, (now,) = _parts([name], relations, database, before_ms)
    with_ = ",\n".join(f"{part} AS ({body})" for part, body in parts.items())
    return f"{f'WITH {with_} ' if with_ else ''}SELECT * FROM {now} ORDER BY ALL"  # noqa: S608  # names of the engine's own catalogue


def query_as_of(sql: str, relations: Mapping[str, Relation], database: str, before_ms: int) -> str:
    """Returns a query as it would have been answered then.

    Args:
        sql: one SELECT that names tables and views without their database; what it defines itself keeps its name.
        relations: every table and view by name.
        database: the database they are in.
        before_ms: what was received before this instant counts; UTC epoch ms.
    """
    names = [word for word in dict.fromkeys(_WORD.findall(sql)) if word in relations]
    parts, now = _parts(names, relations, database, before_ms)
    for name, one in zip(names, now, strict=True):
        if one != name:  # what stands in for it has another name
            parts[name] = f"SELECT * FROM {one}"  # noqa: S608  # of the catalogue
    if not parts:
        return sql
    with_ = ",\n".join(f"{part} AS ({body})" for part, body in parts.items())
    body = sql[_COMMENT.match(sql).end() :]  # type: ignore[union-attr]  # it matches nothing, too
    own = body[:5].upper() == "WITH "
    return f"WITH {with_}{',' if own else ''}\n{body[5:] if own else body}"


def cut(before_ms: int) -> str:
    """Returns the condition on what was received before an instant, UTC epoch ms."""
    return f"received_at < fromUnixTimestamp64Milli(toInt64({before_ms}), 'UTC')"


def _parts(
    names: Iterable[str], relations: Mapping[str, Relation], database: str, before_ms: int
) -> tuple[dict[str, str], list[str]]:
    """Returns what must be defined before a query, by name; and under which name each relation asked for is found then."""
    received = cut(before_ms)
    named = re.compile(rf"(?<![\w`'.])(?:`?{re.escape(database)}`?\.)`?(\w+)`?(?P<final> FINAL)?")
    parts: dict[str, str] = {}

    def wanted(one: str) -> Relation | None:
        # What is read from counts knows no time of receipt: its definition over the facts stands beside it (ADR 0054).
        return relations.get(f"recomputed_{one}", relations.get(one))

    def define(one: Relation) -> None:
        if one.name in parts:
            return
        if not one.definition:
            final = " FINAL" if one.received and not one.name.startswith("raw_") else ""
            parts[one.name] = f"SELECT * FROM {database}.{one.name}{final} WHERE {received}"  # noqa: S608  # as below
            return
        for match in named.finditer(one.definition):
            below = wanted(match[1])
            if below is not None and (below.definition or below.received):
                define(below)
        body = named.sub(lambda match: _named(wanted(match[1]), parts) or match[0], one.definition)
        parts[one.name] = _MERGED.sub(lambda match: f"(SELECT *, _table FROM {match[0]} WHERE {received})", body)  # noqa: S608  # as below

    found = [wanted(name) or relations[name] for name in names]
    for one in found:
        if one.definition or one.received:
            define(one)
    return parts, [one.name for one in found]


def _named(one: Relation | None, parts: Mapping[str, str]) -> str:
    return one.name if one is not None and one.name in parts else ""
