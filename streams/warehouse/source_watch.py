"""Says of every source, within a minute, what is missing, repeated or late: gauges from one query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams import metrics

INTERVAL_S = 20.0
"""Seconds between two looks."""

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


def look(ask: Ask) -> None:
    """Asks once and sets the gauges.

    Raises:
        ShekaraError: nobody answered.
    """
    for source, missing, repeats, late_s, _ in ask(QUERY):
        metrics.SOURCE_MISSING.labels(source).set(missing)
        metrics.SOURCE_REPEATS.labels(source).set(repeats)
        metrics.SOURCE_LATE_SECONDS.labels(source).set(late_s)
