"""Days and instants, by the standard library's calendar alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from streams.policy.model import Policy, Rules

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER = 10**9
"""A day after every day."""


def day_number(day: date) -> int:
    """Returns days since 1970-01-01."""
    return (day - date(1970, 1, 1)).days


def date_of(day: int) -> date:
    """Returns the date of a day number."""
    return date(1970, 1, 1) + timedelta(days=day)


def instant(at_ms: int) -> datetime:
    """Returns the aware instant of UTC epoch milliseconds."""
    return EPOCH + timedelta(milliseconds=at_ms)


@lru_cache(maxsize=100_000)
def _local_day(at_ms: int, zone: str) -> int:
    return day_number(instant(at_ms).astimezone(ZoneInfo(zone)).date())


@lru_cache(maxsize=100_000)
def _day_end(day: int, zone: str) -> int:
    # Every offset of the tz database since 1970 in these zones is a whole number of quarters of an hour: look at each.
    quarter = 15 * 60_000
    at_ms = day * 86_400_000 - 16 * 4 * quarter
    last = at_ms
    while at_ms < (day + 2) * 86_400_000 + 16 * 4 * quarter:
        if _local_day(at_ms, zone) <= day:
            last = at_ms
        at_ms += quarter
    return last + quarter


class Calendar:
    """What the page calls local day, working day, and the values in force on a day."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.working = frozenset(policy.working_days.days)

    def zone(self, place: str) -> str:
        """Returns the tz database name of a post's or oblast's zone; the country's where the place is not known."""
        post = self.policy.codes.posts.get(place)
        if post is not None:
            return post.zone
        oblast = self.policy.codes.oblasts.get(place)
        return oblast.zone if oblast is not None else self.policy.zones[""].name

    def oblast(self, post: str) -> str:
        """Returns the oblast of a border post; empty where the post is not known."""
        known = self.policy.codes.posts.get(post)
        return "" if known is None else known.oblast

    def local_day(self, at_ms: int, place: str = "") -> int:
        """Returns the calendar day of an instant at a place."""
        return _local_day(at_ms, self.zone(place))

    def day_end(self, day: int, place: str) -> int:
        """Returns the first instant after a calendar day at a place."""
        return _day_end(day, self.zone(place))

    def is_working(self, day: int) -> bool:
        """Returns whether a day is a working day."""
        if self.policy.working_days.first_day <= day <= self.policy.working_days.last_day:
            return day in self.working
        return date_of(day).weekday() < 5

    def working_day_after(self, day: int, number: int) -> int:
        """Returns the n-th working day after a day, which does not count itself."""
        while number > 0:
            day += 1
            if self.is_working(day):
                number -= 1
        return day

    def rules(self, day: int) -> Rules:
        """Returns the values in force on a day."""
        found = self.policy.rules[0]
        for first_day, values in zip(self.policy.periods, self.policy.rules, strict=True):
            if first_day <= day:
                found = values
        return found

    def group(self, citizenship: str, day: int) -> str:
        """Returns the group of a citizenship on a day."""
        if citizenship not in self.policy.group_starts:
            return "unknown"
        names = self.policy.group_names[citizenship]
        found = names[0]
        for first_day, name in zip(self.policy.group_starts[citizenship], names, strict=True):
            if first_day <= day:
                found = name
        return found


def add_months(day: int, months: int) -> int:
    """Returns the same day of the month some months later, or that month's last day."""
    start = date_of(day)
    total = start.year * 12 + start.month - 1 + months
    year, month = total // 12, total % 12 + 1
    for number in (start.day, 30, 29, 28):
        try:
            return day_number(date(year, month, min(number, start.day)))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
