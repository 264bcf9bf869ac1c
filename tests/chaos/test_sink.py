"""The sink killed between insert and commit; ClickHouse down, hanging, cut off in a block, refusing a row: all arrives once."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streams import bootstrap
from streams.cli import build
from streams.dead_letter import Choice, read_letters
from streams.records import PostHeartbeat
from streams.settings import Settings
from streams.warehouse import source
from streams.warehouse.columns import Table
from streams.warehouse.embedded import Embedded
from streams.warehouse.server import Server
from streams.warehouse.sink import Sink
from streams.wire.avro import MalformedError, decode
from streams.wire.topics import POSTS
from tests.chaos.checker import read_topic
from tests.chaos.conftest import LAYOUTS, ROOT, Judge, deliver, rows_of, tell
from tests.chaos.crew import crew_of
from tests.chaos.feed import Feed
from tests.chaos.profile import LONG_ONLY, PROFILE, SEED
from tests.chaos.proxy import Proxy
from tests.conftest import Kafka
from tests.contract.clickhouse import Installed, installed
from tests.integration.rig import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(420)]


@pytest.fixture(scope="module")
def decided(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A namespace in which a worker has decided everything."""
    settings = kafka.settings(partitions=2)
    feed = Feed(settings, seed=SEED)
    feed.everything()
    with crew_of(settings, tmp_path_factory.mktemp("decided")) as crew:
        crew.start("one")
        crew.finish(feed)
    return settings


def test_the_sink_is_killed_between_insert_and_commit(decided: Settings, tmp_path: Path, judged: Judge) -> None:
    dice = random.Random(SEED)
    argv = [sys.executable, "-m", "tests.chaos.sink", decided.namespace, decided.kafka, str(tmp_path / "clickhouse")]
    for kill in range(PROFILE.sink_kills):
        rows = str(dice.choice((97, 300, 1_000)))
        killed = subprocess.run(
            [*argv, "--die-after", str(dice.randint(1, 9)), "--rows", rows], cwd=ROOT, check=False, timeout=90
        )
        assert killed.returncode == -signal.SIGKILL
        tell(f"{kill + 1} of {PROFILE.sink_kills} kills of the sink")
    subprocess.run([*argv, "--rows", "500"], cwd=ROOT, check=True, timeout=90)
    engine = Embedded(tmp_path / "clickhouse")
    try:
        judged(decided, select=rows_of(engine), sink_kills=PROFILE.sink_kills)
    finally:
        engine.close()


class Delivering:
    """A sink on a thread of its own, with a group of its own, so that everything is delivered again."""

    def __init__(self, settings: Settings, engine: Any, *, batch_rows: int = 400) -> None:
        self._stop = threading.Event()
        group = f"{settings.namespace}-{time.monotonic_ns()}"
        self.sink = Sink(
            engine,
            source.consumer(settings, group_id=group),
            LAYOUTS,
            bootstrap.refusals(settings),
            batch_rows=batch_rows,
            batch_s=0.1,
            stop=self._stop,
            until_caught_up=True,
        )
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, args=(source.topics(settings),), daemon=True)
        self.thread.start()

    def _run(self, topics: list[str]) -> None:
        try:
            self.sink.run(topics)
        except BaseException as error:
            self.error = error

    def finish(self, within_s: float = 120.0) -> None:
        """Waits until everything is delivered."""
        self.thread.join(within_s)
        alive = self.thread.is_alive()
        self._stop.set()
        assert not alive, self.sink.trouble
        assert self.error is None, self.error


_PLAIN = (
    (re.compile(r"LowCardinality\((.*)\)$"), r"\1"),
    (re.compile(r"DateTime64\(3, 'UTC'\)"), "Int64"),
    (re.compile(r"\bDate32\b"), "Int32"),
    (re.compile(r"\bBool\b"), "UInt8"),
)


def _plain(kind: str) -> str:
    """Returns a column's type as a server of 2018 knows it; what goes over the wire is the same."""
    for pattern, replacement in _PLAIN:
        kind = pattern.sub(replacement, kind)
    return kind


