"""Messages to Kafka and the acknowledgement back, for an event loop: librdkafka's threads do the work.

Bounded: what is under way is counted in messages and bytes, and beyond the bound ``send`` refuses at once, which the caller
hears as 429.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from streams.errors import DependencyError, SetupError
from streams.gateway import cloudevents
from streams.gateway.intake import Message
from streams.settings import Settings
from streams.wire import connection
from streams.wire.signing import BATCH_EVENTS, HEADER, signer_of
from streams.wire.topics import MAX_EVENT_BYTES, TOPICS

MAX_IN_FLIGHT = 50_000
MAX_IN_FLIGHT_BYTES = 64 * 1024 * 1024
DELIVERY_S = 30.0
"""How long Kafka has to acknowledge; then the caller is told to send again."""

_WATCH_S = 5.0
_POLL_S = 0.1


class BusyError(Exception):
    """So much waits for Kafka that nothing more is taken for the moment."""


@dataclass(frozen=True, slots=True)
class Landed:
    """Where a message lies.

    Attributes:
        topic: full name.
        partition: of the topic.
        offset: in the partition.
        arrived_at: the broker's clock, UTC epoch ms.
    """

    topic: str
    partition: int
    offset: int
    arrived_at: int


Outcome = Landed | str
"""Where it lies, or Kafka's word for why it does not."""


