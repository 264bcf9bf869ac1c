"""Says of every source, within a minute, what is missing, repeated or late: gauges from one query on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import structlog

from streams import metrics
from streams.clock import monotonic_s
from streams.errors import ShekaraError

log = structlog.get_logger(__name__)

INTERVAL_S = 20.0
_SHARE = 0.1
"""Of the time, at most, that the question may take: on a large warehouse it is asked less often instead."""

# Bitmaps, because numbers are dense: a year of a country's crossings is a few megabytes.
QUERY = """
SELECT source, max(source_seq) - toInt64(groupBitmap(toUInt64(source_seq))) AS missing,
       uniqExactIf((topic, partition, offset), recent) - uniqExactIf(event_id, recent) AS repeats,
       if(countIf(recent) = 0, 0, quantileIf(0.99)(dateDiff('millisecond', occurred_at, received_at) / 1000, recent)) AS late_s,
       max(received_at) AS heard_at
FROM (SELECT source, source_seq, topic, partition, offset, event_id, occurred_at, received_at,
             received_at > now() - INTERVAL 1 HOUR AS recent
      FROM merge(currentDatabase(), '^raw_')
      WHERE source_seq > 0 AND (topic, partition, offset) NOT IN
            (SELECT topic, partition, offset FROM dead_letters WHERE code IN ('bad_source', 'source_not_allowed')))
GROUP BY source ORDER BY missing DESC, source LIMIT 1000
"""

Ask = Callable[[str], list[tuple[Any, ...]]]
"""Runs one query that reads; raises ``ShekaraError`` if nobody answers."""


class SourceWatch:
    """Asks every ``INTERVAL_S`` seconds until it is closed.

    Args:
        ask: may be called from another thread.
        interval_s: seconds between questions.
    """

    def __init__(self, ask: Ask, interval_s: float = INTERVAL_S) -> None:
        self._ask = ask
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="source-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends; waits for a question under way."""
        self._stop.set()
        self._thread.join(65.0)

    def look(self) -> None:
        """Asks once and sets the gauges.

        Raises:
            ShekaraError: nobody answered.
        """
        for source, missing, repeats, late_s, _ in self._ask(QUERY):
            metrics.SOURCE_MISSING.labels(source).set(missing)
            metrics.SOURCE_REPEATS.labels(source).set(repeats)
            metrics.SOURCE_LATE_SECONDS.labels(source).set(late_s)

    def _run(self) -> None:
        pause_s = self._interval_s
        while not self._stop.wait(pause_s):
            began_s = monotonic_s()
            try:
                self.look()
            except ShekaraError as error:
                # The sink says loudly enough when ClickHouse is away; here the figures just grow old.
                log.info("sources not looked at", error=error.what)
            pause_s = max(self._interval_s, (monotonic_s() - began_s) / _SHARE)
