"""Laws of the lane of employers' workers: what holds in the end is what everybody's raw events say, however they came.

500 workforces in every run of the suite; ``SHEKARA_TEST_PROFILE=nightly`` takes 20 000 and up.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import fields

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.labour import judge_labour
from tests.oracle.time import date_of
from tests.property.declarations import DAY_MS
from tests.property.labour_stream import Book, Message, differences, lived, tick
from tests.property.workforces import NOON_MS, Workforce, small, workforces

WORKFORCES = 20_000 if os.environ.get("SHEKARA_TEST_PROFILE") == "nightly" else 500
agreement = settings(
    max_examples=WORKFORCES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    print_blob=True,
)


def run(force: Workforce, dice: random.Random, shuffle: Callable[[list[Message]], None] = lambda messages: None) -> Book:
    days = range(force.end_on - 60, force.end_on, 10)
    ticks = [*[tick(day * DAY_MS + NOON_MS) for day in days], tick(force.now_ms)]
    return lived(force.people, [force.declarations, force.allocations], ticks, small(), dice=dice, shuffle=shuffle)


def agree(force: Workforce, book: Book) -> None:
    events = [event for one in force.people.values() for event in one]
    faults = differences(book, judge_labour(events, force.declarations, force.allocations, small(), force.now_ms))
    assert not faults, story(force, faults)


@agreement
@given(workforces(), st.randoms(use_true_random=False))
def test_whatever_the_order_repetitions_and_interleaving_what_holds_is_what_the_raw_events_say(
    force: Workforce, dice: random.Random
) -> None:
    agree(force, run(force, dice))


@settings(agreement, max_examples=max(WORKFORCES // 5, 100))
@given(workforces(), st.randoms(use_true_random=False))
def test_even_links_out_of_the_order_of_their_versions_come_to_the_same(force: Workforce, dice: random.Random) -> None:
    agree(force, run(force, dice, dice.shuffle))


@settings(agreement, max_examples=max(WORKFORCES // 10, 50))
@given(workforces(), st.randoms(use_true_random=False))
def test_nobody_can_read_a_road_to_removal_out_of_it_and_signs_of_trafficking_stay_protective(
    force: Workforce, dice: random.Random
) -> None:
    for one in run(force, dice).versions:
        assert "officer_may_consider_referral" not in one.options
        assert "leave_by_own_means" not in one.options
        assert one.subject not in force.people
        assert (one.family == "protective") is (one.rule == "trafficking_indicators")


def story(force: Workforce, faults: list[str]) -> str:
    """Returns a workforce as a person would tell it, and what is disputed."""
    lines = ["", *faults, f"looked at on {date_of(force.end_on)}:"]
    everything = [*[one for events in force.people.values() for one in events], *force.declarations, *force.allocations]
    for one in everything:
        own = [
            f"{item.name}={date_of(value) if item.name.endswith('_on') else _short(value)}"
            for item in fields(one)
            if item.name not in ("event_id", "occurred_at", "recorded_at", "source", "source_seq")
            and (value := getattr(one, item.name)) not in (None, "", ())
        ]
        lines.append(f"  {one.event_id.hex()[-4:]} {date_of(one.occurred_at // DAY_MS)} {one.NAME} {' '.join(own)}")
    return "\n".join(lines)


def _short(value: object) -> object:
    return value.hex()[:6] if isinstance(value, bytes) else value
