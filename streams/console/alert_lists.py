"""Lists of alerts as officers work through them: rows, counts, groups. Every question carries what its visitor may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args
from uuid import UUID

from streams.console.conditions import RECEIVED, URGENCY, Scope, condition
from streams.console.filters import OPEN, Filter
from streams.console.reading import ROW, Fields, Reading
from streams.warehouse.columns import quote

GroupBy = Literal["employer", "address", "post", "oblast", "rule"]
GROUPS: tuple[GroupBy, ...] = get_args(GroupBy)
URGENT_AT_MOST = 200
"""A list by urgency has one page: what is not on it is not urgent."""


def rows(reading: Reading, wanted: Filter, scope: Scope, *, limit: int) -> list[Fields]:
    """Returns rows of the feed in the view's order."""
    order = "decided_ms DESC, toString(alert_id) DESC"
    if wanted.order == "urgent":
        order, limit = f"{URGENCY}, {RECEIVED}, toString(alert_id)", URGENT_AT_MOST
    return reading.ask(f"SELECT {ROW} FROM alerts_now WHERE {condition(wanted, scope)} ORDER BY {order} LIMIT {limit}")  # noqa: S608


def counts(reading: Reading, wanted: Filter, scope: Scope) -> dict[str, dict[str, int]]:
    """Returns how many alerts there are by severity, grade, rule and oblast in a view; ``all`` under ``all``."""
    found_rows = reading.ask(
        "SELECT severity, grade, rule, oblast, count() AS n FROM alerts_now "  # noqa: S608  # checked by the filter
        f"WHERE {condition(wanted.but(before=''), scope)} GROUP BY severity, grade, rule, oblast"
    )
    found: dict[str, dict[str, int]] = {"severity": {}, "grade": {}, "rule": {}, "oblast": {}, "all": {}}
    for row in found_rows:
        for name in ("severity", "grade", "rule", "oblast"):
            found[name][row[name]] = found[name].get(row[name], 0) + row["n"]
        found["all"]["all"] = found["all"].get("all", 0) + row["n"]
    return found


def count_each(reading: Reading, views: Sequence[Filter], scope: Scope) -> list[int]:
    """Returns how many alerts there are in each of some views."""
    if not views:
        return []
    columns = ", ".join(f"countIf({condition(one, scope)}) AS c{n}" for n, one in enumerate(views))
    return list(reading.ask(f"SELECT {columns} FROM alerts_now")[0].values())  # noqa: S608  # checked by the filters


def ids(reading: Reading, wanted: Filter, scope: Scope, *, limit: int) -> list[UUID]:
    """Returns the ids of the alerts in a view, the newest first."""
    where = condition(wanted.but(before=""), scope)
    found = reading.ask(f"SELECT alert_id FROM alerts_now WHERE {where} ORDER BY decided_at DESC LIMIT {limit}")  # noqa: S608
    return [row["alert_id"] for row in found]


def groups(reading: Reading, wanted: Filter, scope: Scope, by: GroupBy, *, limit: int = 100) -> list[Fields]:
    """Returns the alerts of a view by what they share, the largest group first.

    Args:
        reading: asks the warehouse.
        wanted: the view.
        scope: for whom.
        by: what they share.
        limit: groups at most.

    Returns:
        ``key`` (a code; empty for employers and addresses), ``sample`` (an alert of the group), ``alerts``, ``persons``,
        ``urgent`` (of high severity), ``oldest_at``, ``rules``.
    """
    key: str = by
    source, where = "alerts_now", condition(wanted.but(before=""), scope)
    if by == "address":
        source = (
            f"(SELECT * FROM alerts_now WHERE {where}) AS a INNER JOIN "  # noqa: S608
            "(SELECT DISTINCT subject AS resident, address_key FROM core_stay_registration WHERE address_key IS NOT NULL) AS r "
            "ON r.resident = a.subject"
        )
        key, where = "address_key", "1"
    elif by == "employer":
        key = "if(employer <> '', employer, if(startsWith(subject, 'e'), subject, ''))"
    shown = "''" if by in ("employer", "address") else "toString(g)"
    return reading.ask(
        f"SELECT {shown} AS key, sample, alerts, persons, urgent, oldest_at, rules FROM ("  # noqa: S608
        f"SELECT {key} AS g, argMin(alert_id, toString(alert_id)) AS sample, uniqExact(alert_id) AS alerts, "
        "uniqExact(subject) AS persons, uniqExactIf(alert_id, severity = 'high') AS urgent, min(decided_at) AS oldest_at, "
        f"arraySort(groupUniqArray(rule)) AS rules FROM {source} WHERE {where} GROUP BY g) "
        f"WHERE toString(g) <> '' ORDER BY alerts DESC, toString(sample) LIMIT {limit}"
    )


def over(reading: Reading, alert_ids: Sequence[str]) -> list[str]:
    """Returns those alerts of some on which nobody has to act any more."""
    if not alert_ids:
        return []
    listed = ", ".join(quote(one) for one in alert_ids)
    states = ", ".join(quote(one) for one in OPEN)
    found = reading.ask(f"SELECT alert_id FROM alerts_now WHERE alert_id IN ({listed}) AND state NOT IN ({states})")  # noqa: S608
    return [str(row["alert_id"]) for row in found]
