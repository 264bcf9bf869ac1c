"""What every agent does with a raw record first: decode it, or write it whole to the dead letters; and the ledger's line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from streams import metrics
from streams.decode import Rejected
from streams.decode.signatures import signature_in
from streams.records import BatchMarker, DeadLetter, Record
from streams.runtime.batch import Batch, RawRecord
from streams.runtime.checkpoint import Outcome, Output
from streams.runtime.journal import frames
from streams.wire import avro
from streams.wire.feedback import feedback_on
from streams.wire.topics import DEAD_LETTERS, FEEDBACK, LEDGER, MAX_LETTER_VALUE_BYTES, Topic

_KEY_BYTES = 64 * 1024
"""Bytes of a key that a dead letter keeps, at most."""


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
        """Writes a message, whole, to the dead letters.

        A letter longer than its topic takes would stop the partition for good. The broker measures what arrives, which may
        be compressed; so a message that is too long once unpacked is cut, and the reason says where the whole lies.
        """
        key, value, reason = raw.key, raw.value or b"", rejected.reason
        kept = MAX_LETTER_VALUE_BYTES - _KEY_BYTES
        if len(value) > kept or (key is not None and len(key) > _KEY_BYTES):
            reason += (
                f" The message has {len(value)} bytes and a key of {len(key or b'')}: here are the first {kept} and "
                f"{_KEY_BYTES} at most, the whole lies at its offset in its topic."
            )
            key, value = None if key is None else key[:_KEY_BYTES], value[:kept]
        letter = DeadLetter(
            topic=batch.topic,
            partition=batch.partition,
            offset=raw.offset,
            timestamp_at=raw.timestamp,
            key=key,
            value=value,
            code=rejected.code,
            reason=reason,
            event_type=rejected.event_type,
            source=rejected.source,
            signature=signature_in(raw.headers),
        )
        # Keyed by where it came from, so that the same message read twice is one dead letter to whoever compacts by key.
        place = f"{batch.topic}/{batch.partition}/{raw.offset}".encode()
        outcome.outputs.append(Output(self._dead_letters, place, avro.encode(letter)))
        if rejected.source:
            outcome.outputs.append(Output(self._feedback, rejected.source.encode(), avro.encode(feedback_on(letter))))
        outcome.dead_letters += 1
        metrics.DEAD_LETTERS.labels(batch.topic, rejected.code).inc()

    def failed(self, raw: RawRecord, batch: Batch, outcome: Outcome, record: Record, error: Exception) -> None:
        """Writes a message on which a rule raised to the dead letters, with the way the error went."""
        metrics.RULE_FAILURES.labels(type(error).__name__).inc()
        reason = f"A rule raised {type(error).__name__}; a bug of ours, not of the message. {frames(error)}"
        self.refuse(raw, batch, outcome, Rejected("rule_failed", reason, record.NAME, record.source))

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
