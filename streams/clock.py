"""The only place that reads the machine's clock; everything else is handed the time."""

from __future__ import annotations

import time


def now_ms() -> int:
    """Returns the wall clock in epoch milliseconds (UTC)."""
    return time.time_ns() // 1_000_000


def monotonic_s() -> float:
    """Returns a clock in seconds that never goes back; only differences mean anything."""
    return time.monotonic()
