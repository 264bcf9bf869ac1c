"""The allowance by intervals is the allowance counted day by day."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.detect.allowance import Usage
from streams.detect.days import Span, union
from streams.policy.model import Allowance

PAIRS = st.tuples(st.integers(0, 60), st.integers(1, 25)).map(lambda pair: (pair[0], pair[0] + pair[1] - 1))


def _beyond(allowance: Allowance, own: set[int], counted: set[int], day: int) -> bool:
    mine = len([one for one in own if one <= day])
    if allowance.days_per_entry is not None and mine > allowance.days_per_entry:
        return True
    limit, window = allowance.days_in_window, allowance.window_days
    if limit is None:
        return False
    if allowance.anchor == "per_entry":
        return mine > limit
    assert window is not None
    if allowance.anchor == "rolling":
        return len([one for one in counted if day - window < one <= day]) > limit
    start = None
    for one in sorted(counted):
        if one > day:
            break
        if start is None or one >= start + window:
            start = one
    assert start is not None
    return len([one for one in counted if start <= one <= day]) > limit


@settings(max_examples=400)
@given(
    st.lists(PAIRS, max_size=4),
    PAIRS,
    st.sampled_from(["rolling", "first_entry", "per_entry"]),
    st.none() | st.integers(1, 12),
    st.tuples(st.none() | st.integers(1, 20), st.integers(1, 30)),
)
def test_every_anchor_agrees_with_counting_each_day(
    others: list[Span], stay: Span, anchor: str, per_entry: int | None, term: tuple[int | None, int]
) -> None:
    allowance = Allowance(per_entry, *term, anchor)  # type: ignore[arg-type]
    counted_days = union([*others, stay])
    counted = {day for first, last in counted_days for day in range(first, last + 1)}
    own = set(range(stay[0], stay[1] + 1))
    found = Usage([stay], counted_days, 100).beyond(allowance, stay)
    days = {day for first, last in found for day in range(first, last + 1)}
    assert days == {day for day in own if _beyond(allowance, own, counted, day)}


@pytest.mark.parametrize(("limit", "first_beyond"), [(90, 90), (1, 1)])
def test_the_last_day_of_the_limit_is_lawful_and_the_next_is_not(limit: int, first_beyond: int) -> None:
    usage = Usage([(0, 400)], [(0, 400)], 400)
    assert usage.beyond(Allowance(None, limit, 180, "rolling"), (0, 400)) == [(first_beyond, 400)]
