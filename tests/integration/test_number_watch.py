"""A hole in a post's numbers lowers the grade of evidence: found in ClickHouse, said on Kafka, taken in by the posts' lane."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import KafkaAdminClient
from kafka.errors import CoordinatorLoadInProgressError

from streams.clock import now_ms
from streams.decode import Decoder, Sources
from streams.detect.coverage_ledger import CoverageLedger
from streams.local import topics
from streams.local.settled import settled
from streams.policy.load import load
from streams.publish import Publisher
from streams.records import BorderCrossing, DeadLetter, PostHeartbeat, PostOutage
from streams.warehouse import source
from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
from streams.warehouse.number_watch import NumberWatch
from streams.warehouse.rounds import Rounds
from streams.wire import avro
from streams.wire.topics import POSTS
from tests.chaos.checker import read_topic
from tests.conftest import Kafka
from tests.contract.warehouse import deliver, deliveries
from tests.integration.test_warehouse_sink import Running, publish, wait_for
from tests.unit.warehouse.made import crossing, event_id, make

pytestmark = pytest.mark.integration

POST, SOURCE = "KZ-75-A1", "post:KZ-75-A1"
HOUR_MS = 3_600_000
START_MS = 1_740_787_200_000
"""The heartbeats' own time; the watch goes by when they arrived."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Embedded]:
    engine = Embedded(tmp_path / "clickhouse")
    migrate(engine)
    yield engine
    engine.close()


def sent(*numbers: int) -> list[BorderCrossing]:
    return [crossing(number, f"p1-{number:032x}", source=SOURCE) for number in numbers]


def beat(hour: int, first: int, last: int, *, seq: int, post: str = POST, source: str = SOURCE) -> PostHeartbeat:
    at_ms = START_MS + hour * HOUR_MS
    count = last - first + 1 if last else 0
    return PostHeartbeat(event_id(seq), post, at_ms, at_ms, source, seq, at_ms, first, last, count)


def hour(at_ms: int | None) -> int | None:
    return None if at_ms is None else (at_ms - START_MS) // HOUR_MS


class Said:
    """Takes what a watch publishes, and puts it where the sink would."""

    def __init__(self, engine: Embedded, *, settled_ms: int = now_ms(), grace_ms: int = 0) -> None:
        self.records: list[PostOutage] = []
        self._engine = engine
        self.watch = NumberWatch(lambda query: engine.select(query).rows, lambda: settled_ms, self._publish, grace_ms=grace_ms)

    def _publish(self, records: Sequence[PostOutage]) -> None:
        deliver(self._engine, deliveries(records, "t.posts", first=1000 + len(self.records)))
        self.records += records

    def news(self) -> list[tuple[str, int | None, int | None]]:
        """Returns what one look says: kind and hours."""
        before = len(self.records)
        self.watch.look()
        return [(one.kind, hour(one.from_at), hour(one.until_at)) for one in self.records[before:]]


def test_a_number_a_heartbeat_covers_and_that_has_not_come_is_an_outage_until_it_comes(engine: Embedded) -> None:
    deliver(engine, deliveries(sent(1, 2, 4, 6, 7)))
    deliver(engine, deliveries([beat(1, 1, 2, seq=3), beat(2, 4, 5, seq=8), beat(3, 6, 7, seq=9)], "t.posts"))
    said = Said(engine)
    assert said.news() == [("ended", 1, 2)]
    assert said.news() == [], "it is said once"
    deliver(engine, deliveries(sent(5), first=100))
    assert said.news() == [("backfilled", 1, 2)]
    assert said.news() == []
    assert [one.source_seq for one in said.records] == [1, 2], "our numbers have no holes either"


def test_a_refused_crossing_counts_as_missing_until_it_was_put_right(engine: Embedded) -> None:
    deliver(engine, deliveries(sent(1, 2, 3)))
    deliver(engine, deliveries([beat(1, 1, 3, seq=4)], "t.posts"))
    said = Said(engine)
    assert said.news() == []
    letter = make(DeadLetter, topic="t.people", partition=0, offset=1, source=SOURCE, code="wrong_key")
    deliver(engine, deliveries([letter], "t.dead-letters"))
    [(kind, _, until)] = said.news()
    assert (kind, until) == ("ended", 1)
    assert said.records[-1].from_at == 0, "no heartbeat before it vouched for anything"
    deliver(engine, deliveries(sent(2), first=100))
    assert [kind for kind, _, _ in said.news()] == ["backfilled"]


