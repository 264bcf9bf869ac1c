"""What is counted, and the queries that count it for some people below some mark. Pure: text from names and numbers of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streams.warehouse.columns import quote

Mark = Mapping[tuple[str, int], int]
"""Next offset by topic and partition. Output topics have the names of ``OUTPUTS``: their rows do not name them."""

OUTPUTS = {"dead-letters": "", "alerts": "alerts"}
"""Name in a mark by output topic. A topic's full name has a dot in it, these have none."""

BY_PERSON = ("raw_border_crossing", "raw_stay_registration")
"""Tables whose deliveries are kept in the order of people, in ``crossings_by_person``."""

NOTICES = ("arrival", "extension")
"""Kinds of a stay's registration that tell of an arrival."""

_MINUTES = "toInt32(ceil(dateDiff('second', {}, {}) / 60))"

# What is kept of a delivery. A registration has no post, citizenship or purpose; its kind stands for the direction.
KEPT = {
    "raw_border_crossing": (
        "direction, post, oblast, citizenship, purpose, ifNull(refusal_reason, '') AS refusal_reason",
        "1",
    ),
    "raw_stay_registration": (
        "kind AS direction, '' AS post, oblast, '' AS citizenship, '' AS purpose, '' AS refusal_reason",
        "1",
    ),
}


def kept(table: str, new: str) -> str:
    """Returns what copies new deliveries of a table into ``crossings_by_person``."""
    columns, where = KEPT[table]
    return (
        "INSERT INTO crossings_by_person (subject, occurred_at, event_id, topic, partition, offset, recorded_at, occurred_on, "  # noqa: S608
        "direction, post, oblast, citizenship, purpose, refusal_reason, source, recorded_min, received_min, received_on) "
        f"SELECT subject, occurred_at, event_id, topic, partition, offset, recorded_at, occurred_on, {columns}, source, "
        f"{_MINUTES.format('occurred_at', 'recorded_at')}, {_MINUTES.format('recorded_at', 'received_at')}, "
        f"toDate32(received_at) FROM {table} WHERE ({new}) AND {where}"
    )


_CELL = dict.fromkeys(("day", "oblast", "post", "citizenship", "direction", "purpose", "reason"), "''")
_CELL |= {"day": "toDate32('1970-01-01')", "days": "toInt32(0)", "subject": "''", "source": "''"}
"""Columns of a cell, with what stands in those a kind does not count by."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of count.

    Attributes:
        name: its name in ``counts.kind``.
        cell: what it is counted by: column of ``counts`` to the expression over ``counts_facts``.
        where: which of them count.
        people: whether different people are counted too; else ``persons`` is as ``crossings``.
    """

    name: str
    cell: Mapping[str, str]
    where: str
    people: bool = False


_YEAR = "makeDate32(toYear({}), 1, 1)"
_OPEN = "holds AND direction = 'entry' AND next_direction = ''"
_ENTRY = "holds AND direction = 'entry' AND citizenship != 'KAZ'"
_LAST_DAY = "greatest(next_on, occurred_on)"