def _found(engine: Server, table: Table) -> None:
    keys = {
        "alerts": "alert_id, version",
        "findings": "alert_id, version",
        "cases": "case_id, version",
        "batches": "topic, partition, first_offset",
    }
    columns = ", ".join(
        f"`{column.name}` {'UInt64' if column.name == 'log_offset' else _plain(column.type)}" for column in table.columns
    )
    engine.command(f"DROP TABLE IF EXISTS {table.name}")
    key = keys.get(table.name, "topic, partition, offset")
    engine.command(f"CREATE TABLE {table.name} ({columns}) ENGINE = ReplacingMergeTree ORDER BY ({key})")


class OfItsTime:
    """A server of 2018 without ticks: it has no arrays of tuples, which a tick's gaps are.

    Args:
        engine: the server.
    """

    def __init__(self, engine: Server) -> None:
        self._engine = engine

    def insert(self, table: str, block: Any, *, token: str = "") -> int:
        """Inserts a block."""
        return 0 if table == "raw_tick" else self._engine.insert(table, block, token=token)


class Remote:
    """A real server of 2018 behind a link that can be broken."""

    def __init__(self, home: Path) -> None:
        self.server = installed(home)
        self.link = Proxy(lambda: self.server.port)
        self.direct = Server(self.server.url)
        self.through = Server(Installed.url_through(self.link.address))

    def found(self) -> None:
        """Makes the tables anew, empty."""
        for layout in LAYOUTS.values():
            if layout.table.name != "raw_tick":
                _found(self.direct, layout.table)
        self.direct.command("DROP TABLE IF EXISTS mart_ledger")
        self.direct.command(
            "CREATE VIEW mart_ledger AS SELECT topic, partition, sum(processed) AS processed, sum(dead_letters) AS dead_letters, "
            "1 AS balanced, 0 AS missing FROM batches FINAL GROUP BY topic, partition"
        )

    def rows(self) -> int:
        """Returns how many rows there are in two of the tables, repetitions counted."""
        return sum(self.direct.select(f"SELECT count() FROM {name}").rows[0][0] for name in ("raw_post_heartbeat", "batches"))  # noqa: S608

    def close(self) -> None:
        """Ends it."""
        self.through.close()
        self.direct.close()
        self.link.close()
        self.server.stop()


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    made = Remote(tmp_path_factory.mktemp("server") / "home")
    yield made
    made.close()


@pytest.fixture
def empty(remote: Remote) -> Remote:
    remote.found()
    return remote


def test_clickhouse_is_killed_and_stays_away(decided: Settings, empty: Remote, judged: Judge) -> None:
    delivering = Delivering(decided, OfItsTime(empty.through), batch_rows=200)
    until(lambda: empty.rows() > 0, "the first rows have arrived")
    empty.server.kill()
    until(lambda: "does not answer" in delivering.sink.trouble, "the sink says so")
    tell("ClickHouse is away")
    time.sleep(PROFILE.away_s)  # not a wait for something: how long it is away is the experiment
    empty.server.start()
    delivering.finish()
    judged(decided, select=rows_of(empty.direct), away_s=PROFILE.away_s)


@LONG_ONLY
def test_clickhouse_takes_rows_and_does_not_answer(decided: Settings, empty: Remote, judged: Judge) -> None:
    delivering = Delivering(decided, OfItsTime(empty.through), batch_rows=200)
    until(lambda: empty.rows() > 0, "the first rows have arrived")
    empty.link.hangs = True
    tell("ClickHouse hangs")
    time.sleep(PROFILE.away_s)  # not a wait for something: how long it hangs is the experiment
    empty.link.mend()
    delivering.finish()
    judged(decided, select=rows_of(empty.direct), hanging_s=PROFILE.away_s)


