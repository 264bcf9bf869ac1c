"""Brings the counts up to date that the most asked marts read: exact whatever was repeated, late, corrected or retracted.

Everything about a person follows from that person's own records, so a count is a sum over people. When records arrive, the
people they touch are counted twice: by their records below the old mark (taken away) and by those below the new one (added).
The difference and the new mark become part of ``counts`` in one step, so a change counts once or not at all, however often the
process is killed. Records delivered again stand below the mark and touch nobody (ADR 0054).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from streams.records import Alert
from streams.warehouse.columns import quote, table_of
from streams.warehouse.engine import Engine
from streams.wire.avro import schema_of

PEOPLE_AT_ONCE = 200_000
"""People counted in one statement: bounds the memory of the engine."""

Mark = Mapping[tuple[str, int], int]
"""Next offset by topic and partition. Output topics have the names of ``OUTPUTS``: their rows do not name them."""

_STAGING = ("counts_people", "counts_facts", "counts_next")

OUTPUTS = {"dead-letters": "", "alerts": "alerts"}
"""Name in a mark by output topic. A topic's full name has a dot in it, these have none."""

_FACT = "subject, occurred_at, event_id, occurred_on, direction, post, oblast, citizenship, purpose, reason"

# What came next of entries and exits: what docs/rules.md calls a stay. A refusal neither begins nor ends one.
_NEXT = "leadInFrame(toString(direction)) OVER following, leadInFrame(occurred_on) OVER following"
_FOLLOWING = (
    "WINDOW following AS (PARTITION BY subject, direction = 'refusal' ORDER BY occurred_at, toString(event_id) "
    "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
)

_YEAR = "makeDate32(toYear({}), 1, 1)"

# The same fold as in core_withdrawals: from the greatest to the smallest, a correction is in force unless one in force names it.
_WITHDRAWALS = """
SELECT subject, tupleElement(c, 3) AS event_id, max(tupleElement(c, 1)) AS withdrawn_at,
       argMax(tupleElement(c, 2), (tupleElement(c, 1), toString(tupleElement(c, 2)))) AS withdrawn_by, toUInt8(1) AS withdrawn
FROM
(
    SELECT subject, arrayFold
    (
        (force, c) -> if(arrayExists(f -> tupleElement(f, 3) = tupleElement(c, 2), force), force, arrayPushBack(force, c)),
        arrayReverseSort(c -> (tupleElement(c, 1), toString(tupleElement(c, 2))),
                         groupArray((recorded_at, event_id, supersedes))),
        CAST([], 'Array(Tuple(DateTime64(3, \\'UTC\\'), UUID, UUID))')
    ) AS in_force
    FROM ({corrections}) GROUP BY subject
) ARRAY JOIN in_force AS c
GROUP BY subject, event_id
"""


_CELL = dict.fromkeys(("day", "oblast", "post", "citizenship", "direction", "purpose", "reason"), "''")
_CELL |= {"days": "toInt32(0)", "subject": "''"}
"""Columns of a cell, with what stands in those a kind does not count by."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of count.

    Attributes:
        name: its name in ``counts.kind``.
        cell: what it is counted by: column of ``counts`` to the expression over ``counts_facts``.
        where: which of them count.
    """

    name: str
    cell: Mapping[str, str]
    where: str


KINDS = (
    Kind("flow", {"day": "occurred_on"} | {c: c for c in ("oblast", "post", "citizenship", "direction")}, "1"),
    Kind(
        "month",
        {
            "day": "makeDate32(toYear(occurred_on), toMonth(occurred_on), 1)",
            "citizenship": "citizenship",
            "direction": "direction",
        },
        "1",
    ),
    Kind(
        "year",
        {"day": _YEAR.format("occurred_on"), "purpose": "purpose"},
        "direction = 'entry' AND citizenship != 'KAZ'",
    ),
    Kind(
        "refusal",
        {"day": _YEAR.format("occurred_on"), "citizenship": "citizenship", "reason": "reason"},
        "direction = 'refusal' AND citizenship != 'KAZ'",
    ),
    Kind(
        "stay",
        {
            "day": _YEAR.format("greatest(next_on, occurred_on)"),
            "purpose": "purpose",
            "days": "dateDiff('day', occurred_on, greatest(next_on, occurred_on)) + 1",
        },
        "direction = 'entry' AND next_direction = 'exit' AND citizenship != 'KAZ'",
    ),
    Kind(
        "open",
        {"day": "occurred_on", "oblast": "oblast", "post": "post", "citizenship": "citizenship"},
        "direction = 'entry' AND next_direction = ''",
    ),
    Kind(
        "present",
        {"day": "occurred_on", "oblast": "oblast", "citizenship": "citizenship", "purpose": "purpose", "subject": "subject"},
        "direction = 'entry' AND next_direction = '' AND citizenship != 'KAZ'",
    ),
)
"""What is counted. A cell's persons are its different pseudonyms."""