KINDS = (
    Kind(
        "flow",
        {"day": "occurred_on"} | {c: c for c in ("oblast", "post", "citizenship", "direction")},
        "holds AND direction IN ('entry', 'exit', 'refusal')",
        people=True,
    ),
    Kind(
        "month",
        {
            "day": "makeDate32(toYear(occurred_on), toMonth(occurred_on), 1)",
            "citizenship": "citizenship",
            "direction": "direction",
        },
        "holds AND direction IN ('entry', 'exit', 'refusal')",
    ),
    Kind("year", {"day": _YEAR.format("occurred_on"), "purpose": "purpose"}, _ENTRY, people=True),
    Kind(
        "refusal",
        {"day": _YEAR.format("occurred_on"), "citizenship": "citizenship", "reason": "reason"},
        "holds AND direction = 'refusal' AND citizenship != 'KAZ'",
        people=True,
    ),
    Kind(
        "stay",
        {
            "day": _YEAR.format(_LAST_DAY),
            "purpose": "purpose",
            "days": f"toInt32(dateDiff('day', occurred_on, {_LAST_DAY}) + 1)",
        },
        f"{_ENTRY} AND next_direction = 'exit'",
    ),
    Kind("open", {"day": "occurred_on", "oblast": "oblast", "post": "post", "citizenship": "citizenship"}, _OPEN),
    Kind(
        "present",
        {"day": "occurred_on", "oblast": "oblast", "citizenship": "citizenship", "purpose": "purpose", "subject": "person"},
        f"{_OPEN} AND citizenship != 'KAZ'",
    ),
    Kind(
        "noticed",
        {"day": _YEAR.format("occurred_on"), "oblast": "oblast"},
        f"{_ENTRY} AND follows IN ('arrival', 'extension') AND (next_direction = '' OR follows_at <= next_at)",
    ),
    # By how late they are publishers are measured, so what was withdrawn later counts here too.
    Kind("recorded", {"source": "source", "days": "recorded_min"}, "1"),
    Kind("received", {"source": "source", "days": "received_min"}, "1"),
)
"""What is counted. A cell's persons are its different people."""


def counted(change: int) -> str:
    """Returns what adds the people in ``counts_facts`` to ``counts_next``: every cell that changes, and by how much.

    Args:
        change: names the change; in every row, because a replicated table looks at each part alone.
    """
    cells = " UNION ALL ".join(_kind(kind, change) for kind in KINDS)
    return f"INSERT INTO counts_next ({', '.join(_CELL)}, kind, crossings, persons, change) {cells}"


def _kind(kind: Kind, change: int) -> str:
    cell = ", ".join(f"{expression} AS cell_{column}" for column, expression in kind.cell.items())
    cells = ", ".join(f"cell_{column}" for column in kind.cell)
    all_cells = ", ".join(f"cell_{column}" if column in kind.cell else empty for column, empty in _CELL.items())
    if kind.people:
        source = (
            f"SELECT sign, person, {cell}, toInt64(count()) AS n FROM counts_facts WHERE {kind.where} "  # noqa: S608
            f"GROUP BY sign, person, {cells}"
        )
        sums = "sum(sign * n) AS more, sum(sign) AS more_persons"
    else:
        source = f"SELECT sign, {cell} FROM counts_facts WHERE {kind.where}"  # noqa: S608
        sums = "sum(sign) AS more, more AS more_persons"
    return (
        f"SELECT {all_cells}, {quote(kind.name)}, {sums}, {change} FROM ({source}) "  # noqa: S608  # ours
        f"GROUP BY {cells} HAVING more != 0 OR more_persons != 0"
    )


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


def below(mark: Mark, *, letters: bool = False) -> str:
    """Returns the condition that a row stands below a mark; a dead letter's own place is in its topic."""
    if letters:
        branches = ", ".join(f"log_partition = {partition}, {offset}" for (topic, partition), offset in mark.items() if not topic)
        return f"log_offset < multiIf({branches}, 0)" if branches else "0"
    branches = ", ".join(
        f"topic = {quote(topic)} AND partition = {partition}, {offset}"
        for (topic, partition), offset in mark.items()
        if topic not in OUTPUTS.values()
    )
    return f"offset < multiIf({branches}, 0)" if branches else "0"


