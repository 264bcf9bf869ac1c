"""The share of citizens, declaration by declaration: when an alert about an employer comes, changes, ends and is taken back."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from streams.detect.employers.headcounts import Headcounts
from streams.detect.employers.share import find, is_too_low
from streams.employer import take
from streams.employer.state import unpack
from streams.errors import IntegrityError
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import Alert, EmployerDeclaration
from tests.property.declarations import DAY_MS, EMPLOYER, declared

ON = 19_000
LOW = {"foreigners_12": 31}


@cache
def kz() -> Policy:
    return load("kz")


class Told:
    """An employer, and the versions each declaration brought."""

    def __init__(self) -> None:
        self.state: bytes | None = None

    def of(self, fact: EmployerDeclaration, policy: Policy | None = None) -> list[Alert]:
        step = take(self.state, fact, 7, policy or kz())
        self.state = step.state or self.state
        return list(step.alerts)


@pytest.mark.parametrize(
    ("counts", "too_low"),
    [
        ({"citizens_12": 70, "foreigners_12": 30}, False),
        ({"citizens_12": 70, "foreigners_12": 31}, True),
        ({"citizens_12": 699, "foreigners_12": 300}, True),
        ({"citizens_34": 90, "foreigners_34": 10}, False),
        ({"citizens_34": 90, "foreigners_34": 11}, True),
        ({"citizens_12": 0, "foreigners_12": 1}, True),
        ({"citizens_12": 0, "citizens_34": 0}, False),
        ({"citizens_12": 1000, "foreigners_12": 20, "foreigners_34": 20}, True),
    ],
)
def test_exactly_the_share_is_lawful_one_more_is_not_and_neither_pair_makes_up_for_the_other(
    counts: dict[str, int], too_low: bool
) -> None:
    assert is_too_low(declared(1, ON, **counts), kz()) is too_low


def test_a_share_too_low_is_raised_about_the_employer_with_the_days_of_its_declarations() -> None:
    [alert] = Told().of(declared(1, ON, oblast="KZ-19", sector="C", **LOW))
    assert (alert.rule, alert.family, alert.state, alert.grade, alert.version) == (
        *("employer_citizen_share", "breach", "raised", "established"),
        1,
    )
    assert (alert.subject, alert.employer, alert.oblast, alert.sector, alert.group, alert.post) == (
        *(EMPLOYER, EMPLOYER, "KZ-19", "C", "", ""),
    )
    assert (alert.stay_on, alert.deadline_on, alert.first_day_on, alert.last_day_on, alert.days) == (ON, ON - 1, ON, None, 1)
    assert (alert.evidence, alert.caused_by, alert.decided_at) == ((bytes(15) + b"\x01",), bytes(15) + b"\x01", ON * DAY_MS)
    assert alert.options == ("correct_record", "dispute_record")
    assert "559" in alert.article


def test_who_employs_enough_citizens_is_not_mentioned() -> None:
    assert Told().of(declared(1, ON, foreigners_12=30, foreigners_34=10)) == []


def test_a_run_of_declarations_is_one_alert_and_ends_with_the_first_that_meets_the_share() -> None:
    told = Told()
    [raised] = told.of(declared(1, ON, **LOW))
    [amended] = told.of(declared(2, ON + 90, foreigners_34=11))
    assert (amended.alert_id, amended.version, amended.state, amended.reason) == (raised.alert_id, 2, "amended", "evidence")
    assert (amended.days, len(amended.evidence)) == (91, 2)
    [resolved] = told.of(declared(3, ON + 180))
    assert (resolved.alert_id, resolved.version, resolved.state, resolved.reason) == (raised.alert_id, 3, "resolved", "share_met")
    assert (resolved.last_day_on, resolved.days, len(resolved.evidence)) == (ON + 180, 180, 3)
    [again] = told.of(declared(4, ON + 270, **LOW))
    assert (again.state, again.version, again.stay_on) == ("raised", 1, ON + 270)
    assert again.alert_id != raised.alert_id


def test_a_later_record_of_the_same_day_takes_its_place_and_retracts_what_was_never_so() -> None:
    told = Told()
    [raised] = told.of(declared(1, ON, **LOW))
    [retracted] = told.of(declared(2, ON, recorded_at=(ON + 5) * DAY_MS))
    assert (retracted.alert_id, retracted.version) == (raised.alert_id, 2)
    assert (retracted.state, retracted.reason, retracted.options) == ("retracted", "new_facts", ())


def test_a_declaration_seen_late_divides_the_run() -> None:
    told = Told()
    [first] = told.of(declared(1, ON, **LOW))
    told.of(declared(2, ON + 180, **LOW))
    ended, begun = told.of(declared(3, ON + 90))
    assert (ended.alert_id, ended.state, ended.last_day_on) == (first.alert_id, "resolved", ON + 90)
    assert (begun.state, begun.stay_on, begun.days) == ("raised", ON + 180, 1)


def test_each_declaration_is_judged_by_the_policy_of_its_day() -> None:
    stricter = replace(
        kz(), periods=(0, ON + 50), rules=(kz().at(ON), replace(kz().at(ON), citizen_share_12=80, citizen_share_34=None))
    )
    fact = declared(1, ON, foreigners_12=29)
    assert not is_too_low(fact, stricter)
    assert is_too_low(replace(fact, as_of_on=ON + 50), stricter)
    assert not is_too_low(declared(2, ON + 50, foreigners_34=1000), stricter)


def test_a_policy_without_the_rule_or_without_shares_finds_nothing() -> None:
    fact = declared(1, ON, **LOW)
    assert find(Headcounts(EMPLOYER).add(fact), load("rolling-90-180")) == []
    unlisted = {name: terms for name, terms in kz().at(ON).by_rule.items() if name != "employer_citizen_share"}
    assert (
        find(Headcounts(EMPLOYER).add(fact), replace(kz(), periods=(0,), rules=(replace(kz().at(ON), by_rule=unlisted),))) == []
    )


def test_what_another_policy_takes_back_is_put_down_to_the_policy() -> None:
    told = Told()
    told.of(declared(1, ON, **LOW))
    milder = replace(kz(), version="kz-milder", periods=(0,), rules=(replace(kz().at(ON), citizen_share_12=50),))
    [retracted] = told.of(declared(2, ON + 90), milder)
    assert (retracted.state, retracted.reason) == ("retracted", "policy")
    told.of(declared(3, ON + 180, foreigners_12=200), milder)
    [retracted] = told.of(declared(4, ON + 180, recorded_at=(ON + 190) * DAY_MS), milder)
    assert (retracted.state, retracted.reason) == ("retracted", "new_facts"), "the policy is the same by then"


def test_declarations_of_another_employer_are_refused() -> None:
    with pytest.raises(ValueError, match="another employer"):
        Headcounts("e1-" + "1" * 32).add(declared(1, ON))


def test_a_state_of_a_later_form_is_not_guessed_at() -> None:
    told = Told()
    told.of(declared(1, ON))
    assert told.state is not None
    with pytest.raises(IntegrityError, match="form 200"):
        unpack(b"\xc8" + told.state[1:], EMPLOYER)


def test_another_place_under_the_same_id_is_told_by_an_amendment() -> None:
    told = Told()
    [raised] = told.of(declared(1, ON, oblast="KZ-75", **LOW))
    [amended] = told.of(declared(1, ON, oblast="KZ-71", **LOW))
    assert (raised.oblast, amended.oblast, amended.state, amended.version) == ("KZ-75", "KZ-71", "amended", 2)
    assert told.of(declared(1, ON, oblast="KZ-75", **LOW)) == [], "of two contents the smaller holds"


def test_the_employers_clock_never_goes_back() -> None:
    told = Told()
    told.of(declared(1, ON + 90))
    [late] = told.of(declared(2, ON, **LOW))
    assert (late.state, late.decided_at) == ("resolved", (ON + 90) * DAY_MS)
