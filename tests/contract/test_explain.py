"""`shekara explain` of an alert that was raised, and taken back by an exit reported late: all a reader needs to check it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from uuid import UUID

import pytest

from streams.person import START, Cause, revisit, take
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import Alert, PersonEvent, Tick
from streams.report.explain import explain
from streams.warehouse.embedded import Embedded
from tests.contract.warehouse import deliver, deliveries
from tests.unit.detect.facts import at, entry, leave, notice, number

pytestmark = pytest.mark.integration

WHO = f"p1-{'a' * 32}"
RAISED_AT = "2024-03-10"


@cache
def kz() -> Policy:
    return load("kz")


def placed(fact: PersonEvent, seq: int) -> PersonEvent:
    return replace(fact, subject=WHO, source="post:KZ-75-A1", source_seq=seq)


def log() -> list[PersonEvent | Tick]:
    """Entered on 1 February 2024; the exit of the 20th was reported on 12 March, two days after the alert."""
    tick = Tick(number(77), "wall", at(RAISED_AT), at(RAISED_AT), "shekara:coverage", 1, at(RAISED_AT), ())
    late = replace(placed(leave(4, "2024-02-20"), 3), recorded_at=at("2024-03-12"))
    return [placed(entry(1, "2024-02-01"), 1), placed(notice(2, "2024-02-02"), 2), tick, late]


def alerts_of(records: list[PersonEvent | Tick]) -> list[Alert]:
    state: bytes | None = None
    told: list[Alert] = []
    time = START
    for record in records:
        if isinstance(record, Tick):
            time = time.after(record)
            assert state is not None
            step = revisit(state, WHO, time, Cause(record.event_id, record.occurred_at), kz())
        else:
            step = take(state, record, time, Cause(record.event_id, record.recorded_at), kz())
        state = step.state or state
        told += step.alerts
    return [one for one in told if one.rule == "overstay_visa_exempt"]


def test_it_says_what_happened_by_which_rule_and_what_was_known_when(engine: Embedded) -> None:
    alerts = alerts_of(log())
    deliver(engine, deliveries(log(), topic="shekara.people", partition=3, first=100))
    deliver(engine, deliveries(alerts, topic="shekara.alerts", partition=3))
    found = explain(UUID(bytes=alerts[0].alert_id), lambda query: engine.select(query).rows, kz())

    told = [(one["version"], one["state"], one["reason"], one["grade"], one["known_events"]) for one in found["versions"]]
    assert told == [(1, "raised", "raised", "presumed", 2), (2, "retracted", "exit_seen", "presumed", 3)]
    assert (found["policy_version"], found["same_policy"]) == (kz().version, True)
    assert found["article"] == kz().at(alerts[0].first_day_on).by_rule["overstay_visa_exempt"].article

    events = [(one["topic"], one["partition"], one["offset"], one["known_when_first_told"]) for one in found["events"]]
    assert events == [("shekara.people", 3, 100, True), ("shekara.people", 3, 101, True), ("shekara.people", 3, 103, False)]
    assert [one["says"].get("direction", one["type"]) for one in found["events"]] == ["entry", "stay_registration", "exit"]

    then = [(one["from"], one["to"], one["standing"]) for one in found["ledger_as_first_told"]]
    assert then == [("2024-02-01", "2024-03-01", "lawful"), ("2024-03-02", RAISED_AT, "no_title_known")]
    assert [(one["from"], one["to"], one["standing"]) for one in found["ledger_now"]] == [("2024-02-01", "2024-02-20", "lawful")]


def test_what_was_taken_back_still_says_what_it_rested_on(engine: Embedded) -> None:
    alerts = alerts_of(log())
    assert alerts[-1].evidence == ()
    deliver(engine, deliveries(log(), topic="shekara.people", partition=3, first=100))
    deliver(engine, deliveries(alerts, topic="shekara.alerts", partition=3))
    found = explain(UUID(bytes=alerts[0].alert_id), lambda query: engine.select(query).rows, kz())
    assert [one["offset"] for one in found["events"] if one["is_evidence"]] == [100]
