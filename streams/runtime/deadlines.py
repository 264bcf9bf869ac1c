"""Whom a tick must revisit, in an order that does not depend on how the index came to be.

Nothing here is kept: the index is rebuilt from the state on recovery, so it cannot disagree with it.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final

_REBUILD_FACTOR: Final = 4
_REBUILD_FLOOR: Final = 1_000


class _Moment:
    """The keys due at one instant, and some that no longer are."""

    __slots__ = ("at", "keys")

    def __init__(self, at: int) -> None:
        self.at = at
        self.keys: list[bytes] = []


class _Queue:
    """Keys by the instant they are due, at most one live instant per key; moved and removed ones are skipped when they surface.

    Terms end with a day, so thousands of people share an instant: keys lie in one list per instant, and the heap holds
    instants. A key costs a dictionary's entry and a place in a list, not a pair and a number of its own.
    """

    def __init__(self) -> None:
        self._instants: list[int] = []
        self._moments: dict[int, _Moment] = {}
        self._live: dict[bytes, _Moment] = {}
        self._listed = 0

    def set(self, key: bytes, at: int | None) -> None:
        known = self._live.get(key)
        if at is None:
            if known is not None:
                del self._live[key]
            return
        if known is not None and known.at == at:
            return
        self._put(key, at)
        if self._listed > _REBUILD_FACTOR * len(self._live) + _REBUILD_FLOOR:
            live = self._live
            self._instants, self._moments, self._live, self._listed = [], {}, {}, 0
            for name, moment in live.items():
                self._put(name, moment.at)

    def _put(self, key: bytes, at: int) -> None:
        moment = self._moments.get(at)
        if moment is None:
            moment = self._moments[at] = _Moment(at)
            heappush(self._instants, at)
        moment.keys.append(key)
        self._live[key] = moment
        self._listed += 1

    def pop_through(self, now: int) -> list[tuple[int, bytes]]:
        """Takes out everything due at ``now`` or before, by (instant, key)."""
        due: list[tuple[int, bytes]] = []
        live = self._live
        while self._instants and self._instants[0] <= now:
            at = heappop(self._instants)
            moment = self._moments.pop(at)
            self._listed -= len(moment.keys)
            for key in sorted(moment.keys):
                if live.get(key) is moment:
                    del live[key]
                    due.append((at, key))
        return due

    def __contains__(self, key: bytes) -> bool:
        return key in self._live

    def __len__(self) -> int:
        return len(self._live)


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
