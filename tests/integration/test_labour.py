"""People, employers and quotas through real Kafka and a real worker, killed in the middle: what is concluded about employers and
quotas comes once, is taken back in the same stream, and stands in the warehouse."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from streams.policy.load import load
from streams.records import BatchMarker, BorderCrossing, Correction, Inspection, Record, Tick, WorkPermit
from streams.records import QuotaAllocation as Quota
from streams.warehouse.embedded import Embedded
from streams.wire import avro
from streams.wire.topics import CASES, LABOUR_LINKS, LEDGER, topic_of
from tests.conftest import Kafka
from tests.integration.rig import Log, holes, until, workers
from tests.integration.test_warehouse_sink import Running, count
from tests.oracle.labour import judge_labour
from tests.property.declarations import DAY_MS, declared
from tests.property.labour_stream import OPEN

pytestmark = pytest.mark.integration

ON = 20_100
EMPLOYER, OTHER = "e1-" + "a" * 32, "e1-" + "b" * 32
PEOPLE = [f"p1-{number:032x}" for number in range(12)]


class Country:
    """Everything that is published, in order."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.sent: list[Record] = []
        self.count = 0

    def put(self, kind: type[Record], subject: str, on: int, *rest: Any) -> Any:
        self.count += 1
        at_ms = on * DAY_MS + 6 * 3_600_000 + self.count
        record = kind(self.count.to_bytes(16, "big"), subject, at_ms, at_ms, "register:test", self.count, *rest)
        self.publish(record)
        return record

    def publish(self, record: Record) -> None:
        self.sent.append(record)
        topic = topic_of(type(record)).name(self.log.settings.namespace)
        self.log.put(avro.encode(record), record.subject.encode(), topic=topic)

    def tick(self, on: int, partitions: int) -> None:
        at_ms = on * DAY_MS + 12 * 3_600_000
        tick = Tick(at_ms.to_bytes(16, "big"), "wall", at_ms, at_ms, "test", 1, at_ms, ())
        for partition in range(partitions):
            self.log.put(avro.encode(tick), b"tick", partition)

    def enter(self, subject: str) -> None:
        self.put(BorderCrossing, subject, ON, "entry", "KZ-75-A1", "UZB", "work", "passport", "air", None, None)

    def permit(self, subject: str, employer: str, last: int) -> None:
        number = subject.encode()[-16:]
        self.put(WorkPermit, subject, ON, "issued", number, "employer", "2", employer, "KZ-75", "F", ON, last)

    def find(self, subject: str, employer: str, on: int) -> Inspection:
        found: Inspection = self.put(Inspection, subject, on, "worker_found", b"v" * 16, "KZ-75", employer, "F", b"a" * 16)
        return found