def facts(table: str, columns: str, mark: Mark, among: str) -> str:
    """Returns the query for the facts of some people below a mark, each once, with ``holds``: whether no correction withdraws it.

    Args:
        table: ``crossings_by_person`` or a ``raw_`` table.
        columns: what is wanted besides ``subject``, ``event_id`` and ``holds``: columns of the table.
        mark: what stands below it counts.
        among: condition on ``subject``.
    """
    alive = (
        f"{among} AND {below(mark)} AND (topic, partition, offset) NOT IN "  # noqa: S608  # quoted
        f"(SELECT topic, partition, offset FROM dead_letters WHERE {below(mark, letters=True)})"
    )
    corrections = f"""
        SELECT subject, event_id, recorded_at, supersedes FROM raw_correction WHERE {alive}
        ORDER BY subject, event_id, recorded_at, topic, partition, offset LIMIT 1 BY subject, event_id"""  # noqa: S608  # quoted
    withdrawals = _WITHDRAWALS.format(corrections=corrections)
    wanted = ", ".join(f"r.{column} AS {column}" for column in columns.split(", "))
    return f"""
        SELECT r.subject AS subject, r.event_id AS event_id, {wanted},
               w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by)) AS holds
        FROM
        (
            SELECT * FROM {table} WHERE {alive}
            ORDER BY subject, event_id, recorded_at, topic, partition, offset LIMIT 1 BY subject, event_id
        ) AS r
        LEFT JOIN ({withdrawals}) AS w ON w.subject = r.subject AND w.event_id = r.event_id"""  # noqa: S608


_FACT = "occurred_on, direction, post, oblast, citizenship, purpose, refusal_reason, source, recorded_min, received_min"

# What came next of entries and exits: what docs/rules.md calls a stay. A refusal neither begins nor ends one.
_NEXT = (
    "leadInFrame(toString(direction)) OVER following, leadInFrame(occurred_on) OVER following, "
    "leadInFrame(occurred_at) OVER following, "
    "leadInFrame(toString(direction)) OVER telling, leadInFrame(occurred_at) OVER telling"
)
_WINDOWS = (
    "WINDOW following AS (PARTITION BY person, holds, direction IN ('entry', 'exit') ORDER BY occurred_at, UUIDToNum(event_id) "
    "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), "
    "telling AS (PARTITION BY person, holds, direction IN ('entry', 'arrival', 'extension') "
    "ORDER BY occurred_at, direction != 'entry', UUIDToNum(event_id) "
    "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
)


def lives(sign: int, mark: Mark, column: str, low: str, high: str | None, *, linked: bool) -> str:
    """Returns what puts one range of people into ``counts_facts``: their facts below a mark, each with what follows it.

    Args:
        sign: 1 to add them, -1 to take them away.
        mark: what stands below it counts.
        column: of ``counts_people``: who answers for a pseudonym, as it was or as it is.
        low: people after this one.
        high: up to this one; none: all the rest.
        linked: whether any pseudonym is another's person; if none is, a pseudonym is a person.
    """
    among = f"{column} > {quote(low)}" + (f" AND {column} <= {quote(high)}" if high is not None else "")
    people = f"SELECT subject FROM counts_people WHERE {among}"  # noqa: S608  # quoted
    # Who answers is the first in the order of texts, so no pseudonym of these people stands before the range.
    those = facts(
        "crossings_by_person", f"recorded_at, occurred_at, {_FACT}", mark, f"subject > {quote(low)} AND subject IN ({people})"
    )
    if linked:
        who = f"SELECT subject AS one, person AS whose FROM counts_same WHERE side = {sign}"  # noqa: S608
        those = (
            f"SELECT if(p.whose = '', f.subject, p.whose) AS person, f.* FROM ({those}) AS f "  # noqa: S608
            f"LEFT JOIN ({who}) AS p ON p.one = f.subject"
        )
    else:
        those = f"SELECT subject AS person, * FROM ({those})"  # noqa: S608
    columns = "sign, person, holds, occurred_on, direction, post, oblast, citizenship, purpose, reason"
    return (
        f"INSERT INTO counts_facts ({columns}, source, recorded_min, received_min, "  # noqa: S608
        "next_direction, next_on, next_at, follows, follows_at) "
        f"SELECT {sign}, person, holds, {_FACT}, {_NEXT} FROM ({those}) {_WINDOWS}"
    )
