"""The loop of the person log, without Kafka: what becomes of every record, whatever the batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.agents.people import PeopleCore, PersonSteps
from streams.agents.timetable import TIME_KEY
from streams.decode import Rejected
from streams.detect.logtime import LogTime
from streams.person.step import NEVER, Cause, Step
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import Alert, BatchMarker, DeadLetter, Gap, PersonEvent, Record, Tick
from streams.runtime.batch import Batch, Raw, RawRecord
from streams.runtime.checkpoint import Outcome
from streams.runtime.store import MARKER_KEY, MemoryStore, Store, StoreDamagedError, pack_marker
from streams.wire import avro
from streams.wire.partition import partition_of
from streams.wire.topics import MAX_DEAD_LETTER_BYTES, MAX_STATE_BYTES, Topic
from tests.integration.counting import Counting
from tests.integration.rig import BASE_MS, crossing, person

POLICY = load("kz")


class Decoder:
    """Decodes without a policy's registers."""

    def decode(
        self, value: bytes | None, *, received_at: int, topic: Topic, headers: Sequence[tuple[str, bytes]] = ()
    ) -> Record | Rejected:
        if not value:
            return Rejected("empty", "nothing came", "", "")
        return cast("Record", avro.decode(value))


def core_on(store: Store, person: PersonSteps | None = None, partitions: int = 1) -> PeopleCore:
    steps = person or Counting()
    core = PeopleCore(0, store, decoder=Decoder(), person=steps, policy=POLICY, namespace="n", partitions=partitions)
    core.restore()
    return core


def raw(offset: int, record: Record | None, key: bytes | None = None) -> Raw:
    if record is None:
        return Raw(offset, BASE_MS, key, None)
    return Raw(offset, BASE_MS, key if key is not None else record.subject.encode(), avro.encode(record))


def tick(number: int, at_ms: int, gaps: tuple[Gap, ...] = ()) -> Tick:
    return Tick((9_000_000 + number).to_bytes(16, "big"), "wall", at_ms, at_ms, "test", 1, at_ms, gaps)


def run(core: PeopleCore, store: Store, records: list[Raw], first: int = 0) -> Outcome:
    following = records[-1].offset + 1 if records else first
    outcome = core.process(Batch("n.people", 0, first, following, cast("list[RawRecord]", records)), 7)
    store.apply(outcome.changes)
    return outcome


def of(outcome: Outcome, kind: type) -> list[object]:
    return [record for record in (avro.decode(output.value) for output in outcome.outputs) if isinstance(record, kind)]


class Damaged(MemoryStore):
    """A store whose disk does not give back what was written."""

    def get(self, key: bytes) -> bytes | None:
        raise StoreDamagedError("a block does not match its checksum")


def test_a_store_that_cannot_be_read_is_no_fault_of_the_event() -> None:
    store = Damaged()
    with pytest.raises(StoreDamagedError):
        run(core_on(store), store, [raw(0, crossing(1, person(1)))])


class Starved(Counting):
    """Rules on a machine that has no memory left."""

    def take(self, state: bytes | None, record: PersonEvent, time: LogTime, cause: Cause, policy: Policy) -> Step:
        raise MemoryError

    def revisit(self, state: bytes, subject: str, time: LogTime, cause: Cause, policy: Policy) -> Step:
        raise MemoryError


def test_a_machine_without_memory_is_no_fault_of_the_event() -> None:
    store = MemoryStore()
    run(core_on(store), store, [raw(0, crossing(1, person(1), "timer"))])
    with pytest.raises(MemoryError):
        run(core_on(store, Starved()), store, [raw(1, crossing(2, person(1)))], 1)
    with pytest.raises(MemoryError):
        run(core_on(store, Starved()), store, [raw(1, tick(1, BASE_MS + 5), b"tick")], 1)


def test_a_rule_that_raises_concerns_its_event_alone() -> None:
    store = MemoryStore()
    core = core_on(store)
    good, bad = crossing(1, person(1)), crossing(2, person(1), source="poison")
    outcome = run(core, store, [raw(0, good), raw(1, bad), raw(2, crossing(3, person(1)))])
    [letter] = of(outcome, DeadLetter)
    assert isinstance(letter, DeadLetter)
    assert (letter.code, letter.offset, letter.value, letter.source) == ("rule_failed", 1, avro.encode(bad), "poison")
    assert person(1) not in letter.reason
    assert [cast("Alert", alert).version for alert in of(outcome, Alert)] == [1, 2]
    [line] = of(outcome, BatchMarker)
    assert line == BatchMarker("n.people", 0, 0, 2, 2, 1, 0, 7)


def test_a_key_that_is_not_the_subject_is_refused() -> None:
    store = MemoryStore()
    outcome = run(core_on(store), store, [raw(0, crossing(1, person(1)), key=person(2).encode()), raw(1, None)])
    assert [cast("DeadLetter", letter).code for letter in of(outcome, DeadLetter)] == ["wrong_key", "empty"]
    assert outcome.changes == {}


def test_a_person_in_another_partition_than_the_key_says_is_refused_and_ticks_are_not() -> None:
    store = MemoryStore()
    core = core_on(store, partitions=4)
    people = [person(number) for number in range(40)]
    records = [raw(offset, crossing(offset, who)) for offset, who in enumerate(people)]
    outcome = run(core, store, [*records, raw(40, tick(1, BASE_MS))])
    elsewhere = [offset for offset, who in enumerate(people) if partition_of(who.encode(), 4) != 0]
    letters = [cast("DeadLetter", letter) for letter in of(outcome, DeadLetter)]
    assert 0 < len(elsewhere) < 40
    assert [letter.offset for letter in letters] == elsewhere
    assert {letter.code for letter in letters} == {"wrong_partition"}
    assert all("murmur2_random" in letter.reason for letter in letters)
    assert set(outcome.changes) - {TIME_KEY} == {who.encode() for n, who in enumerate(people) if n not in elsewhere}


