"""The stage of a measurement: a Kafka of its own on cores of its own, and a topic full of crossings."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.local import admin, jars, java, topics
from streams.local.broker import Broker
from streams.records import BorderCrossing
from streams.settings import Settings
from streams.wire import avro
from streams.wire.topics import PEOPLE

SOURCE = "bench"
"""Namespace of the loaded topic."""

DAY_MS = 86_400_000
FIRST_MS = 1_735_689_600_000
"""1 January 2025: the first entry."""


@contextmanager
def kafka(lane_cores: set[int]) -> Iterator[Settings]:
    """Starts a Kafka of its own, and gives it the cores the lanes do not have."""
    settings = Settings()
    with tempfile.TemporaryDirectory(prefix="shekara-bench-") as folder:
        home = Path(folder)
        broker = Broker(home / "broker", java=java.find(settings.java_home), classpath=jars.ensure(settings.cache))
        broker.start()
        try:
            broker.wait_ready(settings)
            others = os.sched_getaffinity(0) - lane_cores
            if lane_cores and others:
                for task in Path(f"/proc/{broker.child.pid}/task").iterdir():
                    os.sched_setaffinity(int(task.name), others)
            yield settings.model_copy(update={"kafka": broker.bootstrap, "namespace": SOURCE, "home": home})
        finally:
            broker.stop()


def crossing(number: int, people: int) -> BorderCrossing:
    """Returns the event of a number: everyone enters, leaves after four weeks, comes again after ten.

    A person's events lie as far apart as there are people, so a batch changes about as many dossiers as it has events: the
    hard case for state.
    """
    person, turn = number % people, number // people
    at_ms = FIRST_MS + (turn // 2 * 70 + turn % 2 * 28) * DAY_MS + person * 60_000 % DAY_MS
    return BorderCrossing(
        event_id=(number + 1).to_bytes(16, "big"),
        subject=f"p1-{person:032x}",
        occurred_at=at_ms,
        recorded_at=at_ms,
        source="post:KZ-75-A1",
        source_seq=number + 1,
        direction="exit" if turn % 2 else "entry",
        post="KZ-75-A1",
        citizenship="UZB",
        purpose="private",
        document="passport",
        transport="air",
        visa_id=None,
        refusal_reason=None,
    )


def load(settings: Settings, *, events: int, people: int, partitions: int) -> None:
    from confluent_kafka import Producer

    with admin.connect(settings.kafka, settings) as client:
        topics.create(client, SOURCE, partitions=partitions, replication=1)
    producer = Producer(
        {"bootstrap.servers": settings.kafka, "partitioner": "murmur2_random", "linger.ms": 50, "compression.type": "lz4"}
    )
    name = PEOPLE.name(SOURCE)
    for number in range(events):
        event = crossing(number, people)
        producer.produce(name, avro.encode(event), event.subject.encode())
        if number % 10_000 == 0:
            producer.flush(60)
    if producer.flush(60):
        raise SystemExit("Kafka did not take the events")
    print(f"loaded {events:,} events of {people:,} people", file=sys.stderr)
