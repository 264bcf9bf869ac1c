"""The confluent-kafka clients of a worker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from streams.errors import DependencyError, SetupError
from streams.runtime.checkpoint import producer_settings

log = structlog.get_logger(__name__)

_ANSWER_S = 10.0


class KafkaClients:
    """Makes connections to Kafka for :class:`~streams.runtime.partition.Partition`.

    Args:
        connection: librdkafka's settings to reach the broker (addresses, TLS, SASL).
        group: the workers' consumer group; only its committed offsets are looked at.
        message_max_bytes: the longest message the broker accepts.
    """

    def __init__(self, connection: Mapping[str, Any], *, group: str, message_max_bytes: int) -> None:
        self._group = group
        self._connection = dict(connection)
        self._message_max_bytes = message_max_bytes

    def require(self, topics: Iterable[str]) -> None:
        """Makes sure that Kafka answers and the topics exist. Blocks.

        Raises:
            DependencyError: it does not answer.
            SetupError: a topic is missing.
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
        missing = sorted(set(topics) - set(found))
        if missing:
            raise SetupError(f"Kafka at {where} has no topic {', '.join(missing)}.", "Create the topics with 'shekara init'.")

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
                "error_cb": _on_error,
            }
        )


def _on_error(error: Any) -> None:
    """librdkafka tells of what it retries by itself; what it gives up comes back from the call that needed it."""
    log.warning("kafka", error=error.name())
