"""The confluent-kafka clients of a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from streams.errors import DependencyError, SetupError
from streams.runtime.checkpoint import producer_settings

log = structlog.get_logger(__name__)

_ANSWER_S = 10.0
_READ_AHEAD = 10_000
_READ_AHEAD_KB = 8 * 1024
_MANNERS = {
    "socket.keepalive.enable": True,
    "reconnect.backoff.max.ms": 2_000,
    "log_level": 0,  # librdkafka writes to stderr by itself; what it gives up comes back as an error
}


class KafkaClients:
    """Makes connections to Kafka for :class:`~streams.runtime.partition.Partition`.

    Args:
        connection: librdkafka's settings to reach the broker (addresses, TLS, SASL).
        group: the workers' consumer group; only its committed offsets are looked at.
        message_max_bytes: the longest message the broker accepts.
    """

    def __init__(self, connection: Mapping[str, Any], *, group: str, message_max_bytes: int) -> None:
        self._group = group
        self._connection = {"client.id": group} | _MANNERS | dict(connection)
        self._message_max_bytes = message_max_bytes
        self._partitions: dict[str, int] = {}

    def require(self, changelogs: Mapping[str, str]) -> None:
        """Makes sure that Kafka answers, the topics exist, and each has as many partitions as its changelog. Blocks.

        Args:
            changelogs: by source topic, its changelog.

        Raises:
            DependencyError: it does not answer.
            SetupError: a topic is missing, or the numbers of partitions differ.
        """
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        where = self._connection["bootstrap.servers"]
        try:
            found = AdminClient(self._connection).list_topics(timeout=_ANSWER_S).topics
        except KafkaException as error:
            raise DependencyError(
                f"Kafka does not answer at {where} ({error.args[0].name()}).",
                "Check the address, and that the broker runs: 'shekara doctor'.",
            ) from error
        missing = sorted({*changelogs, *changelogs.values()} - set(found))
        if missing:
            raise SetupError(f"Kafka at {where} has no topic {', '.join(missing)}.", "Create the topics with 'shekara init'.")
        for topic, changelog in changelogs.items():
            partitions, states = len(found[topic].partitions), len(found[changelog].partitions)
            if partitions != states:
                # A partition's state lies in the changelog partition of its number.
                raise SetupError(
                    f"Topic {topic} has {partitions} partitions and {changelog} has {states}; both need as many.",
                    "Partitions were added to one of them. Create a new namespace (SHEKARA_NAMESPACE) and replay into it: "
                    "with another number people would change partition and their events would lose their order.",
                )
            self._partitions[topic] = partitions

    def partitions(self, topic: str) -> int:
        """Returns how many partitions a topic had when it was required.

        Raises:
            KeyError: it was never required.
        """
        return self._partitions[topic]

    def identity(self, topic: str) -> str:
        """Returns what tells this topic from another of the same name: the cluster's id and the topic's. Blocks.

        Raises:
            DependencyError: Kafka does not answer.
        """
        from confluent_kafka import KafkaException, TopicCollection
        from confluent_kafka.admin import AdminClient

        client = AdminClient(self._connection)
        try:
            cluster = client.list_topics(topic, timeout=_ANSWER_S).cluster_id
            described = client.describe_topics(TopicCollection([topic]), request_timeout=_ANSWER_S)[topic].result()
        except KafkaException as error:
            raise DependencyError(f"Kafka did not describe {topic}: {error.args[0].name()}.") from error
        return f"{cluster}/{topic}/{described.topic_id}"

    def producer(self, transactional_id: str) -> Any:
        """Returns a transactional producer."""
        from confluent_kafka import Producer

        settings = producer_settings(self._connection, transactional_id, message_max_bytes=self._message_max_bytes)
        return Producer(settings | {"error_cb": _on_error})

    def plain_producer(self) -> Any:
        """Returns an idempotent producer without transactions, for records that must be visible at once."""
        from confluent_kafka import Producer

        return Producer(self._connection | {"enable.idempotence": True, "acks": "all", "linger.ms": 0, "error_cb": _on_error})

    def reader(self) -> Any:
        """Returns a consumer that is assigned by hand, commits nothing and reads only what is committed."""
        from confluent_kafka import Consumer

        return Consumer(
            self._connection
            | {
                "group.id": self._group,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 100,
                # Several changelogs are read at once, and what lay waiting stays with the process: librdkafka's 100 000
                # messages, of half a kilobyte each with what it keeps beside them, are 50 MB for every partition.
                "queued.min.messages": _READ_AHEAD,
                "queued.max.messages.kbytes": _READ_AHEAD_KB,
                "error_cb": _on_error,
            }
        )


def _on_error(error: Any) -> None:
    """librdkafka tells of what it retries by itself; what it gives up comes back from the call that needed it."""
    log.warning("kafka", error=error.name())
