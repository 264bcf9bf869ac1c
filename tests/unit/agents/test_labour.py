"""The loop of the links' log, without Kafka: what people's, employers' and quotas' loops hand on, and what becomes of it."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import pytest

from streams import labour, person
from streams.agents.employers import EmployersCore
from streams.agents.labour import LabourCore
from streams.agents.merge import tick_key
from streams.agents.people import PeopleCore
from streams.agents.quotas import QuotasCore
from streams.agents.timetable import TIME_KEY
from streams.decode import Decoder
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import (
    Alert,
    BatchMarker,
    BorderCrossing,
    DeadLetter,
    Finding,
    Inspection,
    LabourLink,
    QuotaAllocation,
    Tick,
    WorkPermit,
)
from streams.runtime.batch import Batch, Raw, RawRecord
from streams.runtime.checkpoint import Outcome, Output
from streams.runtime.store import MemoryStore, Store
from streams.wire import avro
from streams.wire.partition import partition_of
from tests.property.declarations import DAY_MS, declared

ON = 20_100
EMPLOYER = "e1-" + "a" * 32


@cache
def kz() -> Policy:
    return load("kz")


def somebody(number: int) -> str:
    return f"p1-{number:032x}"


def event(kind: type[Any], number: int, subject: str, on: int, *rest: Any) -> Any:
    at_ms = on * DAY_MS + 6 * 3_600_000
    return kind(number.to_bytes(16, "big"), subject, at_ms, at_ms, "register:test", number, *rest)


def entry(number: int, subject: str, on: int = ON) -> BorderCrossing:
    found: BorderCrossing = event(
        BorderCrossing, number, subject, on, "entry", "KZ-75-A1", "UZB", "work", "passport", "air", None, None
    )
    return found


def sighting(number: int, subject: str, on: int = ON + 5, employer: str = EMPLOYER) -> Inspection:
    found: Inspection = event(Inspection, number, subject, on, "worker_found", b"v" * 16, "KZ-75", employer, "F", b"a" * 16)
    return found


def permit(number: int, subject: str, first: int, last: int) -> WorkPermit:
    found: WorkPermit = event(
        WorkPermit, number, subject, first, "issued", b"p" * 16, "employer", "2", EMPLOYER, "KZ-75", "F", first, last
    )
    return found


def tick(on: int, hour: int = 7) -> Tick:
    at_ms = on * DAY_MS + hour * 3_600_000
    return Tick(at_ms.to_bytes(16, "big"), "wall", at_ms, at_ms, "test", 1, at_ms, ())


class Wired:
    """A people's partition, the employers', the quotas' and the links' loop; what one writes to the links the last one reads."""

    def __init__(self, partition: int = 0) -> None:
        decoder = Decoder(kz().codes)
        self.stores: list[Store] = [MemoryStore() for _ in range(3)]
        self.people = PeopleCore(partition, self.stores[0], decoder=decoder, person=person, policy=kz(), namespace="n")
        self.employers = EmployersCore(self.stores[1], decoder=decoder, policy=kz(), namespace="n")
        self.quotas = QuotasCore(decoder=decoder, namespace="n")
        self.labour = LabourCore(0, self.stores[2], policy=kz(), namespace="n")
        for core in (self.people, self.employers, self.quotas, self.labour):
            core.restore()
        self.links: list[Output] = []
        self.ms = 0
        self._offset = 0

    def send(self, core: Any, *records: Any) -> Outcome:
        raws = []
        for record in records:
            value, key = (record.value, record.key) if isinstance(record, Output) else (record, b"k")
            if not isinstance(record, bytes | Output):
                value, key = avro.encode(record), record.subject.encode()
                self.ms = max(self.ms, record.occurred_at if isinstance(record, Tick) else 0)
            raws.append(Raw(self._offset, (ON + 900) * DAY_MS, key, value))
            self._offset += 1
        batch = Batch("n.t", 0, raws[0].offset, raws[-1].offset + 1, cast("list[RawRecord]", raws))
        outcome: Outcome = core.process(batch, 7)
        store = {id(self.people): 0, id(self.employers): 1, id(self.labour): 2}.get(id(core))
        if store is not None:
            self.stores[store].apply(outcome.changes)
        self.links += [output for output in outcome.outputs if output.topic == "n.labour-links"]
        return outcome

    def hand_on(self) -> Outcome:
        """Hands on what was written, and the tick behind it, so that all of it is decided."""
        links, self.links = [*self.links, self.later()], []
        return self.send(self.labour, *links)

    def later(self) -> Output:
        """Returns the tick after the last one, as the partition hands it on."""
        self.ms += 1
        value = Tick(self.ms.to_bytes(16, "big"), "wall", self.ms, self.ms, "test", 1, self.ms, ())
        return Output("n.labour-links", tick_key(0), avro.encode(value))


def of(outcome: Outcome, kind: type[Any]) -> list[Any]:
    return [record for record in (avro.decode(output.value) for output in outcome.outputs) if isinstance(record, kind)]


def test_a_worker_found_becomes_a_link_and_the_link_an_alert_about_the_employer_with_the_first_cause() -> None:
    wired = Wired()
    outcome = wired.send(wired.people, entry(1, somebody(1)), sighting(2, somebody(1)))
    [link] = of(outcome, LabourLink)
    assert (link.kind, link.subject, link.employer, link.version, link.first_on) == ("breach", somebody(1), EMPLOYER, 1, ON + 5)
    outcome = wired.hand_on()
    [alert] = of(outcome, Alert)
    assert (alert.rule, alert.subject, alert.state) == ("employer_unlawful_workers", EMPLOYER, "raised")
    assert (alert.caused_by, alert.caused_at) == ((2).to_bytes(16, "big"), (ON + 900) * DAY_MS)
    assert alert.evidence == (link.link_id,)
    assert [output.key for output in outcome.outputs if output.topic == "n.alerts"] == [EMPLOYER.encode()]
    [line] = of(outcome, BatchMarker)
    assert (line.processed, line.dead_letters) == (2, 0)


def test_a_person_without_work_has_no_link_and_the_same_fact_again_makes_none() -> None:
    wired = Wired()
    assert of(wired.send(wired.people, entry(1, somebody(1))), LabourLink) == []
    wired.send(wired.people, sighting(2, somebody(1)))
    assert of(wired.send(wired.people, sighting(2, somebody(1))), LabourLink) == []


def test_a_permit_found_late_retracts_the_person_s_alert_and_the_employer_s() -> None:
    wired = Wired()
    wired.send(wired.people, entry(1, somebody(1)), sighting(2, somebody(1)))
    wired.hand_on()
    wired.send(wired.people, permit(3, somebody(1), ON, ON + 90))
    [alert] = of(wired.hand_on(), Alert)
    assert (alert.state, alert.reason, alert.version) == ("retracted", "title_found", 2)


def test_every_partition_hands_on_its_ticks_and_the_slowest_is_the_lane_s_clock() -> None:
    wired, other = Wired(), Wired(partition=1)
    lane = LabourCore(0, wired.stores[2], policy=kz(), namespace="n", partitions=2)
    lane.restore()
    wired.labour = lane
    ticks = [tick(ON), event(Tick, 9, "wall", ON, 0, ()), tick(ON, 8)]
    ahead = [one for one in wired.send(wired.people, *ticks).outputs if one.topic == "n.labour-links"]
    behind = [one for one in other.send(other.people, ticks[0]).outputs if one.topic == "n.labour-links"]
    assert ([one.key for one in ahead], [one.key for one in behind]) == ([tick_key(0)] * 2, [tick_key(1)])
    wired.send(wired.labour, *ahead)
    assert wired.stores[2].get(TIME_KEY) is None
    wired.send(wired.labour, *behind)
    assert avro.decode(wired.stores[2].get(TIME_KEY) or b"") == ticks[0]


def test_a_tick_that_names_no_partition_is_a_dead_letter_and_stops_nothing() -> None:
    wired = Wired()
    outcome = wired.send(wired.labour, tick(ON), wired.later())
    assert [letter.code for letter in of(outcome, DeadLetter)] == ["wrong_key"]
    assert wired.stores[2].get(TIME_KEY) is not None


def test_the_same_logs_give_the_same_versions_whichever_was_read_further() -> None:
    def run(first: int, restart: bool) -> list[Any]:
        wired = Wired()
        wired.send(wired.quotas, event(QuotaAllocation, 2, "q", 20_089, "labour", 2025, 1, "KZ-75", None, None, 1, 20_089))
        registers, wired.links = wired.links, []
        handed: list[list[Output]] = []
        for partition in range(2):
            people = Wired(partition=partition)
            who = next(one for one in map(somebody, range(50)) if partition_of(one.encode(), 2) == partition)
            for day in range(4):
                records = [permit(10 * partition + day, who, ON + day - partition, ON + 90)] if day == 2 - partition else []
                people.send(people.people, *records, tick(ON + day))
            handed.append(people.links)
        lane = wired.stores[2]
        wired.labour = LabourCore(0, lane, policy=kz(), namespace="n", partitions=2)
        told: list[Any] = []
        for number, one in enumerate([*registers, *handed[first], *handed[1 - first]]):
            if restart and number % 3 == 2:
                wired.labour = LabourCore(0, lane, policy=kz(), namespace="n", partitions=2)
                wired.labour.restore()
            told += [(each.alert_id, each.version, each.state) for each in of(wired.send(wired.labour, one), Alert)]
        return told

    assert run(0, False) == run(1, False) == run(1, True) != []


def test_declarations_are_handed_on_once_and_quotas_as_they_came() -> None:
    wired = Wired()
    declaration = declared(1, ON, subject=EMPLOYER)
    wired.send(wired.employers, declaration, declaration)
    assert [one.value for one in wired.links] == [avro.encode(declaration)]
    quota = event(QuotaAllocation, 2, "labour-2025", ON, "labour", 2025, 1, None, None, None, 3, ON)
    wired.send(wired.quotas, quota, b"no quota")
    assert [one.value for one in wired.links[1:]] == [avro.encode(quota)]


def test_the_day_on_which_a_permit_runs_out_ends_what_was_above_the_quota_even_after_a_restart() -> None:
    wired = Wired()
    wired.send(wired.employers, declared(1, ON, subject=EMPLOYER, citizens_12=3))
    people = [somebody(number) for number in range(2)]
    wired.send(wired.people, *[permit(10 + number, who, ON + 1, ON + 10) for number, who in enumerate(people)], tick(ON + 2))
    outcome = wired.hand_on()
    [alert] = of(outcome, Alert)
    assert (alert.rule, alert.state, alert.first_day_on) == ("employer_over_quota", "raised", ON + 1)
    again = LabourCore(0, wired.stores[2], policy=kz(), namespace="n")
    again.restore()
    wired.labour = again
    wired.send(wired.people, tick(ON + 11))
    outcome = wired.hand_on()
    [alert] = of(outcome, Alert)
    assert (alert.state, alert.reason, alert.last_day_on, alert.version) == ("resolved", "within_quota", ON + 11, 2)


def test_a_forecast_is_a_finding_and_gives_way_when_the_quota_is_used_up() -> None:
    wired = Wired()
    wired.send(wired.quotas, event(QuotaAllocation, 2, "q", 20_089, "labour", 2025, 1, "KZ-75", None, None, 2, 20_089))
    wired.send(wired.people, permit(3, somebody(1), ON, ON + 90), tick(ON))
    outcome = wired.hand_on()
    [finding] = of(outcome, Finding)
    assert (finding.rule, finding.subject, finding.family) == ("quota_forecast", "labour-2025-KZ-75", "reminder")
    assert (finding.first_day_on, finding.deadline_on) == (ON + 28, 20_453)
    wired.send(wired.people, permit(4, somebody(2), ON + 3, ON + 90), tick(ON + 3))
    outcome = wired.hand_on()
    [alert], [finding] = of(outcome, Alert), of(outcome, Finding)
    assert (alert.rule, alert.state, alert.stay_on, alert.oblast) == ("quota_exhausted", "raised", ON + 3, "KZ-75")
    assert (finding.state, finding.reason) == ("resolved", "quota_used_up")


def test_where_a_batch_ends_shows_nowhere() -> None:
    whole, parted = Wired(), Wired()
    for wired in (whole, parted):
        wired.send(wired.employers, declared(1, ON, subject=EMPLOYER, citizens_12=1))
        for number in range(6):
            who = somebody(number)
            records = [entry(100 + number, who), permit(200 + number, who, ON, ON + 3), sighting(300 + number, who)]
            wired.send(wired.people, *records)
        wired.send(wired.people, tick(ON + 20))
    links = [*whole.links, whole.later()]
    told = of(whole.send(whole.labour, *links), Alert)
    assert [alert for link in links for alert in of(parted.send(parted.labour, link), Alert)] == told
    assert sorted(whole.stores[2].items()) == sorted(parted.stores[2].items())
    assert {alert.rule for alert in told} == {"employer_unlawful_workers", "employer_over_quota", "trafficking_indicators"}


def test_a_foreign_message_is_a_dead_letter_and_a_rule_that_raises_concerns_its_record_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wired = Wired()
    wired.send(wired.people, entry(1, somebody(1)), sighting(2, somebody(1)), entry(3, somebody(2)), sighting(4, somebody(2)))
    bad = avro.decode(wired.links[0].value)
    take = labour.take

    def failing(lane: Any, record: Any, kept: bytes, caused_at: int) -> Any:
        if record == bad:
            raise ValueError(record.subject)
        return take(lane, record, kept, caused_at)

    monkeypatch.setattr(labour, "take", failing)
    outcome = wired.send(wired.labour, *wired.links, avro.encode(entry(9, somebody(3))), b"junk", wired.later())
    letters = of(outcome, DeadLetter)
    assert [letter.code for letter in letters] == ["wrong_topic", "unknown_framing", "rule_failed"]
    [line] = of(outcome, BatchMarker)
    assert (line.processed, line.dead_letters) == (3, 2), "what waits is accounted for when it comes"
    assert not any(somebody(1) in letter.reason for letter in letters)
    [alert] = of(outcome, Alert)
    assert alert.subject == EMPLOYER