class Delivery:
    """A connection for producing: idempotent, acknowledged by all replicas, partitions as every Java client chooses them.

    Args:
        settings: address, security and namespace of Kafka.
        delivery_s: how long Kafka has to acknowledge.
        as_cloudevents: whether messages carry the headers of CloudEvents (``ce_*``).

    Raises:
        SetupError: the settings are incomplete.
    """

    def __init__(self, settings: Settings, *, delivery_s: float = DELIVERY_S, as_cloudevents: bool = False) -> None:
        from confluent_kafka import Producer

        self._namespace = settings.namespace
        self._as_cloudevents = as_cloudevents
        self._expected = {topic.name(settings.namespace) for topic in TOPICS if topic.role == "input"}
        self._address = ",".join(connection.servers(settings))
        self._producer: Any = Producer(
            connection.librdkafka(settings)
            | {
                "client.id": "shekara-gateway",
                "acks": "all",
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": 5,
                "partitioner": "murmur2",
                "delivery.timeout.ms": int(delivery_s * 1000),
                "request.timeout.ms": int(min(10.0, delivery_s) * 1000),
                "queue.buffering.max.messages": MAX_IN_FLIGHT + 1,
                "queue.buffering.max.kbytes": 2 * MAX_IN_FLIGHT_BYTES // 1024,
                "message.max.bytes": 2 * MAX_EVENT_BYTES,
                "reconnect.backoff.max.ms": 2_000,
                "allow.auto.create.topics": False,
                "log_level": 0,
                "error_cb": lambda _: None,
            }
        )
        self._lock = threading.Lock()
        self._signing = threading.Lock()
        self._signer = signer_of(settings)
        self._messages = self._bytes = 0
        self._stop = threading.Event()
        self._trouble = "Kafka has not answered yet"
        self._threads = [threading.Thread(target=run, name=run.__name__, daemon=True) for run in (self._poll, self._watch)]
        for thread in self._threads:
            thread.start()

    @property
    def trouble(self) -> str:
        """Returns why events cannot be delivered; empty if they can."""
        return self._trouble

    @property
    def in_flight(self) -> int:
        """Returns how many messages are under way."""
        return self._messages

    async def send(self, messages: Sequence[Message]) -> list[Outcome]:
        """Returns what became of each message, once Kafka has said it of all.

        Raises:
            BusyError: too much is under way; none of the messages was sent.
        """
        if not messages:
            return []
        size = sum(len(message.value) for message in messages)
        with self._lock:
            if self._messages + len(messages) > MAX_IN_FLIGHT or self._bytes + size > MAX_IN_FLIGHT_BYTES:
                raise BusyError
            self._messages += len(messages)
            self._bytes += size
        loop = asyncio.get_running_loop()
        flight = _Flight(len(messages), loop)
        try:
            await loop.run_in_executor(None, self._produce, messages, flight)
            return await flight.landed
        finally:
            with self._lock:
                self._messages -= len(messages)
                self._bytes -= size

    def _produce(self, messages: Sequence[Message], flight: _Flight) -> None:
        headers = self._signed(messages)
        for index, message in enumerate(messages):
            topic, own = message.topic.name(self._namespace), headers[index // BATCH_EVENTS]
            if self._as_cloudevents:
                own = own + cloudevents.kafka_headers(message)
            try:
                self._producer.produce(topic, message.value, message.key, headers=own, on_delivery=flight.callback(index))
            except Exception as error:
                # BufferError or KafkaException: librdkafka did not take it, so no callback will come.
                flight.done(index, type(error).__name__)

    def _signed(self, messages: Sequence[Message]) -> list[list[tuple[str, bytes]]]:
        """Returns the headers of each ``BATCH_EVENTS`` messages."""
        parts = range(0, len(messages), BATCH_EVENTS)
        if self._signer is None:
            return [[] for _ in parts]
        with self._signing:
            return [
                [(HEADER, self._signer.header([message.value for message in messages[start : start + BATCH_EVENTS]]))]
                for start in parts
            ]

    def _poll(self) -> None:
        while not self._stop.is_set():
            self._producer.poll(_POLL_S)

    def _watch(self) -> None:
        from confluent_kafka import KafkaException

        while not self._stop.is_set():
            try:
                missing = self._expected - set(self._producer.list_topics(timeout=_WATCH_S).topics)
                self._trouble = f"Kafka has no topic {', '.join(sorted(missing))}" if missing else ""
            except KafkaException as error:
                self._trouble = f"Kafka does not answer ({error.args[0].name()})"
            self._stop.wait(_WATCH_S if not self._trouble else 1.0)

    def require(self) -> None:
        """Makes sure that Kafka answers and has our topics.

        Raises:
            DependencyError: it does not answer.
            SetupError: topics are missing.
        """
        from confluent_kafka import KafkaException

        try:
            found = set(self._producer.list_topics(timeout=10.0).topics)
        except KafkaException as error:
            raise DependencyError(
                f"Kafka at {self._address} does not answer ({error.args[0].name()}).", "Check it with 'shekara doctor'."
            ) from error
        if missing := self._expected - found:
            raise SetupError(f"Kafka has no topic {', '.join(sorted(missing))}.", "Create the topics with 'shekara init'.")
        self._trouble = ""

    def close(self, timeout_s: float = 5.0) -> None:
        """Waits for what is under way and ends the connection."""
        self._producer.flush(timeout_s)
        self._stop.set()
        for thread in self._threads:
            thread.join(2.0)


class _Flight:
    """The messages of one request, on their way."""

    def __init__(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self._outcomes: list[Outcome] = [""] * count
        self._left = count
        self._lock = threading.Lock()
        self._loop = loop
        self.landed: asyncio.Future[list[Outcome]] = loop.create_future()

    def callback(self, index: int) -> Any:
        """Returns what librdkafka calls when it knows."""

        def on_delivery(error: Any, message: Any) -> None:
            if error is not None:
                self.done(index, error.name())
            else:
                landed = Landed(message.topic(), message.partition(), message.offset(), message.timestamp()[1])
                self.done(index, landed)

        return on_delivery

    def done(self, index: int, outcome: Outcome) -> None:
        """Notes one outcome; the last one wakes the request."""
        with self._lock:
            self._outcomes[index] = outcome
            self._left -= 1
            if self._left:
                return
        with suppress(RuntimeError):  # the gateway has ended meanwhile; nobody waits
            self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if not self.landed.done():  # the caller may have gone
            self.landed.set_result(self._outcomes)
