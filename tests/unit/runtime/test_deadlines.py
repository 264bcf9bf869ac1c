"""The deadline index: who is due, once, in an order that depends on facts alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.deadlines import Deadlines

instants = st.one_of(st.none(), st.integers(0, 50))
plans = st.lists(st.tuples(st.binary(min_size=1, max_size=2), instants, instants, st.booleans()), max_size=60)
Plan = tuple[bytes, int | None, int | None, bool]


@given(plans, st.integers(0, 60), st.integers(0, 60), st.booleans())
def test_due_is_exactly_who_a_plain_search_finds_in_order_of_instant_and_key(
    plan: list[Plan], now: int, coverage: int, changed: bool
) -> None:
    index = Deadlines()
    latest: dict[bytes, Plan] = {}
    for each in plan:
        index.set(*each)
        latest[each[0]] = each
    expected = []
    for key, at, covered, on_gaps in latest.values():
        reasons = [at] if at is not None and at <= now else []
        reasons += [covered] if covered is not None and covered <= coverage else []
        reasons += [now] if on_gaps and changed else []
        if reasons:
            expected.append((min(reasons), key))
    due = index.pop_due(now, coverage, gaps_changed=changed)
    assert due == [key for _, key in sorted(expected)]
    assert index.pop_due(now, coverage, gaps_changed=changed) == []


@given(plans)
def test_the_index_rebuilt_from_the_last_plans_answers_like_the_one_that_lived(plan: list[Plan]) -> None:
    lived, rebuilt = Deadlines(), Deadlines()
    for each in plan:
        lived.set(*each)
    for each in sorted({each[0]: each for each in plan}.values(), key=lambda one: one[0]):
        rebuilt.set(*each)
    assert len(lived) == len(rebuilt)
    for now in range(0, 60, 10):
        assert lived.pop_due(now, now, gaps_changed=now == 30) == rebuilt.pop_due(now, now, gaps_changed=now == 30)


def test_a_deadline_moved_a_thousand_times_keeps_the_index_small() -> None:
    index = Deadlines()
    for at in range(10_000):
        index.set(b"k", at, None, False)
    assert len(index) == 1
    assert index._by_time._listed < 2_000
    assert len(index._by_time._instants) < 2_000
    assert index.pop_due(9_998, 0, gaps_changed=False) == []
    assert index.pop_due(9_999, 0, gaps_changed=False) == [b"k"]
