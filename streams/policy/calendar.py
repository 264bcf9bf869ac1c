"""Working days: public holidays, the days off that were moved, and an administrator's corrections."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass


def _weekday(day: int) -> int:
    return (day + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0


def _is_plain_working_day(day: int) -> bool:
    return _weekday(day) < 5


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The working days of a country, computed once when the policy is loaded.

    Outside ``first_day`` … ``last_day`` nobody knows the holidays: Monday to Friday are working days there.

    Attributes:
        days: every working day from ``first_day`` to ``last_day``, ascending (days since 1970-01-01).
        first_day: first day the calendar knows.
        last_day: last day the calendar knows.
    """

    days: tuple[int, ...]
    first_day: int
    last_day: int

    def is_working(self, day: int) -> bool:
        """Returns whether a day (days since 1970-01-01) is a working day."""
        if day < self.first_day or day > self.last_day:
            return _is_plain_working_day(day)
        index = bisect_left(self.days, day)
        return index < len(self.days) and self.days[index] == day

    def add(self, day: int, n: int) -> int:
        """Returns the n-th working day after a day; the day itself does not count, working or not.

        Args:
            day: days since 1970-01-01.
            n: working days; negative counts back, 0 returns ``day`` itself.

        Returns:
            Days since 1970-01-01.
        """
        if n == 0:
            return day
        if self.first_day <= day <= self.last_day:
            index = bisect_right(self.days, day) + n - 1 if n > 0 else bisect_left(self.days, day) + n
            if 0 <= index < len(self.days):
                return self.days[index]
        step = 1 if n > 0 else -1
        left = abs(n)
        while left:
            day += step
            if self.is_working(day):
                left -= 1
        return day

    def count(self, day_from: int, day_to: int) -> int:
        """Returns the number of working days from one day to another, both included; 0 if there are none."""
        if self.first_day <= day_from and day_to <= self.last_day:
            return max(bisect_right(self.days, day_to) - bisect_left(self.days, day_from), 0)
        return sum(self.is_working(day) for day in range(day_from, day_to + 1))
