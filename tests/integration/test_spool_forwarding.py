"""A border post with a bad link and a bad machine, against a real Apache Kafka: everything arrives, in order."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from streams.clock import monotonic_s, now_ms
from streams.local import admin, jars, java, topics
from streams.local.broker import Broker
from streams.publish.forwarding import Forwarder
from streams.publish.sealing import Keys
from streams.publish.spool import Spool
from streams.records import BorderCrossing, EmployerDeclaration, PostHeartbeat
from streams.settings import Settings
from streams.wire import avro
from streams.wire.topics import EMPLOYERS, PEOPLE, POSTS
from tests.conftest import Kafka
from tests.integration.border_post import crossing
from tests.integration.spool_day import first_arrivals
from tests.integration.test_publisher import everything
from tests.unit.decode.lawful import lawful

pytestmark = pytest.mark.integration


@pytest.mark.timeout(280)
def test_everything_arrives_once_and_in_order_though_the_post_is_killed_and_kafka_goes_away(tmp_path: Path) -> None:
    settings = Settings().model_copy(update={"namespace": "spooled", "partitions": 4})
    broker = Broker(tmp_path / "broker", java=java.find(settings.java_home), classpath=jars.ensure(settings.cache))
    broker.start()
    try:
        broker.wait_ready(settings)
        settings = settings.model_copy(update={"kafka": broker.bootstrap})
        with admin.connect(broker.bootstrap, settings) as client:
            topics.create(client, settings.namespace, partitions=4, replication=1)
        environment = os.environ | {"SHEKARA_KAFKA": broker.bootstrap, "SHEKARA_NAMESPACE": "spooled"}
        count, said, kills = 1200, 0, 0
        chance = random.Random(31)
        deadline = monotonic_s() + 240
        while True:
            assert monotonic_s() < deadline, "the post does not get its crossings away"
            command: list[str] = [
                sys.executable,
                "-m",
                "tests.integration.border_post",
                str(tmp_path / "spool.db"),
                str(tmp_path / "keys"),
                str(count),
            ]
            post = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
            assert post.stdout is not None
            # Killed after a few hundred crossings, or while it sends what is left.
            wanted = said + chance.randrange(100, 250)
            for line in post.stdout:
                if line.strip() == "drained":
                    break
                said = int(line)
                if said >= wanted:
                    break
            else:
                pytest.fail(f"the post ended by itself with {post.wait()}")
            if line.strip() == "drained":
                assert post.wait(30) == 0
                post.stdout.close()
                break
            kills += 1
            post.kill()
            said = max([said, *(int(number) for number in post.stdout.read().split("\n")[:-1] if number.isdecimal())])
            post.wait()
            post.stdout.close()
            if kills == 2:
                broker.stop()
            elif kills == 4:
                broker.start()
                broker.wait_ready(settings)
        assert kills >= 4
        found, messages = first_arrivals(settings)
    finally:
        broker.stop()
    assert sorted(record.source_seq for record in found.values()) == list(range(1, count + 1))
    assert set(found) == {crossing(number).event_id for number in range(1, count + 1)}
    orders: dict[str, list[int]] = {}
    for record in found.values():
        orders.setdefault(record.subject, []).append(record.source_seq)
    assert len(orders) == 20
    assert all(order == sorted(order) for order in orders.values())
    # Each kill may leave one batch whose acknowledgement was not noted; nothing else is sent again.
    assert messages - count <= 1000 * kills


def test_receipts_say_where_an_event_lies_and_how_far_the_clocks_are_apart(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings()
    with Spool(tmp_path / "spool.db", Keys([bytes(32)])) as spool, Forwarder(spool, settings) as forwarder:
        events = [lawful(BorderCrossing), lawful(PostHeartbeat), lawful(EmployerDeclaration)]
        before = now_ms()
        spool.put_many(events)
        assert forwarder.drain(60)
        for event, topic, partitions in zip(events, (PEOPLE, POSTS, EMPLOYERS), (4, 1, 1), strict=True):
            receipt = spool.receipt(event.event_id)
            (message,) = everything(settings, topic, partitions)
            assert receipt is not None
            assert (receipt.topic, receipt.partition, receipt.offset) == (message.topic(), message.partition(), message.offset())
            assert receipt.arrived_at == message.timestamp()[1]
            assert before - 1000 <= receipt.arrived_at <= now_ms() + 1000
            assert message.value() == avro.encode(event)
        state = forwarder.state
        assert state.up
        assert state.delivered == 3
        assert state.drift is not None  # one machine, one clock
        assert abs(state.drift.ahead_ms) <= state.drift.error_ms + 2


def test_no_kafka_is_said_and_the_events_wait(tmp_path: Path) -> None:
    settings = Settings().model_copy(update={"kafka": "127.0.0.1:1"})
    with Spool(tmp_path / "spool.db", Keys([bytes(32)])) as spool:
        spool.put(lawful(BorderCrossing))
        forwarder = Forwarder(spool, settings, first_pause_s=0.01).start()
        deadline = monotonic_s() + 60
        while "does not answer" not in forwarder.state.trouble:
            assert monotonic_s() < deadline, forwarder.state
        forwarder.stop()
        assert not forwarder.state.up
        assert spool.state().waiting == 1
