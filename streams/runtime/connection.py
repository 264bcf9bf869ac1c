"""How a worker's two Kafka clients, librdkafka and aiokafka under Faust, reach the broker the settings name."""

from __future__ import annotations

import ssl
from typing import Any

from streams.errors import SetupError
from streams.settings import Settings


def librdkafka(settings: Settings) -> dict[str, Any]:
    """Returns librdkafka's settings to reach the broker.

    Raises:
        SetupError: SASL without a user name, or no broker is named.
    """
    _check(settings)
    values: dict[str, Any] = {
        "bootstrap.servers": settings.kafka,
        "client.id": f"{settings.namespace}-worker",
        "security.protocol": settings.kafka_security,
        "socket.keepalive.enable": True,
        "reconnect.backoff.max.ms": 2_000,
        "log_level": 0,  # librdkafka writes to stderr by itself; what it gives up comes back as an error
    }
    if settings.kafka_security != "PLAINTEXT":
        for name, path in (
            ("ssl.ca.location", settings.kafka_ca),
            ("ssl.certificate.location", settings.kafka_certificate),
            ("ssl.key.location", settings.kafka_key),
        ):
            if path is not None:
                values[name] = str(path)
    if settings.kafka_security == "SASL_SSL":
        values |= {
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.username": settings.kafka_username,
            "sasl.password": settings.kafka_password.get_secret_value(),
        }
    return values


def faust_credentials(settings: Settings) -> Any:
    """Returns Faust's credentials; none for a plaintext connection.

    Faust drops to plaintext when SASL comes without a TLS context; here SASL always has one.

    Raises:
        SetupError: SASL without a user name, or a certificate cannot be read.
    """
    _check(settings)
    if settings.kafka_security == "PLAINTEXT":
        return None
    import faust

    try:
        context = ssl.create_default_context(cafile=str(settings.kafka_ca) if settings.kafka_ca else None)
        if settings.kafka_certificate is not None:
            key = str(settings.kafka_key) if settings.kafka_key else None
            context.load_cert_chain(str(settings.kafka_certificate), key)
    except OSError as error:
        raise SetupError(
            f"A certificate for Kafka cannot be read: {error}.",
            "Check SHEKARA_KAFKA_CA, SHEKARA_KAFKA_CERTIFICATE and SHEKARA_KAFKA_KEY.",
        ) from error
    if settings.kafka_security == "SSL":
        return faust.SSLCredentials(context)
    return faust.SASLCredentials(
        username=settings.kafka_username,
        password=settings.kafka_password.get_secret_value(),
        mechanism=settings.kafka_sasl_mechanism,
        ssl_context=context,
    )


def faust_urls(settings: Settings, scheme: str) -> str:
    """Returns the broker's addresses as Faust wants them, e.g. ``shekara://a:9092;shekara://b:9092``."""
    return ";".join(f"{scheme}://{address.strip()}" for address in settings.kafka.split(",") if address.strip())


def _check(settings: Settings) -> None:
    if not settings.kafka:
        raise SetupError("No Kafka is named.", "Set SHEKARA_KAFKA=host:port,… or start the embedded broker with 'shekara up'.")
    if settings.kafka_username and settings.kafka_security != "SASL_SSL":
        raise SetupError(
            f"SHEKARA_KAFKA_USERNAME is set, but SHEKARA_KAFKA_SECURITY is {settings.kafka_security}: "
            "the password would be sent in the clear, or not at all.",
            "Set SHEKARA_KAFKA_SECURITY=SASL_SSL.",
        )
    if settings.kafka_security == "SASL_SSL" and not settings.kafka_username:
        raise SetupError(
            "SHEKARA_KAFKA_SECURITY is SASL_SSL without a user name.", "Set SHEKARA_KAFKA_USERNAME and SHEKARA_KAFKA_PASSWORD."
        )
