"""Turns a hole in a post's numbers into an outage of the post, so that it lowers the grade of evidence like any silence.

A heartbeat says which numbers its crossings have. Where one of them has not come, or was refused and lies in the dead
letters, somebody may have left unseen: from the heartbeat before to this one the post does not vouch for its records.
That is what an outage says, and it is said as an event (``post_outage`` from :data:`NUMBERS_SOURCE`), so that the stream
decides by its log alone. Once the numbers are there the outage is said to be typed in (ADR 0172).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any
from uuid import UUID, uuid5

import structlog

from streams.detect.coverage_ledger import NUMBERS_SOURCE
from streams.records import PostOutage

log = structlog.get_logger(__name__)

INTERVAL_S = 60.0
"""Seconds between two looks."""

GRACE_MS = 10 * 60_000
"""How long after a heartbeat arrived its crossings may still be on their way: a second connection, a repeated attempt."""

_MOST = 1000
"""Outages said at once, at most; the rest a minute later."""
_IDS = UUID("7d1f0c52-1f5e-4d0e-9a70-0d1a4b6a3c11")

_COUNTS = "(topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)"

HOLES = f"""
WITH held AS
(
    SELECT source, groupBitmapState(toUInt64(source_seq)) AS numbers FROM merge(currentDatabase(), '^raw_')
    WHERE source_seq > 0 AND {_COUNTS} GROUP BY source
),
said AS
(
    SELECT subject, complete_through_at AS through_at, groupUniqArray((source, first_seq, last_seq)) AS ranges,
           min(received_at) AS heard_at
    FROM raw_post_heartbeat WHERE {_COUNTS} GROUP BY subject, complete_through_at
)
SELECT subject, source, first_seq, last_seq, from_ms, through_ms
FROM
(
    SELECT subject, range.1 AS source, range.2 AS first_seq, range.3 AS last_seq, from_ms, through_ms
    FROM
    (
        SELECT subject, ranges, heard_at, toUnixTimestamp64Milli(through_at) AS through_ms,
               lagInFrame(toUnixTimestamp64Milli(through_at), 1, toInt64(0))
                   OVER (PARTITION BY subject ORDER BY through_at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS from_ms
        FROM said
    )
    ARRAY JOIN ranges AS range
    WHERE last_seq >= first_seq AND first_seq > 0 AND toUnixTimestamp64Milli(heard_at) <= %d
) AS one
LEFT JOIN held ON held.source = one.source
WHERE bitmapCardinality(bitmapSubsetInRange(numbers, toUInt64(first_seq), toUInt64(last_seq + 1)))
      < toUInt64(last_seq - first_seq + 1)
ORDER BY through_ms, subject, source, first_seq, last_seq
"""  # noqa: S608  # nothing of anybody's is put in

SAID = f"""
SELECT outage_id, any(subject), toUnixTimestamp64Milli(min(from_at)), toUnixTimestamp64Milli(assumeNotNull(max(until_at))),
       max(kind = 'backfilled')
FROM raw_post_outage WHERE source = '{NUMBERS_SOURCE}' GROUP BY outage_id ORDER BY outage_id
"""  # noqa: S608

LAST = f"SELECT max(source_seq) FROM raw_post_outage WHERE source = '{NUMBERS_SOURCE}'"  # noqa: S608

Ask = Callable[[str], list[tuple[Any, ...]]]
"""Runs one query that reads; raises ``ShekaraError`` if nobody answers."""
Settled = Callable[[], int | None]
"""Waits until what had arrived at some instant (UTC epoch ms) is in ClickHouse and returns the instant; none if it is not yet."""
Publish = Callable[[Sequence[PostOutage]], None]
"""Writes records to the posts' log; raises ``ShekaraError`` if the broker does not have them."""


class NumberWatch:
    """Compares, and says what changed.

    Args:
        ask: see :data:`Ask`.
        settled: see :data:`Settled`.
        publish: see :data:`Publish`.
        grace_ms: see :data:`GRACE_MS`.
    """

    def __init__(self, ask: Ask, settled: Settled, publish: Publish, *, grace_ms: int = GRACE_MS) -> None:
        self._ask = ask
        self._settled = settled
        self._publish = publish
        self._grace_ms = grace_ms

    def look(self) -> int:
        """Compares once what heartbeats say with what came, and says what changed. Returns how many records it published.

        Raises:
            ShekaraError: ClickHouse or Kafka did not answer.
        """
        settled_ms = self._settled()
        if settled_ms is None:
            return 0
        said = {UUID(str(one)): (post, from_ms, until_ms, bool(over)) for one, post, from_ms, until_ms, over in self._ask(SAID)}
        holes = {}
        for post, source, first, last, from_ms, through_ms in self._ask(HOLES % (settled_ms - self._grace_ms)):
            # What came may be refused later: an outage that is over stays so, and the hole is another one.
            ids = (_outage_id(post, source, first, last, through_ms, again) for again in count())
            holes[next(one for one in ids if one not in said or not said[one][3])] = (post, from_ms, through_ms)
        found = [(one, "ended", where) for one, where in holes.items() if one not in said]
        arrived = [(one, "backfilled", where[:3]) for one, where in said.items() if one not in holes and not where[3]]
        changes = (arrived + found)[:_MOST]
        if changes:
            [(last_seq,)] = self._ask(LAST)
            self._publish([_outage(*one, settled_ms, int(last_seq) + number) for number, one in enumerate(changes, start=1)])
            log.warning("numbers_missing", found=len(found), arrived=len(arrived), open=len(holes))
        return len(changes)


def _outage_id(*hole: str | int) -> UUID:
    """Returns the same id for the same heartbeat and time, whoever looks: two warehouses say one outage.

    Args:
        hole: post, source, first and last number, the heartbeat's instant, and how often the hole was closed before.
    """
    return uuid5(_IDS, "|".join(map(str, hole)))


def _outage(outage_id: UUID, kind: Any, where: tuple[str, int, int], at_ms: int, seq: int) -> PostOutage:
    post, from_ms, until_ms = where
    event_id = uuid5(_IDS, f"{outage_id}|{kind}").bytes
    return PostOutage(event_id, post, at_ms, at_ms, NUMBERS_SOURCE, seq, outage_id.bytes, kind, from_ms, until_ms)
