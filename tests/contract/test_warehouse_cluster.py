"""The warehouse on a real cluster: two servers that are two replicas of one shard, made by the migrations as they are."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streams.errors import DependencyError
from streams.policy.load import load
from streams.records import BorderCrossing, DeadLetter, Kandas
from streams.warehouse import counts, migrate, published, retention
from streams.warehouse.block import Block, Result
from streams.warehouse.embedded import Embedded
from streams.warehouse.engine import Engine
from streams.warehouse.rows import tables
from streams.warehouse.server import Server
from tests.contract import cluster as made
from tests.contract.cluster import Cluster
from tests.contract.test_warehouse_exact import alerted, corrected, crossed, linked, noticed
from tests.contract.warehouse import Delivery, deliver, deliveries, empty, everything, reached, recounted
from tests.unit.warehouse.made import crossing, event_id, make

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with every migration on it."""
    with made.running(tmp_path_factory.mktemp("cluster")) as cluster:
        server = Server(cluster.one.url)
        migrate.migrate(server, cluster=made.NAME)
        migrate.refresh_comments(server, tables().values(), cluster=made.NAME)
        server.close()
        yield cluster


@pytest.fixture
def one(cluster: Cluster) -> Iterator[Server]:
    """The first replica, with every table empty: where the sink delivers to."""
    server = cluster.one.server()
    empty(server)
    yield server
    server.close()


@pytest.fixture
def two(cluster: Cluster) -> Iterator[Server]:
    """The second replica."""
    server = cluster.two.server()
    yield server
    server.close()


def synchronous(replica: Engine) -> Engine:
    """Waits until a replica has everything the other has, and returns it."""
    for (name,) in replica.select("SELECT table FROM system.replicas WHERE database = 'shekara'").rows:
        replica.command(f"SYSTEM SYNC REPLICA {name}")
    return replica


ALIKE = {
    "tables": "SELECT name, engine, engine_full, create_table_query, as_select, comment FROM system.tables "
    "WHERE database = 'shekara' ORDER BY name",
    "columns": "SELECT table, name, position, type, default_kind, default_expression, comment, compression_codec, "
    "is_in_sorting_key FROM system.columns WHERE database = 'shekara' ORDER BY table, position",
}


def test_a_second_run_applies_nothing_and_both_replicas_have_everything(one: Server, two: Server) -> None:
    assert migrate.migrate(one, cluster=made.NAME) == 0
    assert migrate.migrate(two, cluster=made.NAME) == 0
    for what, query in ALIKE.items():
        assert one.select(query).rows == two.select(query).rows, what
    engines = dict(one.select("SELECT name, engine FROM system.tables WHERE database = 'shekara'").rows)
    assert len(engines) > 100
    staging = set(counts.STAGING)
    for name, engine in engines.items():
        assert engine == "View" or engine.startswith("Replicated") != (name in staging), f"{name}: {engine}"


def same_on_both(one: Server, two: Server, embedded: Embedded, log: Sequence[Delivery]) -> None:
    """Compares every mart of both replicas with those of the engine in process, and the counts with every fact."""
    empty(embedded)
    deliver(embedded, log)
    expected = everything(embedded)
    for replica in (one, two):
        found = everything(synchronous(replica))
        assert found.keys() == expected.keys()
        for mart, rows in found.items():
            assert rows == expected[mart], mart
        for mart, (said, must) in recounted(replica).items():
            assert said == must, mart


def citizens(count: int) -> list[BorderCrossing]:
    """Returns crossings that fall into one and the same cell of every count, each of another person."""
    return [crossing(number, f"p1-{number}", citizenship="KAZ") for number in range(1, count + 1)]


def test_changes_that_are_equal_are_all_counted(one: Server, two: Server, engine: Embedded) -> None:
    """A replicated table takes a part for a repeat when an equal one was attached before: no two changes may be equal."""
    log = deliveries(citizens(5))
    for delivery in log:
        deliver(one, [delivery])
        assert counts.marks(one) == {("t.people", 0): delivery[0].offset + 1}
    assert one.select("SELECT sum(crossings) FROM mart_daily_flows").rows == [(5,)]
    same_on_both(one, two, engine, log)


def a_log() -> list[Delivery]:
    """Returns deliveries with a bit of everything: other years, a link made and undone, a correction, alerts, a dead letter."""
    facts = [
        *(crossed(person, 1, "entry", 0) for person in "abc"),
        crossed("d", 1, "refusal", 1),
        crossed("b", 2, "entry", -800),
        noticed("b", 11, "arrival", 1),
        linked(1, "ab", "linked", 2),
        crossed("a", 2, "exit", 3),
        corrected(1, "c", 301, 3),
        alerted(1, "a", 1, "raised"),
        make(Kandas, event_id=event_id(30), family_size=3),
        linked(4, "ab", "unlinked", 4),
        alerted(1, "a", 2, "resolved"),
        crossed("d", 2, "entry", 4),
    ]
    letters = [make(DeadLetter, topic="t.people", partition=0, offset=13)]
    return [*deliveries(facts), *deliveries(letters, topic="t.dead-letters")]


@pytest.mark.parametrize("cut", [1, 4, 100])
def test_both_replicas_say_what_the_engine_in_process_says(one: Server, two: Server, engine: Embedded, cut: int) -> None:
    log = a_log()
    for start in range(0, len(log), cut):
        deliver(one, log[start : start + cut])
    deliver(one, log[3:], cut=2)
    deliver(one, log)
    same_on_both(one, two, engine, log)


