"""What the log itself says about time and coverage at one point of a partition."""

from __future__ import annotations

from dataclasses import dataclass

from streams.records import Gap, Tick


@dataclass(frozen=True, slots=True)
class LogTime:
    """The log's clock and the coverage of the border, as of the last tick record of a partition.

    Attributes:
        now_ms: the largest tick so far, UTC epoch ms; 0 before any.
        complete_through_ms: crossings before this instant have been published by every active post, but for ``gaps``.
        gaps: times a post did not cover, or has not reported about.
    """

    now_ms: int
    complete_through_ms: int
    gaps: tuple[Gap, ...]

    def after(self, tick: Tick) -> LogTime:
        """Returns the time after a tick: clock and coverage never go back, and a tick older than the clock changes nothing."""
        if tick.occurred_at < self.now_ms:
            return self
        return LogTime(tick.occurred_at, max(tick.complete_through_at, self.complete_through_ms), tick.gaps)


START = LogTime(0, 0, ())
"""The time before any tick."""
