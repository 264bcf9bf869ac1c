"""Whom a tick must revisit, in an order that does not depend on how the index came to be.

Nothing here is kept: the index is rebuilt from the state on recovery, so it cannot disagree with it.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

_REBUILD_FACTOR = 4
_REBUILD_FLOOR = 1_000


class _Queue:
    """A heap with at most one live instant per key; moved and removed ones are skipped when they surface."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, bytes]] = []
        self._at: dict[bytes, int] = {}

    def set(self, key: bytes, at: int | None) -> None:
        if at is None:
            self._at.pop(key, None)
            return
        if self._at.get(key) == at:
            return
        self._at[key] = at
        heappush(self._heap, (at, key))
        if len(self._heap) > _REBUILD_FACTOR * len(self._at) + _REBUILD_FLOOR:
            self._heap = [(instant, name) for name, instant in self._at.items()]
            heapify(self._heap)

    def pop_through(self, now: int) -> list[tuple[int, bytes]]:
        """Takes out everything due at ``now`` or before, by (instant, key)."""
        due: list[tuple[int, bytes]] = []
        heap, live = self._heap, self._at
        while heap and heap[0][0] <= now:
            at, key = heappop(heap)
            if live.get(key) == at:
                del live[key]
                due.append((at, key))
        return due

    def __contains__(self, key: bytes) -> bool:
        return key in self._at

    def __len__(self) -> int:
        return len(self._at)


class Deadlines:
    """The deadlines of one partition's keys."""

    def __init__(self) -> None:
        self._by_time = _Queue()
        self._by_coverage = _Queue()
        self._on_gaps: set[bytes] = set()

    def __len__(self) -> int:
        """Returns how many deadlines are pending."""
        return len(self._by_time) + len(self._by_coverage) + len(self._on_gaps)

    def set(self, key: bytes, at_ms: int | None, coverage_ms: int | None, on_gaps: bool) -> None:
        """Replaces when a key is due."""
        self._by_time.set(key, at_ms)
        self._by_coverage.set(key, coverage_ms)
        if on_gaps:
            self._on_gaps.add(key)
        else:
            self._on_gaps.discard(key)

    def pop_due(self, now_ms: int, coverage_ms: int, *, gaps_changed: bool) -> list[bytes]:
        """Takes out every key that is due, each once, ordered by (earliest reason, key).

        A key that is due for one reason loses the others too: whoever revisits it sets them anew.

        Args:
            now_ms: the tick's time, UTC epoch ms.
            coverage_ms: the tick's coverage, UTC epoch ms.
            gaps_changed: whether the tick's gaps are not those of the tick before.
        """
        reasons = {key: at for at, key in self._by_time.pop_through(now_ms)}
        for at, key in self._by_coverage.pop_through(coverage_ms):
            reasons[key] = min(at, reasons.get(key, at))
        if gaps_changed:
            for key in self._on_gaps:
                reasons[key] = min(now_ms, reasons.get(key, now_ms))
        for key in reasons:
            self.set(key, None, None, False)
        return [key for _, key in sorted((at, key) for key, at in reasons.items())]
