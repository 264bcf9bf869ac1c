"""Local days: which calendar day an instant is in a zone, and when that day ends. Integers only."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

DAY_MS: Final = 86_400_000
_WIDEST_MS: Final = 15 * 3_600_000  # no zone is further from UTC


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone's history as plain numbers, from the tz database.

    Attributes:
        name: tz database name.
        starts_ms: the instants at which an offset begins to hold, ascending, UTC epoch ms; the first is before any event.
        offsets_ms: the offset from UTC that begins there, milliseconds.
    """

    name: str
    starts_ms: tuple[int, ...]
    offsets_ms: tuple[int, ...]

    def local_day(self, at_ms: int) -> int:
        """Returns the calendar day (days since 1970-01-01) of an instant (UTC epoch ms) in this zone."""
        if at_ms >= self.starts_ms[-1]:  # nearly every event: after the last change of the clocks
            return (at_ms + self.offsets_ms[-1]) // DAY_MS
        index = bisect_right(self.starts_ms, at_ms) - 1
        return (at_ms + self.offsets_ms[max(index, 0)]) // DAY_MS

    def day_end_ms(self, day: int) -> int:
        """Returns the first instant (UTC epoch ms) after a local day (days since 1970-01-01).

        Where clocks are set back at midnight, as on 1 March 2024 in Almaty, the day ends an hour later than it would have.
        """
        midnight = (day + 1) * DAY_MS
        last = len(self.starts_ms) - 1
        index = max(bisect_right(self.starts_ms, midnight - _WIDEST_MS) - 1, 0)
        while index < last:
            ends = max(midnight - self.offsets_ms[index], self.starts_ms[index])
            if ends < self.starts_ms[index + 1]:
                return ends
            index += 1
        return max(midnight - self.offsets_ms[last], self.starts_ms[last])
