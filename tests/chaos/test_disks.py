"""Disks that are full or lie: the store, the embedded engine; the spool's is tested on a full disk with the spool."""

from __future__ import annotations

import random
import signal
import threading
from pathlib import Path

import pytest

from streams import clock
from streams.errors import DependencyError
from streams.runtime.rocks import RocksStore
from streams.warehouse import source
from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
from streams.warehouse.sink import Sink
from tests.chaos.conftest import LAYOUTS, Judge, rows_of
from tests.chaos.crew import crew_of
from tests.chaos.feed import Feed
from tests.chaos.profile import SEED
from tests.chaos.small_disk import mounted
from tests.conftest import Kafka
from tests.integration.rig import until

pytest.importorskip("rocksdict")
pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


# First in this file: one process opens one directory of the engine at a time, and the others share one.
def test_an_embedded_engine_whose_disk_is_full_takes_everything_once_there_is_room(
    kafka: Kafka, tmp_path: Path, judged: Judge
) -> None:
    settings = kafka.settings(partitions=2)
    feed = Feed(settings, seed=SEED)
    feed.everything()
    with crew_of(settings, tmp_path) as crew:
        crew.start("one")
        crew.finish(feed)
    with mounted(tmp_path / "disk", 200) as disk:
        engine = Embedded(disk.path / "clickhouse")
        migrate(engine)
        disk.fill()
        sink = Sink(
            engine,
            source.consumer(settings),
            LAYOUTS,
            batch_rows=400,
            batch_s=0.1,
            stop=threading.Event(),
            until_caught_up=True,
        )
        thread = threading.Thread(target=sink.run, args=(source.topics(settings),), daemon=True)
        thread.start()
        until(lambda: "space" in sink.trouble, "the sink says that there is no space")
        disk.make_room()
        thread.join(90)
        assert not thread.is_alive(), sink.trouble
        judged(settings, select=rows_of(engine), full_disks=1)
        engine.close()


def test_a_store_on_a_full_disk_says_so_and_keeps_an_unbroken_beginning(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    with mounted(tmp_path / "disk", 52, ballast_mb=12) as disk:

        def opened() -> RocksStore:
            return RocksStore(disk.path / "0", identity="x", now_ms=clock.now_ms())

        store = opened()
        with pytest.raises(DependencyError, match="no space is left on the disk"):  # noqa: PT012 - which write it is matters not
            for number in range(10_000):
                store.apply({b"p%05d" % number: dice.randbytes(9_000)}, marker=number, changelog_offset=2 * number)
        store.close()
        disk.make_room()
        again = opened()
        held = sorted(key for key, _ in again.items())
        assert again.marker is not None
        assert held == [b"p%05d" % number for number in range(again.marker + 1)]
        again.close()


def test_a_worker_whose_disk_is_full_waits_for_room(
    kafka: Kafka, tmp_path: Path, judged: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHEKARA_STORE", "rocksdb")
    settings = kafka.settings(partitions=2)
    feed = Feed(settings, seed=SEED)
    with mounted(tmp_path / "disk", 160) as disk, crew_of(settings, tmp_path) as crew:
        monkeypatch.setenv("SHEKARA_HOME", str(disk.path))
        feed.send(900)
        crew.start("one", "--batch", "50")
        crew.finish(feed)
        disk.fill()
        crew["one"].popen.send_signal(signal.SIGTERM)
        assert crew["one"].wait(20) == 0
        feed.everything()
        starved = crew.start("one", "--batch", "50")
        assert starved.wait() == DependencyError.exit_code, starved.log.read_text(encoding="utf-8")
        assert "no space is left on the disk" in starved.log.read_text(encoding="utf-8")
        disk.make_room()
        crew.finish(feed)
        crew["one"].popen.send_signal(signal.SIGTERM)
        assert crew["one"].wait(20) == 0
        crew.dismiss("one")
    judged(settings, full_disks=1)


def test_a_worker_whose_store_is_damaged_sets_it_aside_and_reads_it_anew(
    kafka: Kafka, tmp_path: Path, judged: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHEKARA_STORE", "rocksdb")
    monkeypatch.setenv("SHEKARA_HOME", str(tmp_path / "home"))
    settings = kafka.settings(partitions=2)
    folder = tmp_path / "home" / "worker" / f"{settings.namespace}.people"
    feed = Feed(settings, seed=SEED)
    with crew_of(settings, tmp_path) as crew:
        feed.send(900)
        crew.start("one", "--failpoint", "after_commit:4", "--batch", "40")
        assert crew["one"].wait() == -signal.SIGKILL
        crew.start("one")
        crew.finish(feed)
        crew["one"].popen.send_signal(signal.SIGTERM)
        assert crew["one"].wait(20) == 0
        feed.send(300)
        kept = crew.start("one")
        kept.ready()
        found = [int(line["keys"]) for line in kept.lines() if line.get("event") == "partition_ready" and line["keys"]]
        assert sum(found) > 50, "it begins with the state on its disk"
        crew.finish(feed)
        kept.popen.send_signal(signal.SIGTERM)
        assert kept.wait(20) == 0
        (folder / "0" / "CURRENT").write_bytes(b"")
        [*tables] = (folder / "1").glob("*.sst")
        assert tables, "a clean stop writes the state to the disk"
        for table in tables:
            data = bytearray(table.read_bytes())
            data[len(data) // 4] ^= 0xFF
            table.write_bytes(data)
        feed.everything()
        healed = crew.start("one")
        crew.finish(feed)
        assert {line.get("event") for line in healed.lines()} >= {"store_set_aside", "partition_ready"}
        assert (folder / "0.damaged").is_dir()
    judged(settings, kills=1, damaged_stores=2)