def test_conclusions_about_employers_and_quotas_come_exactly_once_across_a_kill_and_are_taken_back(
    kafka: Kafka, engine: Embedded, tmp_path: Path
) -> None:
    settings = kafka.settings(partitions=2)
    log = Log(settings)
    country = Country(log)
    links = LABOUR_LINKS.name(settings.namespace)

    def lines() -> list[BatchMarker]:
        found = [avro.decode(message.value()) for message in log.read(LEDGER.name(settings.namespace))]
        return [line for line in found if isinstance(line, BatchMarker)]

    def accounted() -> tuple[int, int]:
        of_links = sum(line.processed for line in lines() if line.topic == links)
        return sum(line.processed for line in lines() if line.topic != links), of_links

    def settled(inputs: int) -> bool:
        return accounted()[0] == inputs and accounted()[1] == len(log.read(links))

    country.put(Quota, "labour-2025-KZ-75", ON - 5, "labour", 2025, 1, "KZ-75", None, None, 9, 20_089)
    country.publish(declared(900, ON, subject=EMPLOYER, citizens_12=7))
    country.publish(declared(901, ON, subject=OTHER, citizens_12=70))
    for subject in PEOPLE:
        country.enter(subject)
    for subject in PEOPLE[:6]:
        country.permit(subject, EMPLOYER, ON + 20)
    for subject in PEOPLE[6:9]:
        country.permit(subject, OTHER, ON + 90)
    sightings = [country.find(subject, EMPLOYER, ON + 25) for subject in PEOPLE[:6]]
    stray = country.find(PEOPLE[10], OTHER, ON + 10)
    country.tick(ON + 26, 2)
    log.flush()
    with workers(settings, tmp_path) as start:
        # Killed once the first batch is committed and before it is applied: what comes back must know it from the changelog.
        first = start("--real", "--failpoint", "after_commit:4")
        assert first.wait() != 0
        second = start("--real")
        second.ready()
        inputs = len(country.sent) + 2
        until(lambda: settled(inputs), "everything is handed on and decided")
        states = {(one.rule, one.subject): one.state for one in log.alerts() if one.subject[0] != "p"}
        assert states[("employer_unlawful_workers", OTHER)] in OPEN
        assert states[("trafficking_indicators", EMPLOYER)] in OPEN
        # A sighting was typed wrongly, two of the six were elsewhere, and everybody hears everything twice.
        for wrong in (stray, *sightings[:2]):
            country.put(Correction, wrong.subject, ON + 27, wrong.event_id, None, "wrong_person")
        for record in list(country.sent):
            country.publish(record)
        country.tick(ON + 30, 2)
        log.flush()
        inputs = len(country.sent) + 4
        until(lambda: settled(inputs), "everything is handed on and decided again")
        assert second.popen.poll() is None

    alerts = [one for one in log.alerts() if one.subject[0] != "p"]
    versions: dict[bytes, list[int]] = defaultdict(list)
    for one in alerts:
        versions[one.alert_id].append(one.version)
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())
    last = {one.alert_id: one for one in alerts}
    now_ms = (ON + 30) * DAY_MS + 12 * 3_600_000
    expected = judge_labour(
        [one for one in country.sent if one.SUBJECT == "person"],  # type: ignore[misc]
        [one for one in country.sent if one.SUBJECT == "employer"],  # type: ignore[misc]
        [one for one in country.sent if one.SUBJECT == "quota"],  # type: ignore[misc]
        load("kz"),
        now_ms,
    )
    holding = {
        name: (one.rule, one.state in OPEN, one.first_day_on, one.last_day_on, one.evidence)
        for name, one in last.items()
        if one.state != "retracted"
    }
    assert holding == {
        name: (one.rule, one.last_day_on is None, one.first_day_on, one.last_day_on, one.evidence)
        for name, one in expected.items()
    }
    told = {(one.rule, one.subject): (one.state, one.reason) for one in last.values()}
    assert told == {
        ("employer_unlawful_workers", EMPLOYER): ("amended", "evidence"),
        ("employer_unlawful_workers", OTHER): ("retracted", "correction"),
        ("employer_over_quota", EMPLOYER): ("resolved", "within_quota"),
        ("quota_exhausted", "labour-2025-KZ-75"): ("raised", "raised"),
        ("trafficking_indicators", EMPLOYER): ("retracted", "correction"),
    }
    assert holes(lines()) == []
    assert not any(line.dead_letters for line in lines())
    assert {case.key().decode() for case in log.read(CASES.name(settings.namespace))} <= set(PEOPLE)

    with Running(settings, engine):
        until(lambda: count(engine, "alerts") >= len({(one.alert_id, one.version) for one in log.alerts()}), "the alerts arrive")
    found = engine.select("SELECT rule, subject, state, reason FROM alerts_now WHERE NOT startsWith(subject, 'p1-')").rows
    assert {(rule, subject): (state, reason) for rule, subject, state, reason in found} == told
    balanced = engine.select("SELECT topic FROM mart_ledger WHERE NOT balanced").rows
    assert balanced == []
    assert not any(links in str(row) for row in engine.select("SELECT topic FROM mart_ledger").rows)
