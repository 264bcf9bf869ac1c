"""The administration client: how this room talks to Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from streams.errors import DependencyError
from streams.settings import Settings

_ANSWER_MS = 10_000


def configuration(bootstrap: str, settings: Settings) -> dict[str, Any]:
    """Returns what a kafka-python client needs to reach this Kafka.

    Args:
        bootstrap: ``host:port,…``
        settings: carries protocol, certificates and credentials.
    """
    config: dict[str, Any] = {
        "bootstrap_servers": bootstrap.split(","),
        "security_protocol": settings.kafka_security,
        "client_id": f"{settings.namespace}-admin",
    }
    if settings.kafka_security != "PLAINTEXT":
        config |= {
            "ssl_cafile": str(settings.kafka_ca) if settings.kafka_ca else None,
            "ssl_certfile": str(settings.kafka_certificate) if settings.kafka_certificate else None,
            "ssl_keyfile": str(settings.kafka_key) if settings.kafka_key else None,
        }
    if settings.kafka_security == "SASL_SSL":
        config |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    return config


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
            **configuration(bootstrap, settings),
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
