"""``shekara up`` with all its real parts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from streams.local.stack import Stack, find_stack
from streams.settings import Settings
from tests.integration.test_local_supervisor import assert_nothing_left, everything, listening, until

pytestmark = pytest.mark.integration

READY_WITHIN_S = 150.0
STOPPED_WITHIN_S = 10.0


class Up:
    """A stack under test."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home)
        self.env = {**os.environ, "SHEKARA_HOME": str(home), "COLUMNS": "300"}
        self.log = home.parent / "up.log"
        with self.log.open("wb") as file:
            self.process = subprocess.Popen([sys.executable, "-m", "streams", "up"], env=self.env, stdout=file, stderr=file)

    def ready(self) -> Stack:
        until(lambda: "Stop with Ctrl-C" in self.log.read_text() or self.process.poll() is not None, READY_WITHIN_S)
        assert self.process.poll() is None, self.log.read_text()
        return find_stack(self.settings)

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "streams", *arguments], env=self.env, capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    running = Up(tmp_path / "home")
    yield running
    if running.process.poll() is None:
        running.process.kill()
    running.process.wait()


def test_up_serves_its_doctor_finds_nothing_wrong_and_sigterm_ends_it_cleanly(up: Up) -> None:
    stack = up.ready()
    assert set(stack.processes) == {"broker", "warehouse", "worker", "console"}
    assert stack.sql_url
    assert stack.token_file
    assert Path(stack.token_file).stat().st_mode & 0o777 == 0o600

    doctor = up.ask("doctor", "--json")
    assert doctor.returncode == 0, doctor.stdout
    checks = {check["name"]: check["state"] for check in json.loads(doctor.stdout)["checks"]}
    named = {
        "Python",
        "Java",
        "broker files",
        "disk",
        "ports",
        "schemas",
        "policy",
        "Kafka",
        "topics",
        "clock",
        "ClickHouse",
        "worker",
    }
    assert {name: checks.get(name) for name in named} == dict.fromkeys(named, "ok")

    listed = json.loads(up.ask("topics", "--json").stdout)
    assert {topic["role"] for topic in listed["topics"]} == {"input", "output", "internal", "changelog"}

    second = up.ask("up")
    assert second.returncode == 3
    assert "A stack already runs in" in second.stderr

    own = os.getpriority(os.PRIO_PROCESS, 0)
    stands_back = {name: psutil.Process(one.pid).nice() - own for name, one in stack.processes.items()}
    assert stands_back == {"broker": 0, "console": 0, "worker": 5, "warehouse": 10}, "people who wait go first"

    pids, used = everything(stack), listening(everything(stack))
    up.process.terminate()
    assert up.process.wait(timeout=STOPPED_WITHIN_S) == 0
    assert "Traceback" not in up.log.read_text()
    assert_nothing_left(pids, used, up.settings)


def test_kill_9_of_the_real_worker_stops_the_real_stack_in_time(up: Up) -> None:
    stack = up.ready()
    pids, used = everything(stack), listening(everything(stack))
    os.kill(stack.processes["worker"].pid, signal.SIGKILL)
    assert up.process.wait(timeout=STOPPED_WITHIN_S) == 1
    assert "worker ended unexpectedly (killed by SIGKILL)" in up.log.read_text()
    assert_nothing_left(pids, used, up.settings)


def test_the_doctor_of_an_empty_home_says_what_to_do_and_fails_nothing(tmp_path: Path) -> None:
    env = {**os.environ, "SHEKARA_HOME": str(tmp_path / "nothing")}
    doctor = subprocess.run(
        [sys.executable, "-m", "streams", "doctor"], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert doctor.returncode == 0, doctor.stdout
    assert "warn  stack: No stack runs in" in doctor.stdout
    assert "shekara up" in doctor.stdout
    assert not (tmp_path / "nothing").exists(), "looking changes nothing"