def test_the_link_breaks_in_the_middle_of_a_block(decided: Settings, empty: Remote, judged: Judge) -> None:
    dice = random.Random(SEED)
    delivering = Delivering(decided, OfItsTime(empty.through), batch_rows=500)
    while delivering.thread.is_alive() and empty.link.cuts < (4 if PROFILE.name == "short" else 40):
        if empty.link.left_bytes is None:
            empty.link.left_bytes = dice.randint(2_000, 40_000)
        time.sleep(0.01)
    empty.link.mend()
    delivering.finish()
    assert empty.link.cuts > 0
    judged(decided, select=rows_of(empty.direct), cuts=empty.link.cuts)


REFUSED = "refused_by_warehouse"


def heartbeats(settings: Settings) -> dict[int, Any]:
    """Returns the messages that are heartbeats of posts, by offset."""
    found = {}
    for message in read_topic(settings, POSTS.suffix):
        with suppress(MalformedError):
            if isinstance(decode(message.value()), PostHeartbeat):
                found[message.offset()] = message
    return found


def test_a_row_clickhouse_refuses_is_one_dead_letter_however_often_the_sink_is_killed(
    kafka: Kafka, tmp_path: Path, judged: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHEKARA_HOME", str(tmp_path / "home"))
    settings = kafka.settings(partitions=2)
    monkeypatch.setenv("SHEKARA_NAMESPACE", settings.namespace)
    feed = Feed(settings, people=60, days=8, seed=SEED)
    feed.everything()
    with crew_of(settings, tmp_path) as crew:
        crew.start("one")
        crew.finish(feed)
        argv = [sys.executable, "-m", "tests.chaos.sink", settings.namespace, settings.kafka, str(tmp_path / "clickhouse")]
        # With the letters on the broker and their transaction open; right behind its commit; behind an insert; and open again.
        deaths = (("--die", "commit"), ("--die", "committed"), ("--die-after", "9"), ("--die", "commit"))
        chosen = deaths if PROFILE.name == "long" else deaths[:2]
        for number, death in enumerate(chosen):
            rows = ("400", "90", "150", "1000")[number]
            killed = subprocess.run([*argv, *death, "--dishonest", "--rows", rows], cwd=ROOT, check=False, timeout=90)
            assert killed.returncode == -signal.SIGKILL
            tell(f"the sink was killed {' '.join(death)}")
        subprocess.run([*argv, "--dishonest", "--rows", "500"], cwd=ROOT, check=True, timeout=90)
        beats = heartbeats(settings)
        refused = [(offset, beat.key(), beat.value()) for offset, beat in beats.items() if offset % 10 == 3]
        assert len(refused) > 5
        letters = [letter.content for letter in read_letters(settings, Choice(code=REFUSED))]
        told = sorted((letter.offset, letter.key, letter.value) for letter in letters)
        assert told == refused, "each once, byte for byte"
        with closing(Embedded(tmp_path / "clickhouse")) as engine:
            counted = engine.select("SELECT sum(refused), min(balanced), sum(missing) FROM mart_ledger").rows
            assert counted == [(len(refused), True, 0)]
            engine.command("ALTER TABLE raw_post_heartbeat DROP CONSTRAINT honest")
            replay = ["dead-letters", "replay", "--code", REFUSED, "--because", "mended", "--bootstrap", settings.kafka]
            assert CliRunner().invoke(build(), replay).exit_code == 0
            crew.finish(feed)
            deliver(settings, engine)
            [(held,)] = engine.select("SELECT count() FROM core_post_heartbeat").rows
            of_posts = [one.content for one in read_letters(settings) if one.content.topic == POSTS.name(settings.namespace)]
            unread = {letter.offset for letter in of_posts if letter.code != REFUSED}
            ids = {beat.value() for offset, beat in beats.items() if offset not in unread}
            assert held == len(ids), "every heartbeat is in, those refused too"
            codes = {(POSTS.suffix, 0, offset): REFUSED for offset, _, _ in refused}
            judged(settings, select=rows_of(engine), refused=codes, sink_kills=len(chosen), refused_rows=len(refused))