def test_a_number_that_came_and_was_refused_afterwards_is_an_outage_again(engine: Embedded) -> None:
    deliver(engine, deliveries(sent(1, 3)))
    deliver(engine, deliveries([beat(1, 1, 3, seq=4)], "t.posts"))
    said = Said(engine)
    assert [kind for kind, _, _ in said.news()] == ["ended"]
    deliver(engine, deliveries(sent(2), first=100))
    assert [kind for kind, _, _ in said.news()] == ["backfilled"]
    letter = make(DeadLetter, topic="t.people", partition=0, offset=100, source=SOURCE, code="wrong_partition")
    deliver(engine, deliveries([letter], "t.dead-letters"))
    assert [kind for kind, _, _ in said.news()] == ["ended"]
    assert said.news() == []
    assert len({one.outage_id for one in said.records}) == 2


def test_numbers_that_stand_for_other_events_or_come_twice_are_no_holes(engine: Embedded) -> None:
    deliver(engine, deliveries([*sent(1, 3), *sent(3)]))
    # Number 2 is a heartbeat's; numbers of another source do not fill anything; a heartbeat without crossings covers nothing.
    others = [beat(1, 0, 0, seq=2), beat(2, 1, 3, seq=4), beat(2, 1, 1, seq=7, post="KZ-71-A1", source="post:KZ-71-A1")]
    deliver(engine, deliveries(others, "t.posts"))
    said = Said(engine)
    assert said.news() != []
    assert {one.subject for one in said.records} == {"KZ-71-A1"}


def test_what_arrived_a_moment_ago_is_not_judged_yet(engine: Embedded) -> None:
    deliver(engine, deliveries([beat(1, 1, 3, seq=4)], "t.posts"))
    arrived_ms = engine.select("SELECT toUnixTimestamp64Milli(max(received_at)) FROM raw_post_heartbeat").rows[0][0]
    assert Said(engine, settled_ms=arrived_ms + 999, grace_ms=1000).news() == []
    assert len(Said(engine, settled_ms=arrived_ms + 1000, grace_ms=1000).news()) == 1


def test_a_register_of_sources_lets_only_outages_come_from_the_watch(engine: Embedded) -> None:
    deliver(engine, deliveries([beat(1, 1, 3, seq=4)], "t.posts"))
    said = Said(engine)
    said.watch.look()
    decoder = Decoder(load("kz").codes, Sources({}))
    now = now_ms()
    assert isinstance(decoder.decode(avro.encode(said.records[0]), received_at=now, topic=POSTS), PostOutage)
    forged = beat(1, 1, 3, seq=9, source=said.records[0].source)
    refused = decoder.decode(avro.encode(forged), received_at=now, topic=POSTS)
    assert getattr(refused, "code", "") == "source_not_allowed"


def test_from_the_broker_to_the_grade_and_back_with_the_real_parts(kafka: Kafka, engine: Embedded) -> None:
    settings = kafka.settings()

    def say(records: Sequence[PostOutage]) -> None:
        with Publisher(settings) as publisher:
            for record in records:
                publisher.publish(record)

    def gaps() -> int:
        """Returns how many gaps the posts' log leaves, as the worker's ledger of coverage has it."""
        ledger = CoverageLedger()
        for message in read_topic(settings, POSTS.suffix):
            record = avro.decode(message.value())
            if isinstance(record, PostHeartbeat | PostOutage):
                ledger.take(record)
        return len(ledger.coverage(START_MS + 3 * HOUR_MS)[1])

    publish(settings, *sent(1, 2, 4), beat(1, 1, 2, seq=5), beat(2, 3, 4, seq=6))

    def caught_up() -> int | None:
        return settled(settings, source.group(settings), source.topics(settings), patience_s=1)

    watch = NumberWatch(lambda query: engine.select(query).rows, caught_up, say, grace_ms=0)
    with Running(settings, engine):
        wait_for(caught_up)
        assert gaps() == 0
        with closing(Rounds("number-watch", watch.look, 0.3)):
            wait_for(lambda: gaps() == 1)
            publish(settings, *sent(3))
            wait_for(lambda: gaps() == 0)
    assert len(read_topic(settings, POSTS.suffix)) == 4, "each was said once"
    publish(settings, beat(3, 5, 6, seq=7))
    assert watch.look() == 0, "nothing is judged before the sink has it"


def test_a_coordinator_that_has_just_begun_is_asked_again(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = kafka.settings()
    names = source.topics(settings)
    publish(settings, *sent(1))
    asked: list[str] = []

    def loading(client: KafkaAdminClient, group: str) -> Any:
        asked.append(group)
        if len(asked) == 1:
            raise CoordinatorLoadInProgressError
        return topics.ends(client, names)

    monkeypatch.setattr("streams.local.settled.topics.committed", loading)
    assert settled(settings, "sink", names, patience_s=30) is not None
    assert asked == ["sink", "sink"]
