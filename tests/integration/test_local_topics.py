"""Topics on a real broker."""

from __future__ import annotations

import pytest
from kafka import KafkaProducer

from streams.errors import SetupError
from streams.local import admin, topics
from streams.wire.topics import PEOPLE, TOPICS
from tests.conftest import Kafka

pytestmark = pytest.mark.integration


def test_creating_the_topics_twice_changes_nothing(kafka: Kafka) -> None:
    settings = kafka.settings(partitions=3, create=False)
    with admin.connect(kafka.bootstrap, settings) as client:
        first = topics.create(client, settings.namespace, partitions=3, replication=1)
        assert first == [topic.name(settings.namespace) for topic in TOPICS]
        assert topics.create(client, settings.namespace, partitions=3, replication=1) == []
        counts = topics.partition_counts(client, first)
    assert counts == {topic.name(settings.namespace): 3 if topic.partitioned else 1 for topic in TOPICS}


def test_another_number_of_partitions_is_refused_with_both_numbers(kafka: Kafka) -> None:
    settings = kafka.settings(partitions=2)
    with (
        admin.connect(kafka.bootstrap, settings) as client,
        pytest.raises(SetupError, match=r"people has 2 partitions, expected 5"),
    ):
        topics.create(client, settings.namespace, partitions=5, replication=1)


def test_a_mistyped_topic_is_not_created_by_using_it(kafka: Kafka) -> None:
    settings = kafka.settings()
    with admin.connect(kafka.bootstrap, settings) as client:
        assert topics.partition_counts(client, [f"{settings.namespace}.peeple"]) == {}
        assert f"{settings.namespace}.peeple" not in client.list_topics()


def test_the_survey_counts_what_is_kept_by_topic(kafka: Kafka) -> None:
    settings = kafka.settings(partitions=2)
    name = PEOPLE.name(settings.namespace)
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all")
    for number in range(7):
        producer.send(name, value=b"x", key=b"k", partition=number % 2).get(timeout=10)
    producer.close()
    with admin.connect(kafka.bootstrap, settings) as client:
        states = {state.name: state for state in topics.survey(client, settings.namespace)}
    assert states[name].ends == {0: 4, 1: 3}
    assert states[name].offsets == 7
    assert states[name].role == "input"
    assert len(states) == len(TOPICS)


def test_the_longest_message_the_project_allows_is_taken(kafka: Kafka) -> None:
    from streams.wire.topics import MAX_MESSAGE_BYTES

    settings = kafka.settings()
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all", max_request_size=MAX_MESSAGE_BYTES * 2)
    sent = producer.send(PEOPLE.name(settings.namespace), value=bytes(MAX_MESSAGE_BYTES - 1024), partition=0).get(timeout=30)
    producer.close()
    assert sent.offset == 0
