"""The recomputed counts against the warehouse's tables: every difference as a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.recompute.counts import Counts

Select = Callable[[str], list[tuple[Any, ...]]]
"""Takes a query, returns its rows."""


def differences(counts: Counts, select: Select) -> list[str]:
    """Returns what the warehouse counts otherwise; nothing if everything adds up.

    Args:
        counts: recomputed from the log.
        select: asks the warehouse.
    """
    return [*ledger_differences(counts), *warehouse_differences(counts, select)]


def ledger_differences(counts: Counts) -> Iterator[str]:
    """Yields where the agents' own ledger does not add up to what lies in the log."""
    for place in sorted(counts.produced):
        produced, refused = counts.produced[place], counts.refused[place]
        processed, dead = counts.ledger.get(place, (0, 0))
        if (processed, dead) != (produced - refused, refused):
            yield f"{place}: {produced} produced, {refused} of them to be refused; the ledger has {processed} and {dead}"
    for place in sorted(counts.handed_on):
        if counts.ledger.get(place) != (counts.handed_on[place], 0):
            yield f"{place}: {counts.handed_on[place]} handed on between agents; the ledger has {counts.ledger.get(place)}"
    yield from _diff("dead letters by partition", dict(counts.refused), dict(counts.letters))
    yield from _diff("dead letters by code", dict(counts.refused_codes), dict(counts.letter_codes))


def warehouse_differences(counts: Counts, select: Select) -> Iterator[str]:
    """Yields where the warehouse's marts differ from the log."""
    letters = select("SELECT code, count() FROM dead_letters FINAL GROUP BY code")
    yield from _diff("table dead_letters", dict(counts.letter_codes), {row[0]: row[1] for row in letters})
    flows = select("SELECT toString(day), post, oblast, citizenship, direction, crossings, persons FROM mart_daily_flows")
    expected = {(str(cell[0]), *cell[1:]): pair for cell, pair in counts.flows.items()}
    yield from _diff("mart_daily_flows", expected, {row[:5]: row[5:7] for row in flows})
    stays = select("SELECT oblast, post, citizenship, persons FROM mart_open_stays")
    yield from _diff("mart_open_stays", dict(counts.open_stays), {row[:3]: row[3] for row in stays})
    alerts = select("SELECT rule, family, oblast, state, grade, alerts, persons FROM mart_alerts")
    yield from _diff("mart_alerts", counts.alerts, {row[:5]: row[5:7] for row in alerts})
    workers = select("SELECT employer, oblast, sector, persons FROM mart_unregistered_workers")
    yield from _diff("mart_unregistered_workers", counts.workers, {row[:3]: row[3] for row in workers})
    funnel = select("SELECT oblast, stage, cases_now, cases_ever, open_now, protected_now FROM mart_follow_up")
    found = {row[:2]: row[2:6] for row in funnel if any(row[2:6])}
    yield from _diff("mart_follow_up", counts.funnel, found)
    ledger = select("SELECT topic, partition, processed, dead_letters, balanced, missing FROM mart_ledger")
    for topic, partition, _, _, balanced, missing in ledger:
        if not balanced or missing:
            yield f"mart_ledger: {topic} {partition} is not balanced, or {missing} records are missing"
    lines = {(str(row[0]).rpartition(".")[2], row[1]): (row[2], row[3]) for row in ledger}
    yield from _diff(
        "mart_ledger", {place: both for place, both in counts.ledger.items() if place not in counts.handed_on}, lines
    )


def _diff(what: str, expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> Iterator[str]:
    for key in sorted({*expected, *found}, key=str):
        if expected.get(key) != found.get(key):
            yield f"{what}: {key}: the log gives {expected.get(key)}, it has {found.get(key)}"
