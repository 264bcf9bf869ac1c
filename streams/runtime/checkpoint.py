"""One batch, one Kafka transaction: outputs, state changes and marker become visible together or not at all.

The producer's transactional id is that of the source partition, so Kafka itself fences a worker that lost the partition
and does not know it yet: its next transaction fails, whatever it still believes (ADR 0020).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from streams.errors import DependencyError, FencedError, ShekaraError
from streams.runtime.failpoints import Reach, unarmed
from streams.runtime.store import MARKER_KEY, pack_marker

_ATTEMPTS = 8
_BACK_OFF_S = 0.1
_STEP_S = 10.0
_OPEN_S = 60.0


class Output(NamedTuple):
    """One record to write.

    Attributes:
        topic: where to.
        key: its key; none to spread.
        value: its bytes.
        partition: a fixed partition; -1 lets the key decide.
    """

    topic: str
    key: bytes | None
    value: bytes
    partition: int = -1


@dataclass(slots=True)
class Outcome:
    """What came of one batch.

    Attributes:
        outputs: records to write, in order.
        changes: the last value of every key of the state that changed; none removes it.
        last_offset: last source offset of the batch.
        processed: records processed.
        dead_letters: records sent to the dead letters.
    """

    last_offset: int
    outputs: list[Output] = field(default_factory=list)
    changes: dict[bytes, bytes | None] = field(default_factory=dict)
    processed: int = 0
    dead_letters: int = 0


def producer_settings(connection: Mapping[str, Any], transactional_id: str, *, message_max_bytes: int) -> dict[str, Any]:
    """Returns the settings of a checkpoint's producer.

    Args:
        connection: librdkafka's settings to reach the broker.
        transactional_id: the source partition's.
        message_max_bytes: the longest message the broker accepts.
    """
    return dict(connection) | {
        "transactional.id": transactional_id,
        "enable.idempotence": True,
        "acks": "all",
        "compression.type": "lz4",
        # The commit flushes at once, so this only lets librdkafka fill its batches while a large one is handed over.
        "linger.ms": 20,
        # Java's and aiokafka's partitioner: a person's alerts lie where the person's events would.
        "partitioner": "murmur2_random",
        "message.max.bytes": message_max_bytes,
        "queue.buffering.max.messages": 1_000_000,
        "queue.buffering.max.kbytes": 262_144,
        "transaction.timeout.ms": 60_000,
        "request.timeout.ms": 10_000,
    }


class Checkpoint:
    """The transactional writer of one source partition. Every method blocks; run it in the partition's thread.

    Args:
        producer: a confluent-kafka producer with a transactional id.
        changelog: the changelog topic.
        partition: the source partition, also that of the changelog.
        reach: told the name of each step; tests kill the process there.
    """

    def __init__(self, producer: Any, changelog: str, partition: int, *, reach: Reach = unarmed) -> None:
        self._producer = producer
        self._changelog = changelog
        self._partition = partition
        self._reach = reach
        self._changelog_end = -1

    def open(self) -> None:
        """Takes the partition over: fences whoever had it, and aborts what they left open.

        Raises:
            DependencyError: the broker did not answer in a minute.
            FencedError: someone else took over meanwhile.
        """
        self._retrying(lambda: self._producer.init_transactions(_STEP_S), "take over", patience_s=_OPEN_S)

    def commit(self, outcome: Outcome) -> int:
        """Writes everything that came of one batch, atomically. When it returns, it is on the broker.

        Args:
            outcome: what to write.

        Returns:
            The changelog offset behind the batch's last change.

        Raises:
            FencedError: another worker owns the partition.
            DependencyError: the broker did not take it, however often it was tried.
        """
        from confluent_kafka import KafkaException

        for attempt in range(_ATTEMPTS):
            self._reach("before_begin")
            try:
                self._producer.begin_transaction()
                self._reach("after_begin")
                self._write(outcome)
                self._reach("after_produce")
                self._retrying(lambda: self._producer.commit_transaction(_STEP_S), "commit", patience_s=_OPEN_S)
            except KafkaException as error:
                reason = error.args[0]
                if not reason.txn_requires_abort():
                    raise _translated(reason, "write") from error
                self._retrying(lambda: self._producer.abort_transaction(_STEP_S), "abort", patience_s=_OPEN_S)
                if attempt == _ATTEMPTS - 1:
                    raise _translated(reason, "write") from error
                time.sleep(_BACK_OFF_S * 2**attempt)
            else:
                self._reach("after_commit")
                return self._changelog_end
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def close(self) -> None:
        """Lets the partition go; what was not committed is aborted by the next owner."""
        self._producer.purge()
        self._producer.flush(0)

    def _write(self, outcome: Outcome) -> None:
        produce = self._producer.produce
        wait = self._produce
        for topic, key, value, partition in outcome.outputs:
            try:
                produce(topic, value, key, partition)
            except BufferError:
                wait(topic, key, value, partition)
        changelog, partition = self._changelog, self._partition
        for key, changed in outcome.changes.items():
            try:
                produce(changelog, changed, key, partition)
            except BufferError:
                wait(changelog, key, changed, partition)
        self._produce(changelog, MARKER_KEY, pack_marker(outcome.last_offset), partition, self._on_marker)

    def _on_marker(self, error: Any, message: Any) -> None:
        if error is None:
            self._changelog_end = message.offset() + 1

    def _produce(self, topic: str, key: bytes | None, value: bytes | None, partition: int, callback: Any = None) -> None:
        producer = self._producer
        while True:
            try:
                producer.produce(topic, value, key, partition, on_delivery=callback)
            except BufferError:
                # The broker is slower than we are: memory stays bounded, we wait.
                producer.poll(0.1)
            else:
                return

    def _retrying(self, step: Any, doing: str, *, patience_s: float) -> None:
        """Repeats a step of a transaction as librdkafka asks: while the error is retriable."""
        from confluent_kafka import KafkaException

        deadline = time.monotonic() + patience_s
        while True:
            try:
                step()
            except KafkaException as error:
                reason = error.args[0]
                if reason.txn_requires_abort() and doing == "commit":
                    raise
                if reason.fatal() or not reason.retriable() or time.monotonic() > deadline:
                    raise _translated(reason, doing) from error
            else:
                return


def _translated(reason: Any, doing: str) -> ShekaraError:
    from confluent_kafka import KafkaError

    fenced = {
        KafkaError._FENCED,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.INVALID_PRODUCER_ID_MAPPING,
    }
    if reason.code() in fenced:
        return FencedError(
            "Another worker has taken over a partition this one still held.",
            "Nothing is lost; restart this worker to join again.",
        )
    return DependencyError(
        f"Kafka did not {doing} a checkpoint: {reason.str()} ({reason.name()}).",
        "Nothing of this batch is visible. Look at the broker's log, then restart the worker: it goes on where it was.",
    )
