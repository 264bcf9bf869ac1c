"""What-if: history judged twice; nothing but the policy differs."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from streams.detect.dossier import Dossier
from streams.detect.employers.headcounts import Headcounts
from streams.detect.plain_stays import crossings_of
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import EmployerDeclaration
from streams.report.what_if import NOT_ASKED, compare
from tests.oracle.time import day_number
from tests.unit.detect.test_every_rule import table

SHIPPED = Path(__file__).parents[3] / "streams" / "policy" / "kz"


@pytest.fixture(scope="module")
def kz() -> Policy:
    return load("kz")


def edited(directory: Path, name: str, old: str, new: str) -> Policy:
    """Returns the shipped policy with one value changed."""
    changed = directory / "kz"
    shutil.copytree(SHIPPED, changed)
    text = (changed / name).read_text(encoding="utf-8")
    assert old in text
    (changed / name).write_text(text.replace(old, new), encoding="utf-8")
    return load(changed)


@pytest.fixture(scope="module")
def five_days(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """The shipped policy, but notices of arrival are due in five working days."""
    return edited(
        tmp_path_factory.mktemp("policy"), "registration.yaml", "{from: 2020-01-11, value: 3, ", "{from: 2020-01-11, value: 5, "
    )


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
    outcome = compare(people, kz, five_days, (day_number(date(2024, 6, 1)), day_number(date(2024, 6, 30))))
    assert (outcome.people, outcome.people_changed) == (3, 2)
    assert dict(outcome.by_rule["arrival_not_notified"]) == {"no_longer": 1, "changed": 1}


def declared(subject: str, on: str, citizens: int, foreigners: int, number: int) -> Headcounts:
    day = day_number(date.fromisoformat(on))
    at = day * 86_400_000
    return Headcounts(subject).add(
        EmployerDeclaration(
            number.to_bytes(16, "big"), subject, at, at, "e-gov", 1, day, "KZ-75", "F", "large", citizens, 0, foreigners, 0
        )
    )


def test_employers_below_a_higher_share_of_citizens_are_counted(kz: Policy, tmp_path: Path) -> None:
    higher = edited(tmp_path, "labour.yaml", "{from: 2016-01-01, value: 70,", "{from: 2016-01-01, value: 80,")
    employers = [
        declared("e:keeps-both", "2024-06-03", 80, 20, 1),
        declared("e:newly-below", "2024-06-03", 75, 25, 2),
        declared("e:below-already", "2024-06-03", 50, 50, 3),
        declared("e:later", "2024-09-02", 75, 25, 4),
    ]
    days = (day_number(date(2024, 6, 1)), day_number(date(2024, 6, 30)))
    outcome = compare([], kz, higher, days, employers=employers)
    assert (outcome.people, outcome.employers, outcome.employers_changed) == (0, 4, 1)
    assert dict(outcome.by_rule["employer_citizen_share"]) == {"same": 1, "newly": 1}


def test_only_rules_that_need_everybody_at_once_are_not_asked() -> None:
    assert set(NOT_ASKED) == {rule for rule, module in table().items() if "/labour/" in module}


def test_the_same_policy_changes_nobody(kz: Policy) -> None:
    people = [stay("2024-06-03", None, kz, "p:1"), stay("2024-06-03", "2024-06-20", kz, "p:2")]
    outcome = compare(people, kz, kz, (day_number(date(2024, 6, 1)), day_number(date(2024, 12, 31))))
    assert outcome.people_changed == 0
    assert {change for counts in outcome.by_rule.values() for change in counts} == {"same"}


def test_what_ended_before_and_what_happens_after_is_left_out(kz: Policy, five_days: Policy) -> None:
    people = [stay("2024-01-08", "2024-01-30", kz, "p:before"), stay("2024-09-02", None, kz, "p:after")]
    outcome = compare(people, kz, five_days, (day_number(date(2024, 6, 1)), day_number(date(2024, 6, 30))))
    assert (outcome.people, outcome.people_changed, outcome.by_rule) == (2, 0, {})
