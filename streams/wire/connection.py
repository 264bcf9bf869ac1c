"""How any client of ours reaches Kafka: the one place that turns settings into security options.

Three clients spell the same few options three ways. Everything that is not about reaching the broker safely (batching,
acknowledgements, groups) belongs to whoever builds the client.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from streams.errors import SetupError
from streams.settings import Settings


def servers(settings: Settings, bootstrap: str = "") -> list[str]:
    """Returns the bootstrap servers, ``host:port`` each.

    Args:
        settings: whose ``kafka`` is used unless ``bootstrap`` is given.
        bootstrap: ``host:port,…``; for the embedded broker, whose address only its stack knows.

    Raises:
        SetupError: there is no address, or one of them has no port.
    """
    found = [server.strip() for server in (bootstrap or settings.kafka).split(",") if server.strip()]
    if not found:
        raise SetupError("There is no Kafka to talk to.", "Start the stack with 'shekara up', or set SHEKARA_KAFKA=host:port.")
    for server in found:
        host, colon, port = server.rpartition(":")
        if not colon or not host or not (port.isascii() and port.isdecimal()) or not 0 < int(port) < 65536:
            raise SetupError(f"Expected Kafka's address as host:port; got {server!r}.", "Set SHEKARA_KAFKA=host:port,…")
    return found


def kafka_python(settings: Settings, bootstrap: str = "") -> dict[str, Any]:
    """Returns the connection options of kafka-python's clients.

    Raises:
        SetupError: the settings are incomplete or a certificate is missing.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": servers(settings, bootstrap),
        "security_protocol": _protocol(settings),
    }
    if settings.kafka_security != "PLAINTEXT":
        options |= {
            "ssl_check_hostname": True,
            "ssl_cafile": _path(settings.kafka_ca),
            "ssl_certfile": _path(settings.kafka_certificate),
            "ssl_keyfile": _path(settings.kafka_key),
        }
    if settings.kafka_security == "SASL_SSL":
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    return options


def librdkafka(settings: Settings, bootstrap: str = "") -> dict[str, str]:
    """Returns the connection options of confluent-kafka's clients.

    Raises:
        SetupError: the settings are incomplete or a certificate is missing.
    """
    options = {
        "bootstrap.servers": ",".join(servers(settings, bootstrap)),
        "security.protocol": _protocol(settings),
    }
    if settings.kafka_security != "PLAINTEXT":
        options["ssl.endpoint.identification.algorithm"] = "https"
        for name, path in (
            ("ssl.ca.location", settings.kafka_ca),
            ("ssl.certificate.location", settings.kafka_certificate),
            ("ssl.key.location", settings.kafka_key),
        ):
            if path is not None:
                options[name] = str(path)
    if settings.kafka_security == "SASL_SSL":
        options |= {
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.username": settings.kafka_username,
            "sasl.password": settings.kafka_password.get_secret_value(),
        }
    return options


def aiokafka(settings: Settings, bootstrap: str = "") -> dict[str, Any]:
    """Returns the connection options of aiokafka's clients.

    Raises:
        SetupError: the settings are incomplete or a certificate is missing.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": servers(settings, bootstrap),
        "security_protocol": _protocol(settings),
    }
    if settings.kafka_security != "PLAINTEXT":
        options["ssl_context"] = tls(settings)
    if settings.kafka_security == "SASL_SSL":
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    return options


def tls(settings: Settings) -> ssl.SSLContext:
    """Returns a context that checks the broker's certificate and name, with our own certificate if there is one.

    Raises:
        SetupError: a certificate is missing or not readable as PEM.
    """
    _protocol(settings)
    try:
        context = ssl.create_default_context(cafile=_path(settings.kafka_ca))
        if settings.kafka_certificate is not None:
            context.load_cert_chain(settings.kafka_certificate, settings.kafka_key)
    except (ssl.SSLError, OSError) as error:
        raise SetupError(
            f"The certificates for Kafka cannot be loaded: {error}.",
            "Check SHEKARA_KAFKA_CA, SHEKARA_KAFKA_CERTIFICATE and SHEKARA_KAFKA_KEY: PEM files.",
        ) from error
    return context


def faust_credentials(settings: Settings) -> Any:
    """Returns Faust's credentials; none for a plaintext connection.

    Faust drops to plaintext when SASL comes without a TLS context; here SASL always has one.

    Raises:
        SetupError: the settings are incomplete or a certificate is missing.
    """
    if _protocol(settings) == "PLAINTEXT":
        return None
    import faust

    if settings.kafka_security == "SSL":
        return faust.SSLCredentials(tls(settings))
    return faust.SASLCredentials(
        username=settings.kafka_username,
        password=settings.kafka_password.get_secret_value(),
        mechanism=settings.kafka_sasl_mechanism,
        ssl_context=tls(settings),
    )


def faust_urls(settings: Settings, scheme: str) -> str:
    """Returns the broker's addresses as Faust wants them, e.g. ``shekara://a:9092;shekara://b:9092``.

    Raises:
        SetupError: there is no address, or one of them has no port.
    """
    return ";".join(f"{scheme}://{address}" for address in servers(settings))


def _protocol(settings: Settings) -> str:
    """Returns the protocol, once everything it needs is there."""
    protocol = settings.kafka_security
    if settings.kafka_username and protocol != "SASL_SSL":
        # Some clients would quietly send the password in the clear, or not at all.
        raise SetupError(
            f"SHEKARA_KAFKA_USERNAME is set, but SHEKARA_KAFKA_SECURITY is {protocol}.",
            "Set SHEKARA_KAFKA_SECURITY=SASL_SSL: passwords never travel without TLS.",
        )
    if protocol == "SASL_SSL" and not (settings.kafka_username and settings.kafka_password.get_secret_value()):
        raise SetupError(
            "SHEKARA_KAFKA_SECURITY is SASL_SSL, but there is no user name or no password.",
            "Set SHEKARA_KAFKA_USERNAME and SHEKARA_KAFKA_PASSWORD.",
        )
    for name, path in (
        ("CA", settings.kafka_ca),
        ("CERTIFICATE", settings.kafka_certificate),
        ("KEY", settings.kafka_key),
    ):
        if path is not None and not path.is_file():
            raise SetupError(f"SHEKARA_KAFKA_{name} names {path}, which is no file.", "Give the path of a PEM file.")
        if path is not None and protocol == "PLAINTEXT":
            raise SetupError(
                f"SHEKARA_KAFKA_{name} is set, but SHEKARA_KAFKA_SECURITY is PLAINTEXT, so it would not be used.",
                "Set SHEKARA_KAFKA_SECURITY to SSL or SASL_SSL.",
            )
    return protocol


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)
