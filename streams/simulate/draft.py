"""An event before it is sent: everything but its number at its source, which it gets when it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from streams.records import Record
from streams.wire.topics import Topic

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


@dataclass(slots=True, eq=False)
class Draft:
    """One event to be sent.

    Attributes:
        kind: the record's class.
        event_id: 16 bytes.
        subject: whom or what it is about.
        occurred_at: UTC epoch ms.
        recorded_at: UTC epoch ms.
        source: the publishing system.
        rest: the values of the fields behind the envelope, in the record's order.
        may_be_wrong: whether a clerk may have typed it wrongly first (then `faults` makes the wrong one and the correction).
    """

    kind: type[Record]
    event_id: bytes
    subject: str
    occurred_at: int
    recorded_at: int
    source: str
    rest: tuple[Any, ...]
    may_be_wrong: bool = False

    def to_record(self, source_seq: int) -> Record:
        """Returns the event as it is sent.

        Args:
            source_seq: its number at its source, from 1.
        """
        return self.kind(self.event_id, self.subject, self.occurred_at, self.recorded_at, self.source, source_seq, *self.rest)


@dataclass(frozen=True, slots=True)
class Corrupt:
    """Bytes that reach the log and are no event: they must become a dead letter.

    Attributes:
        topic: where they are sent.
        key: the message's key.
        value: the bytes.
        code: the dead letter's code that must come of it.
    """

    topic: Topic
    key: bytes
    value: bytes
    code: str


Message = Record | Corrupt
"""What is sent."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message and the simulated instant at which it reaches the log.

    Attributes:
        at_ms: UTC epoch ms of the simulated time.
        message: a record, or corrupt bytes.
    """

    at_ms: int
    message: Message
