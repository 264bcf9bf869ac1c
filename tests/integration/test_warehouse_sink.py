"""The sink between a real Kafka and the real engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from streams import bootstrap
from streams.errors import DependencyError
from streams.policy.load import load
from streams.records import Alert, BorderCrossing, DeadLetter
from streams.settings import Settings
from streams.warehouse import source
from streams.warehouse.counted import OUTPUTS
from streams.warehouse.embedded import Embedded
from streams.warehouse.errors import RefusedError
from streams.warehouse.keeper import Keeper
from streams.warehouse.migrate import migrate
from streams.warehouse.refusals import Refusals
from streams.warehouse.rows import layouts
from streams.warehouse.sink import Sink
from streams.wire.avro import Message, decode, encode
from streams.wire.topics import topic_of
from tests.chaos.checker import read_topic
from tests.conftest import Kafka
from tests.integration.rig import person
from tests.unit.warehouse.made import crossing, event_id, make

pytestmark = pytest.mark.integration

LAYOUTS = layouts(load("kz"))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Embedded]:
    engine = Embedded(tmp_path / "clickhouse")
    migrate(engine)
    yield engine
    engine.close()


def publish(settings: Settings, *messages: Message | bytes, to: str = "people") -> None:
    producer = Producer({"bootstrap.servers": settings.kafka})
    for message in messages:
        if isinstance(message, bytes):
            producer.produce(f"{settings.namespace}.{to}", message, key=b"k")
        else:
            key = getattr(message, "subject", "")
            producer.produce(topic_of(type(message)).name(settings.namespace), encode(message), key=key.encode())  # type: ignore[arg-type]
    assert producer.flush(20) == 0


def wait_for(condition: Callable[[], Any], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


class Running:
    """A sink on its own thread."""

    def __init__(self, settings: Settings, engine: Any, *, batch_rows: int = 20_000, refusals: Refusals | None = None) -> None:
        self.stop = threading.Event()
        consumer = source.consumer(settings)
        outputs = {f"{settings.namespace}.{topic}": name for topic, name in OUTPUTS.items()}
        keeper = None
        if isinstance(engine, Embedded):
            keeper = Keeper(engine, f"{settings.namespace}.people", outputs, lambda some: source.committed(consumer, some))
        self.sink = Sink(
            engine,
            consumer,
            LAYOUTS,
            refusals or bootstrap.refusals(settings),
            batch_rows=batch_rows,
            batch_s=0.1,
            stop=self.stop,
            keeper=keeper,
        )
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, args=(source.topics(settings),), daemon=True)
        self.thread.start()

    def _run(self, topics: list[str]) -> None:
        try:
            self.sink.run(topics)
        except BaseException as error:
            self.error = error

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> float:
        begun = time.monotonic()
        self.stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive()
        return time.monotonic() - begun


def letters(settings: Settings) -> list[DeadLetter]:
    found = [decode(message.value()) for message in read_topic(settings, "dead-letters")]
    return [letter for letter in found if isinstance(letter, DeadLetter)]


def count(engine: Embedded, table: str) -> int:
    return int(engine.select(f"SELECT count() FROM {table} FINAL").rows[0][0])  # noqa: S608


def test_what_is_published_arrives_in_its_table_and_the_sink_stops_at_once(kafka: Kafka, engine: Embedded) -> None:
    settings = kafka.settings()
    publish(settings, *(crossing(n, subject=f"p1-{n}") for n in range(1, 301)))
    publish(settings, make(Alert, alert_id=event_id(1), version=1), make(DeadLetter, value=b"\xff\x00"))
    publish(settings, b"not avro at all")
    with Running(settings, engine) as running:
        wait_for(lambda: count(engine, "raw_border_crossing") == 300 and count(engine, "alerts") == 1)
        wait_for(lambda: count(engine, "dead_letters") == 1)
        assert running.end() < 5
    assert running.error is None
    assert engine.select("SELECT sum(crossings), sum(persons) FROM mart_daily_flows").rows == [(300, 300)]
    assert engine.select("SELECT count() FROM alerts_now").rows == [(1,)]
    row = engine.select("SELECT oblast, toString(occurred_on), subject FROM raw_border_crossing WHERE source_seq = 7").rows
    assert row == [("KZ-75", "2025-03-01", "p1-7")]
    assert engine.select("SELECT hex(value) FROM dead_letters").rows == [("FF00",)]


class KilledAfterInsert:
    """An engine whose process dies when the rows are on disk and the offsets not yet committed."""

    def __init__(self, engine: Embedded, survive: int) -> None:
        self._engine = engine
        self._left = survive

    def insert(self, table: str, block: Any, *, token: str = "") -> int:
        sent = self._engine.insert(table, block, token=token)
        self._left -= 1
        if self._left < 0:
            raise SystemExit("killed")
        return sent


def test_a_sink_killed_between_insert_and_commit_doubles_nothing(kafka: Kafka, engine: Embedded) -> None:
    settings = kafka.settings()
    publish(settings, *(crossing(n, subject=f"p1-{n}") for n in range(1, 2001)))
    killed = Running(settings, KilledAfterInsert(engine, survive=2), batch_rows=300)
    killed.thread.join(30)
    assert isinstance(killed.error, SystemExit)
    before = count(engine, "raw_border_crossing")
    assert 0 < before < 2000
    with Running(settings, engine, batch_rows=170):
        wait_for(lambda: count(engine, "raw_border_crossing") == 2000)
    assert engine.select("SELECT count(), uniqExact(source_seq) FROM core_border_crossing").rows == [(2000, 2000)]
    assert engine.select("SELECT sum(persons) FROM mart_daily_flows").rows == [(2000,)]


def test_committed_offsets_equal_the_ends_when_everything_has_arrived(kafka: Kafka, engine: Embedded) -> None:
    """Transaction marks at the end of a topic included: `lag 0` means lag 0."""
    from streams.local import admin, topics

    settings = kafka.settings()
    producer = Producer({"bootstrap.servers": settings.kafka, "transactional.id": f"{settings.namespace}-t"})
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(f"{settings.namespace}.alerts", encode(make(Alert, alert_id=event_id(1), version=1)), key=b"k")
    producer.commit_transaction()
    producer.begin_transaction()
    producer.produce(f"{settings.namespace}.alerts", encode(make(Alert, alert_id=event_id(2), version=1)), key=b"k")
    producer.flush(20)  # the broker has it: an abort of a transaction it has not heard of is refused
    producer.abort_transaction()

    def lag() -> int:
        with admin.connect(settings.kafka, settings) as client:
            done = topics.committed(client, source.group(settings))
            ends = topics.ends(client, source.topics(settings))
            return sum(end - done.get(place, 0) for place, end in ends.items())

    with Running(settings, engine):
        wait_for(lambda: lag() == 0)
    assert count(engine, "alerts") == 1


def test_rows_clickhouse_does_not_take_are_found_and_the_rest_arrives(kafka: Kafka, engine: Embedded) -> None:
    settings = kafka.settings()
    engine.command("ALTER TABLE raw_border_crossing ADD CONSTRAINT honest CHECK source_seq != 13")
    publish(settings, *(crossing(n, subject=person(n)) for n in range(1, 101)))
    with Running(settings, engine):
        wait_for(lambda: count(engine, "raw_border_crossing") == 99 and count(engine, "dead_letters") == 1)
    assert engine.select("SELECT event_type FROM refused_rows").rows == [(BorderCrossing.NAME,)]
    [letter] = letters(settings)
    assert (letter.code, letter.event_type, letter.source) == ("refused_by_warehouse", BorderCrossing.NAME, crossing(13).source)
    assert (letter.key, letter.value) == (person(13).encode(), encode(crossing(13, subject=person(13)))), (
        "byte for byte, to be replayed"
    )
    assert "raw_border_crossing did not take the row (ClickHouse code 469)" in letter.reason


def test_what_the_worker_refuses_by_itself_gets_no_second_letter_from_the_sink(kafka: Kafka, engine: Embedded) -> None:
    settings = kafka.settings(partitions=1)
    unlawful = crossing(1, subject=person(1), occurred_at=2**62)  # far in the future, and no instant ClickHouse knows
    lawful = crossing(2, subject=person(2))
    publish(settings, unlawful, lawful)
    with Running(settings, engine):
        wait_for(lambda: count(engine, "refused_rows") == 1 and count(engine, "raw_border_crossing") == 1)
    assert letters(settings) == []


class AnswerLost(Refusals):
    """Kafka does what it is asked, and its answer does not arrive."""

    def __init__(self, settings: Settings, *, times: int) -> None:
        super().__init__(settings, bootstrap.refusals(settings).worker_refuses)
        self._times = times
        self.attempts = 0

    def commit(self, letters: Any, offsets: Any, consumer: Any) -> None:
        super().commit(letters, offsets, consumer)
        self.attempts += 1
        if self.attempts <= self._times:
            raise DependencyError("Kafka's answer was lost.")


def test_a_letter_is_written_once_though_the_answer_to_its_commit_is_lost(kafka: Kafka, engine: Embedded) -> None:
    settings = kafka.settings()
    engine.command("ALTER TABLE raw_border_crossing ADD CONSTRAINT honest CHECK source_seq % 50 != 13")
    publish(settings, *(crossing(n, subject=person(n)) for n in range(1, 101)))
    refusals = AnswerLost(settings, times=2)
    with Running(settings, engine, refusals=refusals):
        wait_for(lambda: count(engine, "raw_border_crossing") == 98 and count(engine, "dead_letters") == 2)
    assert refusals.attempts > 2
    assert sorted(letter.key or b"" for letter in letters(settings)) == [person(13).encode(), person(63).encode()]


def test_a_dead_letter_clickhouse_does_not_take_makes_no_further_letter(kafka: Kafka, engine: Embedded) -> None:
    settings = kafka.settings()
    engine.command("ALTER TABLE dead_letters ADD CONSTRAINT honest CHECK offset != 7")
    publish(settings, make(DeadLetter, offset=7), make(DeadLetter, offset=8))
    with Running(settings, engine):
        wait_for(lambda: count(engine, "refused_rows") == 1 and count(engine, "dead_letters") == 1)
    assert len(letters(settings)) == 2


class AwayFor:
    """An engine that does not answer a number of times."""

    def __init__(self, engine: Embedded, times: int) -> None:
        self._engine = engine
        self.left = times
        self.seen: list[tuple[str, str, int]] = []

    def insert(self, table: str, block: Any, *, token: str = "") -> int:
        self.seen.append((table, token, block.rows))
        if self.left > 0:
            self.left -= 1
            raise DependencyError("ClickHouse at test does not answer.")
        return self._engine.insert(table, block, token=token)


def test_while_clickhouse_is_away_rows_wait_and_the_identical_block_is_sent_again(kafka: Kafka, engine: Embedded) -> None:
    settings = kafka.settings()
    away = AwayFor(engine, times=4)
    publish(settings, *(crossing(n, subject=f"p1-{n}") for n in range(1, 501)))
    with Running(settings, away) as running:
        wait_for(lambda: count(engine, "raw_border_crossing") == 500)
        publish(settings, *(crossing(n, subject=f"p1-{n}") for n in range(501, 601)))
        wait_for(lambda: count(engine, "raw_border_crossing") == 600)
        assert running.error is None
    assert len(set(away.seen[:5])) == 1, "the same table, token and number of rows each time"


def test_a_stop_while_clickhouse_is_away_is_quick_and_loses_nothing(kafka: Kafka, engine: Embedded) -> None:
    settings = kafka.settings()
    away = AwayFor(engine, times=1_000_000)
    publish(settings, *(crossing(n, subject=f"p1-{n}") for n in range(1, 101)))
    with Running(settings, away) as running:
        wait_for(lambda: away.seen)
        assert running.end() < 5
        assert "does not answer" in running.sink.trouble
    assert running.error is None
    with Running(settings, engine):
        wait_for(lambda: count(engine, "raw_border_crossing") == 100)


def test_two_sinks_share_the_topics_and_every_row_arrives_once(kafka: Kafka, engine: Embedded) -> None:
    settings = kafka.settings(partitions=4)
    with Running(settings, engine, batch_rows=50):
        publish(settings, *(crossing(n, subject=f"p1-{n}") for n in range(1, 1001)))
        with Running(settings, engine, batch_rows=70):
            publish(settings, *(crossing(n, subject=f"p1-{n}") for n in range(1001, 2001)))
            wait_for(lambda: count(engine, "raw_border_crossing") == 2000)
    assert engine.select("SELECT count() FROM core_border_crossing").rows == [(2000,)]


def test_a_table_that_is_missing_ends_the_sink_and_nothing_is_committed(kafka: Kafka, engine: Embedded) -> None:
    settings = kafka.settings()
    engine.command("RENAME TABLE raw_border_crossing TO elsewhere")
    publish(settings, crossing(1))
    running = Running(settings, engine)
    running.thread.join(30)
    assert isinstance(running.error, RefusedError)
    engine.command("RENAME TABLE elsewhere TO raw_border_crossing")
    with Running(settings, engine):
        wait_for(lambda: count(engine, "raw_border_crossing") == 1)
