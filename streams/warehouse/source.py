"""The sink's side of Kafka: which topics, how it consumes, how far it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog

from streams.errors import DependencyError
from streams.settings import Settings
from streams.wire.connection import librdkafka
from streams.wire.topics import MAX_DEAD_LETTER_BYTES, TOPICS

log = structlog.get_logger(__name__)


def topics(settings: Settings) -> list[str]:
    """Returns the full names of the topics that go to the warehouse: inputs and outputs, not the changelogs."""
    return [topic.name(settings.namespace) for topic in TOPICS if topic.role in ("input", "output")]


def group(settings: Settings) -> str:
    """Returns the consumer group of the sink; its committed offsets equal the ends when everything is in ClickHouse."""
    return f"{settings.namespace}-sink"


def consumer(settings: Settings, *, group_id: str | None = None, start: str = "earliest", session_s: float = 10.0) -> Any:
    """Returns a consumer that reads only what is committed and commits only when told.

    Args:
        settings: where Kafka is.
        group_id: another group than the sink's.
        start: where a group without offsets begins: ``earliest`` or ``latest``.
        session_s: after how many seconds without a sign of life the group gives its partitions to others.

    Raises:
        DependencyError: Kafka does not answer within 10 s.
    """
    from confluent_kafka import Consumer, KafkaException

    made = Consumer(
        librdkafka(settings)
        | {
            "group.id": group_id or group(settings),
            "client.id": group_id or group(settings),
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": start,
            # The end of a partition is told, transaction marks behind it included: what makes "caught up" exact.
            "enable.partition.eof": True,
            "topic.metadata.refresh.interval.ms": 5_000,
            "session.timeout.ms": round(1000 * session_s),
            "heartbeat.interval.ms": 2_000,
            "fetch.wait.max.ms": 100,
            "fetch.message.max.bytes": 4 * 1024 * 1024,
            "fetch.max.bytes": MAX_DEAD_LETTER_BYTES + 1024 * 1024,
            "receive.message.max.bytes": 2 * MAX_DEAD_LETTER_BYTES,
            # What librdkafka may hold ready for us: the bound of this process's memory besides our own batches.
            "queued.max.messages.kbytes": 32 * 1024,
            "queued.min.messages": 20_000,
            "log_level": 2,  # librdkafka's own lines on stderr; what matters comes to error_cb
            "error_cb": lambda error: log.warning("kafka", error=error.name()),
        }
    )
    try:
        made.list_topics(timeout=10.0)
    except KafkaException as error:
        made.close()
        raise DependencyError(
            f"Kafka at {settings.kafka} did not answer within 10 s: {error.args[0].name()}.",
            "Check SHEKARA_KAFKA and that the broker runs; 'shekara doctor' looks at each part.",
        ) from error
    return made


def committed(made: Any, names: Sequence[str]) -> dict[tuple[str, int], int]:
    """Returns the offsets the group has committed in every partition of some topics.

    Raises:
        DependencyError: Kafka does not answer within 10 s.
    """
    from confluent_kafka import KafkaException, TopicPartition

    try:
        asked = [
            TopicPartition(name, number)
            for name in names
            for number in made.list_topics(name, timeout=10.0).topics[name].partitions
        ]
        return {(one.topic, one.partition): one.offset for one in made.committed(asked, timeout=10.0) if one.offset >= 0}
    except KafkaException as error:
        raise DependencyError(f"Kafka does not tell the offsets of the group: {error.args[0].name()}.") from error


def positions(offsets: dict[tuple[str, int], int]) -> list[Any]:
    """Returns offsets as confluent-kafka wants them.

    Args:
        offsets: next offset to read, by topic and partition.
    """
    from confluent_kafka import TopicPartition

    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]


def subscribe(made: Any, names: Sequence[str], *, lost: Callable[[], None]) -> None:
    """Joins the group.

    Args:
        made: as ``consumer`` returns it.
        names: topics.
        lost: called when partitions are taken away; what was read and not committed will be read again by their new owner.
    """
    made.subscribe(list(names), on_revoke=lambda *_: lost(), on_lost=lambda *_: lost())


def assign_all(made: Any, topic: str, *, from_start: bool) -> None:
    """Reads every partition of a topic without joining a group.

    Args:
        made: as ``consumer`` returns it.
        topic: full name.
        from_start: from the first record kept; else only what is written from now on.

    Raises:
        DependencyError: the topic does not exist.
    """
    from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, TopicPartition

    found = made.list_topics(topic, timeout=10.0).topics[topic]
    if found.error is not None:
        raise DependencyError(f"Topic {topic} does not exist.", "Create the topics with 'shekara init', or start 'shekara up'.")
    begin = OFFSET_BEGINNING if from_start else OFFSET_END
    made.assign([TopicPartition(topic, number, begin) for number in found.partitions])
