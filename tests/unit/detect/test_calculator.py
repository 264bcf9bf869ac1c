"""The calculator answers always, also after an overstay, and on contradictory data."""

from __future__ import annotations

from functools import cache

import pytest

from streams.detect.calculator import Answer, calculate
from streams.detect.plain_stays import crossings_of
from streams.policy.load import load
from streams.policy.model import Policy
from tests.unit.detect.facts import day


@cache
def _policy(name: str) -> Policy:
    return load(name)


def _ask(stays: list[tuple[str, str | None]], on: str, *, entry: str | None = None, policy: str = "rolling-90-180") -> Answer:
    days = [(day(first), None if last is None else day(last)) for first, last in stays]
    dossier = crossings_of("UZB", days, _policy(policy))
    return calculate(dossier, _policy(policy), day(on), entry=None if entry is None else day(entry), citizenship="UZB")


def test_without_any_stay_the_whole_allowance_is_left() -> None:
    answer = _ask([], "2024-06-01")
    assert (answer.days_used, answer.days_remaining, answer.overstay) == (0, 90, False)
    assert (answer.longest_stay_days, answer.last_lawful_day) == (90, day("2024-08-29"))
    assert answer.next_lawful_entry == day("2024-06-01")


def test_the_ninetieth_day_is_lawful_and_the_next_is_the_first_of_overstay() -> None:
    assert not _ask([("2024-01-01", None)], "2024-03-30").overstay
    answer = _ask([("2024-01-01", None)], "2024-03-31")
    assert answer.overstay
    assert answer.first_overstay_day == day("2024-03-31")
    assert (answer.days_used, answer.days_remaining) == (91, 0)


def test_after_an_overstay_it_still_says_when_one_may_come_again() -> None:
    answer = _ask([("2024-01-01", "2024-04-30")], "2024-05-10")
    assert (answer.overstay, answer.first_overstay_day) == (False, day("2024-03-31"))
    following = answer.next_lawful_entry
    assert following is not None
    again = _ask([("2024-01-01", "2024-04-30")], "2024-05-10", entry=_iso(following))
    assert again.longest_stay_days
    before = _ask([("2024-01-01", "2024-04-30")], "2024-05-10", entry=_iso(following - 1))
    assert (before.longest_stay_days, before.last_lawful_day) == (0, None)


def _iso(number: int) -> str:
    from datetime import date

    return date.fromordinal(date(1970, 1, 1).toordinal() + number).isoformat()


def test_old_days_roll_off_during_a_stay() -> None:
    answer = _ask([("2024-01-01", "2024-02-29")], "2024-05-31", entry="2024-06-01")
    assert answer.days_remaining == 30
    assert answer.longest_stay_days is not None
    assert answer.longest_stay_days > 30


def test_a_day_of_exit_and_entry_is_counted_once() -> None:
    assert _ask([("2024-01-01", "2024-01-10"), ("2024-01-10", "2024-01-20")], "2024-02-01").days_used == 20


def test_overlapping_stays_never_count_a_day_twice() -> None:
    assert _ask([("2024-01-01", "2024-01-15"), ("2024-01-05", "2024-01-20")], "2024-02-01").days_used == 20


def test_a_stay_that_ends_after_the_day_is_running_on_it() -> None:
    answer = _ask([("2024-01-01", "2024-12-31")], "2024-01-10")
    assert (answer.days_used, answer.longest_stay_entry) == (10, day("2024-01-01"))
    assert answer.next_lawful_entry == day("2024-01-11")


@pytest.mark.parametrize(
    ("stays", "rule"),
    [
        ([("2024-01-10", "2024-01-05")], "exit_without_entry"),
        ([("2024-01-10", None), ("2024-02-01", "2024-02-05")], "entry_without_exit"),
    ],
)
def test_contradictory_stays_are_answered_with_a_data_quality_finding(stays: list[tuple[str, str | None]], rule: str) -> None:
    answer = _ask(stays, "2024-03-01", policy="kz")
    assert rule in [found.rule for found in answer.assessment.findings]
    assert answer.days_used > 0


def test_the_ledger_says_of_every_day_what_it_was() -> None:
    answer = _ask([("2024-01-01", "2024-04-10"), ("2024-06-01", None), ("2024-06-10", None)], "2024-06-15")
    lines = [(_iso(line.first_on), _iso(line.last_on), line.standing, line.titles) for line in answer.ledger]
    assert lines[:2] == [
        ("2024-01-01", "2024-03-30", "lawful", ("allowance",)),
        ("2024-03-31", "2024-04-10", "no_title_known", ()),
    ]
    assert lines[3][2] == "unknown"
    assert [_iso(line.stay_on) for line in answer.ledger] == [
        "2024-01-01",
        "2024-01-01",
        "2024-06-01",
        "2024-06-01",
        "2024-06-10",
    ]
    assert lines[-1][1] == "2024-06-15"
