"""What is published while things break: a simulated country, in the order it arrives, and the account of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from streams.records import BatchMarker, PersonEvent, Tick
from streams.settings import Settings
from streams.simulate import Simulation
from streams.simulate.draft import Corrupt
from streams.wire import avro
from streams.wire.topics import LEDGER, PEOPLE, topic_of


class Feed:
    """Publishes a country piece by piece.

    Args:
        settings: broker, namespace, number of partitions.
        people: people of the country.
        days: its days.
        seed: of the country.
        doubled: share of the person events that are published again, a while later.
        shuffled: how many messages a person event may be late, at most.
    """

    def __init__(
        self, settings: Settings, *, people: int = 150, days: int = 20, seed: int = 7, doubled: float = 0.0, shuffled: int = 0
    ) -> None:
        self._settings = settings
        self.sent = 0
        self._producer = Producer(
            {
                "bootstrap.servers": settings.kafka,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "message.max.bytes": 100_000_000,
                "enable.idempotence": True,
                "log_level": 0,
            }
        )
        arrivals = (arrival.message for arrival in Simulation(people, days, seed).arrivals(None))
        self._messages = _disturbed(arrivals, random.Random(seed), doubled, shuffled)
        self.exhausted = False

    def send(self, messages: int) -> None:
        """Publishes the next messages and waits until the broker has them; nothing when all is sent."""
        some = list(islice(self._messages, messages))
        self.exhausted = len(some) < messages
        for message in some:
            self.publish(message)
        self.flush()

    def everything(self) -> None:
        """Publishes what is left."""
        self.send(1_000_000)

    def publish(self, message: Any) -> None:
        """Hands one message over."""
        namespace = self._settings.namespace
        if isinstance(message, Corrupt):
            self.raw(message.topic.name(namespace), message.value, message.key)
        elif isinstance(message, Tick):
            for partition in range(self._settings.partitions):
                self.raw(PEOPLE.name(namespace), avro.encode(message), b"tick", partition)
        else:
            self.raw(topic_of(type(message)).name(namespace), avro.encode(message), message.subject.encode())

    def raw(self, topic: str, value: bytes | None, key: bytes | None = None, partition: int = -1) -> None:
        """Hands bytes over."""
        self._producer.produce(topic, value, key, partition)
        self._producer.poll(0)
        self.sent += 1

    def flush(self, within_s: float = 60.0) -> None:
        """Waits until the broker has everything."""
        assert self._producer.flush(within_s) == 0


def _disturbed(messages: Iterator[Any], dice: random.Random, doubled: float, shuffled: int) -> Iterator[Any]:
    """Yields messages, person events among them late by up to ``shuffled`` messages and some of them twice."""
    late: list[tuple[int, Any]] = []
    for number, message in enumerate(messages):
        for due, waiting in sorted((one for one in late if one[0] <= number), key=lambda one: one[0]):
            late.remove((due, waiting))
            yield waiting
        if not isinstance(message, PersonEvent):
            yield message
            continue
        if shuffled and dice.random() < 0.5:
            late.append((number + dice.randint(1, shuffled), message))
        else:
            yield message
        if dice.random() < doubled:
            late.append((number + dice.randint(1, max(1, shuffled)), message))
    yield from (waiting for _, waiting in late)


class Account:
    """Follows the ledger: how many records were accounted for so far."""

    def __init__(self, settings: Settings) -> None:
        topic = LEDGER.name(settings.namespace)
        self._consumer = Consumer(
            {
                "bootstrap.servers": settings.kafka,
                "group.id": f"{settings.namespace}-account",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )
        self._consumer.assign([TopicPartition(topic, 0, 0)])
        self._done = 0

    def done(self) -> int:
        """Returns how many records the ledger accounts for by now."""
        while messages := self._consumer.consume(2_000, timeout=0.05):
            for message in messages:
                if message.error() is None:
                    line = avro.decode(message.value() or b"")
                    assert isinstance(line, BatchMarker)
                    self._done += line.processed + line.dead_letters
        return self._done

    def close(self) -> None:
        """Lets go."""
        self._consumer.close()
