"""Marks where a measurement begins and ends; imports nothing of the project, so that every lane's environment can use it."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from pathlib import Path


def cpu_s() -> float:
    """Returns the CPU seconds of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def rss_mb(pid: int | str = "self") -> float:
    """Returns the memory a process holds now, MB (resident set)."""
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


@dataclass(slots=True)
class Meter:
    """Marks where the measurement begins and ends.

    Attributes:
        total: events in the topic.
        warm_up: events before the measurement.
        limit_s: seconds of measurement, at most.
    """

    total: int
    warm_up: int
    limit_s: float
    _began: tuple[int, float, float] | None = None
    _ended: tuple[int, float, float] | None = None

    def reached(self, events: int) -> bool:
        """Notes how many events are done; returns whether the measurement is over."""
        now = time.monotonic()
        if self._began is None:
            if events >= self.warm_up:
                self._began = (events, now, cpu_s())
            return False
        if events >= self.total or now - self._began[1] > self.limit_s:
            self._ended = (events, now, cpu_s())
            return True
        return False

    @property
    def over(self) -> bool:
        """Whether the measurement has ended."""
        return self._ended is not None

    def report(self) -> dict[str, float | int]:
        """Returns the figures."""
        if self._began is None or self._ended is None:
            raise SystemExit("the lane ended before it was measured")
        events, wall, cpu = (end - begin for begin, end in zip(self._began, self._ended, strict=True))
        return {
            "events": int(events),
            "seconds": round(wall, 3),
            "cpu_seconds": round(cpu, 3),
            "events_per_second": round(events / wall),
            "events_per_cpu_second": round(events / cpu),
            "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
