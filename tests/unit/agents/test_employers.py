"""The loop of the employers' log, without Kafka: what becomes of every record, whatever the batches."""

from __future__ import annotations

from functools import cache
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.agents import employers
from streams.agents.employers import EmployersCore
from streams.decode import Decoder
from streams.employer import take
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import Alert, BatchMarker, DeadLetter, EmployerDecision, EmployerDeclaration
from streams.runtime.batch import Batch, Raw, RawRecord
from streams.runtime.checkpoint import Outcome
from streams.runtime.store import MemoryStore, Store
from streams.wire import avro
from tests.property.declarations import DAY_MS, EMPLOYER, declarations, declared

ON = 19_000


@cache
def kz() -> Policy:
    return load("kz")


def core_on(store: Store) -> EmployersCore:
    core = EmployersCore(store, decoder=Decoder(kz().codes), policy=kz(), namespace="n")
    core.restore()
    return core


def raw(offset: int, record: EmployerDeclaration | None) -> Raw:
    value = None if record is None else avro.encode(record)
    return Raw(offset, (ON + 2000) * DAY_MS, EMPLOYER.encode(), value)


def run(core: EmployersCore, store: Store, records: list[Raw]) -> Outcome:
    first, following = records[0].offset, records[-1].offset + 1
    outcome = core.process(Batch("n.employers", 0, first, following, cast("list[RawRecord]", records)), 7)
    store.apply(outcome.changes)
    return outcome


def of(outcome: Outcome, kind: type) -> list[object]:
    return [record for record in (avro.decode(output.value) for output in outcome.outputs) if isinstance(record, kind)]


def test_a_declaration_becomes_an_alert_keyed_by_the_employer_and_a_bad_message_a_dead_letter() -> None:
    store = MemoryStore()
    outcome = run(core_on(store), store, [raw(0, None), raw(1, declared(1, ON, foreigners_12=31))])
    [alert] = of(outcome, Alert)
    assert isinstance(alert, Alert)
    assert (alert.rule, alert.subject, alert.caused_at) == ("employer_citizen_share", EMPLOYER, (ON + 2000) * DAY_MS)
    assert [(output.topic, output.key) for output in outcome.outputs if output.topic == "n.alerts"] == [
        ("n.alerts", EMPLOYER.encode())
    ]
    assert len(of(outcome, DeadLetter)) == 1
    assert of(outcome, BatchMarker) == [BatchMarker("n.employers", 0, 0, 1, 1, 1, 0, 7)]
    assert list(outcome.changes) == [EMPLOYER.encode()]


def test_an_officers_decision_is_carried_counted_and_decides_nothing_here() -> None:
    """What officers decide is read from the log by others; no machine acts on it."""
    store = MemoryStore()
    first = run(core_on(store), store, [raw(0, declared(1, ON, foreigners_12=31))])
    [alert] = of(first, Alert)
    assert isinstance(alert, Alert)
    at = alert.decided_at + 1
    decided = EmployerDecision(
        (7).to_bytes(16, "big"), EMPLOYER, at, at, "console:1", 1, alert.alert_id, 1, "put_in_order", "o1-a", "permits came"
    )
    before = list(store.items())
    outcome = run(core_on(store), store, [Raw(1, (ON + 2000) * DAY_MS, EMPLOYER.encode(), avro.encode(decided))])
    assert of(outcome, BatchMarker) == [BatchMarker("n.employers", 0, 1, 1, 1, 0, 0, 7)]
    assert [one for one in outcome.outputs if not isinstance(avro.decode(one.value), BatchMarker)] == []
    assert list(store.items()) == before


@settings(deadline=None)
@given(declarations(), st.integers(1, 8))
def test_where_a_batch_ends_shows_nowhere_not_even_after_a_restart(facts: list[EmployerDeclaration], at: int) -> None:
    records = [raw(offset, fact) for offset, fact in enumerate(facts)]
    whole, parted = MemoryStore(), MemoryStore()
    alerts = of(run(core_on(whole), whole, records), Alert)
    pieces = [piece for piece in (records[:at], records[at:]) if piece]
    assert [alert for piece in pieces for alert in of(run(core_on(parted), parted, piece), Alert)] == alerts
    assert list(parted.items()) == list(whole.items())


def test_a_rule_that_raises_concerns_its_event_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(state: bytes | None, record: EmployerDeclaration, caused_at: int, policy: Policy) -> object:
        if record.source_seq == 1:
            raise ValueError(record.subject)
        return take(state, record, caused_at, policy)

    monkeypatch.setattr(employers, "take", failing)
    store = MemoryStore()
    outcome = run(core_on(store), store, [raw(0, declared(1, ON)), raw(1, declared(2, ON, foreigners_12=31))])
    [letter] = of(outcome, DeadLetter)
    assert isinstance(letter, DeadLetter)
    assert (letter.code, letter.offset) == ("rule_failed", 0)
    assert EMPLOYER not in letter.reason
    assert len(of(outcome, Alert)) == 1
