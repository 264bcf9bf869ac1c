"""The calibrated country reproduces the Concept's figures: exactly at full scale, by largest remainders below."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import UsageError
from streams.policy.model import Policy
from streams.records import Kandas, ProtectionStatus, ResidenceChange
from streams.simulate import Concept, Rates, Simulation
from streams.simulate.concept import DAYS, FIRST_DAY, scaled
from streams.simulate.draws import shares

# Concept of migration policy for 2007-2015, Decree No. 399 of 28 August 2007, thousand persons: typed from the table.
TABLE = {
    2001: (34.4, 104.3, -69.9),
    2002: (58.2, 120.2, -62.0),
    2003: (65.6, 73.9, -8.3),
    2004: (68.3, 65.5, 2.8),
    2005: (74.3, 52.2, 22.1),
    2006: (67.4, 33.9, 33.5),
}
INTERNAL_2006 = {
    "KZ-31": -7682,
    "KZ-63": -6635,
    "KZ-59": -4786,
    "KZ-43": -4272,
    "KZ-75": 21959,
    "KZ-71": 17938,
    "KZ-47": 382,
}


def run(policy: Policy, scale: float) -> list[object]:
    rates = Rates(heartbeat_hours=24, tick_hours=24).without_faults()
    return list(Simulation(0, DAYS, 3, start=FIRST_DAY, rates=rates, policy=policy, concept=Concept(scale)).events())


def year_of(day: int) -> int:
    return date.fromordinal(date(1970, 1, 1).toordinal() + day).year


def test_at_full_scale_the_plan_is_the_table() -> None:
    concept = Concept(1.0)
    for year, (arrivals, departures, balance) in TABLE.items():
        assert concept.arrivals[year] == round(arrivals * 1000)
        assert concept.departures[year] == round(departures * 1000)
        assert concept.arrivals[year] - concept.departures[year] == round(balance * 1000)
    assert {oblast: concept.internal[oblast] for oblast in INTERNAL_2006} == INTERNAL_2006
    assert sum(concept.internal.values()) == 0
    assert concept.kandas == 608_000
    assert concept.families == 155_000


def test_what_is_sent_adds_up_to_the_scaled_table(policy: Policy) -> None:
    arrivals: Counter[int] = Counter()
    departures: Counter[int] = Counter()
    internal: Counter[str] = Counter()
    kandas = families = refugees = 0
    for message in run(policy, 0.01):
        if isinstance(message, ResidenceChange):
            year = year_of(message.moved_on)
            if message.from_country == message.to_country == "KAZ":
                assert year == 2006
                internal[message.from_oblast or ""] -= 1
                internal[message.to_oblast or ""] += 1
            elif message.to_country == "KAZ":
                arrivals[year] += 1
            else:
                departures[year] += 1
        elif isinstance(message, Kandas):
            kandas += message.family_size
            families += 1
        elif isinstance(message, ProtectionStatus):
            refugees += 1
    # A hundredth of 34.4 thousand is 344, so the table stays whole.
    assert arrivals == {year: round(line[0] * 10) for year, line in TABLE.items()}
    assert departures == {year: round(line[1] * 10) for year, line in TABLE.items()}
    assert {year: arrivals[year] - departures[year] for year in TABLE} == {y: round(line[2] * 10) for y, line in TABLE.items()}
    for oblast, balance in INTERNAL_2006.items():
        assert abs(internal[oblast] - balance / 100) < 1
    assert sum(internal.values()) == 0
    assert kandas == 6_080
    assert families == 1_550
    assert refugees == 6


def test_families_differ_and_add_up() -> None:
    concept = Concept(0.01)
    sizes = [concept.family_size(number) for number in range(concept.families)]
    assert sum(sizes) == concept.kandas
    assert min(sizes) >= 1
    assert len(set(sizes)) > 3


@given(st.lists(st.integers(-100_000, 100_000), min_size=1, max_size=12), st.floats(0.0001, 1.0))
def test_scaling_keeps_the_total_and_moves_no_figure_by_a_whole_person(figures: list[int], scale: float) -> None:
    result = scaled(figures, scale)
    assert sum(result) == round(sum(figures) * scale)
    assert all(abs(after - before * scale) <= 1 for before, after in zip(figures, result, strict=True))


@given(st.integers(0, 10_000), st.lists(st.integers(0, 50), min_size=1, max_size=40).filter(any))
def test_shares_lose_nobody(total: int, weights: list[int]) -> None:
    result = shares(total, weights)
    assert sum(result) == total
    assert all(count >= 0 for count in result)
    assert all(abs(count - total * weight / sum(weights)) < 1 + 1e-6 for count, weight in zip(result, weights, strict=True))


@pytest.mark.parametrize("scale", [0.0, -1.0, 1.5])
def test_a_scale_out_of_bounds_is_refused(scale: float) -> None:
    with pytest.raises(UsageError):
        Concept(scale)
