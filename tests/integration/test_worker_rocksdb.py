"""A worker that keeps its state in RocksDB: killed, stopped, its directory damaged; every event counts once."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.conftest import Kafka
from tests.integration.rig import Log, Process, assert_exactly_once, until, workers

pytest.importorskip("rocksdict")
pytestmark = pytest.mark.integration


def ready_keys(worker: Process) -> int:
    """Returns with how many keys its partitions of the person log began."""
    worker.ready()
    return sum(
        int(line["keys"])
        for line in worker.lines()
        if line.get("event") == "partition_ready" and line["topic"].endswith(".people")
    )


def test_a_killed_a_stopped_and_a_damaged_store_lose_and_double_nothing(
    kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = kafka.settings(partitions=2)
    monkeypatch.setenv("SHEKARA_STORE", "rocksdb")
    monkeypatch.setenv("SHEKARA_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "worker" / f"{settings.namespace}.people"
    log = Log(settings)
    log.crossings(300)
    with workers(settings, tmp_path) as start:
        killed = start("--failpoint", "after_commit:4", "--batch", "40")
        assert killed.wait() == -signal.SIGKILL
        stopped = start()
        until(lambda: log.done() == 300, "all are processed")
        stopped.popen.send_signal(signal.SIGTERM)
        assert stopped.wait(20) == 0
        log.crossings(100, seed=2)
        kept = start()
        until(lambda: log.done() == 400, "the next too")
        assert ready_keys(kept) >= 20
        kept.popen.send_signal(signal.SIGTERM)
        assert kept.wait(20) == 0
        (folder / "0" / "CURRENT").write_bytes(b"")
        [*tables] = (folder / "1").glob("*.sst")
        assert tables, "a clean stop writes the state to the disk"
        for table in tables:
            data = bytearray(table.read_bytes())
            data[len(data) // 4] ^= 0xFF
            table.write_bytes(data)
        log.crossings(100, seed=3)
        healed = start()
        until(lambda: log.done() == 500, "and those after the damage")
        assert {line["event"] for line in healed.lines()} >= {"store_set_aside", "partition_ready"}
        assert (folder / "0.damaged").is_dir()
    assert_exactly_once(log, 500)
