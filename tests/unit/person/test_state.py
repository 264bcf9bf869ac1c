"""A person's state: small, versioned, and quick to ask when to look again."""

from __future__ import annotations

from functools import cache

import pytest

from streams.detect.dossier import Dossier
from streams.errors import IntegrityError
from streams.person import NEVER, START, Cause, Due, LogTime, due_of, revisit, take
from streams.person.state import State, policy_digest, unpack
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import PersonEvent
from tests.unit.detect.facts import SUBJECT, at, entry, leave, notice, number, permit

CAUSE = Cause(number(99), 1)


@cache
def _kz() -> Policy:
    return load("kz")


def _state(*facts: PersonEvent, time: LogTime = START) -> bytes:
    state: bytes | None = None
    for fact in facts:
        state = take(state, fact, time, CAUSE, _kz()).state or state
    assert state is not None
    return state


def test_a_person_with_an_open_stay_a_notice_a_permit_and_a_reminder_takes_less_than_300_bytes() -> None:
    state = _state(entry(1, "2024-05-01"), notice(2, "2024-05-02"), permit(3, "2024-05-03", "2025-05-02", employer="e" * 32))
    assert len(state) < 300


def test_when_to_look_again_stands_in_the_first_18_bytes() -> None:
    state = _state(entry(1, "2024-05-01"))
    assert due_of(state[:18]) == unpack(state, SUBJECT).due
    assert due_of(state).at_ms == at("2024-05-04T19:00")


@pytest.mark.parametrize(
    "due",
    [NEVER, Due(0, 0, on_gaps=True), Due(1 << 47, None, on_gaps=False), Due(None, 1_700_000_000_000, on_gaps=True)],
)
def test_every_due_survives(due: Due) -> None:
    assert due_of(State(Dossier(SUBJECT), [], [], due, 7).pack()) == due


def test_the_state_of_a_later_program_is_refused_with_what_to_do() -> None:
    state = bytearray(_state(entry(1, "2024-05-01")))
    state[0] = 200
    with pytest.raises(IntegrityError, match="form 200") as caught:
        due_of(bytes(state))
    assert caught.value.next_step


def test_a_new_policy_is_noted_at_the_next_look_and_named_as_the_reason() -> None:
    state = unpack(_state(entry(1, "2024-05-01")), SUBJECT)
    assert state.policy_digest == policy_digest(_kz().version)
    state.policy_digest = 1
    step = revisit(state.pack(), SUBJECT, LogTime(at("2024-05-01"), 0, ()), CAUSE, _kz())
    assert step.state is not None
    assert unpack(step.state, SUBJECT).policy_digest == policy_digest(_kz().version)


def test_someone_who_left_in_time_need_never_be_looked_at_again() -> None:
    state = _state(entry(1, "2024-05-01"), leave(2, "2024-05-03"))
    assert due_of(state) == NEVER


def test_an_alert_says_what_caused_it_and_by_which_clock_it_was_decided() -> None:
    state = _state(entry(1, "2024-05-01"))
    now = at("2024-05-10")
    step = revisit(state, SUBJECT, LogTime(now, 0, ()), CAUSE, _kz())
    (alert,) = step.alerts
    assert (alert.rule, alert.caused_by, alert.caused_at, alert.decided_at) == ("arrival_not_notified", number(99), 1, now)
    assert alert.policy_version == _kz().version
    assert alert.article
