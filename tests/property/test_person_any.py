"""Whatever the schemas can hold, a person's step answers: nothing a register sends can stop a partition."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.detect.codec import FACTS
from streams.person import Cause, LogTime, due_of, revisit, take
from streams.person.state import unpack
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import PersonEvent
from tests.property.person_histories import SUBJECT, histories, number
from tests.property.strategies import records_of


@cache
def _kz() -> Policy:
    return load("kz")


ANY: st.SearchStrategy[Any] = st.sampled_from(FACTS).flatmap(records_of)


@given(histories(6), st.lists(ANY, min_size=1, max_size=5), st.integers(0, 2_500_000_000_000), st.data())
@settings(max_examples=max(settings().max_examples // 2, 1), deadline=None, suppress_health_check=list(HealthCheck))
def test_no_fact_however_odd_stops_a_person(
    facts: list[PersonEvent], odd: list[PersonEvent], now: int, data: st.DataObject
) -> None:
    strange = [replace(one, subject=SUBJECT) for one in odd]
    state: bytes | None = None
    time = LogTime(now, now, ())
    for fact in data.draw(st.permutations([*facts, *strange])):
        step = take(state, fact, time, Cause(number(1), 1), _kz())
        state = step.state or state
        assert state is not None
        assert due_of(state) == step.due
    assert state is not None
    assert unpack(state, SUBJECT).pack() == state
    assert revisit(state, SUBJECT, time, Cause(number(1), 1), _kz()).state is None
