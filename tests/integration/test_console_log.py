"""The console and a real Kafka: decisions are not lost and not doubled, feeds and states follow what is committed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from streams.clock import now_ms
from streams.console.audit import Audit
from streams.console.decisions import Decisions, EmployerTaken, Taken
from streams.console.live import Feed, Live, read_position, write_position
from streams.console.postgresql import PostgresqlStore
from streams.console.sqlite import SqliteStore
from streams.console.states import States
from streams.local.ports import take
from streams.publish.publisher import Publisher
from streams.records import CaseDecision, EmployerDecision
from streams.settings import Settings
from streams.warehouse import source
from streams.wire.avro import decode
from streams.wire.topics import ALERTS, EMPLOYERS, PEOPLE, PEOPLE_CHANGELOG
from tests.conftest import Kafka
from tests.contract.postgresql import cluster
from tests.unit.console.test_live import alert

pytestmark = pytest.mark.integration

SUBJECT = "p1-" + "b" * 32


def poll(what: Callable[[], bool], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


def everything_in(settings: Settings, topic: str, partitions: int = 0) -> list[object]:
    """Returns every record of a topic; it has as many partitions as the person log if none are given."""
    consumer = source.consumer(settings, group_id=f"{settings.namespace}-test")
    source.assign_all(consumer, topic, from_start=True)
    found: list[object] = []
    ends = 0
    while ends < (partitions or settings.partitions):
        for message in consumer.consume(100, 0.2):
            if message.error() is None:
                found.append(decode(message.value()))
            else:
                ends += 1
    consumer.close()
    return found


def taken(case: int, reason: str) -> Taken:
    return Taken("contacted", SUBJECT, case.to_bytes(16, "big"), None, reason)


def test_a_decision_taken_while_kafka_is_away_is_sent_once_it_is_back(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings()
    away = settings.model_copy(update={"kafka": f"127.0.0.1:{take(1)[0]}"})
    store = SqliteStore(tmp_path / "console.db")
    audit = Audit(store, tmp_path)
    first = Decisions(away, store, audit, now_ms)
    assert first.take("o1-a", [taken(1, "spoke with them"), taken(2, "spoke with them too")]) is False
    assert first.waiting() == 2
    begun = time.monotonic()
    assert first.take("o1-b", [taken(1, "and again")]) is False
    assert time.monotonic() - begun < 2, "the next officer does not wait for a Kafka that just did not answer"
    first.close()
    second = Decisions(settings, store, audit, now_ms)
    poll(lambda: second.waiting() == 0)
    assert second.take("o1-a", [taken(3, "straight away")]) is True
    second.close()
    sent = [one for one in everything_in(settings, PEOPLE.name(settings.namespace)) if isinstance(one, CaseDecision)]
    assert sorted(one.source_seq for one in sent) == [1, 2, 3, 4]
    assert len({one.event_id for one in sent}) == 4
    assert {one.source for one in sent} == {second.source}
    assert [one.officer for one in sorted(sent, key=lambda one: one.source_seq)] == ["o1-a", "o1-a", "o1-b", "o1-a"]
    assert audit.verify() == 4
    store.close()


def test_decisions_of_two_consoles_on_one_store_are_in_the_log_once_and_in_order(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings()
    with cluster() as postgresql:
        url = postgresql.database()
        stores = [PostgresqlStore(url) for _ in range(2)]
        consoles = []
        for number, store in enumerate(stores):
            (tmp_path / str(number)).mkdir()
            consoles.append(Decisions(settings, store, Audit(store, tmp_path / str(number)), now_ms))
        with ThreadPoolExecutor(6) as threads:
            list(threads.map(lambda n: consoles[n % 2].take(f"o1-{n % 2}", [taken(1, f"step {n}")]), range(40)))
        poll(lambda: consoles[0].waiting() == 0)
        for console in consoles:
            console.close()
        for store in stores:
            store.close()
    sent = [one for one in everything_in(settings, PEOPLE.name(settings.namespace)) if isinstance(one, CaseDecision)]
    assert [one.source_seq for one in sent] == list(range(1, 41)), "in the log as they were taken, none twice"
    assert len({one.event_id for one in sent}) == 40
    assert {one.source for one in sent} == {consoles[0].source} == {consoles[1].source}


def test_a_standing_clock_still_orders_what_follows(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings()
    store = SqliteStore(tmp_path / "console.db")
    decisions = Decisions(settings, store, Audit(store, tmp_path), lambda: 1_700_000_000_000)
    for number in range(5):
        assert decisions.take("o1-a", [taken(1, f"step {number}")])
    decisions.close()
    sent = [one for one in everything_in(settings, PEOPLE.name(settings.namespace)) if isinstance(one, CaseDecision)]
    ordered = sorted(sent, key=lambda one: (one.occurred_at, one.event_id))
    assert [one.reason for one in ordered] == [f"step {number}" for number in range(5)]
    assert ordered[-1].occurred_at - ordered[0].occurred_at == 4
    store.close()


def test_a_decision_about_an_employer_is_in_the_employers_log(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings()
    store = SqliteStore(tmp_path / "console.db")
    decisions = Decisions(settings, store, Audit(store, tmp_path), now_ms)
    employer = "e1-" + "c" * 32
    about = EmployerTaken("in_order", employer, bytes(15) + b"1", 2, "all permits are there")
    assert decisions.take("o1-a", [about, taken(1, "spoke with them")]) is True
    decisions.close()
    store.close()
    [sent] = everything_in(settings, EMPLOYERS.name(settings.namespace), 1)
    assert isinstance(sent, EmployerDecision)
    assert (sent.subject, sent.decision, sent.alert_version) == (employer, "in_order", 2)
    [person] = everything_in(settings, PEOPLE.name(settings.namespace))
    assert isinstance(person, CaseDecision)


def test_a_feed_follows_the_topic_over_a_restart_of_the_console(kafka: Kafka) -> None:
    settings = kafka.settings()

    def write(numbers: range) -> None:
        from streams.wire.avro import encode

        with Publisher(settings) as publisher:
            for number in numbers:
                publisher.publish_encoded(ALERTS.name(settings.namespace), str(number).encode(), encode(alert(number)))

    async def ids(feed: Feed, patience_s: float) -> list[bytes]:
        stretch = await feed.next(patience_s)
        return [one.alert.alert_id for one in stretch.entries] if stretch else []

    async def read(position: dict[int, int], count: int) -> tuple[list[bytes], str]:
        live = Live(settings)
        live.start()
        try:
            await asyncio.to_thread(poll, lambda: live.trouble == "")
            feed = Feed(live, position)
            assert feed.is_complete()
            found: list[bytes] = []
            deadline = time.monotonic() + 20
            while len(found) < count and time.monotonic() < deadline:
                found += await ids(feed, 1.0)
            found += await ids(feed, 0.5)
            return found, write_position(feed.position)
        finally:
            await asyncio.to_thread(live.close)

    write(range(1, 40))
    first, place = asyncio.run(read({}, 39))
    write(range(40, 60))
    second, _ = asyncio.run(read(read_position(place) or {}, 20))
    assert sorted(first) == [number.to_bytes(16, "big") for number in range(1, 40)]
    assert sorted(second) == [number.to_bytes(16, "big") for number in range(40, 60)]


def test_states_are_read_to_the_end_and_not_twice(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings()
    topic = PEOPLE_CHANGELOG.name(settings.namespace)
    with Publisher(settings) as publisher:
        for number in range(50):
            publisher.publish_encoded(topic, f"p{number}".encode(), b"old")
            publisher.publish_encoded(topic, f"p{number}".encode(), b"new")
    for _ in range(2):
        states = States(settings, tmp_path / "states.db")
        states.start()
        poll(lambda opened=states: opened.caught_up)  # type: ignore[misc]
        assert {states.get(f"p{number}") for number in range(50)} == {b"new"}
        assert states.get("p50") is None
        states.close()
