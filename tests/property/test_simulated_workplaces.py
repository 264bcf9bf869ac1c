"""The truth about employers and quotas holds: the oracle, which knows the rules and not the stories, comes to the same."""

from __future__ import annotations

from collections import Counter
from typing import Any, TypeVar

import pytest

from streams.employer import take
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import EmployerDeclaration, PersonEvent, QuotaAllocation
from streams.simulate import Arrival, Rates, Simulation
from tests.oracle.country import Concluded
from tests.oracle.labour import judge_labour
from tests.unit.simulate.conftest import Told

T = TypeVar("T")


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load("kz")


@pytest.fixture(scope="module")
def country(policy: Policy) -> Told:
    """A country of 4 000 people over 70 days: many and long enough for a turn of people who are kept to be found."""
    simulation = Simulation(4_000, 70, 11, policy=policy)
    truth: list[dict[str, Any]] = []
    return Told(simulation, list(simulation.arrivals(truth.append)), truth)


def facts_of(arrivals: list[Arrival], kind: type[T]) -> list[T]:
    return [one.message for one in arrivals if isinstance(one.message, kind)]


@pytest.fixture(scope="module")
def concluded(country: Told, policy: Policy) -> list[Concluded]:
    arrivals = country.arrivals
    found = judge_labour(
        facts_of(arrivals, PersonEvent),
        facts_of(arrivals, EmployerDeclaration),
        facts_of(arrivals, QuotaAllocation),
        policy,
        country.simulation.world.end_ms,
    )
    return list(found.values())


def lines(told: Told, kind: str) -> list[dict[str, Any]]:
    return [line for line in told.truth if line["kind"] == kind]


def test_everything_the_truth_expects_of_employers_and_quotas_is_concluded(country: Told, concluded: list[Concluded]) -> None:
    confirmed: Counter[str] = Counter()
    for line in (*lines(country, "employer"), *lines(country, "quota")):
        mine = [one for one in concluded if one.subject == line["subject"]]
        for claim in line["expected"]:
            if claim["rule"] == "employer_citizen_share":
                continue
            fitting = [
                one
                for one in mine
                if one.rule == claim["rule"]
                and claim["stay_on"] in (None, one.stay_on)
                and claim["open"] in (None, one.last_day_on is None)
            ]
            assert fitting, (line, mine)
            confirmed[claim["rule"]] += 1
    assert set(confirmed) == {"employer_unlawful_workers", "employer_over_quota", "quota_exhausted", "trafficking_indicators"}


def test_nothing_the_truth_denies_is_concluded(country: Told, concluded: list[Concluded]) -> None:
    denied: Counter[str] = Counter()
    lasting = {(one.rule, one.subject) for one in concluded if one.last_day_on is None}
    ever = {(one.rule, one.subject) for one in concluded}
    for line in lines(country, "employer"):
        if line["over_quota"] is False:
            assert ("employer_over_quota", line["subject"]) not in lasting, line
            denied["employer_over_quota"] += 1
        if line["unlawful_workers"] is False:
            assert ("employer_unlawful_workers", line["subject"]) not in ever, line
            denied["employer_unlawful_workers"] += 1
        if not line["kept"]:
            assert ("trafficking_indicators", line["subject"]) not in ever, line
            denied["trafficking_indicators"] += 1
    for line in lines(country, "quota"):
        if not line["used_up"]:
            assert ("quota_exhausted", line["subject"]) not in lasting, line
            denied["quota_exhausted"] += 1
    assert min(denied.values()) > 0
    assert len(denied) == 4


def test_whoever_declares_too_few_citizens_is_found_and_nobody_else(country: Told, policy: Policy) -> None:
    states: dict[str, bytes | None] = {}
    first_on: dict[str, int] = {}
    for one in facts_of(country.arrivals, EmployerDeclaration):
        step = take(states.get(one.subject), one, one.recorded_at, policy)
        states[one.subject] = step.state or states.get(one.subject)
        for alert in step.alerts:
            assert alert.state in ("raised", "amended"), alert
            first_on[alert.subject] = alert.first_day_on
    claimed = {
        line["subject"]: claim["stay_on"]
        for line in lines(country, "employer")
        for claim in line["expected"]
        if claim["rule"] == "employer_citizen_share"
    }
    assert claimed
    assert first_on == claimed
    assert {line["subject"] for line in lines(country, "employer") if line["below_share"]} == set(claimed)


def test_there_is_a_line_for_every_employer_and_every_quota_line_of_the_log(country: Told) -> None:
    employers = [line["subject"] for line in lines(country, "employer")]
    assert sorted(employers) == sorted({one.subject for one in facts_of(country.arrivals, EmployerDeclaration)})
    allocated = [one for one in facts_of(country.arrivals, QuotaAllocation) if one.quota == "labour"]
    assert len(lines(country, "quota")) == len({(one.year, one.oblast, one.category, one.sector) for one in allocated})


def test_the_truth_about_workplaces_does_not_hang_on_how_events_travel(policy: Policy) -> None:
    told = []
    for rates in (Rates(late=0.3, duplicate=0.3, out_of_order=0.2, corrupt=0.1), Rates().without_faults()):
        truth: list[dict[str, Any]] = []
        list(Simulation(300, 30, 5, rates=rates, policy=policy).events(truth.append))
        told.append([line for line in truth if line["kind"] in ("employer", "quota")])
    assert told[0] == told[1]
    assert told[0]