def test_equal_parts_of_one_change_are_all_counted(
    one: Server, two: Server, engine: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "PEOPLE_AT_ONCE", 1)
    log = deliveries(citizens(4))
    deliver(one, log)
    same_on_both(one, two, engine, log)


def test_what_was_emptied_can_come_again(one: Server, two: Server, engine: Embedded) -> None:
    """The same blocks under the same names, and the same counts: an emptied table remembers none of them."""
    log = a_log()
    deliver(one, log)
    for table in ("counts", "crossings_by_person", "alerts_latest", "numbers_seen"):
        one.command(f"TRUNCATE TABLE {table}")
    counts.bring_up_to_date(one, reached(log))
    same_on_both(one, two, engine, log)
    empty(one)
    assert one.select("SELECT count() FROM raw_border_crossing").rows == [(0,)]
    deliver(one, log)
    same_on_both(one, two, engine, log)
    one.command("TRUNCATE TABLE counts")  # as docs/warehouse.md says: without the tables beside it
    counts.bring_up_to_date(one, reached(log))
    same_on_both(one, two, engine, log)


def test_what_was_published_is_taken_in_once_and_again_when_it_is_gone(one: Server, two: Server, tmp_path: Path) -> None:
    figures = [published.Figure("table", "a", "", 15), published.Figure("table", "b", "", None)]
    for released_at in (1_740_812_400_000, 1_740_812_400_001):  # the same figures, released twice
        published.note(tmp_path, figures, released_at)
    assert (published.take_in(one, tmp_path), published.take_in(one, tmp_path)) == (2, 0)
    assert synchronous(two).select("SELECT count() FROM published_figures").rows == [(4,)]
    empty(one)
    assert published.take_in(one, tmp_path) == 2
    assert synchronous(two).select("SELECT count() FROM published_figures").rows == [(4,)]


def test_terms_and_words_are_changed_on_both(one: Server, two: Server) -> None:
    kept = retention.kept_days(load("kz"), 20_454)
    assert retention.apply(one, kept, cluster=made.NAME) > 10
    assert (retention.apply(one, kept), retention.apply(two, kept)) == (0, 0), "once is enough, for both"
    visa = tables()["visa"]
    better = replace(visa, fields=(replace(visa.fields[0], comment="It's better."), *visa.fields[1:]))
    assert migrate.refresh_comments(one, [better], cluster=made.NAME) == 1
    assert migrate.refresh_comments(two, [better]) == 0
    migrate.refresh_comments(one, [visa], cluster=made.NAME)
    for what, query in ALIKE.items():
        assert one.select(query).rows == two.select(query).rows, what


def test_a_replica_that_was_away_catches_up(cluster: Cluster, one: Server, two: Server, engine: Embedded) -> None:
    log = a_log()
    deliver(one, log[:5])
    two.close()
    cluster.two.kill()
    deliver(one, log[5:])
    cluster.two.start()
    same_on_both(one, two, engine, log)


class Interrupted:
    """An engine that does something before the statement of a number; then the statement is on its own."""

    label = "server"

    def __init__(self, server: Server, number: int, do: Any) -> None:
        self._server, self._left, self._do = server, number, do
        self.database = server.database

    def _next(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._do()

    def command(self, sql: str) -> None:
        self._next()
        self._server.command(sql)

    def select(self, sql: str) -> Result:
        self._next()
        return self._server.select(sql)

    def insert(self, table: str, block: Block, *, token: str = "") -> int:
        self._next()
        return self._server.insert(table, block, token=token)

    def close(self) -> None:
        self._server.close()


@pytest.mark.parametrize("number", [2, 5, 9, 14, 20, 26, 30])
def test_a_server_killed_in_the_middle_and_asked_again_has_everything_once(
    cluster: Cluster, one: Server, two: Server, engine: Embedded, number: int
) -> None:
    log = a_log()
    deliver(one, log[:6])
    with pytest.raises(DependencyError):
        deliver(Interrupted(one, number, cluster.one.kill), log[6:])
    cluster.one.start()
    deliver(one, log[6:])
    same_on_both(one, two, engine, log)


def test_without_its_keeper_a_server_takes_nothing_and_the_same_block_later(
    cluster: Cluster, one: Server, two: Server, engine: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tries for longer than we wait, and may succeed when we have sent the block again: by its name it is one block."""
    log = a_log()
    deliver(one, log[:6])
    monkeypatch.setattr("streams.warehouse.server.ANSWER_S", 3)
    impatient = cluster.one.server()
    cluster.keeper.kill()
    try:
        with pytest.raises(DependencyError):
            deliver(impatient, log[6:])
        assert one.select("SELECT sum(crossings) FROM mart_daily_flows").rows == [(5,)], "what is there can be read"
    finally:
        cluster.keeper.start()
        impatient.close()
    _until_writable(one)
    deliver(one, log[6:])
    same_on_both(one, two, engine, log)


def _until_writable(server: Server) -> None:
    deadline = time.monotonic() + 60
    while server.select("SELECT count() FROM system.replicas WHERE is_readonly").rows != [(0,)]:
        assert time.monotonic() < deadline, "still read-only"
        time.sleep(0.2)
