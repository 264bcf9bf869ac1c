"""What a simulated country sends is the same everywhere, in order, decodable, and counted."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest

from streams.clock import now_ms
from streams.decode import Decoder, Rejected
from streams.errors import UsageError
from streams.policy.model import Policy
from streams.records import BorderCrossing, Correction, PersonEvent, PostHeartbeat, PostOutage, Record, Tick
from streams.simulate import Corrupt, Message, Rates, Simulation
from streams.wire.avro import encode
from streams.wire.topics import topic_of
from tests.unit.simulate.conftest import Told

_DIGEST = """
import hashlib
from streams.simulate import Corrupt, Simulation
from streams.wire.avro import encode
digest = hashlib.sha256()
for message in Simulation(120, 6, 11).events():
    digest.update(message.value if isinstance(message, Corrupt) else encode(message))
print(digest.hexdigest())
"""


def digest(messages: Iterable[Message]) -> str:
    found = hashlib.sha256()
    for message in messages:
        found.update(message.value if isinstance(message, Corrupt) else encode(message))
    return found.hexdigest()


def records(told: Told) -> list[Record]:
    return [arrival.message for arrival in told.arrivals if not isinstance(arrival.message, Corrupt)]


def test_the_same_seed_gives_the_same_bytes_whatever_the_process_hashes_or_where_it_runs() -> None:
    here = digest(Simulation(120, 6, 11).events())
    for hash_seed, zone in (("1", "Asia/Almaty"), ("4242", "America/New_York")):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "TZ": zone}
        there = subprocess.run([sys.executable, "-c", _DIGEST], env=environment, capture_output=True, text=True, check=True)
        assert there.stdout.strip() == here


def test_one_simulation_can_be_told_twice(policy: Policy) -> None:
    simulation = Simulation(120, 6, 11, policy=policy)
    simulation.plan()
    assert digest(simulation.events()) == digest(simulation.events())


def test_another_seed_gives_another_country(policy: Policy) -> None:
    first = {m.event_id for m in Simulation(50, 3, 1, policy=policy).events() if isinstance(m, PersonEvent)}
    second = {m.event_id for m in Simulation(50, 3, 2, policy=policy).events() if isinstance(m, PersonEvent)}
    assert first
    assert not first & second


def test_messages_arrive_in_order_and_the_last_one_is_the_tick_of_the_end(told: Told) -> None:
    instants = [arrival.at_ms for arrival in told.arrivals]
    assert instants == sorted(instants)
    last = told.arrivals[-1].message
    assert isinstance(last, Tick)
    assert last.occurred_at == told.simulation.world.end_ms
    assert told.arrivals[0].at_ms >= told.simulation.world.start_ms


def test_every_good_event_decodes_and_every_corrupt_one_is_refused_for_the_stated_reason(told: Told, policy: Policy) -> None:
    decoder = Decoder(policy.codes)
    refused: Counter[str] = Counter()
    for arrival in told.arrivals:
        message = arrival.message
        if isinstance(message, Corrupt):
            outcome = decoder.decode(message.value, received_at=now_ms(), topic=message.topic)
            assert isinstance(outcome, Rejected)
            assert outcome.code == message.code
            refused[outcome.code] += 1
        else:
            assert decoder.decode(encode(message), received_at=now_ms(), topic=topic_of(type(message))) == message
    assert refused
    assert dict(refused) == told.simulation.totals.dead_letters


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_all_kinds_of_corruption_are_told_right(policy: Policy, seed: int) -> None:
    decoder = Decoder(policy.codes)
    codes: Counter[str] = Counter()
    for message in Simulation(150, 10, seed, rates=Rates(corrupt=0.9, stock=0.5), policy=policy).events():
        if isinstance(message, Corrupt):
            outcome = decoder.decode(message.value, received_at=now_ms(), topic=message.topic)
            assert isinstance(outcome, Rejected)
            assert outcome.code == message.code
            codes[message.code] += 1
    assert len(codes) == 9


def test_the_totals_count_what_was_sent(told: Told) -> None:
    totals = told.simulation.totals
    assert totals.messages == len(told.arrivals)
    assert totals.by_kind == dict(Counter(record.NAME for record in records(told)))
    assert told.truth[-1] == totals.line()


def test_a_repeat_is_the_same_bytes(told: Told) -> None:
    seen: dict[bytes, Record] = {}
    repeats = 0
    for record in records(told):
        if record.event_id in seen:
            assert record == seen[record.event_id]
            repeats += 1
        seen[record.event_id] = record
    assert repeats == told.simulation.totals.duplicates > 0


def test_sources_number_their_events_without_gaps(told: Told) -> None:
    numbers: dict[str, list[int]] = defaultdict(list)
    seen: set[bytes] = set()
    for record in records(told):
        if record.event_id not in seen and not isinstance(record, Tick):
            numbers[record.source].append(record.source_seq)
        seen.add(record.event_id)
    assert len(numbers) > 20
    for found in numbers.values():
        assert found == list(range(1, len(found) + 1))


def test_a_correction_withdraws_an_earlier_event_of_the_person_and_names_the_right_one(told: Told) -> None:
    everything = records(told)
    by_id = {record.event_id: record for record in everything}
    corrections = [record for record in everything if isinstance(record, Correction)]
    assert len(corrections) == told.simulation.totals.corrections > 0
    for correction in corrections:
        wrong, right = by_id[correction.supersedes], by_id[correction.replacement or b""]
        assert wrong.subject == right.subject == correction.subject
        assert type(wrong) is type(right)
        assert (wrong.recorded_at, wrong.event_id) < (correction.recorded_at, correction.event_id)
        assert (right.recorded_at, right.event_id) > (correction.recorded_at, correction.event_id)


def test_heartbeats_count_every_crossing_of_their_post_once(told: Told) -> None:
    crossings: Counter[str] = Counter()
    vouched: Counter[str] = Counter()
    reached: dict[str, int] = {}
    seen: set[bytes] = set()
    for record in records(told):
        if isinstance(record, BorderCrossing) and record.event_id not in seen:
            crossings[record.source] += 1
        seen.add(record.event_id)
        if isinstance(record, PostHeartbeat):
            source = f"post:{record.subject}"
            vouched[source] += record.sent_count
            assert vouched[source] == crossings[source]
            if record.sent_count:
                assert record.first_seq == reached.get(source, 0) + 1
                reached[source] = record.last_seq
            assert record.complete_through_at <= record.occurred_at
    assert sum(vouched.values()) > 0


def test_during_an_outage_a_post_is_silent_and_its_crossings_come_before_the_backfill_is_reported(policy: Policy) -> None:
    simulation = Simulation(1_500, 40, 7, rates=replace(Rates().without_faults(), outage=1.0), policy=policy)
    arrivals = list(simulation.arrivals())
    reports = [a.message for a in arrivals if isinstance(a.message, PostOutage)]
    backfilled = {r.subject: r for r in reports if r.kind == "backfilled"}
    assert backfilled
    held = 0
    for arrival in arrivals:
        message = arrival.message
        if isinstance(message, PostHeartbeat) and message.subject in backfilled:
            report = backfilled[message.subject]
            assert not report.from_at <= message.occurred_at < (report.until_at or 0)
        if isinstance(message, BorderCrossing) and message.post in backfilled:
            report = backfilled[message.post]
            if report.from_at <= message.occurred_at < (report.until_at or 0):
                assert (report.until_at or 0) <= arrival.at_ms <= report.occurred_at
                held += 1
    assert held


def test_ticks_never_go_back_and_coverage_stays_behind_the_clock(told: Told) -> None:
    ticks = [record for record in records(told) if isinstance(record, Tick)]
    assert [tick.occurred_at for tick in ticks] == sorted({tick.occurred_at for tick in ticks})
    assert all(tick.complete_through_at <= tick.occurred_at for tick in ticks)
    assert ticks[-1].complete_through_at > told.simulation.world.end_ms - 86_400_000
    assert any(tick.gaps for tick in ticks)


def test_faults_come_at_their_rates(policy: Policy) -> None:
    rates = Rates(late=0.05, out_of_order=0.10, duplicate=0.04, corrected=0.0, corrupt=0.03, outage=0.0)
    simulation = Simulation(1_500, 30, 3, rates=rates, policy=policy)
    list(simulation.events())
    totals = simulation.totals
    people = totals.by_topic["people"] - totals.by_kind["tick"] - totals.duplicates - sum(totals.dead_letters.values())
    assert totals.late / people == pytest.approx(0.05, rel=0.2)
    assert totals.out_of_order / people == pytest.approx(0.10, rel=0.2)
    assert totals.duplicates / people == pytest.approx(0.04, rel=0.25)
    assert sum(totals.dead_letters.values()) / people == pytest.approx(0.03, rel=0.25)


def test_faults_do_not_change_what_happened(policy: Policy) -> None:
    truths = []
    for rates in (Rates(late=0.3, duplicate=0.3, out_of_order=0.2, corrupt=0.1), Rates().without_faults()):
        lines: list[dict[str, object]] = []
        list(Simulation(200, 20, 5, rates=rates, policy=policy).events(lines.append))
        truths.append(lines[:-1])
    assert truths[0] == truths[1]


def test_without_faults_nothing_is_spoilt_or_repeated(policy: Policy) -> None:
    simulation = Simulation(200, 20, 5, rates=Rates().without_faults(), policy=policy)
    everything = list(simulation.events())
    assert not any(isinstance(message, Corrupt | Correction | PostOutage) for message in everything)
    ids = [message.event_id for message in everything if not isinstance(message, Corrupt)]
    assert len(ids) == len(set(ids))


def test_the_plan_comes_close(told: Told) -> None:
    plan = told.simulation.plan()
    assert plan.events == pytest.approx(len(told.arrivals), rel=0.1)
    assert plan.ticks == told.simulation.totals.by_kind["tick"]


def test_memory_grows_with_the_people_inside_and_not_with_the_days(policy: Policy) -> None:
    peaks = []
    for days in (60, 240):
        # The same 8 people a day; nobody inside before, no employers' declarations to blur the picture.
        simulation = Simulation(8 * days, days, 5, rates=Rates(stock=0.0), policy=policy)
        peak = 0
        for number, _ in enumerate(simulation.arrivals()):
            if number % 50 == 0 and simulation.run is not None:
                peak = max(peak, simulation.run.waiting)
        peaks.append(peak)
    assert peaks[1] < peaks[0] * 2.5


def test_time_of_the_start_is_the_users(policy: Policy) -> None:
    simulation = Simulation(100, 5, 1, start=date(2024, 2, 27), policy=policy)
    assert simulation.world.start_ms == 1_708_992_000_000
    assert any(isinstance(message, BorderCrossing) for message in simulation.events())


@pytest.mark.parametrize(("people", "days"), [(-1, 3), (10, 0)])
def test_impossible_numbers_are_refused(people: int, days: int) -> None:
    with pytest.raises(UsageError):
        Simulation(people, days, 1)


def test_an_unknown_rate_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="outage"):
        Rates().changed(["nonsense=1"])
    with pytest.raises(UsageError, match="from 0 to 1"):
        Rates().changed(["late=2"])
    with pytest.raises(UsageError, match="divides 24"):
        Rates().changed(["tick_hours=7"])
    assert Rates().changed(["late=0.25", "tick_hours=1"]) == Rates(late=0.25, tick_hours=1)
