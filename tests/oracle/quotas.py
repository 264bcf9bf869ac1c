"""Lines of the labour quota, day by day: when one was used up, and when one soon will be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

from streams.policy.model import Rules
from streams.records import QuotaAllocation
from tests.oracle.country import Concluded, Country, Permit
from tests.oracle.time import day_number


def quotas(country: Country, allocations: list[QuotaAllocation], today: int) -> Iterator[Concluded]:
    """Each unbroken time in which a line of the labour quota was used up; and when one soon will be."""
    by_id: dict[bytes, QuotaAllocation] = {}
    for one in allocations:
        known = by_id.get(one.event_id)
        if known is None or _content(one) < _content(known):
            by_id[one.event_id] = one
    lines: dict[tuple[int, str | None, str | None, str | None], list[QuotaAllocation]] = {}
    for one in by_id.values():
        if one.quota == "labour":
            lines.setdefault((one.year, one.oblast, one.category, one.sector), []).append(one)
    for key, allocated in lines.items():
        yield from _line(country, key, allocated, today)


def _content(one: QuotaAllocation) -> tuple[int, int, int, int, int, str]:
    return one.recorded_at, one.occurred_at, one.version, one.persons, one.effective_on, one.subject


def _line(
    country: Country, key: tuple[int, str | None, str | None, str | None], allocated: list[QuotaAllocation], today: int
) -> Iterator[Concluded]:
    year, oblast, category, sector = key
    name = "-".join(part for part in ("labour", str(year), oblast, category, sector) if part)
    january, december = day_number(date(year, 1, 1)), day_number(date(year, 12, 31))
    uses = Counter(day for day, one in country.issued if january <= day <= december and _counts(one, oblast, category, sector))
    today = max([today, *uses])

    def in_force(day: int) -> QuotaAllocation | None:
        by_version: dict[int, QuotaAllocation] = {}
        for one in sorted(allocated, key=lambda each: (each.recorded_at, each.event_id)):
            by_version[one.version] = one
        begun = [version for version, one in by_version.items() if one.effective_on <= day]
        return by_version[max(begun)] if begun else None

    def conclude(
        first: int, last: int | None, days: int, rests_on: dict[bytes, QuotaAllocation], ended_by: str = ""
    ) -> Concluded:
        ordered = sorted(rests_on.values(), key=lambda one: (one.occurred_at, one.event_id))
        evidence = tuple(one.event_id for one in ordered)
        return Concluded(
            "quota_exhausted", name, first, first - 1, first, last, days, evidence, oblast or "", sector or "", ended_by=ended_by
        )

    first: int | None = None
    rests_on: dict[bytes, QuotaAllocation] = {}
    for day in range(january, min(today, december) + 1):
        holds = in_force(day)
        used = sum(number for on, number in uses.items() if on <= day)
        full = holds is not None and used >= holds.persons
        if holds is not None and (full or first is not None):
            rests_on[holds.event_id] = holds
        if full and first is None:
            first = day
        elif not full and first is not None:
            yield conclude(first, day, day - first, rests_on, "quota_raised")
            first, rests_on = None, {}
        if not full and first is None:
            rests_on = {}
    if first is not None:
        over = today > december
        days = (december if over else today) - first + 1
        yield conclude(first, december if over else None, days, rests_on, "year_over" if over else "")
    elif january <= today <= december:
        yield from _forecast(
            country.calendar.rules(today), (name, january, december), (oblast or "", sector or ""), uses, (in_force(today), today)
        )


def _counts(one: Permit, oblast: str | None, category: str | None, sector: str | None) -> bool:
    its = "seasonal" if one.record.permit_type == "seasonal" else one.record.category
    return oblast in (None, one.record.oblast) and category in (None, its) and sector in (None, one.record.sector)


def _forecast(
    rules: Rules,
    line: tuple[str, int, int],
    place: tuple[str, str],
    uses: Counter[int],
    now: tuple[QuotaAllocation | None, int],
) -> Iterator[Concluded]:
    (name, january, december), (holds, today) = line, now
    pace, warning = rules.quota_pace_days, rules.quota_warning_days
    if holds is None or pace is None or warning is None:
        return
    recent = sum(uses[day] for day in range(today - pace + 1, today + 1))
    if not recent:
        return
    left = holds.persons - sum(uses.values())
    for ahead in range(1, warning + 1):
        # At that pace a whole place is used up `ahead` days on when that many days use at least what is left.
        if recent * ahead >= left * pace and today + ahead <= december:
            day = today + ahead
            yield Concluded("quota_forecast", name, january, december, day, None, 0, (holds.event_id,), *place)
            return
