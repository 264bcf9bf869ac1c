"""A simulated country, person by person: the stream and the oracle say the same.

That the simulator's own truth holds before the oracle is in tests/unit/simulate/test_truth.py.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest

from streams.policy.load import load
from streams.records import PersonEvent, Tick
from streams.simulate import Corrupt, Rates, Simulation
from tests.oracle.judge import judge
from tests.property.lives import Life
from tests.property.test_oracle_agreement import clock_of, differences, story, stream

NIGHTLY = os.environ.get("SHEKARA_TEST_PROFILE") == "nightly"
PEOPLE, DAYS = (3_000, 200) if NIGHTLY else (250, 75)
SEEDS = (1, 2, 3, 4) if NIGHTLY else (5,)


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
