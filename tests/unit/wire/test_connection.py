from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from streams.errors import SetupError
from streams.settings import Settings
from streams.wire import connection

CLIENTS = [connection.kafka_python, connection.librdkafka, connection.aiokafka]


def _settings(**changes: Any) -> Settings:
    return Settings().model_copy(update={"kafka": "broker:9092"} | changes)


SASL = {"kafka_security": "SASL_SSL", "kafka_username": "post-17", "kafka_password": SecretStr("not a real one")}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_password_without_tls_is_refused_for_every_client(client: Any) -> None:
    for security in ("PLAINTEXT", "SSL"):
        with pytest.raises(SetupError, match="SASL_SSL"):
            client(_settings(**SASL | {"kafka_security": security}))


@pytest.mark.parametrize("client", CLIENTS)
def test_sasl_without_a_password_is_refused(client: Any) -> None:
    with pytest.raises(SetupError, match="no password"):
        client(_settings(**SASL | {"kafka_password": SecretStr("")}))


@pytest.mark.parametrize("client", CLIENTS)
def test_a_missing_certificate_is_named(client: Any, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"SHEKARA_KAFKA_CA names .*nowhere\.pem"):
        client(_settings(kafka_security="SSL", kafka_ca=tmp_path / "nowhere.pem"))


@pytest.mark.parametrize("client", CLIENTS)
def test_a_certificate_that_would_not_be_used_is_refused(client: Any, tmp_path: Path) -> None:
    certificate = tmp_path / "ca.pem"
    certificate.touch()
    with pytest.raises(SetupError, match="PLAINTEXT"):
        client(_settings(kafka_ca=certificate))


def test_a_file_that_is_no_certificate_is_one_sentence(tmp_path: Path) -> None:
    certificate = tmp_path / "ca.pem"
    certificate.write_text("not PEM")
    with pytest.raises(SetupError, match="cannot be loaded"):
        connection.aiokafka(_settings(kafka_security="SSL", kafka_ca=certificate))


def test_every_client_gets_the_same_credentials() -> None:
    settings = _settings(**SASL)
    for client in (connection.kafka_python, connection.aiokafka):
        options = client(settings)
        assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("post-17", "not a real one")
        assert options["security_protocol"] == "SASL_SSL"
    options = connection.librdkafka(settings)
    assert (options["sasl.username"], options["sasl.password"]) == ("post-17", "not a real one")
    assert options["security.protocol"] == "SASL_SSL"
    assert options["ssl.endpoint.identification.algorithm"] == "https"
    assert connection.aiokafka(settings)["ssl_context"].check_hostname


def test_librdkafka_knows_every_option() -> None:
    from confluent_kafka import Producer

    Producer(connection.librdkafka(_settings(**SASL)))
    with pytest.raises(Exception, match="No such configuration"):
        Producer({"no.such.option": "1"})


@pytest.mark.parametrize("address", ["broker", ":9092", "broker:", "broker:0", "broker:65536", "a:1,b"])
def test_an_address_without_host_or_port_is_refused(address: str) -> None:
    with pytest.raises(SetupError, match="host:port"):
        connection.servers(_settings(kafka=address))


def test_no_address_at_all_says_what_to_do() -> None:
    with pytest.raises(SetupError, match="shekara up"):
        connection.servers(_settings(kafka=""))


def test_an_address_on_the_command_line_wins() -> None:
    assert connection.servers(_settings(), " a:1, b:2 ") == ["a:1", "b:2"]
