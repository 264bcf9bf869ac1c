"""A passport changed, on real Kafka: the false overstay goes, comes back when the link is undone, and no kill changes that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from streams.policy.load import load
from streams.records import Alert, BorderCrossing, IdentityLink, PersonEvent, SharedFacts, Tick
from streams.report.explain import explain
from streams.settings import Settings
from streams.wire import avro
from streams.wire.partition import partition_of
from streams.wire.topics import ALERTS
from tests.conftest import Kafka
from tests.contract.warehouse import deliver
from tests.integration.rig import Log, Process, holes, until

pytestmark = pytest.mark.integration

DAY_MS = 86_400_000
ENTERED_MS = 20_000 * DAY_MS + 8 * 3_600_000
PARTITIONS = 4


def pseudonyms() -> tuple[str, str]:
    """Returns two pseudonyms whose facts lie in different partitions; the first of them answers for both."""
    names = [f"p1-{number:032x}" for number in range(1, 50)]
    home = {name: partition_of(name.encode(), PARTITIONS) for name in names}
    return names[0], next(name for name in names if home[name] != home[names[0]])


OLD, NEW = pseudonyms()


def crossing(number: int, subject: str, day: int, direction: str) -> BorderCrossing:
    at = ENTERED_MS + day * DAY_MS
    return BorderCrossing(
        number.to_bytes(16, "big"), subject, at, at, "post:KZ-75-A1", number, direction, "KZ-75-A1", "UZB", "private",  # type: ignore[arg-type]
        "passport", "air", None, None,
    )  # fmt: skip


def link(number: int, kind: str, day: int) -> IdentityLink:
    at = ENTERED_MS + day * DAY_MS
    return IdentityLink(
        number.to_bytes(16, "big"), NEW, at, at, "register:identities", number, kind, b"link" * 4, OLD, "new_document",  # type: ignore[arg-type]
    )  # fmt: skip


@contextmanager
def worker(settings: Settings, log: Path) -> Iterator[Process]:
    argv = ["-m", "streams", "worker", "--bootstrap", settings.kafka, "--namespace", settings.namespace]
    process = Process([*argv, "--ticks", "log", "--log-format", "json"], log)
    try:
        process.ready()
        yield process
    finally:
        process.kill()


def test_a_false_overstay_after_a_passport_change_is_taken_back_and_an_undone_link_restores_it(
    kafka: Kafka, tmp_path: Path
) -> None:
    settings = kafka.settings(partitions=PARTITIONS)
    log = Log(settings)

    def put(*events: PersonEvent) -> None:
        for event in events:
            log.put(avro.encode(event), event.subject.encode())
        log.flush()

    def tick(number: int, day: int) -> None:
        at = ENTERED_MS + day * DAY_MS
        for partition in range(PARTITIONS):
            log.put(avro.encode(Tick(number.to_bytes(16, "big"), "clock", at, at, "clock", number, at, ())), b"clock", partition)
        log.flush()

    def told(subject: str) -> list[tuple[str, str]]:
        overstays = [one for one in log.alerts() if one.rule == "overstay_visa_exempt" and one.subject == subject]
        return [(one.state, one.reason) for one in overstays]

    with worker(settings, tmp_path / "first.log") as first:
        put(crossing(1, OLD, 0, "entry"))
        tick(2, 40)
        until(lambda: told(OLD) == [("raised", "raised")], "the exit is missed")
        put(crossing(3, NEW, 20, "exit"), link(4, "linked", 21))
        until(lambda: told(OLD)[-1:] == [("retracted", "identity")], "the exit was under the new passport")
        first.kill()
    with worker(settings, tmp_path / "second.log"):
        put(link(5, "unlinked", 22), link(4, "linked", 21))
        until(lambda: told(OLD)[-1:] == [("raised", "raised")], "the passports are two people's")
        put(crossing(6, OLD, 25, "exit"))
        until(lambda: told(OLD)[-1:] == [("retracted", "exit_seen")], "an exit of their own")
        assert told(NEW) == []
        records = [avro.decode(message.value()) for message in log.read(log.people)]
        until(lambda: log.done() == len(log.read(log.people)), "the ledger accounts for what states told each other too")
    shared = [one for one in records if isinstance(one, SharedFacts)]
    assert {(one.subject, one.origin) for one in shared} == {(OLD, NEW)}, "who answers is told; nobody else has to know"
    assert holes(log.ledger()) == []
    assert log.dead_letters() == []


def test_explain_tells_a_merged_persons_story_from_all_pseudonyms(kafka: Kafka, tmp_path: Path, engine_path: Path) -> None:
    from streams.warehouse.embedded import Embedded
    from streams.warehouse.migrate import migrate
    from streams.warehouse.rows import Position

    settings = kafka.settings(partitions=PARTITIONS)
    log = Log(settings)

    def shared() -> int:
        return sum(isinstance(avro.decode(message.value()), SharedFacts) for message in log.read(log.people))

    with worker(settings, tmp_path / "worker.log"):
        for event in (
            crossing(1, OLD, 0, "entry"),
            crossing(2, OLD, 35, "exit"),
            link(4, "linked", 50),
            crossing(3, NEW, 40, "entry"),
        ):
            log.put(avro.encode(event), event.subject.encode())
        log.flush()
        until(lambda: any(one.state == "resolved" for one in log.alerts()), "the overstay has ended")
        until(lambda: shared() == 3, "the link, all facts, and the one that came later have been told")
        until(lambda: log.done() == len(log.read(log.people)), "all is processed")
    engine = Embedded(engine_path)
    try:
        migrate(engine)
        deliver(
            engine,
            [
                (
                    Position(message.topic(), message.partition(), message.offset(), message.timestamp()[1]),
                    avro.decode(message.value()),
                )
                for topic in (log.people, ALERTS.name(settings.namespace))
                for message in log.read(topic)
            ],
        )
        [alert] = {one.alert_id for one in log.alerts() if isinstance(one, Alert) and one.rule == "overstay_visa_exempt"}
        story = explain(UUID(bytes=alert), lambda query: engine.select(query).rows, load("kz"))
        assert engine.select("SELECT subject, person FROM core_same_person ORDER BY subject").rows == [(OLD, OLD), (NEW, OLD)]
    finally:
        engine.close()
    assert [one["type"] for one in story["events"]].count("border_crossing") == 3
    assert {one["partition"] for one in story["events"]} == {partition_of(name.encode(), PARTITIONS) for name in (OLD, NEW)}
    assert [(line["standing"], line["titles"]) for line in story["ledger_now"]][-1] == ("lawful", ["allowance"])


@pytest.fixture
def engine_path(tmp_path: Path) -> Path:
    return tmp_path / "clickhouse"
