"""The table of docs/rules.md, row by row: what was concluded, what is found now, and the version that follows."""

from __future__ import annotations

from functools import cache
from inspect import isdatadescriptor
from typing import Any

import pytest

from streams.alerts.known import REASONS, RULES, Known, put_all, take_all
from streams.alerts.lifecycle import Occasion, Told, compare
from streams.detect.finding import Found
from streams.detect.packing import Strings
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import Alert, Finding

RULE, STAY, DEADLINE = "overstay_visa_exempt", 19_800, 19_829


@cache
def _kz() -> Policy:
    return load("kz")


def _occasion() -> Occasion:
    return Occasion("p", _kz(), b"c" * 16, 5, 6)


def _told(rule: str = RULE, **changes: Any) -> Told:
    found = Found(rule, STAY, DEADLINE, DEADLINE + 1)
    options = changes.pop("options", ("correct_record",))
    for name, value in changes.items():
        setattr(found, name, value)
    return Told(found, options, _kz().at(DEADLINE + 1).by_rule[rule])


ENDED: dict[str, Any] = {"ended_by": "exit_seen", "last_day_on": DEADLINE + 3}


def _known(*told: Told, occasion: Occasion | None = None) -> list[Known]:
    known: list[Known] = []
    for one in told:
        compare(known, [one], occasion or _occasion())
    return known


def _states(versions: list[Alert | Finding]) -> list[tuple[str, int, str]]:
    return [(one.state, one.version, one.reason) for one in versions]


def test_never_and_open_is_raised() -> None:
    assert _states(compare([], [_told()], _occasion())) == [("raised", 1, "raised")]


def test_never_and_ended_is_resolved() -> None:
    assert _states(compare([], [_told(**ENDED)], _occasion())) == [("resolved", 1, "exit_seen")]


def test_the_same_again_is_nothing() -> None:
    assert compare(_known(_told()), [_told()], _occasion()) == []
    assert compare(_known(_told(**ENDED)), [_told(**ENDED)], _occasion()) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"grade": "presumed"}, "evidence"),
        ({"options": ("correct_record", "dispute_record")}, "options"),
        ({"employer": "e1"}, "evidence"),
        ({"evidence": (b"x" * 16,)}, "options"),
        ({"first_day_on": DEADLINE + 2}, "threshold"),
        ({"oblast": "KZ-71"}, "evidence"),
        ({"post": "KZ-71-A1"}, "evidence"),
        ({"group": "eaeu"}, "evidence"),
        ({"sector": "F"}, "evidence"),
    ],
)
def test_open_and_otherwise_is_amended(changes: dict[str, Any], reason: str) -> None:
    assert _states(compare(_known(_told()), [_told(**changes)], _occasion())) == [("amended", 2, reason)]


def test_a_grade_that_coverage_changed_says_so() -> None:
    known = _known(_told(grade="uncertain"))
    assert _states(compare(known, [_told(grade="presumed")], _occasion())) == [("amended", 2, "coverage")]


def test_what_an_officer_acknowledged_is_told_once_and_stays_acknowledged() -> None:
    known = _known(_told())
    occasion = _occasion()
    occasion.acknowledged = {known[0].key}
    assert _states(compare(known, [_told()], occasion)) == [("acknowledged", 2, "acknowledged")]
    assert compare(known, [_told()], occasion) == []
    assert _states(compare(known, [_told(grade="presumed")], occasion))[0][:2] == ("acknowledged", 3)


def test_open_and_ended_is_resolved() -> None:
    assert _states(compare(_known(_told()), [_told(**ENDED)], _occasion())) == [("resolved", 2, "exit_seen")]


def test_resolved_and_open_is_raised_again() -> None:
    assert _states(compare(_known(_told(**ENDED)), [_told()], _occasion())) == [("raised", 2, "raised")]


def test_resolved_and_ended_otherwise_is_resolved_again() -> None:
    for change in ({"last_day_on": DEADLINE + 9}, {"oblast": "KZ-71"}):
        other: dict[str, Any] = {**ENDED, **change}
        assert _states(compare(_known(_told(**ENDED)), [_told(**other)], _occasion())) == [("resolved", 2, "exit_seen")]


@pytest.mark.parametrize("before", [{}, ENDED])
def test_what_is_absent_now_was_never_so(before: dict[str, Any]) -> None:
    occasion = _occasion()
    occasion.new_fact = "correction"
    known = _known(_told(**before))
    assert _states(compare(known, [], occasion)) == [("retracted", 2, "correction")]
    assert compare(known, [], occasion) == []


def test_what_rests_because_of_a_dispute_says_so() -> None:
    known = _known(_told())
    occasion = _occasion()
    occasion.suspended = {known[0].key}
    assert _states(compare(known, [], occasion)) == [("retracted", 2, "dispute")]


@pytest.mark.parametrize(("again", "state"), [({}, "raised"), (ENDED, "resolved")])
def test_retracted_and_found_again(again: dict[str, Any], state: str) -> None:
    known = _known(_told())
    compare(known, [], _occasion())
    assert _states(compare(known, [_told(**again)], _occasion()))[0][:2] == (state, 3)


def test_a_retracted_version_has_no_options_and_says_who_and_where() -> None:
    known = _known(_told(oblast="KZ-75", post="KZ-75-A1", group="g", employer="e", sector="F"))
    version = compare(known, [], _occasion())[0]
    assert version.options == ()
    assert (version.oblast, version.post, version.group, version.employer, version.sector) == ("KZ-75", "KZ-75-A1", "g", "e", "F")


def test_a_reminder_whose_day_is_over_has_ended_and_is_not_taken_back() -> None:
    known = _known(_told("expiry_reminder"))
    occasion = _occasion()
    occasion.outcome = lambda stay_on, deadline_on: ("term_over", deadline_on)
    versions = compare(known, [], occasion)
    assert _states(versions) == [("expired", 2, "term_over")]
    assert isinstance(versions[0], Finding)
    assert compare(known, [], occasion) == []


def test_a_reminder_that_should_never_have_been_is_taken_back() -> None:
    assert _states(compare(_known(_told("expiry_reminder")), [], _occasion())) == [("retracted", 2, "new_facts")]


def test_breaches_are_alerts_and_doubts_about_data_are_findings() -> None:
    assert isinstance(compare([], [_told()], _occasion())[0], Alert)
    assert isinstance(compare([], [_told("title_unknown")], _occasion())[0], Finding)


def test_every_rule_that_is_applied_and_every_reason_can_be_stored() -> None:
    # Slots, or what mypyc makes of them.
    slots = sorted(name for name, member in vars(Known).items() if isdatadescriptor(member) and name[0] != "_")
    assert "first_day_on" in slots
    strings = Strings()
    for rule in RULES:
        for reason in REASONS:
            known = Known(rule, STAY, DEADLINE)
            known.reason = reason
            known.first_day_on, known.last_day_on, known.version = DEADLINE + 1, DEADLINE + 500, 300
            known.group, known.oblast, known.post, known.employer, known.sector = "g", "KZ-75", "post", "e" * 40, "F"
            out = bytearray()
            put_all(out, [known, known], strings)
            back, end = take_all(bytes(out), 0, strings)
            assert end == len(out)
            assert [[getattr(one, name) for name in slots] for one in back] == [[getattr(known, name) for name in slots]] * 2
    assert set(_kz().at(20_000).by_rule) <= set(RULES)
