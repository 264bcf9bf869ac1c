"""Every case of tests/policy/labour/*.yaml, judged by the oracle and by the lane: both must say what the table says."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.oracle.labour import judge_labour
from tests.oracle.time import Calendar, date_of, day_number
from tests.policy.labour_table import ExpectedConclusion, LabourCase, cases, facts_of, policy_of
from tests.property.labour_stream import OPEN, Book, differences, lived, tick

CASES = list(cases())
SEEDS = (1, 2, 3)


def clock_of(case: LabourCase) -> int:
    calendar = Calendar(policy_of(case))
    return calendar.day_end(day_number(case.on), "") - 1


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_the_oracle_says_what_the_table_says(case: LabourCase) -> None:
    facts = facts_of(case)
    events = [event for events in facts.people.values() for event in events]
    found = judge_labour(events, facts.declarations, facts.allocations, policy_of(case), clock_of(case))
    said = [
        {
            "rule": one.rule,
            "subject": one.subject,
            "state": "open" if one.last_day_on is None else "ended",
            "stay": date_of(one.stay_on),
            "first_day": date_of(one.first_day_on),
            "last_day": None if one.last_day_on is None else date_of(one.last_day_on),
            "days": one.days,
            "grade": one.grade,
            "oblast": one.oblast,
            "rests_on": len(one.evidence),
            "options": list(one.options),
        }
        for one in found.values()
    ]
    compare(case.expected, said)


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_the_lane_says_what_the_table_says_whatever_comes_first(case: LabourCase) -> None:
    facts, policy, now_ms = facts_of(case), policy_of(case), clock_of(case)
    events = [event for events in facts.people.values() for event in events]
    verdict = judge_labour(events, facts.declarations, facts.allocations, policy, now_ms)
    for seed in SEEDS:
        book = lived(facts.people, [facts.declarations, facts.allocations], [tick(now_ms)], policy, dice=random.Random(seed))
        assert differences(book, verdict) == []
        compare(case.expected, said_by_the_lane(book))


def said_by_the_lane(book: Book) -> list[dict[str, Any]]:
    """Returns what the lane says in the end, under the table's names."""
    return [
        {
            "rule": one.rule,
            "subject": one.subject,
            "state": "open" if one.state in OPEN else "ended",
            "stay": date_of(one.stay_on),
            "first_day": date_of(one.first_day_on),
            "last_day": None if one.last_day_on is None else date_of(one.last_day_on),
            "grade": one.grade,
            "oblast": one.oblast,
            "rests_on": len(one.evidence),
            "options": list(one.options),
        }
        for one in book.told.values()
        if one.state in (*OPEN, "resolved") and (one.family != "reminder" or one.state in OPEN)
    ]


def compare(expected: list[ExpectedConclusion], said: list[dict[str, Any]]) -> None:
    """Fails unless there is, in some order, one conclusion for each expected and none beside."""
    left = list(said)
    for one in expected:
        wanted = {name: getattr(one, name) for name in one.model_fields_set}
        # The oracle leaves the oblast of what a worker's alert names to that alert.
        lenient = {"oblast"} if any(each["oblast"] is None for each in left) else set()
        fitting = [
            each for each in left if all(each.get(name, value) == value or name in lenient for name, value in wanted.items())
        ]
        if not fitting:
            came = "; ".join(shown({name: each.get(name) for name in {"rule", *wanted}}) for each in left)
            pytest.fail(f"the table says {shown(wanted)}; it came out as {came or 'none'}", pytrace=False)
        left.remove(fitting[0])
    if left:
        pytest.fail(f"the table says nothing of {'; '.join(map(shown, left))}", pytrace=False)


def shown(conclusion: dict[str, Any]) -> str:
    """Returns a conclusion as the table would write it."""
    ordered = [(name, conclusion[name]) for name in ExpectedConclusion.model_fields if name in conclusion]
    return ", ".join(f"{name}: {'none' if value is None else value}" for name, value in ordered)
