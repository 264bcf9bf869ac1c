"""What-if: history judged twice; nothing but the policy differs."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from streams.detect.dossier import Dossier
from streams.detect.plain_stays import crossings_of
from streams.policy.load import load
from streams.policy.model import Policy
from streams.report.what_if import compare
from tests.oracle.time import day_number

SHIPPED = Path(__file__).parents[3] / "streams" / "policy" / "kz"


@pytest.fixture(scope="module")
def kz() -> Policy:
    return load("kz")


@pytest.fixture(scope="module")
def five_days(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """The shipped policy, but notices of arrival are due in five working days."""
    changed = tmp_path_factory.mktemp("policy") / "kz"
    shutil.copytree(SHIPPED, changed)
    file = changed / "registration.yaml"
    text = file.read_text(encoding="utf-8")
    longer = text.replace("{from: 2020-01-11, value: 3, ", "{from: 2020-01-11, value: 5, ")
    assert longer != text
    file.write_text(longer, encoding="utf-8")
    return load(changed)


def stay(first: str, last: str | None, policy: Policy, subject: str) -> Dossier:
    days = (day_number(date.fromisoformat(first)), None if last is None else day_number(date.fromisoformat(last)))
    return crossings_of("UZB", [days], policy, subject)


def test_five_days_instead_of_three_spare_those_who_left_in_between(kz: Policy, five_days: Policy) -> None:
    # 3 June 2024 is a Monday: three working days end on the 6th, five on Monday the 10th.
    people = [
        stay("2024-06-03", "2024-06-06", kz, "p:in-time"),
        stay("2024-06-03", "2024-06-08", kz, "p:spared"),
        stay("2024-06-03", "2024-06-20", kz, "p:shorter"),
    ]
    outcome = compare(people, kz, five_days, day_number(date(2024, 6, 1)), day_number(date(2024, 6, 30)))
    assert (outcome.people, outcome.people_changed) == (3, 2)
    assert dict(outcome.by_rule["arrival_not_notified"]) == {"no_longer": 1, "changed": 1}


def test_the_same_policy_changes_nobody(kz: Policy) -> None:
    people = [stay("2024-06-03", None, kz, "p:1"), stay("2024-06-03", "2024-06-20", kz, "p:2")]
    outcome = compare(people, kz, kz, day_number(date(2024, 6, 1)), day_number(date(2024, 12, 31)))
    assert outcome.people_changed == 0
    assert {change for counts in outcome.by_rule.values() for change in counts} == {"same"}


def test_what_ended_before_and_what_happens_after_is_left_out(kz: Policy, five_days: Policy) -> None:
    people = [stay("2024-01-08", "2024-01-30", kz, "p:before"), stay("2024-09-02", None, kz, "p:after")]
    outcome = compare(people, kz, five_days, day_number(date(2024, 6, 1)), day_number(date(2024, 6, 30)))
    assert (outcome.people, outcome.people_changed, outcome.by_rule) == (2, 0, {})
