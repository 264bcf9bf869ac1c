"""A log's own time, and who is looked at again when it passes: what agents with deadlines share.

Kept in the state is the last tick alone; the deadlines are rebuilt from what they are about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog

from streams import metrics
from streams.detect.logtime import START, LogTime
from streams.records import Tick
from streams.runtime.deadlines import Deadlines
from streams.runtime.journal import frames
from streams.wire import avro

log = structlog.get_logger(__name__)

TIME_KEY = b"\x00time"
"""Key of the last tick in the state: recovery goes on with the same clock. No pseudonym begins with a zero byte."""


class Timetable:
    """The clock of one partition, and its deadlines.

    Args:
        topic: the source topic, for metrics.
        partition: its number.

    Attributes:
        time: how far the log's time and the coverage of posts have come.
        deadlines: who is due when.
    """

    def __init__(self, topic: str, partition: int) -> None:
        self._label = str(partition)
        self._labels = (topic, self._label)
        self.time: LogTime = START
        self.deadlines = Deadlines()

    def clear(self) -> None:
        """Forgets everything, to be restored anew."""
        self.time = START
        self.deadlines = Deadlines()

    def restore(self, key: bytes, value: bytes) -> bool:
        """Takes the clock from what was kept; returns whether it is of this kind."""
        if key != TIME_KEY:
            return False
        tick = avro.decode(value)
        if isinstance(tick, Tick):
            self.time = START.after(tick)
        return True

    def advance(self, tick: Tick, changes: dict[bytes, bytes | None]) -> bool:
        """Moves the clock and keeps the tick; returns false for one that comes late and moves nothing."""
        before = self.time
        self.time = before.after(tick)
        if self.time is before:
            return False
        changes[TIME_KEY] = avro.encode(tick)
        return True

    def revisit(self, due: Iterable[bytes], look: Callable[[bytes], None], offset: int) -> None:
        """Looks again at everybody who is due.

        Args:
            due: their keys.
            look: decides one of them; what it raises is kept from the others, for the tick is right and one rule is not:
                that one waits for the next tick.
            offset: the tick's, for the log.

        Raises:
            MemoryError: of the machine, not of a rule: the process stops, and nothing is acknowledged.
        """
        for key in due:
            try:
                look(key)
            except MemoryError:
                raise
            except Exception as error:
                # The error's message may quote a record: only the way it went is logged.
                metrics.RULE_FAILURES.labels(type(error).__name__).inc()
                log.warning("rule_failed", partition=self._label, offset=offset, where=frames(error))
                self.deadlines.set(key, self.time.now_ms + 1, None, False)

    def measure(self) -> None:
        """Tells the metrics how many are due some day."""
        metrics.DEADLINES.labels(*self._labels).set(len(self.deadlines))
