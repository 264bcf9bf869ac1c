"""Sets of days as sorted, disjoint, inclusive intervals: the arithmetic of stays without a loop over days.

A day is an int (days since 1970-01-01); a set of days is a list of ``(first, last)``, ascending, never touching.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

Span = tuple[int, int]

FAR: Final = 4_000_000
"""A day after every day: the end of what has no end."""

LAST_MS: Final = 1 << 47
"""An instant after every instant anyone will look at, UTC epoch ms."""


def union(spans: list[Span]) -> list[Span]:
    """Returns the days in any of the intervals; they may come in any order, overlap or touch; empty ones are dropped."""
    if len(spans) < 2:
        return [span for span in spans if span[0] <= span[1]]
    merged: list[Span] = []
    for first, last in sorted(spans):
        if first > last:
            continue
        if merged and first <= merged[-1][1] + 1:
            if last > merged[-1][1]:
                merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return merged


def intersect(days: list[Span], others: list[Span]) -> list[Span]:
    """Returns the days in both sets."""
    if not days or not others:
        return []
    found: list[Span] = []
    i = j = 0
    while i < len(days) and j < len(others):
        first = max(days[i][0], others[j][0])
        last = min(days[i][1], others[j][1])
        if first <= last:
            found.append((first, last))
        if days[i][1] < others[j][1]:
            i += 1
        else:
            j += 1
    return found


def subtract(days: list[Span], others: list[Span]) -> list[Span]:
    """Returns the days of the first set that are not in the second."""
    if not days or not others:
        return days
    found: list[Span] = []
    j = 0
    for first, last in days:
        start = first
        while j < len(others) and others[j][1] < start:
            j += 1
        k = j
        while k < len(others) and others[k][0] <= last:
            if others[k][0] > start:
                found.append((start, others[k][0] - 1))
            start = others[k][1] + 1
            k += 1
        if start <= last:
            found.append((start, last))
    return found


def has(days: list[Span], day: int) -> bool:
    """Returns whether the day is in the set."""
    return any(first <= day <= last for first, last in days)


def first_from(days: list[Span], day: int) -> int | None:
    """Returns the first day of the set on or after a day; none if there is none."""
    for first, last in days:
        if last >= day:
            return first if first > day else day
    return None


class Counter:
    """Counts the days of a set up to a day, by bisection.

    Args:
        days: a set of days.
    """

    __slots__ = ("_before", "_days", "_firsts")

    def __init__(self, days: list[Span]) -> None:
        self._days = days
        self._firsts = [first for first, _ in days]
        before = [0]
        for first, last in days:
            before.append(before[-1] + last - first + 1)
        self._before = before

    def through(self, day: int) -> int:
        """Returns how many days of the set are on or before a day."""
        index = bisect_right(self._firsts, day) - 1
        if index < 0:
            return 0
        first, last = self._days[index]
        return self._before[index] + (day if day < last else last) - first + 1

    def nth(self, n: int) -> int | None:
        """Returns the n-th day of the set, counting from 1; none if there are fewer."""
        if n < 1 or n > self._before[-1]:
            return None
        low, high = 0, len(self._days)
        while low < high:
            middle = (low + high) // 2
            if self._before[middle + 1] < n:
                low = middle + 1
            else:
                high = middle
        return self._days[low][0] + n - self._before[low] - 1