class Hoarding(Counting):
    """Keeps more of everyone than the changelog takes, once they have come twice."""

    def take(self, state: bytes | None, record: PersonEvent, time: LogTime, cause: Cause, policy: Policy) -> Step:
        """Grows."""
        return Step(b"\x01" * (MAX_STATE_BYTES if state else 4), (), (), (), NEVER)


def test_a_person_whose_facts_outgrow_a_message_is_refused_and_stays_as_before() -> None:
    store = MemoryStore()
    core = core_on(store, Hoarding())
    outcome = run(core, store, [raw(0, crossing(0, person(1))), raw(1, crossing(1, person(1))), raw(2, crossing(2, person(2)))])
    [letter] = of(outcome, DeadLetter)
    assert isinstance(letter, DeadLetter)
    assert (letter.code, letter.offset) == ("too_many_facts", 1)
    assert person(1) not in letter.reason
    assert outcome.changes == {person(1).encode(): b"\x01" * 4, person(2).encode(): b"\x01" * 4}


def test_a_dead_letter_is_never_longer_than_its_topic_takes() -> None:
    store = MemoryStore()
    core = core_on(store)
    long_key = Raw(0, BASE_MS, b"k" * 2 * MAX_DEAD_LETTER_BYTES, None)
    outcome = run(core, store, [long_key])
    [letter] = of(outcome, DeadLetter)
    assert isinstance(letter, DeadLetter)
    assert letter.key is not None
    assert long_key.key is not None
    assert long_key.key.startswith(letter.key)
    assert "the whole lies at its offset" in letter.reason
    assert len(outcome.outputs[0].value) < MAX_DEAD_LETTER_BYTES


def test_due_people_are_revisited_by_instant_and_subject_and_only_once() -> None:
    store = MemoryStore()
    core = core_on(store)
    plans = [(3, 5), (1, 5), (2, 4), (4, 9)]
    arrivals = [raw(n, crossing(n, person(p), source="timer", at_ms=BASE_MS + at)) for n, (p, at) in enumerate(plans)]
    run(core, store, arrivals)
    outcome = run(core, store, [raw(4, tick(1, BASE_MS + 5)), raw(5, tick(2, BASE_MS + 5)), raw(6, tick(3, BASE_MS))], first=4)
    assert [cast("Alert", alert).subject for alert in of(outcome, Alert)] == [person(2), person(1), person(3)]
    assert core.timetable.time == LogTime(BASE_MS + 5, BASE_MS + 5, ())
    assert outcome.processed == 3


def test_a_rule_that_raises_on_a_deadline_is_asked_again_at_the_next_tick() -> None:
    store = MemoryStore()
    core = core_on(store)
    run(core, store, [raw(0, crossing(0, person(1), source="timer"))])
    store.apply({person(1).encode(): b""})  # a state no rule can read
    outcome = run(core, store, [raw(1, tick(1, BASE_MS))], first=1)
    assert (outcome.processed, outcome.dead_letters, len(core.timetable.deadlines)) == (1, 0, 1)
    store.apply({person(1).encode(): b"\x00\x00\x00\x01"})
    outcome = run(core, store, [raw(2, tick(2, BASE_MS + 10))], first=2)
    assert [cast("Alert", alert).version for alert in of(outcome, Alert)] == [2]


record_plans = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.integers(0, 4), st.integers(0, 20)),
        st.tuples(st.just("timer"), st.integers(0, 4), st.integers(0, 20)),
        st.tuples(st.just("poison"), st.integers(0, 4), st.integers(0, 20)),
        st.tuples(st.just("tick"), st.just(0), st.integers(0, 20)),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(record_plans, st.lists(st.tuples(st.integers(1, 8), st.booleans()), min_size=1, max_size=30))
def test_where_batches_end_and_where_the_worker_restarted_shows_in_nothing_but_the_ledger(
    plan: list[tuple[str, int, int]], cuts: list[tuple[int, bool]]
) -> None:
    records: list[Raw] = []
    for offset, (kind, who, at) in enumerate(plan):
        made = tick(offset, BASE_MS + at) if kind == "tick" else crossing(offset, person(who), kind, BASE_MS + at)
        records.append(raw(offset, made))

    whole_store = MemoryStore()
    whole = run(core_on(whole_store), whole_store, records)

    store = MemoryStore()
    core = core_on(store)
    outputs, at, turn = [], 0, 0
    while at < len(records):
        size, restart = cuts[turn % len(cuts)]
        turn += 1
        outcome = run(core, store, records[at : at + size], first=at)
        outputs += outcome.outputs
        at += size
        if restart:
            core = core_on(store)
    ledger = "n.ledger"
    assert [o for o in outputs if o.topic != ledger] == [o for o in whole.outputs if o.topic != ledger]
    assert dict(store.items()) == dict(whole_store.items())
    assert core.timetable.time == core_on(whole_store).timetable.time
    lines = [cast("BatchMarker", avro.decode(o.value)) for o in outputs if o.topic == ledger]
    assert sum(line.processed + line.dead_letters for line in lines) == len(records)


def test_the_clock_and_the_marker_have_keys_no_pseudonym_can_have() -> None:
    assert TIME_KEY != MARKER_KEY
    assert all(key.startswith(b"\x00") for key in (TIME_KEY, MARKER_KEY))
    assert pack_marker(0) != b""
