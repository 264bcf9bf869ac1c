"""What every agent does with a raw record first: decode it, or write it whole to the dead letters; and the ledger's line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import structlog

from streams import metrics
from streams.agents.fit import TooManyFactsError
from streams.decode import Rejected
from streams.records import BatchMarker, Record
from streams.runtime.batch import Batch, RawRecord
from streams.runtime.checkpoint import Outcome, Output
from streams.runtime.journal import frames
from streams.wire import avro
from streams.wire.feedback import feedback_on
from streams.wire.letter import Received, key_of, letter_about
from streams.wire.topics import DEAD_LETTERS, FEEDBACK, LEDGER, Topic

log = structlog.get_logger(__name__)


class Decodes(Protocol):
    """The part of ``streams.decode.Decoder`` an agent uses."""

    def decode(
        self, value: bytes | None, *, received_at: int, topic: Topic, headers: Sequence[tuple[str, bytes]] = ()
    ) -> Record | Rejected:
        """Returns the fact in a message, or why there is none; never raises."""


class Door:
    """Decodes one topic's records; what cannot be read goes to the dead letters.

    Args:
        decoder: decodes.
        topic: the source topic.
        namespace: prefix of every topic.
        keyed: whether a record's key must be its subject.
    """

    def __init__(self, decoder: Decodes, topic: Topic, namespace: str, *, keyed: bool = False) -> None:
        self._decode = decoder.decode
        self._topic = topic
        self._name = topic.name(namespace)
        self._dead_letters = DEAD_LETTERS.name(namespace)
        self._feedback = FEEDBACK.name(namespace)
        self._ledger = LEDGER.name(namespace)
        self._keyed = keyed

    def open(self, raw: RawRecord, batch: Batch, outcome: Outcome) -> Record | None:
        """Returns the record, or none after having written the message to the dead letters."""
        record = self._decode(raw.value, received_at=raw.timestamp, topic=self._topic, headers=raw.headers)
        if isinstance(record, Rejected):
            self.refuse(raw, batch, outcome, record)
            return None
        if self._keyed and record.SUBJECT == "person" and raw.key != record.subject.encode():
            reason = "Expected the subject as the message's key; came another key or none. Publish it with Shekara's publisher."
            self.refuse(raw, batch, outcome, Rejected("wrong_key", reason, record.NAME, record.source))
            return None
        return record

    def refuse(self, raw: RawRecord, batch: Batch, outcome: Outcome, rejected: Rejected) -> None:
        """Writes a message, whole, to the dead letters, and tells its source."""
        received = Received(batch.topic, batch.partition, raw.offset, raw.timestamp, raw.key, raw.value, raw.headers)
        letter = letter_about(
            received, code=rejected.code, reason=rejected.reason, event_type=rejected.event_type, source=rejected.source
        )
        outcome.outputs.append(Output(self._dead_letters, key_of(letter), avro.encode(letter)))
        if rejected.source:
            outcome.outputs.append(Output(self._feedback, rejected.source.encode(), avro.encode(feedback_on(letter))))
        outcome.dead_letters += 1
        metrics.DEAD_LETTERS.labels(batch.topic, rejected.code).inc()

    def failed(self, raw: RawRecord, batch: Batch, outcome: Outcome, error: Exception, *, of: str, source: str) -> None:
        """Writes a message that could not be decided to the dead letters, with the way the error went.

        Args:
            raw: the message.
            batch: its batch.
            outcome: what came of the batch.
            error: what was raised.
            of: the event type.
            source: who sent it; empty if nobody is to be told.

        Raises:
            MemoryError: of the machine, not of the event: the process stops, and nothing is acknowledged.
        """
        if isinstance(error, MemoryError):
            raise error
        if isinstance(error, TooManyFactsError):
            self.refuse(raw, batch, outcome, Rejected("too_many_facts", str(error), of, source))
            return
        # The error's message may quote the record: only the way it went is logged.
        where = frames(error)
        metrics.RULE_FAILURES.labels(type(error).__name__).inc()
        log.warning("rule_failed", partition=str(batch.partition), offset=raw.offset, where=where)
        reason = f"A rule raised {type(error).__name__}; a bug of ours, not of the message. {where}"
        self.refuse(raw, batch, outcome, Rejected("rule_failed", reason, of, source))

    def close(self, batch: Batch, outcome: Outcome, now_ms: int) -> None:
        """Writes the ledger's line of a batch.

        Args:
            batch: the batch.
            outcome: what came of it; what is not a dead letter was processed.
            now_ms: wall clock, UTC epoch ms.
        """
        outcome.processed = len(batch.records) - outcome.dead_letters
        line = BatchMarker(
            topic=batch.topic,
            partition=batch.partition,
            first_offset=batch.first_offset,
            last_offset=batch.next_offset - 1,
            processed=outcome.processed,
            dead_letters=outcome.dead_letters,
            skipped_offsets=batch.skipped_offsets,
            decided_at=now_ms,
        )
        key = f"{batch.topic}/{batch.partition}".encode()
        outcome.outputs.append(Output(self._ledger, key, avro.encode(line)))
