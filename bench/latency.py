"""From an event's arrival at the broker to its alert in the hands of a reader, at several rates (ADR 0043)."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from typing import Any

from bench.stage import crossing, kafka
from bench.worker import COMPILED, running, until
from streams.local import admin, topics
from streams.records import Alert
from streams.settings import Settings
from streams.wire import avro
from streams.wire.topics import ALERTS, LEDGER, PEOPLE

RATES = (50, 1_000, 5_000)
AIM_MS = 250
AIM_RATE = 1_000
_SLICE_S = 0.01
_PATIENCE_S = 120.0


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Measures every rate on a worker of its own; returns the section of the report.

    Everybody has entered before; what is measured is the exits, each of which raises an alert: the arrival was not notified.
    """
    compiled = (COMPILED / "stamp").exists()
    found = []
    with kafka(set()) as settings:
        for rate in RATES:
            one = _at(settings.model_copy(update={"namespace": f"latency-{rate}"}), rate, given.latency_s, compiled=compiled)
            print(f"latency at {rate:,}/s: p50 {one['p50_ms']} ms, p99 {one['p99_ms']} ms", file=sys.stderr)
            found.append(one)
    wanted = next(one for one in found if one["events_per_second"] == AIM_RATE)
    aim = {
        "what": f"p99 from event to alert at {AIM_RATE:,} events/s, ms",
        "aim": AIM_MS,
        "is": wanted["p99_ms"],
        "reached": wanted["p99_ms"] <= AIM_MS,
    }
    return {"compiled": compiled, "seconds": given.latency_s, "rates": found, "aims": [aim]}


def _at(settings: Settings, rate: int, seconds: float, *, compiled: bool) -> dict[str, Any]:
    from confluent_kafka import Producer

    people = int(rate * seconds)
    with admin.connect(settings.kafka, settings) as client:
        topics.create(client, settings.namespace, partitions=4, replication=1)
    producer = Producer({"bootstrap.servers": settings.kafka, "partitioner": "murmur2_random", "linger.ms": 5})
    name = PEOPLE.name(settings.namespace)
    reader = Reader(settings, people)
    with running(settings, compiled=compiled) as worker:
        until(worker.ready, "the worker is ready", _PATIENCE_S)
        for number in range(people):
            event = crossing(number, people)
            producer.produce(name, avro.encode(event), event.subject.encode())
            if number % 10_000 == 0:
                producer.flush(30)
        producer.flush(30)
        until(lambda: reader.processed() >= people, "the entries are processed", _PATIENCE_S)
        reader.start()
        started = time.monotonic()
        number = 0
        while number < people:
            due = min(people, int((time.monotonic() - started) * rate) + 1)
            for number in range(number, due):  # noqa: B020 - goes on where it was
                event = crossing(people + number, people)
                producer.produce(name, avro.encode(event), event.subject.encode())
            number = due
            producer.poll(0)
            time.sleep(_SLICE_S)
        producer.flush(30)
        took = time.monotonic() - started
        until(lambda: len(reader.latencies) >= people, "every exit has its alert", _PATIENCE_S)
    reader.stop()
    ordered = sorted(reader.latencies)
    return {
        "events_per_second": rate,
        "published_per_second": round(people / took),
        "alerts": len(ordered),
        "p50_ms": ordered[len(ordered) // 2],
        "p99_ms": ordered[int(len(ordered) * 0.99)],
        "max_ms": ordered[-1],
    }


class Reader:
    """Reads alerts as a console does, and notes how late each is.

    Args:
        settings: where.
        first: alerts of events with a greater number count.
    """

    def __init__(self, settings: Settings, first: int) -> None:
        self.latencies: list[int] = []
        self._settings = settings
        self._first = (first + 1).to_bytes(16, "big")
        self._stopping = False
        self._processed = 0
        self._ledger = self._consumer(LEDGER.name(settings.namespace), 1)
        self._thread = threading.Thread(target=self._read, daemon=True)

    def _consumer(self, topic: str, partitions: int) -> Any:
        from confluent_kafka import Consumer, TopicPartition

        consumer = Consumer(
            {
                "bootstrap.servers": self._settings.kafka,
                "group.id": f"reader-{self._settings.namespace}",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 10,
                "auto.offset.reset": "earliest",
            }
        )
        consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
        return consumer

    def processed(self) -> int:
        """Returns how many records of the person log the ledger accounts for."""
        for message in self._ledger.consume(500, timeout=0.05):
            line = avro.decode(message.value()) if message.error() is None else None
            if line is not None and line.topic == PEOPLE.name(self._settings.namespace):  # type: ignore[union-attr]
                self._processed += line.processed  # type: ignore[union-attr]
        return self._processed

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def stop(self) -> None:
        """Ends."""
        self._stopping = True
        self._thread.join(10)
        self.close()

    def close(self) -> None:
        """Lets go of the ledger."""
        self._ledger.close()

    def _read(self) -> None:
        consumer = self._consumer(ALERTS.name(self._settings.namespace), 4)
        seen: set[bytes] = set()
        while not self._stopping:
            for message in consumer.consume(500, timeout=0.005):
                if message.error() is None:
                    now_ms = int(time.time() * 1000)
                    alert = avro.decode(message.value())
                    if isinstance(alert, Alert) and alert.caused_by >= self._first and alert.caused_by not in seen:
                        seen.add(alert.caused_by)
                        self.latencies.append(now_ms - alert.caused_at)
        consumer.close()


def show(section: dict[str, Any]) -> None:
    """Prints the section for people."""
    for one in section["rates"]:
        rate, p50, p99 = one["events_per_second"], one["p50_ms"], one["p99_ms"]
        print(f"{rate:>6,} events/s: p50 {p50} ms, p99 {p99} ms, latest {one['max_ms']} ms")
