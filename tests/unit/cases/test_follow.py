"""Stages of a case: decisions first, then what the facts say."""

from __future__ import annotations

import itertools
from functools import cache

import pytest

from streams.cases.follow import case_id_of
from streams.person import Cause, LogTime, revisit, take
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import Case, PersonEvent
from tests.unit.detect.facts import SUBJECT, at, correction, day, decision, entry, leave, notice, number, residence

CASE = case_id_of(SUBJECT, day("2024-02-01"))
ENTRY = entry(1, "2024-02-01")


@cache
def _kz() -> Policy:
    return load("kz")


def _run(*facts: PersonEvent, now: str = "2024-06-20", ticks: tuple[str, ...] = ()) -> list[Case]:
    state: bytes | None = None
    cases: list[Case] = []
    for fact in facts:
        step = take(state, fact, LogTime(0, 0, ()), Cause(number(9), 1), _kz())
        state = step.state or state
        cases += step.cases
        for tick in ticks:
            assert state is not None
            step = revisit(state, SUBJECT, LogTime(at(tick), 0, ()), Cause(number(9), 1), _kz())
            state = step.state or state
            cases += step.cases
    assert state is not None
    step = revisit(state, SUBJECT, LogTime(at(now), at(now), ()), Cause(number(9), 1), _kz())
    return [*cases, *step.cases]


def test_a_breach_opens_a_case_and_data_quality_does_not() -> None:
    case = _run(ENTRY)[-1]
    assert (case.case_id, case.stage, case.open, case.path) == (CASE, "suspected", True, "legalisation")
    assert len(case.alerts) == 2
    assert _run(leave(1, "2024-02-01")) == []


@pytest.mark.parametrize(
    ("what", "stage", "is_open"),
    [
        ("acknowledged", "suspected", True),
        ("contacted", "contacted", True),
        ("order_to_leave", "contacted", True),
        ("legalised", "legalised", False),
        ("left_voluntarily", "left", False),
        ("cleared", "cleared", False),
        ("removed", "suspected", True),
    ],
)
def test_a_decision_sets_the_stage(what: str, stage: str, is_open: bool) -> None:
    case = _run(ENTRY, decision(5, "2024-05-01", CASE, what))[-1]
    assert (case.stage, case.open) == (stage, is_open)


def test_what_was_decided_holds_until_it_is_reopened() -> None:
    cleared = decision(5, "2024-05-01", CASE, "cleared")
    contacted = decision(6, "2024-05-02", CASE, "contacted")
    assert _run(ENTRY, cleared, contacted)[-1].stage == "cleared"
    assert _run(ENTRY, cleared, decision(6, "2024-05-02", CASE, "reopened"))[-1].stage == "suspected"


def test_a_decision_about_another_case_changes_nothing() -> None:
    assert _run(ENTRY, decision(5, "2024-05-01", number(77), "cleared"))[-1].stage == "suspected"


def test_an_order_to_leave_puts_the_case_on_the_path_of_departure() -> None:
    assert _run(ENTRY, decision(5, "2024-05-01", CASE, "order_to_leave"))[-1].path == "voluntary_departure"


def test_leaving_after_the_breach_is_left() -> None:
    case = _run(ENTRY, leave(2, "2024-04-01"))[-1]
    assert (case.stage, case.path, case.options) == ("left", "voluntary_departure", ())


def test_a_permit_and_a_late_notice_legalise() -> None:
    case = _run(ENTRY, notice(2, "2024-03-20"), residence(3, "2024-03-25", None))[-1]
    assert (case.stage, case.path) == ("legalised", "legalisation")


def test_an_entry_that_was_a_mistake_clears() -> None:
    case = _run(ENTRY, correction(2, "2024-06-01", 1), ticks=("2024-06-10",))[-1]
    assert (case.stage, case.path) == ("cleared", "none")


def test_a_case_is_told_again_only_when_it_changed() -> None:
    cases = _run(ENTRY, ticks=("2024-06-10", "2024-06-11", "2024-06-12"), now="2024-06-13")
    assert [case.version for case in cases] == list(range(1, len(cases) + 1))
    contents = [(case.stage, case.path, case.options, case.alerts, case.protected) for case in cases]
    assert all(a != b for a, b in itertools.pairwise(contents))
