"""The calculator and the oracle agree on every number of every list of stays, contradictory ones too, under every anchor."""

from __future__ import annotations

import os
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.detect.calculator import calculate
from streams.detect.dossier import Dossier
from streams.detect.plain_stays import PlainStay, crossings_of, read_stays
from tests.oracle.calculator import Calculator
from tests.oracle.time import Calendar, date_of
from tests.policy.table import crossings_in, events_of, read_case
from tests.property.lives import SUBJECT, Life, lives, short_lives
from tests.property.test_oracle_agreement import SHORT_STAY, policy, story

NIGHTLY = os.environ.get("SHEKARA_TEST_PROFILE") == "nightly"

pytestmark = pytest.mark.timeout(0 if NIGHTLY else 300)

DAYS = st.integers(19_600, 20_300)
LENGTHS = st.sampled_from([0, 0, 1, 2, 10, 29, 30, 31, 45, 89, 90, 91, 179, 400, -1, -20, None])
STAYS = st.lists(st.tuples(DAYS | st.integers(19_600, 19_620), LENGTHS), max_size=6).map(
    lambda rows: [(first, None if length is None else first + length) for first, length in rows]
)

NUMBERS = (
    "days_used", "days_remaining", "overstay", "first_overstay_day", "longest_stay_entry", "longest_stay_days", "last_lawful_day",
    "next_lawful_entry",
)  # fmt: skip


def dated(day: int | None) -> date | None:
    return None if day is None else date_of(day)


@settings(max_examples=20_000 if NIGHTLY else 500, deadline=None)
@given(STAYS)
def test_plain_stays_stand_for_the_crossings_the_page_says(stays: list[PlainStay]) -> None:
    want = crossings_in([(date_of(first), dated(last)) for first, last in stays])
    assert [(date_of(day), direction) for day, direction in read_stays(stays).crossings] == want


@settings(max_examples=3_000 if NIGHTLY else 100, deadline=None)
@given(
    stays=STAYS,
    citizenship=st.sampled_from(["UZB", "RUS", "IND", "CHN", "IRQ", "KAZ", "XXX"]),
    name=st.sampled_from(["kz", *SHORT_STAY]),
    on=st.integers(19_590, 20_400),
    ahead=st.none() | st.integers(-30, 200),
)
def test_the_calculator_agrees_with_the_oracle_on_plain_stays(
    stays: list[PlainStay], citizenship: str, name: str, on: int, ahead: int | None
) -> None:
    rules = policy(name)
    case = read_case(
        {
            "name": "drawn", "policy": name, "citizenship": citizenship, "on": date_of(on), "expected": {}, "source": "",
            "reasoning": "", "stays": [(date_of(first), dated(last)) for first, last in stays],
        },
        "drawn",
    )  # fmt: skip
    entry = None if ahead is None else on + ahead
    got = calculate(crossings_of(citizenship, stays, rules), rules, on, entry=entry, citizenship=citizenship)
    want = Calculator(events_of(case), rules, on, citizenship).answer(entry)
    assert numbers(got) == numbers(want)


@settings(max_examples=1_000 if NIGHTLY else 50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    life=lives() | short_lives(),
    name=st.sampled_from(["kz", *SHORT_STAY]),
    part=st.floats(0, 1),
    later=st.integers(0, 100),
    ahead=st.none() | st.integers(-30, 200),
)
def test_the_calculator_agrees_with_the_oracle_on_whole_lives(
    life: Life, name: str, part: float, later: int, ahead: int | None
) -> None:
    rules = policy(name)
    calendar = Calendar(rules)
    told = sorted(calendar.local_day(event.occurred_at) for event in life.events) or [20_000]
    on = told[int(part * (len(told) - 1))] + later
    entry = None if ahead is None else on + ahead
    dossier = Dossier(SUBJECT)
    for event in life.events:
        dossier = dossier.add(event)
    got = numbers(calculate(dossier, rules, on, entry=entry, citizenship="UZB"))
    want = numbers(Calculator(life.events, rules, on, "UZB").answer(entry))
    faults = [f"{what} on {date_of(on)}: oracle {want[what]}, calculator {got[what]}" for what in want if want[what] != got[what]]
    assert not faults, story(life, faults)


def numbers(answer: object) -> dict[str, object]:
    """Returns the numbers of either program's answer by name."""
    return {what: getattr(answer, what) for what in NUMBERS}
