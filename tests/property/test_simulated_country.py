"""A simulated country, person by person and employer by employer: the stream and the oracle say the same.

That the simulator's own truth holds before the oracle is in tests/unit/simulate/test_truth.py and test_simulated_workplaces.py.
"""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest

from streams.policy.load import load
from streams.records import EmployerDeclaration, PersonEvent, QuotaAllocation, Tick
from streams.simulate import Corrupt, Rates, Simulation
from tests.oracle.judge import judge
from tests.oracle.labour import judge_labour
from tests.property import labour_stream
from tests.property.lives import Life
from tests.property.test_oracle_agreement import clock_of, differences, story, stream

NIGHTLY = os.environ.get("SHEKARA_TEST_PROFILE") == "nightly"
PEOPLE, DAYS = (3_000, 200) if NIGHTLY else (250, 75)
SEEDS = (1, 2, 3, 4) if NIGHTLY else (5,)
WORKERS = 2_400 if NIGHTLY else 400


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.timeout(3600 if NIGHTLY else 300)
def test_stream_and_oracle_agree_on_everybody_in_a_country(seed: int) -> None:
    """Late, repeated, unordered, corrected and disputed events, outages and heartbeats: as the simulator sends them."""
    policy = load("kz")
    ticks: list[tuple[int, PersonEvent | Tick]] = []
    arrivals: dict[str, list[tuple[int, PersonEvent | Tick]]] = {}
    for number, message in enumerate(Simulation(PEOPLE, DAYS, seed, rates=Rates(corrupt=0), policy=policy).events()):
        assert not isinstance(message, Corrupt)
        if isinstance(message, Tick):
            ticks.append((number, message))
        elif isinstance(message, PersonEvent):
            arrivals.setdefault(message.subject, []).append((number, message))
    assert ticks
    rules: Counter[str] = Counter()
    for subject, events in arrivals.items():
        life = Life(tuple(one for _, one in sorted([*events, *ticks], key=lambda arrived: arrived[0])))
        verdict = judge(life.events, policy, *clock_of(life))
        faults = differences(stream(life.log, policy, subject), verdict)
        assert not faults, story(life, faults)
        rules.update(one.rule for one in verdict.conclusions.values())
    assert len(rules) >= 8, rules


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.timeout(3600 if NIGHTLY else 300)
def test_stream_and_oracle_agree_on_every_employer_and_quota_of_a_country(seed: int) -> None:
    """Everybody's facts in another order than they came, interleaved with declarations, quotas and ticks."""
    policy = load("kz")
    people: dict[str, tuple[PersonEvent, ...]] = {}
    declarations: list[EmployerDeclaration] = []
    allocations: list[QuotaAllocation] = []
    country = Simulation(WORKERS, DAYS, seed, rates=Rates(corrupt=0), policy=policy)
    for message in country.events():
        if isinstance(message, PersonEvent):
            people[message.subject] = (*people.get(message.subject, ()), message)
        elif isinstance(message, EmployerDeclaration):
            declarations.append(message)
        elif isinstance(message, QuotaAllocation):
            allocations.append(message)
    now_ms = country.world.end_ms
    ticks = [labour_stream.tick(now_ms - days * 86_400_000) for days in range(DAYS, -1, -15)]
    book = labour_stream.lived(people, [declarations, allocations], ticks, policy, dice=random.Random(seed))
    events = [event for one in people.values() for event in one]
    expected = judge_labour(events, declarations, allocations, policy, now_ms)
    assert labour_stream.differences(book, expected) == []
    rules = Counter(one.rule for one in expected.values())
    assert set(rules) >= {"employer_unlawful_workers", "employer_over_quota", "quota_exhausted"}, rules
