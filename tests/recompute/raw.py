"""Reads whole topics with a plain consumer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from confluent_kafka import Consumer, TopicPartition

INPUTS = ("people", "posts", "employers", "quotas")
INTERNAL = ("labour-links",)
OUTPUTS = ("alerts", "findings", "cases", "dead-letters", "ledger")


@dataclass(frozen=True, slots=True)
class Raw:
    """One message, as it lies in the log.

    Attributes:
        topic: suffix of the topic's name.
        partition: its partition.
        offset: its offset.
        received_ms: the broker's timestamp, UTC epoch ms.
        value: its bytes; none for a message without a value.
    """

    topic: str
    partition: int
    offset: int
    received_ms: int
    value: bytes | None


def read(bootstrap: str, namespace: str, suffix: str) -> Iterator[Raw]:
    """Yields every committed message of a topic, partition by partition as they come, to its present end."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"{namespace}.recompute",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
        }
    )
    name = f"{namespace}.{suffix}"
    try:
        partitions = list(consumer.list_topics(name, timeout=20).topics[name].partitions)
        if not partitions:
            raise LookupError(f"the topic {name} is not there")
        consumer.assign([TopicPartition(name, partition, 0) for partition in partitions])
        ended: set[int] = set()
        while len(ended) < len(partitions):
            for message in consumer.consume(10_000, timeout=1.0):
                error, partition, offset = message.error(), message.partition(), message.offset()
                assert partition is not None
                if error is not None:
                    # The only "error" that may come is the end of a partition.
                    assert error.name() == "_PARTITION_EOF", error
                    ended.add(partition)
                else:
                    assert offset is not None
                    yield Raw(suffix, partition, offset, message.timestamp()[1], message.value())
    finally:
        consumer.close()
