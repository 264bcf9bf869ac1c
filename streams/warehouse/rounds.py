"""Asks the warehouse something again and again, on a thread of its own, without keeping it from its work."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from streams.clock import monotonic_s
from streams.errors import ShekaraError

log = structlog.get_logger(__name__)

_SHARE = 0.1
"""Of the time, at most, that a look may take: on a large warehouse there is one less often instead."""


class Rounds:
    """Looks every few seconds until it is closed; the first time after one pause.

    Args:
        name: of the thread, and in the log.
        look: may raise ``ShekaraError`` where nobody answers: then the next look makes up for it.
        interval_s: seconds between looks.
    """

    def __init__(self, name: str, look: Callable[[], object], interval_s: float) -> None:
        self._name = name
        self._look = look
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends; waits for a look under way."""
        self._stop.set()
        self._thread.join(65.0)

    def _run(self) -> None:
        pause_s = self._interval_s
        while not self._stop.wait(pause_s):
            began_s = monotonic_s()
            try:
                self._look()
            except ShekaraError as error:
                # The sink says loudly enough when ClickHouse is away.
                log.info("not looked", round=self._name, error=error.what)
            pause_s = max(self._interval_s, (monotonic_s() - began_s) / _SHARE)
