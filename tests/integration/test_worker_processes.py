"""Several workers under one parent: they share the partitions, a killed one comes back, and all stop together."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.local import admin
from streams.settings import Settings
from tests.conftest import Kafka
from tests.integration.rig import Log, Process, ask, holes, until

pytestmark = pytest.mark.integration


@contextmanager
def fleet(settings: Settings, log: Path, *options: str) -> Iterator[Process]:
    argv = ["-m", "streams", "worker", "--processes", "2", "--bootstrap", settings.kafka, "--namespace", settings.namespace]
    process = Process([*argv, "--ticks", "log", "--log-format", "json", *options], log)
    try:
        yield process
    finally:
        process.kill()


def events(process: Process, name: str) -> list[dict[str, object]]:
    return [line for line in process.lines() if line.get("event") == name]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def shares(process: Process) -> list[object]:
    """Returns how many partitions each worker got last; the last two lines are from two workers once both have joined."""
    return [line["partitions"] for line in events(process, "assigned")][-2:]


def test_processes_share_the_partitions_a_killed_one_comes_back_and_all_stop_together(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=4)
    log = Log(settings)
    log.crossings(200)
    with fleet(settings, tmp_path / "fleet.log") as parent:
        until(
            lambda: len(shares(parent)) == 2 and 0 not in shares(parent) and sum(map(int, map(str, shares(parent)))) == 8,
            "both have partitions",
        )
        until(lambda: log.done() == 200, "the first are processed")
        pids = [int(str(line["pid"])) for line in events(parent, "worker_started")]
        assert len(set(pids)) == 2
        assigned = len(events(parent, "assigned"))
        os.kill(pids[0], signal.SIGKILL)
        log.crossings(200, seed=2)
        until(lambda: log.done() == 400, "the killed one came back and all are processed")
        # One line is that of the worker that came back: the other was not disturbed, its partitions never stood still.
        assert len(events(parent, "assigned")) == assigned + 1
        [ended] = events(parent, "worker_ended")
        assert ended["exit_code"] == -signal.SIGKILL
        children = {int(str(line["pid"])) for line in events(parent, "worker_started")}
        parent.popen.send_signal(signal.SIGTERM)
        assert parent.wait(15) == 0
        assert [pid for pid in children if alive(pid)] == []
    with admin.connect(settings.kafka, settings) as client:
        [group] = client.describe_groups([f"{settings.namespace}-worker"]).values()
        assert group["members"] == []
    assert holes(log.ledger()) == []
    assert sum(line.processed for line in log.ledger()) == 400


def test_each_process_has_a_port_of_its_own(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=2)
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
        try:
            two.bind(("127.0.0.1", port + 1))
        except OSError:
            pytest.skip("the port behind a free one is taken")
    with fleet(settings, tmp_path / "fleet.log", "--metrics-port", str(port)) as parent:
        for number in (0, 1):
            url = f"http://127.0.0.1:{port + number}/readyz"
            until(lambda url=url: ask(url)[0] == 200, f"{url} is ready")  # type: ignore[misc]
        parent.popen.send_signal(signal.SIGTERM)
        assert parent.wait(15) == 0


def test_what_starting_again_cannot_cure_stops_all_with_its_exit_code(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(create=False)
    with fleet(settings, tmp_path / "fleet.log") as parent:
        assert parent.wait(60) == 3
        assert "shekara init" in (tmp_path / "fleet.log").read_text("utf-8")
