"""Runs docs/tutorials/connect-a-border-post.md as a reader would."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from streams.clock import monotonic_s
from streams.records import BorderCrossing
from streams.wire import avro
from streams.wire.topics import PEOPLE
from tests.conftest import Kafka
from tests.integration.test_publisher import everything

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "connect-a-border-post.md"


@dataclass(frozen=True, slots=True)
class Step:
    """A block of the page and what its comment says to do with it."""

    what: str
    text: str


def steps() -> list[Step]:
    found = re.findall(r"<!-- (.*?) -->\n```\w*\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return [Step(what, text) for what, text in found]


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def ended() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def test_the_tutorial_does_what_it_says(
    kafka: Kafka, tmp_path: Path, free_port: int, ended: list[subprocess.Popen[bytes]]
) -> None:
    settings = kafka.settings()
    (tmp_path / "key").write_text("17" * 32)
    (tmp_path / "key").chmod(0o600)
    (tmp_path / "drop").mkdir()
    environment = os.environ | {
        "SHEKARA_KAFKA": settings.kafka,
        "SHEKARA_NAMESPACE": settings.namespace,
        "SHEKARA_HOME": str(tmp_path / "home"),
        "SHEKARA_PSEUDONYM_KEY_FILE": str(tmp_path / "key"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    said = ""
    done = 0
    for step in steps():
        text = step.text.strip().replace("8481", str(free_port))
        kind, _, rest = step.what.partition(": ")
        if kind == "file":
            (tmp_path / rest).write_text(step.text)
        elif kind == "start":
            process = subprocess.Popen(shlex.split(text), cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
            ended.append(process)
            assert process.stderr is not None
            assert process.stderr.readline().startswith(b"edge ")
        else:
            result = subprocess.run(
                ["bash", "-c", text], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
            )
            assert result.returncode == int(rest.removeprefix("exit ")), result.stdout + result.stderr
            said = result.stdout
            if "--dry-run" in text:
                assert "2 of 3 rows would be published, 1 refused" in result.stdout
                assert "nightly.csv:4: " in result.stderr
            if "cp " in text:
                _until((tmp_path / "drop" / "done" / "nightly.csv").exists)
        done += 1
    assert done == 7
    assert set(json.loads(said)) == {"spool", "link", "inbox", "statements"}
    reasons = (tmp_path / "drop" / "refused" / "nightly.csv.reason.txt").read_text()
    assert "KZ-61-R9" in reasons
    _until(lambda: len(everything(settings, PEOPLE, 4)) == 3)
    found = [avro.decode(message.value()) for message in everything(settings, PEOPLE, 4)]
    assert sorted(record.source_seq for record in found if isinstance(record, BorderCrossing)) == [1, 2, 3]
    assert not any(b"1234567" in message.value() or b"0000001" in message.key() for message in everything(settings, PEOPLE, 4))
    (process,) = ended
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def _until(check: object) -> None:
    assert callable(check)
    deadline = monotonic_s() + 60
    while not check():
        assert monotonic_s() < deadline
