"""Every state an alert can be in is reached by a life, with its next version and the reason; the id never changes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import get_args

from streams.detect.assess import conclusion_id
from streams.person import START, Cause, LogTime, Step, due_of, revisit, take
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import Alert, Finding, PersonEvent
from streams.records.outputs import AlertState
from tests.unit.detect.facts import SUBJECT, at, contract, day, decision, entry, inspection, leave, number, protection, residence

OVERSTAY, REMINDER = "overstay_visa_exempt", "expiry_reminder"


@cache
def kz() -> Policy:
    return load("kz")


class Person:
    """A person fed with facts and days, who remembers what was told of one rule."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        self.state: bytes | None = None
        self.time = START
        self.told: list[Alert | Finding] = []

    def learn(self, fact: PersonEvent) -> None:
        self._keep(take(self.state, fact, self.time, Cause(fact.event_id, fact.occurred_at), kz()))

    def wait_until(self, when: str) -> None:
        self.time = LogTime(at(when), at(when), ())
        assert self.state is not None
        self._keep(revisit(self.state, SUBJECT, self.time, Cause(number(99), at(when)), kz()))

    def _keep(self, step: Step) -> None:
        self.state = step.state or self.state
        self.told += [one for one in step.alerts if one.rule == self.rule]
        self.told += [one for one in step.findings if one.rule == self.rule]

    @property
    def history(self) -> list[tuple[int, str, str]]:
        assert len({one.alert_id for one in self.told}) == 1
        return [(one.version, one.state, one.reason) for one in self.told]


def overstayed() -> Person:
    """Entered on 1 February 2024; no exit was seen, and the thirty days are over."""
    person = Person(OVERSTAY)
    person.learn(entry(1, "2024-02-01"))
    person.wait_until("2024-03-10")
    assert person.history == [(1, "raised", "raised")]
    return person


ALERT = conclusion_id(OVERSTAY, SUBJECT, day("2024-02-01"), day("2024-03-01"))


def test_amended_by_a_check_that_found_the_person_inside() -> None:
    person = overstayed()
    person.learn(inspection(2, "2024-03-12"))
    assert person.history[1:] == [(2, "amended", "evidence")]
    assert [one.grade for one in person.told] == ["presumed", "established"]


def test_acknowledged_by_an_officer() -> None:
    person = overstayed()
    person.learn(decision(3, "2024-03-13", b"c" * 16, "acknowledged", alert=ALERT))
    assert person.history[1:] == [(2, "acknowledged", "acknowledged")]


def test_resolved_by_an_exit_after_the_term() -> None:
    person = overstayed()
    person.learn(leave(4, "2024-03-20"))
    assert person.history[1:] == [(2, "resolved", "exit_seen")]


def test_retracted_by_an_exit_within_the_term_that_was_reported_late() -> None:
    person = overstayed()
    person.learn(leave(4, "2024-02-20"))
    assert person.history[1:] == [(2, "retracted", "exit_seen")]


def test_expired_when_nobody_has_seen_the_person_for_five_years() -> None:
    person = overstayed()
    person.wait_until("2029-03-02")
    assert person.history[1:] == []
    person.wait_until("2029-03-03")
    assert person.history[1:] == [(2, "expired", "retention")]


def test_a_reminder_expires_with_its_day() -> None:
    person = Person(REMINDER)
    person.learn(entry(1, "2024-02-01"))
    person.wait_until("2024-03-01")
    person.wait_until("2024-03-02")
    assert [(state, reason) for _, state, reason in person.history][-1] == ("expired", "term_over")


def test_a_change_of_law_takes_effect_on_its_day_without_a_new_fact_or_a_restart() -> None:
    """Until 26 January 2023 each entry of a citizen of the Union began anew; from the 27th on the last 180 days count."""
    person = Person(OVERSTAY)
    person.learn(entry(1, "2022-09-01", who="RUS"))
    person.learn(leave(2, "2022-11-29"))
    person.learn(entry(3, "2022-12-20", who="RUS"))
    person.wait_until("2023-01-26")
    assert person.told == []
    assert person.state is not None
    assert due_of(person.state).at_ms == at("2023-01-26T18:00"), "midnight in Almaty, which was at UTC+6: somebody has to look"
    person.wait_until("2023-01-27")
    assert [(one.state, one.first_day_on, one.policy_version) for one in person.told] == [
        ("raised", day("2023-01-27"), kz().version)
    ]


def test_work_that_is_to_begin_later_joins_the_finding_on_its_first_day() -> None:
    person = Person("work_without_permit")
    person.learn(entry(1, "2024-02-01", who="IRQ"))
    person.learn(contract(2, "2024-02-02"))
    person.learn(replace(contract(3, "2024-02-20", employer="e2"), occurred_at=at("2024-02-03")))
    person.wait_until("2024-02-10")
    assert [one.evidence for one in person.told][-1] == (number(1), number(2))
    assert person.state is not None
    assert (due_of(person.state).at_ms or 0) <= at("2024-02-19T18:00"), "midnight in Almaty, which was at UTC+6"
    person.wait_until("2024-02-20")
    assert [one.evidence for one in person.told][-1] == (number(1), number(2), number(3))


def test_no_request_for_an_extension_comes_and_goes_with_the_title_of_the_day() -> None:
    """The permit ends on the 9th, protection on the 10th, which is the last lawful day and is not extended by request."""
    person = Person("extension_not_requested")
    person.learn(replace(residence(1, "2024-01-01", "2024-07-09"), residence="temporary"))
    person.learn(entry(2, "2024-06-03", who="IRQ"))
    person.learn(protection(3, "2024-06-10", "trafficking_victim", until="2024-07-10"))
    for on in ("2024-07-05", "2024-07-08", "2024-07-09", "2024-07-10"):
        person.wait_until(on)
    assert person.told == []


def test_no_state_is_left_out_here() -> None:
    assert set(get_args(AlertState)) == {"raised", "amended", "acknowledged", "resolved", "retracted", "expired"}
    assert overstayed().told[0].alert_id == ALERT
