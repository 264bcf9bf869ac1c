"""Disks that are full or lie: under the store, the embedded engine, a border post's spool."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from streams import bootstrap, clock
from streams.errors import DependencyError
from streams.publish.forwarding import Forwarder
from streams.publish.sealing import Keys
from streams.publish.spool import Spool, SpoolFullError
from streams.records import Record, Tick
from streams.runtime.rocks import RocksStore
from streams.settings import Settings
from streams.simulate import Corrupt, Simulation
from streams.warehouse import source
from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
from streams.warehouse.sink import Sink
from streams.wire import avro
from streams.wire.topics import EMPLOYERS, PEOPLE, POSTS, QUOTAS
from tests.chaos.checker import read_topic
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
            bootstrap.refusals(settings),
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


def test_a_spool_whose_disk_is_full_refuses_what_is_new_and_what_it_took_arrives_once(
    kafka: Kafka, tmp_path: Path, judged: Judge
) -> None:
    settings = kafka.settings(partitions=2)
    feed = Feed(settings, seed=SEED)
    taken: list[Record] = []
    refusals = 0
    with mounted(tmp_path / "disk", 24) as disk, Spool(disk.path / "spool.db", Keys([bytes(32)])) as spool:

        def put(events: list[Record]) -> bool:
            try:
                spool.put_many(events)
            except SpoolFullError:
                return False
            taken.extend(events)
            return True

        events: list[Record] = []
        for arrival in Simulation(150, 20, SEED).arrivals(None):
            message = arrival.message
            if isinstance(message, Tick):
                feed.publish(message)  # time does not come from a border post
            elif not isinstance(message, Corrupt):
                events.append(message)
        pieces = [events[first : first + 100] for first in range(0, len(events), 100)]
        for piece in pieces[: len(pieces) // 2]:
            assert put(piece)
        disk.fill()
        left = pieces[len(pieces) // 2 :]
        while left and put(left[0]):  # pages that are free within the file are still taken
            left.pop(0)
        assert left, "a full disk refuses"
        with Forwarder(spool, settings) as forwarder:
            assert forwarder.drain(60), "what was delivered can be noted on a full disk"
            disk.make_room()
            for piece in left:
                refusals += not put(piece)
            assert forwarder.drain(60)
        assert not refusals
    feed.flush()
    arrived = Counter(
        record.event_id
        for topic in (PEOPLE, POSTS, EMPLOYERS, QUOTAS)
        for record in readable(settings, topic.suffix)
        if not isinstance(record, Tick)
    )
    assert arrived == Counter({event.event_id for event in taken}), "each once, those a post repeats too"
    assert len(taken) == len(events)
    with crew_of(settings, tmp_path) as crew:
        crew.start("one")
        crew.finish(feed)
    judged(settings, full_disks=1, spooled=len(taken))


def readable(settings: Settings, suffix: str) -> Iterator[Any]:
    """Yields the records of a topic that can be read."""
    for message in read_topic(settings, suffix):
        with suppress(avro.MalformedError):
            yield avro.decode(message.value())


def test_a_store_on_a_full_disk_says_so_or_waits_for_room_and_keeps_an_unbroken_beginning(tmp_path: Path) -> None:
    """Which of the two it is depends on who sees it first: the write, or RocksDB's flush, which then holds writes back."""
    dice = random.Random(SEED)
    with mounted(tmp_path / "disk", 52, ballast_mb=12) as disk:

        def opened() -> RocksStore:
            return RocksStore(disk.path / "0", identity="x", now_ms=clock.now_ms())

        store = opened()
        taken, errors, enough = [(-1, time.monotonic())], [], threading.Event()

        def fill() -> None:
            try:
                for number in range(10_000):
                    store.apply({b"p%05d" % number: dice.randbytes(9_000)}, marker=number, changelog_offset=2 * number)
                    taken.append((number, time.monotonic()))
                    if enough.is_set():
                        return
            except DependencyError as error:
                errors.append(error)

        writer = threading.Thread(target=fill, daemon=True)
        writer.start()
        until(lambda: errors or time.monotonic() - taken[-1][1] > 10, "the disk is full", 120)
        assert taken[-1][0] > 1_000
        enough.set()
        disk.make_room()
        writer.join(60)
        assert not writer.is_alive(), "with room it goes on by itself"
        assert not errors or "no space is left on the disk" in str(errors[0])
        store.close()
        again = opened()
        held = sorted(key for key, _ in again.items())
        assert again.marker is not None
        assert held == [b"p%05d" % number for number in range(again.marker + 1)]
        assert errors or again.marker == taken[-1][0], "nothing of what it took after waiting is lost"
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
        crew.start("one", "--name", "one", "--failpoint", "after_commit:4", "--batch", "40")
        assert crew["one"].wait() == -signal.SIGKILL
        crew.start("one", "--name", "one")
        crew.finish(feed)
        crew["one"].popen.send_signal(signal.SIGTERM)
        assert crew["one"].wait(20) == 0
        feed.send(300)
        kept = crew.start("one", "--name", "one")
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
        healed = crew.start("one", "--name", "one")
        crew.finish(feed)
        assert {line.get("event") for line in healed.lines()} >= {"store_set_aside", "partition_ready"}
        assert (folder / "0.damaged").is_dir()
    judged(settings, worker_kills=1, damaged_stores=2)
