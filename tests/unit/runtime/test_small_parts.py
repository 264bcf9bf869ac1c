"""Failpoints, the watch, the probes, the journal, the connection: small, and each can cost a night."""

from __future__ import annotations

import json
import logging
import socket
import sys
from pathlib import Path
from typing import cast

import faust
import pytest
from faust.app.base import BootStrategy
from pydantic import SecretStr

from streams.errors import SetupError, UsageError
from streams.runtime.failpoints import kill_at
from streams.runtime.headless import HeadlessApp
from streams.runtime.journal import formatter
from streams.runtime.probes import Probes
from streams.runtime.watch import Watch
from streams.settings import Settings
from streams.wire import connection
from tests.integration.rig import ask


@pytest.mark.parametrize("spec", ["nowhere:1", "after_commit:x", ":3", "after_commit:1:nap"])
def test_a_failpoint_that_is_none_is_refused(spec: str) -> None:
    with pytest.raises(UsageError, match="failpoint"):
        kill_at(spec)


class Stand:
    place = ("t", 0)

    def __init__(self, position: int | None) -> None:
        self.next_offset = position


def test_a_partition_with_records_waiting_that_does_not_move_makes_the_process_count_as_dead() -> None:
    watch = Watch(limit_s=10)
    watch.look([Stand(5)], lambda _: 9, 100.0)
    watch.look([Stand(5)], lambda _: 9, 109.0)
    assert watch.trouble(109.0) == ""
    watch.look([Stand(5)], lambda _: 9, 111.0)
    assert "no checkpoint was committed for 11 s" in watch.trouble(111.0)
    watch.look([Stand(6)], lambda _: 9, 112.0)
    assert watch.trouble(112.0) == ""


def test_a_partition_without_records_waiting_may_stand_still_for_ever() -> None:
    watch = Watch(limit_s=10)
    for now in range(0, 1000, 5):
        watch.look([Stand(9), Stand(None)], lambda _: 9, float(now))
    assert watch.trouble(999.0) == ""


def test_an_event_loop_that_does_not_turn_makes_the_process_count_as_dead() -> None:
    watch = Watch(limit_s=10)
    watch.look([], lambda _: None, 100.0)
    assert "event loop" in watch.trouble(111.0)


def test_probes_say_why_and_show_the_metrics() -> None:
    trouble = ["recovering state"]
    probes = Probes("127.0.0.1", 0, live=lambda: "", ready=lambda: trouble[0])
    try:
        url = f"http://127.0.0.1:{probes.port}"
        assert ask(f"{url}/livez") == (200, "ok\n")
        assert ask(f"{url}/readyz") == (503, "recovering state\n")
        trouble[0] = ""
        assert ask(f"{url}/readyz?verbose") == (200, "ok\n")
        assert "shekara_dead_letters" in ask(f"{url}/metrics")[1]
        assert ask(f"{url}/table/people")[0] == 404
    finally:
        probes.close()


def test_a_port_in_use_is_said_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SetupError, match="cannot listen") as caught:
            Probes("127.0.0.1", taken.getsockname()[1], live=str, ready=str)
    assert "--metrics-port" in caught.value.next_step


def test_a_log_line_of_an_exception_tells_where_and_never_what_it_said() -> None:
    try:
        int("p1-secret")
    except ValueError:
        record = logging.LogRecord("faust", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())
    line = formatter("json").format(record)
    assert "p1-secret" not in line
    assert json.loads(line)["error"] == "ValueError"
    assert "test_small_parts" in json.loads(line)["where"]


def settings(**changes: object) -> Settings:
    return Settings().model_copy(update={"kafka": "a:1,b:2"} | changes)


def test_plaintext_needs_nothing() -> None:
    assert connection.faust_credentials(settings()) is None
    assert connection.faust_urls(settings(), "shekara") == "shekara://a:1;shekara://b:2"
    assert connection.librdkafka(settings())["security.protocol"] == "PLAINTEXT"


@pytest.mark.parametrize("security", ["PLAINTEXT", "SSL"])
def test_a_password_is_never_sent_without_sasl_over_tls(security: str) -> None:
    bad = settings(kafka_username="u", kafka_password=SecretStr("p"), kafka_security=security)
    for derive in (connection.faust_credentials, connection.librdkafka):
        with pytest.raises(SetupError, match="KAFKA_USERNAME"):
            derive(bad)


def test_sasl_always_comes_with_tls() -> None:
    good = settings(kafka_username="u", kafka_password=SecretStr("p"), kafka_security="SASL_SSL")
    credentials = connection.faust_credentials(good)
    assert isinstance(credentials, faust.SASLCredentials)
    assert credentials.protocol.value == "SASL_SSL"
    assert credentials.ssl_context is not None
    assert credentials.ssl_context.check_hostname
    assert connection.librdkafka(good)["sasl.mechanism"] == "SCRAM-SHA-512"


def test_a_certificate_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="SHEKARA_KAFKA_CA"):
        connection.faust_credentials(settings(kafka_security="SSL", kafka_ca=tmp_path / "none.pem"))


def test_the_web_server_cannot_be_switched_on() -> None:
    app = HeadlessApp("x", broker="shekara://127.0.0.1:1", web_enabled=True)
    app.conf.web_enabled = True  # what `faust worker` does
    assert app.conf.web_enabled is False
    assert list(cast("BootStrategy", app.boot_strategy).web_server()) == []
