"""The administration client: how this room talks to Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from streams.errors import DependencyError
from streams.settings import Settings
from streams.wire import connection

_ANSWER_MS = 10_000


def embedded(settings: Settings, bootstrap: str) -> Settings:
    """Returns settings that lead to the embedded broker: loopback, no TLS, whatever is set for another Kafka."""
    plain = Settings.model_fields
    return settings.model_copy(
        update={"kafka": bootstrap} | {name: plain[name].get_default() for name in plain if name.startswith("kafka_")}
    )


@contextmanager
def connect(bootstrap: str, settings: Settings, *, timeout_ms: int = _ANSWER_MS) -> Iterator[KafkaAdminClient]:
    """Opens an administration client.

    Args:
        bootstrap: ``host:port,…``
        settings: carries protocol, certificates and credentials.
        timeout_ms: how long the first answer may take.

    Raises:
        DependencyError: Kafka does not answer, or refuses.
    """
    try:
        client = KafkaAdminClient(
            **connection.kafka_python(settings, bootstrap),
            client_id=f"{settings.namespace}-admin",
            request_timeout_ms=max(timeout_ms, 1000),
            bootstrap_timeout_ms=timeout_ms,
        )
    except (KafkaError, OSError) as error:
        raise unreachable(bootstrap, error) from error
    try:
        yield client
    except KafkaError as error:
        raise unreachable(bootstrap, error) from error
    finally:
        client.close()


def unreachable(bootstrap: str, error: Exception) -> DependencyError:
    """Returns the error for a Kafka that does not answer as it should."""
    return DependencyError(
        f"Kafka at {bootstrap} did not answer as expected: {type(error).__name__}{f' ({error})' if str(error) else ''}.",
        "Check the address and that the broker runs; 'shekara doctor' looks at each part.",
    )
