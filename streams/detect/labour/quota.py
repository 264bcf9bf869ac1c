"""A labour quota line that is used up, and the day on which one will be: permits issued in a year against what was allocated.

**Source**: docs/rules.md, Employers; Rules on permits to attract foreign labour (Order No. 559 of 27.06.2016): the quota is
distributed by oblast and category; Concept of migration policy 2007-2015, foreign-labour quota and forecasting.
"""

from __future__ import annotations

from datetime import date

from streams.detect.finding import Found
from streams.detect.labour.watch import Watch
from streams.records import LabourLink, QuotaAllocation

QUOTA_EXHAUSTED = "quota_exhausted"
QUOTA_FORECAST = "quota_forecast"
QUOTA_RAISED = "quota_raised"
QUOTA_USED_UP = "quota_used_up"
YEAR_OVER = "year_over"

_EPOCH = date(1970, 1, 1).toordinal()


class Line:
    """One line of a labour quota: the country, an oblast, a category, a sector, or any of them together, in one year.

    Attributes:
        year: calendar year.
        oblast: ISO 3166-2:KZ; empty for the whole country.
        category: labour category; empty for all.
        sector: section letter; empty for all.
    """

    __slots__ = ("category", "oblast", "sector", "year")

    def __init__(self, year: int, oblast: str, category: str, sector: str) -> None:
        self.year = year
        self.oblast = oblast
        self.category = category
        self.sector = sector

    @property
    def name(self) -> str:
        """Its name, whatever its publisher calls it: ``labour-2025-KZ-23-2-F``; parts that are for all are left out."""
        return "-".join([part for part in ("labour", str(self.year), self.oblast, self.category, self.sector) if part])

    @property
    def first_on(self) -> int:
        """1 January of its year."""
        return date(self.year, 1, 1).toordinal() - _EPOCH

    @property
    def last_on(self) -> int:
        """31 December of its year."""
        return date(self.year, 12, 31).toordinal() - _EPOCH


def line_of(allocation: QuotaAllocation) -> Line:
    """Returns the line an allocation is for."""
    return Line(allocation.year, allocation.oblast or "", allocation.category or "", allocation.sector or "")


def lines_of(permit: LabourLink) -> list[Line]:
    """Returns every line a permit counts against, whether it was allocated or not; none if it counts against none."""
    if permit.issued_on is None or not permit.holds:
        return []
    year = date.fromordinal(permit.issued_on + _EPOCH).year
    found: dict[str, Line] = {}
    for oblast in {"", permit.oblast}:
        for category in {"", permit.category}:
            for sector in {"", permit.sector}:
                line = Line(year, oblast, category, sector)
                found[line.name] = line
    return [found[name] for name in sorted(found)]


def in_force(allocations: list[QuotaAllocation], day: int) -> QuotaAllocation | None:
    """Returns the allocation of a line in force on a day: the greatest version that has begun; none before the first.

    Args:
        allocations: of one line; of one version the greatest ``(recorded_at, event_id)`` holds.
        day: the day.
    """
    held: dict[int, QuotaAllocation] = {}
    for one in sorted(allocations, key=lambda each: (each.recorded_at, each.event_id)):
        held[one.version] = one
    begun = [one for one in held.values() if one.effective_on <= day]
    return max(begun, key=lambda one: one.version) if begun else None


def find(line: Line, allocations: list[QuotaAllocation], uses: dict[int, int], watch: Watch) -> list[Found]:
    """Returns the unbroken times in which a line was used up, and the forecast of one that will be soon.

    Args:
        line: the line.
        allocations: what was allocated to it.
        uses: permits by the day they were issued on.
        watch: policy and today.
    """
    if not allocations:
        return []
    found: list[Found] = []
    current: Found | None = None
    rests_on: dict[bytes, QuotaAllocation] = {}
    today = watch.today
    used, last = 0, min(today, line.last_on)
    for day in sorted({line.first_on, *uses, *[max(one.effective_on, line.first_on) for one in allocations]}):
        if day > last:
            if day <= line.last_on:
                watch.look_again_on(day)
            break
        used += uses.get(day, 0)
        held = in_force(allocations, day)
        if held is not None and used >= held.persons:
            if current is None:
                current, rests_on = Found(QUOTA_EXHAUSTED, day, day - 1, day), {}
            rests_on[held.event_id] = held
        elif current is not None:
            rests_on |= {} if held is None else {held.event_id: held}
            found.append(_conclude(line, current, rests_on, day, QUOTA_RAISED))
            current = None
    if current is not None:
        found.append(_conclude(line, current, rests_on, line.last_on if today > line.last_on else None, YEAR_OVER))
        current.days += today - current.first_day_on + 1 if current.is_open else 0
    if line.first_on <= today <= line.last_on:
        watch.look_again_on(line.last_on + 1)
        if current is None:
            found += _forecast(line, allocations, uses, watch)
    return [one for one in found if watch.applies(one.rule, one.first_day_on)]


def _conclude(line: Line, one: Found, rests_on: dict[bytes, QuotaAllocation], last: int | None, ended_by: str) -> Found:
    one.oblast, one.sector = line.oblast, line.sector
    ordered = sorted(rests_on.values(), key=lambda each: (each.occurred_at, each.event_id))
    one.evidence = tuple([each.event_id for each in ordered])
    if last is not None:
        one.last_day_on, one.ended_by = last, ended_by
        one.days = last - one.first_day_on + (1 if ended_by == YEAR_OVER else 0)
    return one


def _forecast(line: Line, allocations: list[QuotaAllocation], uses: dict[int, int], watch: Watch) -> list[Found]:
    """Returns when a line will be used up at the pace of the last days, if that is soon and still in its year."""
    today, rules = watch.today, watch.policy.at(watch.today)
    held, pace_days, warning_days = in_force(allocations, today), rules.quota_pace_days, rules.quota_warning_days
    if held is None or pace_days is None or warning_days is None:
        return []
    used = sum([number for day, number in uses.items() if day <= today])
    recent = sum([number for day, number in uses.items() if today - pace_days < day <= today])
    if recent == 0:
        return []
    watch.look_again_on(today + 1)
    left = held.persons - used
    ahead = -(-left * pace_days // recent)
    if ahead > warning_days or today + ahead > line.last_on:
        return []
    one = Found(QUOTA_FORECAST, line.first_on, line.last_on, today + ahead)
    one.oblast, one.sector = line.oblast, line.sector
    one.evidence = (held.event_id,)
    return [one]
