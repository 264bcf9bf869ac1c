"""What tests of the worker need: processes, a producer, and what the topics say in the end."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from confluent_kafka import Consumer, Producer, TopicPartition

from streams.records import Alert, BatchMarker, BorderCrossing, DeadLetter
from streams.settings import Settings
from streams.wire import avro
from streams.wire.topics import ALERTS, DEAD_LETTERS, LEDGER, PEOPLE

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
BASE_MS = 1_700_000_000_000


def crossing(number: int, subject: str, source: str = "post:test", at_ms: int = BASE_MS) -> BorderCrossing:
    """Returns an event whose id is its number."""
    return BorderCrossing(
        event_id=(number + 1).to_bytes(16, "big"),
        subject=subject,
        occurred_at=at_ms,
        recorded_at=at_ms,
        source=source,
        source_seq=number + 1,
        direction="entry",
        post="KZ-75-A1",
        citizenship="UZB",
        purpose="private",
        document="passport",
        transport="air",
        visa_id=None,
        refusal_reason=None,
    )


def person(number: int) -> str:
    """Returns a pseudonym."""
    return f"p1-{number:032x}"


class Log:
    """Writes to and reads from one namespace."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.people = PEOPLE.name(settings.namespace)
        self._numbers = 0
        self._producer = Producer({"bootstrap.servers": settings.kafka, "partitioner": "murmur2_random", "linger.ms": 5})

    def crossings(self, count: int, people: int = 20, seed: int = 1, source: str = "post:test") -> None:
        """Publishes events of random people."""
        dice = random.Random(seed)
        for _ in range(count):
            subject = person(dice.randrange(people))
            self.put(avro.encode(crossing(self._numbers, subject, source)), subject.encode())
            self._numbers += 1
        self.flush()

    def put(self, value: bytes | None, key: bytes | None = None, partition: int = -1, topic: str = "") -> None:
        """Publishes anything."""
        self._producer.produce(topic or self.people, value, key, partition)
        self._producer.poll(0)

    def flush(self) -> None:
        """Waits until everything is on the broker."""
        assert self._producer.flush(20) == 0

    def read(self, topic: str, *, committed: bool = True) -> list[Any]:
        """Returns every record of a topic, as confluent-kafka messages."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.settings.kafka,
                "group.id": "unused",
                "enable.partition.eof": True,
                "isolation.level": "read_committed" if committed else "read_uncommitted",
                "auto.offset.reset": "earliest",
            }
        )
        try:
            partitions = list(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
            consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
            found: list[Any] = []
            ends = 0
            while ends < len(partitions):
                for message in consumer.consume(5_000, timeout=0.5):
                    if message.error():
                        ends += 1
                    else:
                        found.append(message)
            return found
        finally:
            consumer.close()

    def ledger(self) -> list[BatchMarker]:
        """Returns the lines about the person log."""
        lines = [avro.decode(message.value()) for message in self.read(LEDGER.name(self.settings.namespace))]
        return [line for line in lines if isinstance(line, BatchMarker) and line.topic == self.people]

    def alerts(self) -> list[Alert]:
        """Returns every version of every alert."""
        found = [avro.decode(message.value()) for message in self.read(ALERTS.name(self.settings.namespace))]
        return [alert for alert in found if isinstance(alert, Alert)]

    def dead_letters(self) -> list[DeadLetter]:
        """Returns every dead letter."""
        found = [avro.decode(message.value()) for message in self.read(DEAD_LETTERS.name(self.settings.namespace))]
        return [letter for letter in found if isinstance(letter, DeadLetter)]

    def done(self) -> int:
        """Returns how many records the ledger accounts for."""
        return sum(line.processed + line.dead_letters for line in self.ledger())


class Process:
    """A worker in a process of its own."""

    def __init__(self, argv: list[str], log: Path, env: dict[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as file:
            self.popen = subprocess.Popen(
                [sys.executable, *argv], cwd=ROOT, stderr=file, stdout=file, env=os.environ | (env or {}), start_new_session=True
            )

    def lines(self) -> list[dict[str, Any]]:
        """Returns what it logged."""
        found = []
        for line in self.log.read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def url(self) -> str:
        """Returns where its probes listen; waits for them."""

        def announced() -> str:
            return next((line["probes"] for line in self.lines() if line.get("event") == "starting"), "")

        return until(announced, "the worker announces its probes")

    def ready(self) -> None:
        """Waits until it is ready."""
        url = self.url()

        def answers() -> bool:
            assert self.popen.poll() is None, self.log.read_text(encoding="utf-8")
            return ask(f"{url}/readyz")[0] == 200

        until(answers, "the worker is ready")

    def wait(self, timeout_s: float = 60) -> int:
        """Returns its exit code; fails with what it logged if it does not end in time."""
        try:
            return self.popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            said = self.log.read_text(encoding="utf-8")[-4000:]
            raise AssertionError(f"it did not end within {timeout_s:g} s: {said}") from None

    def kill(self) -> None:
        """Ends it at once, whatever it is doing."""
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait(10)


def ask(url: str) -> tuple[int, str]:
    """Returns status and body; status 0 when nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - a loopback URL of ours
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def until(check: Callable[[], T], what: str, within_s: float = 60.0) -> T:
    """Polls until something is true."""
    deadline = time.monotonic() + within_s
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.05)


@contextmanager
def workers(settings: Settings, folder: Path) -> Iterator[Callable[..., Process]]:
    """Gives a function that starts counting workers; ends all of them."""
    started: list[Process] = []

    def start(*options: str, module: str = "tests.integration.counting") -> Process:
        argv = ["-m", module, settings.namespace, settings.kafka, *options]
        process = Process(argv, folder / f"worker-{len(started)}.log")
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            process.kill()


def holes(lines: Iterable[BatchMarker]) -> list[tuple[BatchMarker, BatchMarker]]:
    """Returns neighbouring ledger lines that do not touch."""
    by_partition: dict[tuple[str, int], list[BatchMarker]] = defaultdict(list)
    for line in lines:
        by_partition[line.topic, line.partition].append(line)
    found = []
    for run in by_partition.values():
        run.sort(key=lambda line: line.first_offset)
        found += [(a, b) for a, b in pairwise(run) if b.first_offset != a.last_offset + 1]
    return found


def assert_exactly_once(log: Log, events: int) -> None:
    """Checks that every event was counted once: versions of each person run 1, 2, … and every event id occurs once."""
    alerts = log.alerts()
    assert len({alert.alert_id for alert in alerts}) == len(alerts) == events
    versions: dict[str, list[int]] = defaultdict(list)
    for alert in alerts:
        versions[alert.subject].append(alert.version)
    for subject, found in versions.items():
        assert found == list(range(1, len(found) + 1)), subject
    lines = log.ledger()
    assert holes(lines) == []
    assert sum(line.processed + line.dead_letters for line in lines) == events + len(log.dead_letters())
