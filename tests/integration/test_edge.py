"""``shekara edge`` as a process: what it says is stored arrives, whatever happens to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from streams.clock import monotonic_s
from streams.records import BorderCrossing
from streams.settings import Settings
from streams.wire import avro
from streams.wire.topics import PEOPLE
from tests.conftest import Kafka
from tests.integration.test_gateway import Caller
from tests.integration.test_publisher import everything
from tests.unit.publish.test_inbox import CROSSINGS

pytestmark = pytest.mark.integration


class Edge:
    """The service, started as its user would."""

    def __init__(self, home: Path, settings: Settings, *options: str) -> None:
        environment = os.environ | {
            "SHEKARA_KAFKA": settings.kafka,
            "SHEKARA_NAMESPACE": settings.namespace,
            "SHEKARA_HOME": str(home),
            "SHEKARA_PSEUDONYM_KEY": "00" * 32,
        }
        command = [sys.executable, "-m", "streams", "edge", "--port", "0", *options]
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        assert line.startswith("edge    http://127.0.0.1:"), line + self.process.stderr.read()
        url = line.split()[1].removesuffix("/v1/events")
        self.caller = Caller(url, (home / "edge" / "token").read_text().strip())

    def post(self, rows: Any) -> tuple[int, Any]:
        status, _, answer = self.caller.ask("POST", "/v1/events", json.dumps(rows).encode(), "application/json")
        return status, answer

    def state(self) -> Any:
        return self.caller.ask("GET", "/v1/state")[2]

    def until_empty(self, within_s: float = 60) -> None:
        deadline = monotonic_s() + within_s
        while self.state()["spool"]["waiting"]:
            assert monotonic_s() < deadline, self.state()

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        finally:
            self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stderr is not None:
            self.process.stderr.close()


def row(day: int, **changes: Any) -> dict[str, Any]:
    return {
        "occurred_at": f"2025-05-{day:02d}T10:15:00",
        "direction": "entry",
        "post": "KZ-61-R1",
        "document_number": f"AB{day:07d}",
        "issuing_country": "UZB",
        "type": "border_crossing",
    } | changes


def test_events_stored_without_a_link_arrive_after_a_kill_and_a_new_start(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings()
    offline = Edge(tmp_path, settings.model_copy(update={"kafka": "127.0.0.1:1"}))
    try:
        status, answer = offline.post([row(day) for day in range(1, 11)])
        assert status == 202
        assert [item["source_seq"] for item in answer["items"]] == list(range(1, 11))
        status, answer = offline.post([row(1), row(11), row(12, post="NOWHERE")])
        assert status == 207
        assert [item["status"] for item in answer["items"]] == ["duplicate", "stored", "refused"]
        assert "0000012" not in json.dumps(answer)
        assert offline.state()["spool"]["waiting"] == 11
        assert offline.caller.ask("GET", "/readyz")[0] == 200  # a link that is down is what it is for
    finally:
        offline.kill()
    edge = Edge(tmp_path, settings)
    try:
        edge.until_empty()
        state = edge.state()
        assert state["link"]["up"]
        assert state["link"]["delivered"] == 11
        assert abs(state["link"]["drift"]["ahead_ms"]) < 60_000
        assert edge.post(row(3))[1]["items"][0]["delivered"]["topic"] == PEOPLE.name(settings.namespace)
        assert "shekara_edge_waiting_events 0.0" in edge.caller.ask("GET", "/metrics")[2]
        assert edge.end() == 0
    finally:
        edge.kill()
    found = [avro.decode(message.value()) for message in everything(settings, PEOPLE, 4)]
    assert sorted(record.source_seq for record in found if isinstance(record, BorderCrossing)) == list(range(1, 12))


def test_a_file_dropped_into_the_folder_arrives(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings()
    (tmp_path / "usb").mkdir()
    edge = Edge(tmp_path, settings, "--inbox", str(tmp_path / "usb"))
    try:
        (tmp_path / "usb" / "night.csv").write_text(CROSSINGS)
        deadline = monotonic_s() + 60
        while not edge.state()["inbox"]["files"]:
            assert monotonic_s() < deadline
        (taken,) = edge.state()["inbox"]["files"]
        assert (taken["name"], taken["kept"], taken["refused"]) == ("night.csv", 2, 2)
        edge.until_empty()
        assert edge.end() == 0
    finally:
        edge.kill()
    assert len(everything(settings, PEOPLE, 4)) == 2


def test_without_its_token_it_takes_nothing_and_shows_nothing(kafka: Kafka, tmp_path: Path) -> None:
    edge = Edge(tmp_path, kafka.settings())
    try:
        for token in ("", "wrong"):
            stranger = Caller(edge.caller.at.geturl(), token)
            assert stranger.ask("POST", "/v1/events", json.dumps(row(1)).encode(), "application/json")[0] == 401
            assert stranger.ask("GET", "/v1/state")[0] == 401
        assert edge.caller.ask("POST", "/v1/events", b"{", "application/json")[0] == 400
        assert edge.caller.ask("POST", "/elsewhere", b"{}", "application/json")[0] == 404
        assert edge.caller.ask("POST", "/v1/events", b" " * (5 * 1024 * 1024), "application/json")[0] == 413
        assert (tmp_path / "edge" / "token").stat().st_mode & 0o777 == 0o600
        assert edge.state()["spool"]["waiting"] == 0
    finally:
        edge.kill()
