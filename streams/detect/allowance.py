"""The allowance of visa-exempt groups: on which untitled days of a stay it is used up.

**Source**: docs/rules.md, Allowance. Three anchors: a rolling window, a period that starts with the first counted day, and
an allowance that starts anew with each entry (in effect for the Eurasian Economic Union until 26 January 2023).
"""

from __future__ import annotations

from streams.detect.days import FAR, Counter, Span
from streams.policy.model import Allowance


class Usage:
    """How much of an allowance one stay has used, day by day.

    Args:
        own: this stay's counted days.
        counted: all counted days of the person.
        horizon: a first-entry anchor is followed to this day at least.
    """

    __slots__ = ("_all", "_days", "_horizon", "_own")

    def __init__(self, own: list[Span], counted: list[Span], horizon: int) -> None:
        self._own = Counter(own)
        self._all = Counter(counted)
        self._days = counted
        self._horizon = horizon

    def beyond(self, allowance: Allowance, piece: Span) -> list[Span]:
        """Returns the days of a piece that are beyond the allowance.

        Within an unbroken run of counted days the number of counted days in a rolling window, and of this stay, never falls:
        what is beyond is the end of the piece, found by bisection. Only the first-entry anchor starts anew inside a run.

        Args:
            allowance: the allowance in force throughout the piece.
            piece: an unbroken run of counted days of the stay.
        """
        first, last = piece
        start = FAR + 1
        if allowance.days_per_entry is not None:
            start = self._beyond_stay(allowance.days_per_entry)
        limit, window = allowance.days_in_window, allowance.window_days
        if limit is not None and allowance.anchor == "per_entry":
            start = min(start, self._beyond_stay(limit))
        elif limit is not None and window is not None and limit < window:
            if allowance.anchor == "first_entry":
                return self._beyond_periods(piece, limit, window, start)
            start = min(start, self._beyond_window(first, last, limit, window))
        start = max(start, first)
        return [(start, last)] if start <= last else []

    def _beyond_stay(self, limit: int) -> int:
        day = self._own.nth(limit + 1)
        return FAR + 1 if day is None else day

    def _beyond_window(self, low: int, high: int, limit: int, window: int) -> int:
        """Returns the first day in [low, high], all counted days, with more than ``limit`` of them in the window that ends on it.

        The number in the window rises by one a day, less the days that roll off: the first day beyond is the least d with
        d = start + days rolled off by d. Climbing to it from below takes one step where nothing rolls off.
        """
        through = self._all.through
        start = low + limit - through(low - 1)
        day = max(low, start + through(low - window))
        for _ in range(6):
            if day > high:
                return FAR + 1
            climbed = max(low, start + through(day - window))
            if climbed == day:
                return day
            day = climbed
        while day < high:
            middle = (day + high) // 2
            if middle - through(middle - window) >= start:
                high = middle
            else:
                day = middle + 1
        return day if day - through(day - window) >= start else FAR + 1

    def _beyond_periods(self, piece: Span, limit: int, window: int, stay_start: int) -> list[Span]:
        """Returns what is beyond in periods of ``window`` days, each starting with the first counted day after the one before."""
        first, last = piece
        end = min(last, max(self._horizon, first) + 2 * window)
        found: list[Span] = []
        start = self._days[0][0] if self._days else FAR
        index = 0
        while start <= end:
            over = self._all.nth(self._all.through(start - 1) + limit + 1)
            period_last = start + window - 1
            low = max(first, FAR + 1 if over is None else over)
            high = min(last, period_last)
            if low <= high:
                found.append((low, high))
            while index < len(self._days) and self._days[index][1] <= period_last:
                index += 1
            if index == len(self._days):
                break
            start = max(self._days[index][0], period_last + 1)
        if stay_start <= last:
            kept = [(low, min(high, stay_start - 1)) for low, high in found if low < stay_start]
            return [*kept, (max(stay_start, first), last)]
        return found
