"""How often something may be tried: attempts by key within a time."""

from __future__ import annotations

from collections import deque
from threading import Lock

_KEYS = 10_000


class Pace:
    """Counts attempts by key, e.g. an address or an account.

    Args:
        attempts: so many are allowed,
        within_ms: within so long.
    """

    def __init__(self, attempts: int, within_ms: int = 60_000) -> None:
        self._attempts = attempts
        self._within_ms = within_ms
        self._seen: dict[str, deque[int]] = {}
        self._lock = Lock()

    def allows(self, key: str, at: int) -> bool:
        """Counts one attempt; returns whether it may be made."""
        with self._lock:
            if len(self._seen) > _KEYS:
                self._seen = {one: seen for one, seen in self._seen.items() if seen and seen[-1] > at - self._within_ms}
            seen = self._seen.setdefault(key, deque())
            while seen and seen[0] <= at - self._within_ms:
                seen.popleft()
            if len(seen) >= self._attempts:
                return False
            seen.append(at)
            return True
