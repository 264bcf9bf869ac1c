"""Interval arithmetic is set arithmetic."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from streams.detect.days import Counter, Span, first_from, has, intersect, subtract, union

SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 8)).map(lambda pair: (pair[0], pair[0] + pair[1] - 1)), max_size=6)


def _days(spans: list[Span]) -> set[int]:
    return {day for first, last in spans for day in range(first, last + 1)}


def _is_proper(spans: list[Span]) -> bool:
    return all(first <= last for first, last in spans) and all(a[1] + 1 < b[0] for a, b in itertools.pairwise(spans))


@given(SPANS)
def test_a_union_has_every_day_once(spans: list[Span]) -> None:
    assert _days(union(spans)) == _days(spans)
    assert _is_proper(union(spans))


@given(SPANS, SPANS)
def test_intersection_and_difference_are_those_of_sets(one: list[Span], other: list[Span]) -> None:
    a, b = union(one), union(other)
    assert _days(intersect(a, b)) == _days(a) & _days(b)
    assert _days(subtract(a, b)) == _days(a) - _days(b)
    assert _is_proper(subtract(a, b))


@given(SPANS, st.integers(-2, 60), st.integers(-1, 60))
def test_counting_and_finding_days(spans: list[Span], day: int, n: int) -> None:
    days = union(spans)
    every = sorted(_days(days))
    counter = Counter(days)
    assert counter.through(day) == len([one for one in every if one <= day])
    assert counter.nth(n) == (every[n - 1] if 1 <= n <= len(every) else None)
    assert first_from(days, day) == min([one for one in every if one >= day], default=None)
    assert has(days, day) == (day in every)
