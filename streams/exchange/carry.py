"""From the conclusions' topics to the agencies': one Kafka transaction for each batch, the places read within it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import structlog

from streams import metrics
from streams.errors import DependencyError
from streams.exchange.agencies import KINDS, Agency
from streams.settings import Settings
from streams.wire import avro, connection
from streams.wire.topics import ALERTS, CASES, FINDINGS

log = structlog.get_logger(__name__)

_BATCH = 2_000
_POLL_S = 0.5
_ANSWER_S = 30.0
_TAKEN_OVER = frozenset({"_FENCED", "FENCED_INSTANCE_ID", "INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED", "_FATAL"})


def create_topics(settings: Settings, agencies: Sequence[Agency]) -> list[str]:
    """Creates the agencies' topics that are missing; returns their names. What an agency was told is kept for a year.

    Raises:
        DependencyError: Kafka refused or does not answer.
    """
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

    client = AdminClient({**connection.librdkafka(settings)})
    try:
        there = client.list_topics(timeout=_ANSWER_S).topics
        config = {"retention.ms": str(365 * 86_400_000)}
        wanted = [
            NewTopic(agency.topic(settings.namespace), settings.partitions, settings.replication, config=config)
            for agency in agencies
            if agency.topic(settings.namespace) not in there
        ]
        for future in (client.create_topics(wanted) if wanted else {}).values():
            try:
                future.result(_ANSWER_S)
            except KafkaException as error:
                if error.args[0].name() != "TOPIC_ALREADY_EXISTS":  # another exchange made it this moment
                    raise
    except KafkaException as error:
        raise DependencyError(f"The agencies' topics could not be created: {error.args[0].name()}.") from error
    return [topic.topic for topic in wanted]


class Carrier:
    """Tells the agencies until it is told to stop.

    Args:
        settings: address, security and namespace of Kafka.
        agencies: who may see what.
        stop: set to end.
        until_caught_up: end by itself when everything there is has been told.
    """

    def __init__(
        self, settings: Settings, agencies: Sequence[Agency], stop: threading.Event, *, until_caught_up: bool = False
    ) -> None:
        from confluent_kafka import Consumer, Producer

        self._agencies = tuple(agencies)
        self._namespace = settings.namespace
        self._stop = stop
        self._until_caught_up = until_caught_up
        options = connection.librdkafka(settings)
        group = f"{settings.namespace}-exchange"
        self._consumer: Any = Consumer(
            options
            | {
                "group.id": group,
                # One exchange a namespace: the next one takes over at once, also from one that was killed.
                "group.instance.id": group,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "error_cb": lambda _: None,
                "log_level": 0,
            }
        )
        self._producer: Any = Producer(
            options
            | {
                "transactional.id": group,
                "compression.type": "lz4",
                "partitioner": "murmur2_random",
                "error_cb": lambda _: None,
                "log_level": 0,
            }
        )
        self._ended: set[tuple[str, int]] = set()
        self.told = 0

    def run(self) -> None:
        """Carries until stopped.

        Raises:
            DependencyError: Kafka does not answer, or another exchange of this namespace has taken over.
        """
        from confluent_kafka import KafkaException

        topics = [topic.name(self._namespace) for topic in (ALERTS, FINDINGS, CASES)]
        try:
            self._producer.init_transactions(_ANSWER_S)
            self._consumer.subscribe(topics, on_revoke=lambda *_: self._ended.clear())
            while not self._stop.is_set():
                self._step()
        except KafkaException as error:
            reason = error.args[0].name()
            if reason in _TAKEN_OVER or error.args[0].fatal():
                raise DependencyError(
                    f"The exchange ends: another exchange of {self._namespace} has taken over ({reason}).", "Run one at a time."
                ) from error
            raise DependencyError(
                f"The exchange cannot go on: {reason}.", "Check Kafka; start it again, it goes on where it was."
            ) from error
        finally:
            self._consumer.close()

    def _step(self) -> None:
        from confluent_kafka import KafkaException

        messages = self._consumer.consume(_BATCH, _POLL_S)
        found = [message for message in messages if message.error() is None]
        for message in messages:
            place = (message.topic(), message.partition())
            error = message.error()
            if error is None:
                self._ended.discard(place)
            elif error.name() == "_PARTITION_EOF":
                self._ended.add(place)
            elif not error.retriable():
                raise KafkaException(error)
        if found:
            self._tell(found)
        assigned = {(one.topic, one.partition) for one in self._consumer.assignment()}
        if self._until_caught_up and assigned and assigned <= self._ended and not found:
            self._stop.set()

    def _tell(self, messages: Sequence[Any]) -> None:
        self._producer.begin_transaction()
        told = 0
        for message in messages:
            record = avro.decode(message.value() or b"")
            if type(record) not in KINDS.values():
                continue
            for agency in self._agencies:
                made = agency.message(record, self._namespace)  # type: ignore[arg-type]  # asked above
                if made is not None:
                    headers = [("content-type", b"application/cloudevents+json")]
                    self._producer.produce(agency.topic(self._namespace), made[1], made[0], headers=headers)
                    metrics.EXCHANGE_MESSAGES.labels(record.NAME).inc()
                    told += 1
            self._producer.poll(0)
        positions = [one for one in self._consumer.position(self._consumer.assignment()) if one.offset >= 0]
        self._producer.send_offsets_to_transaction(positions, self._consumer.consumer_group_metadata(), _ANSWER_S)
        self._producer.commit_transaction(_ANSWER_S)
        self.told += told
