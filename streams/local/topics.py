"""Creates the project's topics and reads how far everything is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from streams.errors import DependencyError, SetupError
from streams.wire.topics import TOPICS, Topic

_CREATE_MS = 30_000


@dataclass(frozen=True, slots=True)
class TopicState:
    """What a topic holds now.

    Attributes:
        name: full name.
        role: input, output, internal or changelog.
        partitions: how many it has.
        ends: end offset by partition: the number of offsets ever given, transaction marks included.
        starts: first offset still kept, by partition.
        lag: records not yet committed, by consumer group of ours that has committed on this topic.
    """

    name: str
    role: str
    partitions: int
    ends: dict[int, int]
    starts: dict[int, int]
    lag: dict[str, int]

    @property
    def offsets(self) -> int:
        """Returns the offsets still kept; in topics written by transactions some of them are marks, not records."""
        return sum(self.ends.values()) - sum(self.starts.values())


def create(client: KafkaAdminClient, namespace: str, *, partitions: int, replication: int) -> list[str]:
    """Creates the topics that are missing and checks the partitions of those that exist.

    Args:
        client: administration client.
        namespace: prefix of every topic.
        partitions: of the topics that are partitioned like the person log.
        replication: replication factor of new topics.

    Returns:
        Names of the topics created now; empty when all were there.

    Raises:
        SetupError: a topic has another number of partitions; people would change partition and lose their order.
        DependencyError: the broker refused.
    """
    existing = partition_counts(client, [topic.name(namespace) for topic in TOPICS])
    for topic in TOPICS:
        name, wanted = topic.name(namespace), _partitions(topic, partitions)
        if name in existing and existing[name] != wanted:
            raise SetupError(
                f"Topic {name} has {existing[name]} partitions, expected {wanted}: with another number people would change "
                "partition and their events would lose their order.",
                f"Set SHEKARA_PARTITIONS={existing[name]} if the topic is right, or use another SHEKARA_NAMESPACE."
                if topic.partitioned
                else "Use another SHEKARA_NAMESPACE, or remove the topic if nothing of value is in it.",
            )
    wanted_now = {
        topic.name(namespace): {
            "num_partitions": _partitions(topic, partitions),
            "replication_factor": replication,
            "configs": dict(topic.config),
        }
        for topic in TOPICS
        if topic.name(namespace) not in existing
    }
    if wanted_now:
        try:
            answer = client.create_topics(wanted_now, timeout_ms=_CREATE_MS, raise_errors=False)
            for one in answer["topics"]:
                if one["error_code"] not in (0, 36):  # 36: someone else created it this moment
                    raise DependencyError(
                        f"Kafka refused to create topic {one['name']}: {one.get('error_message') or one['error_code']}.",
                        "Check SHEKARA_REPLICATION against the number of brokers, and the rights of this user.",
                    )
            client.wait_for_topics(list(wanted_now), timeout_ms=_CREATE_MS)
        except KafkaError as error:
            raise DependencyError(f"The topics could not be created: {error}.", "Run 'shekara doctor'.") from error
    return list(wanted_now)


def _partitions(topic: Topic, partitions: int) -> int:
    return partitions if topic.partitioned else 1


def partition_counts(client: KafkaAdminClient, names: Iterable[str]) -> dict[str, int]:
    """Returns the number of partitions of those topics that exist."""
    return {
        topic["name"]: len(topic["partitions"])
        for topic in client.describe_topics(list(names))
        if topic.get("error_code", 0) == 0 and topic["partitions"]
    }


def ends(client: KafkaAdminClient, names: Iterable[str], *, earliest: bool = False) -> dict[TopicPartition, int]:
    """Returns the end offset of every partition of the topics that exist.

    Args:
        client: administration client.
        names: full names.
        earliest: the first offset kept instead of the end.
    """
    counts = partition_counts(client, names)
    spec = OffsetSpec.EARLIEST if earliest else OffsetSpec.LATEST
    wanted = {TopicPartition(name, number): spec for name, count in counts.items() for number in range(count)}
    if not wanted:
        return {}
    return {place: found.offset for place, found in client.list_partition_offsets(wanted).items()}


def committed(client: KafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    """Returns the offsets a consumer group has committed; empty for a group that has committed nothing."""
    found = client.list_group_offsets(group).get(group, {})
    return {place: one.offset for place, one in found.items() if one.offset >= 0}


def groups(client: KafkaAdminClient, namespace: str) -> list[str]:
    """Returns our consumer groups: those whose name starts with the namespace and a hyphen."""
    return sorted(one["group_id"] for one in client.list_groups() if one["group_id"].startswith(f"{namespace}-"))


def survey(client: KafkaAdminClient, namespace: str) -> list[TopicState]:
    """Returns the state of every topic of the project that exists, in the order of ``wire.topics.TOPICS``."""
    names = [topic.name(namespace) for topic in TOPICS]
    ends_now, starts = ends(client, names), ends(client, names, earliest=True)
    committed_by = {group: committed(client, group) for group in groups(client, namespace)}
    result = []
    for topic in TOPICS:
        name = topic.name(namespace)
        own = {place.partition: offset for place, offset in ends_now.items() if place.topic == name}
        if not own:
            continue
        lag = {}
        for group, offsets in committed_by.items():
            mine = {place.partition: offset for place, offset in offsets.items() if place.topic == name}
            if mine:
                lag[group] = sum(max(0, end - mine.get(number, 0)) for number, end in own.items())
        first = {place.partition: offset for place, offset in starts.items() if place.topic == name}
        result.append(TopicState(name, topic.role, len(own), own, first, lag))
    return result
