"""What is written for feeds is written once: rows by version and language, stretches by who sees the same of them.

Two hundred open feeds are nearly always at the same place of the run and differ in language and filter only. What one of them
was told is kept for a moment for the others; the oldest goes when it grows too large, and would only be written again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

KEPT_BYTES = 4_000_000
"""A few seconds of everything at 50 versions a second in three languages."""


class Editions:
    """Keeps what was written. For one thread: the event loop's.

    Args:
        kept_bytes: how much is kept.
    """

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._written: dict[Hashable, bytes] = {}
        self._kept_bytes = kept_bytes
        self._bytes = 0

    def of(self, key: Hashable, write: Callable[[], bytes]) -> bytes:
        """Returns what was written under a key; writes it if nobody needed it yet.

        Args:
            key: everything the content depends on.
            write: writes it.
        """
        found = self._written.get(key)
        if found is None:
            found = self._written[key] = write()
            self._bytes += len(found)
            while self._bytes > self._kept_bytes and len(self._written) > 1:
                self._bytes -= len(self._written.pop(next(iter(self._written))))
        return found