def marks(engine: Engine) -> dict[tuple[str, int], int]:
    """Returns how far in the log the counts reach: the next offset by topic and partition."""
    found = engine.select("SELECT subject, days, sum(crossings) FROM counts WHERE kind = 'mark' GROUP BY subject, days").rows
    return {(str(topic), int(partition)): int(offset) for topic, partition, offset in found}


def bring_up_to_date(engine: Engine, reached: Mark, alive: Callable[[], None] = lambda: None) -> int:
    """Counts everything below some positions.

    Args:
        engine: where; nobody else may count there at the same time.
        reached: positions below which every record is in ClickHouse.
        alive: called between statements.

    Returns:
        The number of people whose counts were computed anew.

    Raises:
        RefusedError, DependencyError: a statement failed; the counts are as before.
    """
    before = marks(engine)
    after = before | {place: offset for place, offset in reached.items() if offset > before.get(place, 0)}
    moved = [place for place in after if after[place] != before.get(place, 0)]
    if not moved:
        return 0
    left = " + ".join(f"(SELECT count() FROM {table})" for table in _STAGING)  # noqa: S608  # names of ours
    if engine.select(f"SELECT {left}").rows != [(0,)]:  # killed in the middle, the last time
        _clear(engine)
    for statement in (*_latest(before, after, moved), *_gather(before, after, moved)):
        engine.command(statement)
        alive()
    [(people,)] = engine.select("SELECT count() FROM counts_people").rows
    for low, high in _ranges(engine, int(people)):
        for statement in _count(before, after, low, high):
            engine.command(statement)
            alive()
    rows = ", ".join(
        f"('mark', '1970-01-01', {partition}, {quote(topic)}, {after[topic, partition] - before.get((topic, partition), 0)}, 0)"
        for topic, partition in moved
    )
    engine.command(f"INSERT INTO counts_next (kind, day, days, subject, crossings, persons) VALUES {rows}")  # noqa: S608  # quoted
    engine.command("ALTER TABLE counts ATTACH PARTITION tuple() FROM counts_next")
    _clear(engine)
    return int(people)


def _clear(engine: Engine) -> None:
    # The change itself last: while it is there, the next time begins with this.
    for table in _STAGING:
        engine.command(f"TRUNCATE TABLE {table}")


def forget(engine: Engine) -> None:
    """Empties the counts: the next time everything is counted from the beginning."""
    for table in ("counts", "crossings_by_person", "alerts_latest"):
        engine.command(f"TRUNCATE TABLE {table}")


def _latest(before: Mark, after: Mark, moved: list[tuple[str, int]]) -> Iterator[str]:
    """Yields what copies the new versions of alerts; a copy made twice replaces itself."""
    new = " OR ".join(
        f"(log_partition = {partition} AND log_offset >= {before.get((topic, partition), 0)} "
        f"AND log_offset < {after[topic, partition]})"
        for topic, partition in moved
        if topic == "alerts"
    )
    if new:
        columns = ", ".join(f"`{column.name}`" for column in table_of(schema_of(Alert.NAME), Alert.NAME).columns)
        yield (
            f"INSERT INTO alerts_latest ({columns}, newest) "  # noqa: S608  # names of ours, numbers
            f"SELECT {columns}, bitShiftLeft(toUInt64(version), 44) + toUInt64(log_offset) FROM alerts WHERE {new}"
        )


def _gather(before: Mark, after: Mark, moved: list[tuple[str, int]]) -> Iterator[str]:
    """Yields what copies the new deliveries into the order of people and writes down whom they touch."""
    new = " OR ".join(
        f"(topic = {quote(topic)} AND partition = {partition} "
        f"AND offset >= {before.get((topic, partition), 0)} AND offset < {after[topic, partition]})"
        for topic, partition in moved
        if topic not in OUTPUTS.values()
    )
    letters = " OR ".join(
        f"(log_partition = {partition} "
        f"AND log_offset >= {before.get((topic, partition), 0)} AND log_offset < {after[topic, partition]})"
        for topic, partition in moved
        if not topic
    )
    touched = []
    if new:
        yield (
            "INSERT INTO crossings_by_person SELECT subject, occurred_at, event_id, topic, partition, offset, recorded_at, "  # noqa: S608
            "occurred_on, direction, post, oblast, citizenship, purpose, ifNull(refusal_reason, '') "
            f"FROM raw_border_crossing WHERE {new}"
        )
        touched += [f"SELECT subject FROM {table} WHERE {new}" for table in ("raw_border_crossing", "raw_correction")]  # noqa: S608
    if letters:
        dead = f"(topic, partition, offset) IN (SELECT topic, partition, offset FROM dead_letters WHERE {letters})"  # noqa: S608
        touched += [f"SELECT subject FROM {table} WHERE {dead}" for table in ("raw_border_crossing", "raw_correction")]  # noqa: S608
    if touched:
        yield f"INSERT INTO counts_people SELECT DISTINCT subject FROM ({' UNION ALL '.join(touched)})"  # noqa: S608


