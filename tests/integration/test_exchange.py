"""Agencies hear what they may, once, also after the exchange was killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.clock import monotonic_s
from streams.exchange.agencies import load_agencies
from streams.exchange.carry import Carrier, create_topics
from streams.records import Alert, Case
from streams.settings import Settings
from streams.wire import avro
from streams.wire.topics import ALERTS, CASES
from tests.conftest import Kafka
from tests.integration.rig import Log
from tests.unit.exchange.test_agencies import EXAMPLE
from tests.unit.warehouse.made import make

pytestmark = pytest.mark.integration


def test_every_agency_hears_of_its_own_once_in_the_order_of_versions(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=2)
    agencies, log = load_agencies(EXAMPLE), Log(settings)
    rules = ("work_without_permit", "overstay_visa_exempt", "trafficking_indicators")
    for number in range(300):
        rule = rules[number % 3]
        family = "protective" if rule.startswith("traff") else "breach"
        for version in (1, 2):
            about = {"rule": rule, "family": family, "oblast": "KZ-75", "subject": "p1-x"}
            alert = make(Alert, alert_id=number.to_bytes(16, "big"), version=version, **about)
            log.put(avro.encode(alert), b"p1-x", topic=ALERTS.name(settings.namespace))
    log.put(avro.encode(make(Case, case_id=b"c" * 16, version=1)), b"p1-x", topic=CASES.name(settings.namespace))
    log.flush()
    assert sorted(create_topics(settings, agencies)) == sorted(agency.topic(settings.namespace) for agency in agencies)
    assert create_topics(settings, agencies) == []
    total = 0
    for _ in range(2):  # the second finds everything told
        carrier = Carrier(settings, agencies, threading.Event(), until_caught_up=True)
        carrier.run()
        total += carrier.told
    heard = Counter[str]()
    for agency in agencies:
        versions: dict[bytes, list[int]] = {}
        for message in log.read(agency.topic(settings.namespace)):
            event = json.loads(message.value())
            heard[agency.name] += 1
            versions.setdefault(message.key(), []).append(int(event["id"].rpartition("/")[2]))
        assert all(found in ([1, 2], [1]) for found in versions.values())
    assert heard == {"labour-inspectorate": 200, "migration-service": 401, "almaty-akimat": 400, "victims-support": 200}
    assert total == heard.total()


def exchange(settings: Settings, agencies: Path, *options: str) -> subprocess.Popen[str]:
    environment = os.environ | {"SHEKARA_KAFKA": settings.kafka, "SHEKARA_NAMESPACE": settings.namespace}
    command = [sys.executable, "-m", "streams", "exchange", "--agencies", str(agencies), *options]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


class Ends:
    """How far the partitions of a topic reach, what is not committed included."""

    def __init__(self, settings: Settings, topic: str, partitions: int) -> None:
        self._consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": "unused"})
        self._places = [TopicPartition(topic, number) for number in range(partitions)]
        while topic not in self._consumer.list_topics(topic, timeout=10).topics or not self._known():
            time.sleep(0.05)

    def _known(self) -> bool:
        """Returns whether the client has heard of a topic that has just been made."""
        try:
            return self.total() >= 0
        except KafkaException:
            return False

    def total(self) -> int:
        return sum(self._consumer.get_watermark_offsets(place, timeout=10)[1] for place in self._places)

    def until_above(self, seen: int, within_s: float = 40) -> None:
        deadline = monotonic_s() + within_s
        while self.total() <= seen:
            assert monotonic_s() < deadline, "the exchange does not go on: it waits for the one that was killed"
            time.sleep(0.002)

    def close(self) -> None:
        self._consumer.close()


def numbered(log: Log, count: int) -> None:
    """Publishes alerts that one agency hears of, in two versions."""
    for number in range(1, count + 1):
        for version in (1, 2):
            about = {"rule": "work_without_permit", "family": "breach", "oblast": "KZ-75", "subject": f"p1-{number:032x}"}
            alert = make(Alert, alert_id=number.to_bytes(16, "big"), version=version, **about)
            log.put(avro.encode(alert), str(about["subject"]).encode(), topic=ALERTS.name(log.settings.namespace))
    log.flush()


ONE_AGENCY = "agencies: {inspectorate: {alert: {fields: [alert_id, version]}}}\n"


DIES = """
import os, signal, sys, threading
from pathlib import Path
from streams.exchange.agencies import load_agencies
from streams.exchange.carry import Carrier
from streams.settings import Settings


