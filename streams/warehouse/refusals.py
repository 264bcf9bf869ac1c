"""Rows ClickHouse does not take, written to the dead letters in the transaction that commits the offsets they stand at.

A letter is visible if and only if the offsets behind it are committed: killed at any instant, the sink reads the unit again and
refuses the row again, and there is one letter of it (ADR 0135).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from streams.clock import monotonic_s
from streams.errors import DependencyError
from streams.records import DeadLetter
from streams.settings import Settings
from streams.warehouse.source import group
from streams.wire import avro
from streams.wire.connection import librdkafka
from streams.wire.letter import Received, key_of
from streams.wire.topics import DEAD_LETTERS, MAX_DEAD_LETTER_BYTES

CODE = "refused_by_warehouse"
"""The code of these letters, one of ``streams.decode.CODES``."""

_STEP_S = 10.0
_PATIENCE_S = 30.0
TRANSACTION_S = 30.0
"""After a kill in the middle of a transaction nobody reads past it for so long: then the broker aborts it."""


class Refusals:
    """Commits offsets together with the letters about what ClickHouse refused below them.

    Connects only when there is something to write: a producer for each unit with a refused row, which is rare.

    Args:
        settings: where Kafka is, and the namespace.
        worker_refuses: whether the worker puts a message into the dead letters by itself: one letter of it is enough.
        transaction_s: how long the broker lets a transaction be open, seconds.
    """

    def __init__(
        self, settings: Settings, worker_refuses: Callable[[Received], bool], *, transaction_s: float = TRANSACTION_S
    ) -> None:
        self._settings = settings
        self.worker_refuses = worker_refuses
        self._transaction_s = transaction_s
        self.topic = DEAD_LETTERS.name(settings.namespace)
        # One id for each process, not for the group: several sinks may share it. What fences a sink that slept is the
        # generation of the group, which goes with the offsets.
        self._id = f"{group(settings)}-{uuid4().hex}"

    def producer(self) -> Any:
        """Returns a new transactional producer; it ends what an earlier one left open as soon as it is initialised."""
        from confluent_kafka import Producer

        return Producer(
            librdkafka(self._settings)
            | {
                "transactional.id": self._id,
                "client.id": group(self._settings),
                "transaction.timeout.ms": round(1000 * self._transaction_s),
                "message.max.bytes": MAX_DEAD_LETTER_BYTES,
                "queue.buffering.max.kbytes": 256 * 1024,
                "compression.type": "lz4",
                "log_level": 0,  # librdkafka writes to stderr by itself; what it gives up comes back as an error
            }
        )

    def commit(self, letters: Sequence[DeadLetter], offsets: list[Any], consumer: Any) -> None:
        """Writes letters and commits offsets: both, or neither. Blocks, for half a minute at most in each of four steps.

        To be called again with the same after an error: if the first attempt did go through and only its answer was lost,
        the second finds the offsets committed and writes nothing.

        Args:
            letters: at least one.
            offsets: what to commit, as ``source.positions`` gives it.
            consumer: the member of the group that owns them.

        Raises:
            DependencyError: Kafka did not do it, or the group has given the partitions to somebody else.
        """
        from confluent_kafka import KafkaException

        producer = self.producer()
        try:
            _retrying(lambda: producer.init_transactions(_STEP_S))
            if _committed(consumer, offsets):
                return
            producer.begin_transaction()
            for letter in letters:
                _produce(producer, self.topic, letter)
            _retrying(lambda: producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata(), _STEP_S))
            _retrying(lambda: producer.commit_transaction(_STEP_S))
        except KafkaException as error:
            # What was begun is aborted when the next producer of this id is initialised, or by the broker's time limit.
            reason = error.args[0]
            raise DependencyError(
                f"Kafka did not take {len(letters)} dead letters with their offsets: {reason.str()} ({reason.name()}).",
                "Nothing of them is visible; it is tried again.",
            ) from error


def _produce(producer: Any, topic: str, letter: DeadLetter) -> None:
    key, value = key_of(letter), avro.encode(letter)
    while True:
        try:
            producer.produce(topic, value, key)
        except BufferError:
            producer.poll(0.1)  # memory stays bounded: we wait
        else:
            return


def _committed(consumer: Any, offsets: list[Any]) -> bool:
    """Returns whether the group has committed at least these offsets."""
    from confluent_kafka import TopicPartition

    wanted = {(one.topic, one.partition): one.offset for one in offsets}
    found = consumer.committed([TopicPartition(topic, partition) for topic, partition in wanted], timeout=_STEP_S)
    return all(one.offset >= wanted[one.topic, one.partition] for one in found)


def _retrying(step: Callable[[], object]) -> None:
    """Repeats a step of a transaction as librdkafka asks: while the error is retriable."""
    from confluent_kafka import KafkaException

    deadline = monotonic_s() + _PATIENCE_S
    while True:
        try:
            step()
        except KafkaException as error:
            if not error.args[0].retriable() or monotonic_s() > deadline:
                raise
        else:
            return
