"""A warehouse with facts in it, for tests: the engine in process, filled as the sink fills it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from streams.policy.load import load
from streams.records import Alert, DeadLetter
from streams.warehouse.counts import bring_up_to_date
from streams.warehouse.engine import Engine
from streams.warehouse.migrate import read
from streams.warehouse.rows import Position, Row, layouts, row_of
from streams.warehouse.sink import token_of
from streams.wire.avro import Message

NEXT: WeakKeyDictionary[Engine, int] = WeakKeyDictionary()
"""The next offset of an engine's log, for those who tell it something several times."""

NEWEST = read()[-1].number
"""Number of the last migration."""

Delivery = tuple[Position, Message]
"""A record with its position in the log."""

LAYOUTS = layouts(load("kz"))
RECEIVED = 1_740_812_500_000


def deliveries(records: Iterable[Message], topic: str = "t.people", partition: int = 0, first: int = 0) -> list[Delivery]:
    """Returns records with the positions they have when published in this order."""
    return [(Position(topic, partition, first + index, RECEIVED), record) for index, record in enumerate(records)]


def deliver(engine: Engine, delivered: Sequence[Delivery], *, cut: int = 10_000) -> None:
    """Inserts deliveries as the sink does: in units, one block per table.

    Args:
        engine: where to.
        delivered: in the order of the log.
        cut: deliveries in one unit.
    """
    for start in range(0, len(delivered), cut):
        by_kind: dict[type[Message], list[Row]] = defaultdict(list)
        for one in delivered[start : start + cut]:
            by_kind[type(one[1])].append(row_of(*one))
        for kind, some in by_kind.items():
            layout = LAYOUTS[kind]
            engine.insert(layout.table.name, layout.block(some), token=token_of(layout.table.name, some))
    # In a schema of before only a program of before could count.
    if engine.select("SELECT max(number) FROM schema_migrations").rows == [(NEWEST,)]:
        bring_up_to_date(engine, reached(delivered))


def reached(delivered: Sequence[Delivery]) -> dict[tuple[str, int], int]:
    """Returns the positions up to which these deliveries were read, as the sink knows them."""
    ends: dict[tuple[str, int], int] = {}
    for position, record in delivered:
        output = "" if isinstance(record, DeadLetter) else "alerts" if isinstance(record, Alert) else None
        place = (position.topic if output is None else output, position.partition)
        ends[place] = max(ends.get(place, 0), position.offset + 1)
    return ends


def empty(engine: Engine) -> None:
    """Empties every table but the record of migrations."""
    NEXT.pop(engine, None)
    tables = engine.select(
        "SELECT name FROM system.tables "
        "WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_migrations'"
    )
    for (name,) in tables.rows:
        engine.command(f"TRUNCATE TABLE {name}")


def everything(engine: Engine, *but: str) -> dict[str, list[Any]]:
    """Returns the whole content of every mart, every ``core_`` view of facts and every ``…_now`` view.

    Args:
        engine: what to read.
        but: columns that say where in the log a fact stands, which another delivery may change.
    """
    views = engine.select(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View' "
        "AND match(name, '^(mart_|core_)|_now$') AND name != 'core_deliveries' ORDER BY name"
    )
    found = {}
    columns_of: dict[str, set[str]] = defaultdict(set)
    for table, column in engine.select("SELECT table, name FROM system.columns WHERE database = currentDatabase()").rows:
        columns_of[table].add(column)
    for (name,) in views.rows:
        columns = columns_of[name]
        left_out = ", ".join(f"`{column}`" for column in but if column in columns)
        found[name] = sorted(map(repr, engine.select(f"SELECT *{f' EXCEPT ({left_out})' if left_out else ''} FROM {name}").rows))  # noqa: S608
    return found


def recounted(engine: Engine) -> dict[str, tuple[list[Any], list[Any]]]:
    """Returns by mart what it says from its counts, and what it must say by every fact."""
    found = {}
    for (slow,) in engine.select(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'recomputed_') ORDER BY name"
    ).rows:
        fast = str(slow).removeprefix("recomputed_")
        said, must = (engine.select(f"SELECT * FROM {name} ORDER BY ALL").rows for name in (fast, slow))  # noqa: S608
        found[fast] = (said, must)
    assert len(found) > 10
    return found
