"""How far behind each partition is, and for how long without moving: what /livez and two gauges rest on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from streams import metrics


class Watched(Protocol):
    """What is asked of a partition."""

    @property
    def next_offset(self) -> int | None:
        """The next offset to process; none while it recovers."""

    @property
    def place(self) -> tuple[str, int]:
        """Its topic and number."""


@dataclass(slots=True)
class _Seen:
    next_offset: int
    moved_s: float


class Watch:
    """Looks at the partitions every second or so.

    Faust's own commits can stop for good without anything failing (upstream issue 596), so what is watched is progress
    itself: a partition with records waiting whose position does not move.

    Args:
        limit_s: how long a partition with records waiting may stand still before the process counts as dead.
    """

    def __init__(self, *, limit_s: float) -> None:
        self._limit_s = limit_s
        self._seen: dict[tuple[str, int], _Seen] = {}
        self._looked_s: float | None = None
        self.age_s = 0.0

    def look(self, partitions: Iterable[Watched], end_of: Callable[[tuple[str, int]], int | None], now_s: float) -> None:
        """Notes where every partition stands.

        Args:
            partitions: those owned now.
            end_of: the offset behind the last committed record of a partition; none if it is not known yet.
            now_s: monotonic seconds.
        """
        seen: dict[tuple[str, int], _Seen] = {}
        ages = [0.0]
        for partition in partitions:
            position = partition.next_offset
            if position is None:
                continue
            end = end_of(partition.place)
            lag = max(0, (end or 0) - position)
            metrics.LAG.labels(partition.place[0], str(partition.place[1])).set(lag)
            before = self._seen.get(partition.place)
            moved = before is None or before.next_offset != position or lag == 0
            entry = _Seen(position, now_s) if moved or before is None else before
            seen[partition.place] = entry
            ages.append(now_s - entry.moved_s)
        self._seen = seen
        self._looked_s = now_s
        self.age_s = max(ages)
        metrics.LAST_COMMIT_AGE.set(self.age_s)

    def trouble(self, now_s: float) -> str:
        """Returns why the process should be restarted; an empty text when it should not."""
        if self._looked_s is not None and now_s - self._looked_s > self._limit_s:
            return f"the event loop has not turned for {now_s - self._looked_s:.0f} s"
        if self.age_s > self._limit_s:
            return f"records wait, and no checkpoint was committed for {self.age_s:.0f} s"
        return ""
