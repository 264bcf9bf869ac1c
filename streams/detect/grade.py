"""How well a finding is known: silence at the border means something only where the border was listening.

**Source**: docs/rules.md, Evidence grade. The question is whether the person was inside on the first breach day.
"""

from __future__ import annotations

from streams.detect.finding import Found
from streams.detect.logtime import LogTime
from streams.detect.stays import Stay
from streams.records.outputs import Grade


class Coverage:
    """Grades findings by what the posts have reported, and remembers what could change a grade.

    Args:
        time: the log's coverage.

    Attributes:
        wait_ms: coverage must reach this instant for some open finding to become presumed; none if it need not.
        on_gaps: some open finding's grade depends on the gaps.
    """

    __slots__ = ("_time", "on_gaps", "wait_ms")

    def __init__(self, time: LogTime) -> None:
        self._time = time
        self.wait_ms: int | None = None
        self.on_gaps = False

    def grade(self, stay: Stay, found: Found) -> Grade:
        """Returns the grade of a finding about a stay."""
        first = found.first_day_on
        seen_ms = stay.entry.occurred_at
        if stay.stay_on >= first or (stay.exit is not None and stay.last_on >= first):
            return "established"
        for day, inspection in stay.seen:
            if day >= first:
                return "established"
            seen_ms = max(seen_ms, inspection.occurred_at)
        deadline_ms = stay.zone.day_end_ms(found.deadline_on)
        time = self._time
        if time.complete_through_ms < deadline_ms:
            if found.is_open and (self.wait_ms is None or deadline_ms < self.wait_ms):
                self.wait_ms = deadline_ms
            return "uncertain"
        if found.is_open:
            self.on_gaps = True
        if seen_ms < deadline_ms:
            for gap in time.gaps:
                if gap.from_at < deadline_ms and (gap.until_at is None or gap.until_at > seen_ms):
                    return "uncertain"
        return "presumed"
