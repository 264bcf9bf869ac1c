"""The Publisher: what a border system, a register or the simulator uses to send facts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from kafka import KafkaProducer
from kafka.codec import has_lz4
from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.partitioner.abc import Partitioner

from streams.clock import monotonic_s
from streams.errors import DependencyError
from streams.publish.signing_queue import SigningQueue, Unsigned
from streams.records import Record, Tick
from streams.settings import Settings
from streams.wire import avro, connection, signing
from streams.wire.partition import partition_of
from streams.wire.topics import MAX_MESSAGE_BYTES, topic_of

MAX_IN_FLIGHT = 50_000
"""Records handed over and not yet acknowledged, at most (kafka-python's own buffer has no bound): about 50 MB."""

MAX_BLOCK_MS = 15_000
"""How long Kafka may take to answer the first question, and to tell about a topic."""

BATCH_BYTES = 256 * 1024
LINGER_MS = 20


class UndeliveredError(DependencyError):
    """Kafka did not acknowledge records, so nobody may believe they were published.

    Args:
        failed: how many records.
        cause: the first error.
    """

    def __init__(self, failed: int, cause: BaseException) -> None:
        super().__init__(
            f"Kafka did not acknowledge {failed} record{'s' if failed != 1 else ''}: {type(cause).__name__}: {cause}",
            "Publish them again with a new connection: a record that did arrive is recognised by its event_id.",
        )
        self.failed = failed
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Receipt:
    """What Kafka says once all replicas have a message.

    Attributes:
        topic: full name.
        partition: where it lies.
        offset: where it lies.
        arrived_at: the broker's clock when it arrived (ADR 0011), UTC epoch ms.
    """

    topic: str
    partition: int
    offset: int
    arrived_at: int


class _KafkaDefault(Partitioner):  # type: ignore[misc]  # kafka-python ships no types
    """The same choice as kafka-python's default, without building two sets and hashing in Python for every record."""

    def partition(
        self, topic: str, _key: Any, serialized_key: bytes | None, _value: Any, _serialized_value: Any, cluster: Any
    ) -> int:
        """Returns the partition of a key; a record without a key cannot be published."""
        if serialized_key is None:
            raise ValueError("a record needs a key")
        return partition_of(serialized_key, len(cluster.partitions_for_topic(topic)))


class Numbering:
    """Numbers a source's events from 1 without gaps, as ``source_seq`` has to be.

    Args:
        last: the last number this source has used; 0 for a new source.
    """

    def __init__(self, last: int = 0) -> None:
        self.last = last

    def next(self) -> int:
        """Returns the next number."""
        self.last += 1
        return self.last


class Publisher:
    """Sends records to their topics, keyed by subject; acknowledged by all replicas, idempotent, in batches.

    Safe for use from several threads. Errors of delivery surface at the next ``publish``, at ``flush`` and on leaving
    the ``with`` block; they are never swallowed. After one, this Publisher sends nothing more: with a record missing in
    between, an idempotent connection could not keep the order. Make a new one.

    Args:
        settings: address, security and namespace of Kafka.
        bootstrap: ``host:port,…``; overrides the address in the settings.
        source: name of the publishing system, used as the client's name at the broker.
        linger_ms: how long a batch waits to fill; 0 for the lowest latency.
        signer: signs every event (ADR 0016); by default what the settings name, if they name a key.

    Raises:
        SetupError: the settings are incomplete.
        DependencyError: Kafka does not answer.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        bootstrap: str = "",
        source: str = "",
        linger_ms: int = LINGER_MS,
        signer: signing.Signer | None = None,
    ) -> None:
        signer = signer or signing.signer_of(settings)
        self._signing = None if signer is None else SigningQueue(signer, self._hand_over, max(linger_ms, 1) / 1000)
        options = connection.kafka_python(settings, bootstrap)
        self._namespace = settings.namespace
        self._topics = {kind: topic_of(kind).name(settings.namespace) for kind in avro.KINDS}
        self._codecs = avro.codecs().by_kind
        self._sent = 0
        self._acknowledged = 0
        self._failures: list[BaseException] = []
        self._failed = 0
        self._lock = threading.Lock()
        self._room = threading.Condition()
        self._waiting = False
        self._address = ",".join(options["bootstrap_servers"])
        try:
            self._producer = KafkaProducer(
                **options,
                client_id="".join(c if c.isalnum() or c in "-._" else "-" for c in source) or "shekara-publisher",
                acks="all",
                enable_idempotence=True,
                compression_type=_compression(),
                batch_size=BATCH_BYTES,
                linger_ms=linger_ms,
                max_request_size=MAX_MESSAGE_BYTES,
                max_block_ms=MAX_BLOCK_MS,
                bootstrap_timeout_ms=MAX_BLOCK_MS,
                allow_auto_create_topics=False,
                partitioner=_KafkaDefault(),
                metrics_enabled=False,
            )
        except (KafkaError, OSError) as error:
            raise self._unreachable(error) from error

    @property
    def sent(self) -> int:
        """Messages handed over so far; a tick counts once for every partition."""
        return self._sent

    @property
    def acknowledged(self) -> int:
        """Messages all replicas have confirmed so far."""
        return self._acknowledged

    def publish(self, record: Record) -> None:
        """Sends one record; a tick goes to every partition of its topic.

        Returns at once unless ``MAX_IN_FLIGHT`` records wait for their acknowledgement.

        Raises:
            UndeliveredError: an earlier record was not delivered.
            DependencyError: Kafka does not answer, or the topic is missing.
            TypeError, ValueError: a field does not have the schema's type.
        """
        topic = self._topics[record.NAME]
        value = self._codecs[type(record)].encode(record)
        key = record.subject.encode()
        if type(record) is Tick:
            for partition in sorted(self._partitions(topic)):
                self._send(topic, key, value, partition)
        else:
            self._send(topic, key, value, None)

    def publish_many(self, records: Iterable[Record]) -> int:
        """Sends records and waits until all are acknowledged.

        Returns:
            How many records were taken from ``records``.

        Raises:
            As ``publish`` and ``flush``.
        """
        number = 0
        for record in records:
            self.publish(record)
            number += 1
        self.flush()
        return number

    def publish_encoded(
        self,
        topic: str,
        key: bytes,
        value: bytes,
        partition: int | None = None,
        delivered: Callable[[Receipt], None] | None = None,
        *,
        signature: bytes | None = None,
    ) -> None:
        """Sends bytes as they are: a message encoded before, or one that must be broken on purpose.

        Args:
            topic: full name.
            key: the message's key.
            value: the message's value.
            partition: none: as the key says.
            delivered: called with the receipt, in a thread of the connection's, once all replicas have the message; it
                must be quick and must not raise.
            signature: a header made before, for a message sent again; none: signed as any other.

        Raises:
            As ``publish``.
        """
        self._send(topic, key, value, partition, delivered, signature=signature)

    def flush(self, timeout_s: float = 120.0) -> None:
        """Waits until everything sent so far is acknowledged.

        Raises:
            UndeliveredError: something was refused, or not acknowledged in time.
        """
        if self._signing is not None:
            self._signing.flush()
        try:
            self._producer.flush(timeout_s)
        except KafkaTimeoutError as error:
            raise UndeliveredError(self._sent - self._acknowledged, error) from error
        # The last callbacks run just after kafka-python has called the batch done.
        deadline = monotonic_s() + timeout_s
        with self._room:
            self._waiting = True
            while self._acknowledged + self._failed < self._sent and monotonic_s() < deadline:
                self._room.wait(0.05)
            self._waiting = False
        self._raise_failures()
        if self._acknowledged < self._sent:
            raise UndeliveredError(self._sent - self._acknowledged, TimeoutError(f"no answer in {timeout_s:.0f} s"))

    def close(self, timeout_s: float = 120.0) -> None:
        """Flushes and ends the connection; ends it also when something was not delivered.

        Raises:
            UndeliveredError: as ``flush``.
        """
        try:
            self.flush(timeout_s)
        finally:
            self._end(5)

    def _end(self, timeout_s: float) -> None:
        if self._signing is not None:
            self._signing.close()
        self._producer.close(timeout=timeout_s)

    def abandon(self) -> None:
        """Ends the connection at once; what is not acknowledged may or may not arrive."""
        if self._signing is not None:
            self._signing.close()
        self._producer.close(timeout=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            # What was sent before the exception is sent, but the exception is the news.
            with suppress(DependencyError):
                if self._signing is not None:
                    self._signing.flush()
            self._end(5)

    def _send(
        self,
        topic: str,
        key: bytes,
        value: bytes,
        partition: int | None,
        delivered: Callable[[Receipt], None] | None = None,
        *,
        signature: bytes | None = None,
    ) -> None:
        if self._failures:
            self._raise_failures()
        if self._sent - self._acknowledged - self._failed >= MAX_IN_FLIGHT:
            self._wait_for_room()
        event = Unsigned(topic, key, value, partition, delivered)
        if self._signing is not None and signature is None:
            self._signing.put(event)
        else:
            self._hand_over(event, [] if signature is None else [(signing.HEADER, signature)])

    def _hand_over(self, event: Unsigned, headers: list[tuple[str, bytes]]) -> None:
        topic, key, value, partition, delivered = event
        try:
            future = self._producer.send(topic, value, key, headers, partition)
        except KafkaTimeoutError as error:
            raise self._missing(topic, error) from error
        except KafkaError as error:
            raise self._unreachable(error) from error
        with self._lock:
            self._sent += 1
        if delivered is not None:
            future.add_callback(lambda it: delivered(Receipt(it.topic, it.partition, it.offset, it.timestamp)))
        future.add_callback(self._on_acknowledged)
        future.add_errback(self._on_failed)

    def _on_acknowledged(self, _metadata: Any) -> None:
        self._acknowledged += 1
        if self._waiting:
            with self._room:
                self._room.notify_all()

    def _on_failed(self, error: BaseException) -> None:
        with self._room:
            self._failed += 1
            if len(self._failures) < 10:
                self._failures.append(error)
            self._room.notify_all()

    def _wait_for_room(self) -> None:
        with self._room:
            self._waiting = True
            while self._sent - self._acknowledged - self._failed > MAX_IN_FLIGHT // 2:
                self._room.wait(0.05)
            self._waiting = False

    def _raise_failures(self) -> None:
        with self._room:
            if not self._failures:
                return
            failed, cause = self._failed, self._failures[0]
        raise UndeliveredError(failed, cause) from cause

    def _partitions(self, topic: str) -> set[int]:
        try:
            found: set[int] = self._producer.partitions_for(topic)
        except KafkaError as error:
            raise self._missing(topic, error) from error
        return found

    def _missing(self, topic: str, error: Exception) -> DependencyError:
        return DependencyError(
            f"Kafka at {self._address} does not know the topic {topic}, or does not answer ({type(error).__name__}).",
            "Create the topics with 'shekara init', or check SHEKARA_NAMESPACE.",
        )

    def _unreachable(self, error: Exception) -> DependencyError:
        return DependencyError(
            f"Kafka at {self._address} does not answer: {type(error).__name__}: {error}.",
            "Check the address and that the broker runs; 'shekara doctor' looks at each part.",
        )


def _compression() -> str:
    """Returns lz4 where its library is installed, else what Python itself can do."""
    return "lz4" if has_lz4() else "gzip"