def _ranges(engine: Engine, people: int) -> Iterator[tuple[str, str]]:
    """Yields ranges of pseudonyms, the lower end outside, the upper inside; together they hold everybody touched."""
    if not people:
        return
    ends = engine.select(
        "SELECT subject FROM "  # noqa: S608  # a number of ours
        "(SELECT subject, row_number() OVER (ORDER BY subject) AS n, count() OVER () AS people FROM counts_people) "
        f"WHERE n % {PEOPLE_AT_ONCE} = 0 OR n = people ORDER BY subject"
    ).rows
    low = ""
    for (high,) in ends:
        yield low, str(high)
        low = str(high)


def _count(before: Mark, after: Mark, low: str, high: str) -> Iterator[str]:
    """Yields what adds one range of people to ``counts_next``."""
    if low:
        yield "TRUNCATE TABLE counts_facts"
    among = f"subject > {quote(low)} AND subject <= {quote(high)}"
    among += f" AND subject IN (SELECT subject FROM counts_people WHERE {among})"  # noqa: S608  # quoted
    for sign, mark in ((-1, before), (1, after)):
        if mark:
            yield f"INSERT INTO counts_facts SELECT {sign}, {_FACT}, {_NEXT} FROM ({_facts(mark, among)}) {_FOLLOWING}"  # noqa: S608
    yield f"INSERT INTO counts_next ({', '.join(_CELL)}, kind, crossings, persons) {' UNION ALL '.join(map(_counted, KINDS))}"


def _counted(kind: Kind) -> str:
    """Returns the query for one kind of count of the people in ``counts_facts``: every cell that changes, and by how much."""
    cell = ", ".join(f"{expression} AS cell_{column}" for column, expression in kind.cell.items())
    cells = ", ".join(f"cell_{column}" for column in kind.cell)
    all_cells = ", ".join(f"cell_{column}" if column in kind.cell else empty for column, empty in _CELL.items())
    return (
        f"SELECT {all_cells}, {quote(kind.name)}, sum(sign * n) AS more, sum(sign) AS more_persons FROM "  # noqa: S608  # ours
        f"(SELECT sign, subject AS person, {cell}, toInt64(count()) AS n FROM counts_facts WHERE {kind.where} "
        f"GROUP BY sign, person, {cells}) GROUP BY {cells} HAVING more != 0 OR more_persons != 0"
    )


def _below(mark: Mark, letters: bool) -> str:
    """Returns the condition that a row stands below a mark."""
    if letters:
        branches = ", ".join(f"log_partition = {partition}, {offset}" for (topic, partition), offset in mark.items() if not topic)
        return f"log_offset < multiIf({branches}, 0)" if branches else "0"
    branches = ", ".join(
        f"topic = {quote(topic)} AND partition = {partition}, {offset}"
        for (topic, partition), offset in mark.items()
        if topic not in OUTPUTS.values()
    )
    return f"offset < multiIf({branches}, 0)" if branches else "0"


def _facts(mark: Mark, among: str) -> str:
    """Returns the query for the crossings of some people that count below a mark: ``core_border_crossing``, for them alone."""
    alive = (
        f"{among} AND {_below(mark, letters=False)} AND (topic, partition, offset) NOT IN "  # noqa: S608  # quoted
        f"(SELECT topic, partition, offset FROM dead_letters WHERE {_below(mark, letters=True)})"
    )
    corrections = f"""
        SELECT subject, event_id, recorded_at, supersedes FROM raw_correction WHERE {alive}
        ORDER BY subject, event_id, recorded_at, topic, partition, offset LIMIT 1 BY subject, event_id"""  # noqa: S608  # quoted
    withdrawals = _WITHDRAWALS.format(corrections=corrections)
    return f"""
        SELECT r.subject AS subject, r.occurred_at AS occurred_at, r.event_id AS event_id, r.occurred_on AS occurred_on,
               r.direction AS direction, r.post AS post, r.oblast AS oblast, r.citizenship AS citizenship, r.purpose AS purpose,
               r.refusal_reason AS reason
        FROM
        (
            SELECT * FROM crossings_by_person WHERE {alive}
            ORDER BY subject, event_id, recorded_at, topic, partition, offset LIMIT 1 BY subject, event_id
        ) AS r
        LEFT JOIN ({withdrawals}) AS w ON w.subject = r.subject AND w.event_id = r.event_id
        WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))"""  # noqa: S608
