"""How much memory each process takes at its worst."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import psutil

_EVERY_S = 0.5


class PeakMemory:
    """Samples the resident memory of processes and everything they start, until it is stopped.

    Args:
        pids: returns process ids by name; asked before every sample because processes come and go.
    """

    def __init__(self, pids: Callable[[], Mapping[str, int]]) -> None:
        self._pids = pids
        self._peaks: dict[str, int] = {}
        self._together = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="peak-memory", daemon=True)

    def start(self) -> None:
        """Starts sampling."""
        self._thread.start()

    def stop(self) -> None:
        """Takes a last sample and ends."""
        self._done.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2 * _EVERY_S)

    def peaks_mb(self) -> dict[str, float]:
        """Returns the peak by process, and ``together``: the peak of their sum, in megabytes (10^6 bytes)."""
        named = {name: round(size / 1e6, 1) for name, size in sorted(self._peaks.items())}
        return named | {"together": round(self._together / 1e6, 1)}

    def _run(self) -> None:
        while True:
            self._sample()
            if self._done.wait(_EVERY_S):
                return

    def _sample(self) -> None:
        together = 0
        pids = dict(self._pids())
        own = set(pids.values())
        for name, pid in pids.items():
            size = _resident(pid, own)
            together += size
            self._peaks[name] = max(size, self._peaks.get(name, 0))
        self._together = max(together, self._together)


def _resident(pid: int, named: set[int]) -> int:
    """Returns the resident bytes of a process and of its descendants that are not named themselves."""
    try:
        root = psutil.Process(pid)
        size = int(root.memory_info().rss)
        waiting = root.children()
    except psutil.Error:
        return 0
    while waiting:
        one = waiting.pop()
        if one.pid in named:
            continue
        try:
            size += int(one.memory_info().rss)
            waiting += one.children()
        except psutil.Error:
            continue
    return size