class DiesBeforeCommitting:
    def __init__(self, producer, commits):
        self._producer, self._commits = producer, commits

    def commit_transaction(self, *patience):
        if self._commits == 0:
            self._producer.flush(30)
            os.kill(os.getpid(), signal.SIGKILL)
        self._commits -= 1
        self._producer.commit_transaction(*patience)

    def __getattr__(self, name):
        return getattr(self._producer, name)


carrier = Carrier(Settings(), load_agencies(Path(sys.argv[1])), threading.Event())
carrier._producer = DiesBeforeCommitting(carrier._producer, int(sys.argv[2]))
carrier.run()
"""
"""An exchange whose process dies when everything of a batch is written and nothing of it committed."""

SESSION_S = 45
"""How long Kafka waits for a member that does not say goodbye, unless its successor has its name."""


def test_an_exchange_killed_between_writing_and_committing_tells_everything_once_and_its_successor_goes_on_at_once(
    kafka: Kafka, tmp_path: Path
) -> None:
    settings, agencies, count = kafka.settings(partitions=2), tmp_path / "agencies.yaml", 6_000
    agencies.write_text(ONE_AGENCY)
    log = Log(settings)
    numbered(log, count)
    [topic] = create_topics(settings, load_agencies(agencies))
    environment = os.environ | {"SHEKARA_KAFKA": settings.kafka, "SHEKARA_NAMESPACE": settings.namespace}
    began_s = monotonic_s()
    for commits in (0, 1, 2):
        command = [sys.executable, "-c", DIES, str(agencies), str(commits)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
    last = exchange(settings, agencies, "--until-caught-up")
    _, said = last.communicate(timeout=120)
    assert last.returncode == 0, said
    assert monotonic_s() - began_s < 3 * SESSION_S
    heard: dict[bytes, list[str]] = {}
    for message in log.read(topic):
        heard.setdefault(message.key(), []).append(json.loads(message.value())["id"].rpartition("/")[2])
    assert len(heard) == count
    assert all(versions == ["1", "2"] for versions in heard.values())
    # What was written before each kill lies there, and nobody who reads what is committed sees it.
    assert len(log.read(topic, committed=False)) > 2 * count


def test_of_two_exchanges_the_later_one_goes_on_and_the_earlier_one_ends_and_says_why(kafka: Kafka, tmp_path: Path) -> None:
    settings, agencies = kafka.settings(partitions=2), tmp_path / "agencies.yaml"
    agencies.write_text(ONE_AGENCY)
    log = Log(settings)
    [topic] = create_topics(settings, load_agencies(agencies))
    ends = Ends(settings, topic, 2)
    earlier = exchange(settings, agencies)
    later = None
    try:
        numbered(log, 100)
        ends.until_above(0)
        later = exchange(settings, agencies)
        _, said = earlier.communicate(timeout=60)
        assert earlier.returncode == 4, said
        assert "another exchange" in said
        before = ends.total()
        numbered(log, 200)
        ends.until_above(before)
        later.terminate()
        assert later.wait(60) == 0
    finally:
        for one in (earlier, later):
            if one is not None:
                one.kill()
                one.communicate()
        ends.close()
    last = exchange(settings, agencies, "--until-caught-up")
    assert last.wait(60) == 0
    last.communicate()
    heard = Counter((message.key(), json.loads(message.value())["id"]) for message in log.read(topic))
    assert len(log.read(topic)) == 200 + 400  # the first hundred alerts were written twice, as they were published twice
    assert len(heard) == 400
