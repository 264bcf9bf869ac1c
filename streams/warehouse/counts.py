"""Brings the counts up to date that the most asked marts read: exact whatever was repeated, late, corrected, retracted or linked.

Everything about a person follows from the records of that person's pseudonyms, so a count is a sum over people. When records
arrive, the people they touch are counted twice: by their records below the old mark (taken away) and by those below the new one
(added). The difference and the new mark become part of ``counts`` in one step, so a change counts once or not at all, however
often the process is killed. Records delivered again stand below the mark and touch nobody (ADR 0054).

Which numbers of a source came is kept as a set and needs no such step: a number that is put into a set again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from streams.records import Alert
from streams.warehouse import same_person
from streams.warehouse.columns import quote, table_of
from streams.warehouse.counted import BY_PERSON, OUTPUTS, Mark, counted, kept, lives
from streams.warehouse.engine import Engine
from streams.warehouse.rows import tables
from streams.wire.avro import schema_of

PEOPLE_AT_ONCE = 200_000
"""People counted in one statement: bounds the memory of the engine."""

BLOCK = 1 << 20
"""Numbers in one row of a set: a set of many years is merged block by block."""

STAGING = ("counts_touched", "counts_same", "counts_people", "counts_facts", "counts_next")
"""What the counting fills and empties, the change itself last; nobody else reads it."""


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
        The number of pseudonyms whose counts were computed anew.

    Raises:
        RefusedError, DependencyError: a statement failed; the counts are as before.
    """

    def run(statements: Iterator[str]) -> None:
        for statement in statements:
            engine.command(statement)
            alive()

    before = marks(engine)
    after = before | {place: offset for place, offset in reached.items() if offset > before.get(place, 0)}
    moved = [place for place in after if after[place] != before.get(place, 0)]
    if not moved:
        return 0
    left = " + ".join(f"(SELECT count() FROM {table})" for table in STAGING)  # noqa: S608  # names of ours
    if engine.select(f"SELECT {left}").rows != [(0,)]:  # killed in the middle, the last time
        _clear(engine)
    change = sum(after.values())  # no two changes are equal, so a replicated table takes none for a repeat of another (ADR 0173)
    new, letters = _stretch(before, after, moved)
    run(_latest(before, after, moved))
    run(_gather(new, letters))
    linked = _who_is_who(engine, after, new, letters)
    alive()
    engine.command(same_person.PEOPLE)
    [(people,)] = engine.select("SELECT count() FROM counts_people").rows
    for low, high in _ranges(engine, int(people)):
        run(_count(before, after, low, high, linked=linked, change=change))
    if linked:
        engine.command(same_person.differences(change))
    further = ((topic, partition, after[topic, partition] - before.get((topic, partition), 0)) for topic, partition in moved)
    rows = ", ".join(
        f"('mark', '1970-01-01', {partition}, {quote(topic)}, {by}, 0, {change})" for topic, partition, by in further
    )
    engine.command(f"INSERT INTO counts_next (kind, day, days, subject, crossings, persons, change) VALUES {rows}")  # noqa: S608  # quoted
    engine.command("ALTER TABLE counts ATTACH PARTITION tuple() FROM counts_next")
    _clear(engine)
    return int(people)


def _clear(engine: Engine) -> None:
    # The change itself last: while it is there, the next time begins with this.
    for table in STAGING:
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
            f"INSERT INTO alerts_latest ({columns}, newest, first_at) "  # noqa: S608  # names of ours, numbers
            f"SELECT {columns}, bitShiftLeft(toUInt64(version), 44) + toUInt64(log_offset), first_at "
            f"FROM (SELECT * FROM alerts WHERE {new}) AS a INNER JOIN (SELECT alert_id AS one, min(decided_at) AS first_at "
            f"FROM alerts WHERE alert_id IN (SELECT alert_id FROM alerts WHERE {new}) GROUP BY one) AS f ON f.one = a.alert_id"
        )


def _stretch(before: Mark, after: Mark, moved: list[tuple[str, int]]) -> tuple[str, str]:
    """Returns two conditions: a delivery is new; a new dead letter refuses it. Empty: there is none."""
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
    return new, letters and f"SELECT topic, partition, offset FROM dead_letters WHERE {letters}"  # noqa: S608  # numbers


def _gather(new: str, letters: str) -> Iterator[str]:
    """Yields what copies new deliveries into the order of people, puts numbers into sets, and writes down whom they touch."""
    raw = [table.name for table in tables().values() if table.name.startswith("raw_")]
    touched = []
    if new:
        for table in BY_PERSON:
            yield kept(table, new)
        numbers = " UNION ALL ".join(f"SELECT source, source_seq FROM {table} WHERE {new}" for table in raw)  # noqa: S608
        yield (
            "INSERT INTO numbers_seen SELECT source, intDiv(number, "  # noqa: S608
            f"{BLOCK}) AS block, groupBitmapState(number) AS numbers "
            f"FROM (SELECT source, toUInt64(greatest(source_seq, 0)) AS number FROM ({numbers})) GROUP BY source, block"
        )
        touched += [f"SELECT subject FROM {table} WHERE {new}" for table in (*BY_PERSON, "raw_correction")]  # noqa: S608
    if letters:
        dead = f"(topic, partition, offset) IN ({letters})"
        touched += [f"SELECT subject FROM {table} WHERE {dead}" for table in (*BY_PERSON, "raw_correction")]  # noqa: S608
    if touched:
        yield f"INSERT INTO counts_touched SELECT DISTINCT subject FROM ({' UNION ALL '.join(touched)})"  # noqa: S608


def _who_is_who(engine: Engine, after: Mark, new: str, letters: str) -> bool:
    """Fills ``counts_same`` with who answers for whom, as it was (-1) and as it is (1). Returns whether anybody does, or did."""
    new, refused = new or "0", f"(topic, partition, offset) IN ({letters})" if letters else "0"
    engine.command(same_person.before(new, refused))
    changes = bool(engine.select(same_person.moved(new, refused)).rows[0][0])
    engine.command(same_person.after(after, new, refused) if changes else same_person.UNCHANGED)
    return engine.select("SELECT count() FROM counts_same").rows != [(0,)]


def _ranges(engine: Engine, people: int) -> Iterator[tuple[str, str | None]]:
    """Yields ranges of people, the lower end outside, the upper inside, the last without end: together they hold everybody."""
    if not people:
        return
    ends = engine.select(
        "SELECT after FROM "  # noqa: S608  # a number of ours
        "(SELECT after, row_number() OVER (ORDER BY after) AS n FROM counts_people) "
        f"WHERE n % {PEOPLE_AT_ONCE} = 0 AND n < {people} ORDER BY after"
    ).rows
    low = ""
    for (high,) in ends:
        if high != low:
            yield low, str(high)
            low = str(high)
    yield low, None


def _count(before: Mark, after: Mark, low: str, high: str | None, *, linked: bool, change: int) -> Iterator[str]:
    """Yields what adds one range of people to ``counts_next``."""
    if low:
        yield "TRUNCATE TABLE counts_facts"
    for sign, mark, column in ((-1, before, "before"), (1, after, "after")):
        if mark:
            yield lives(sign, mark, column, low, high, linked=linked)
    yield counted(change)
