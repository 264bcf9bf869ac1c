"""Disclosure control, attacked: by the totals, by differencing tables, by differencing releases."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.errors import UsageError
from streams.report.disclosure import TOTAL, Key, Release, interval, protect, release, rounded, with_totals

TABLES = st.integers(1, 5).flatmap(
    lambda height: st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.one_of(st.integers(0, 15), st.integers(0, 400)), min_size=height * width, max_size=height * width
        ).map(
            lambda counts: {
                (f"r{index // width}", f"c{index % width}" if width > 1 else ""): count for index, count in enumerate(counts)
            }
        )
    )
)
"""Tables of one to five rows and one to four columns, with many small cells."""


def hidden_of(one: Release) -> set[Key]:
    return {key for key, figure in one.figures.items() if figure is None}


def test_a_table_of_large_cells_is_published_whole_and_rounded() -> None:
    told = release(
        {("KZ-75", "f"): 103, ("KZ-75", "m"): 88, ("KZ-71", "f"): 41, ("KZ-71", "m"): 57}, rows="oblast", columns="sex"
    )
    assert told.figures == {
        ("KZ-75", "f"): 105,
        ("KZ-75", "m"): 90,
        ("KZ-71", "f"): 40,
        ("KZ-71", "m"): 55,
        ("KZ-75", TOTAL): 190,
        ("KZ-71", TOTAL): 100,
        (TOTAL, "f"): 145,
        (TOTAL, "m"): 145,
        (TOTAL, TOTAL): 290,
    }


def test_one_small_cell_takes_three_others_with_it() -> None:
    """In a row and a column with their totals, one suppressed cell could be subtracted back."""
    counts = {(row, column): 50 for row in "abc" for column in "xyz"} | {("a", "x"): 3}
    told = release(counts, rows="oblast", columns="group")
    assert ("a", "x") in hidden_of(told)
    assert len(hidden_of(told)) == 4
    assert all(TOTAL not in key for key in hidden_of(told)), "cells are cheaper than totals"


def test_in_a_list_the_smallest_other_cell_goes_too() -> None:
    told = release({("a", ""): 4, ("b", ""): 30, ("c", ""): 500}, rows="oblast")
    assert hidden_of(told) == {("a", ""), ("b", "")}


def test_two_small_cells_whose_sum_is_small_do_not_protect_each_other() -> None:
    """4 and 2 suppressed, the total known: each lies in 0 to 6, which is too narrow."""
    told = release({("a", ""): 4, ("b", ""): 2, ("c", ""): 500, ("d", ""): 60}, rows="oblast")
    assert hidden_of(told) == {("a", ""), ("b", ""), ("d", "")}


def test_a_lonely_small_cell_hides_its_total() -> None:
    assert hidden_of(release({("a", ""): 4}, rows="oblast")) == {("a", ""), (TOTAL, "")}


@given(counts=TABLES)
@settings(max_examples=150, deadline=None)
def test_no_cell_under_ten_is_published_nor_can_be_placed_within_ten(counts: dict[Key, int]) -> None:
    told = release(counts, rows="oblast", columns="group", round_to=1)
    full = with_totals(counts)
    for key, count in full.items():
        assert told.figures[key] in (None, count)
        if count < 10:
            assert told.figures[key] is None
            least, greatest = interval(full, hidden_of(told), key)
            assert least <= count
            assert greatest is None or (greatest >= count and greatest - least >= 10)


@given(counts=TABLES)
@settings(max_examples=100, deadline=None)
def test_subtracting_what_is_known_again_and_again_finds_no_small_cell(counts: dict[Key, int]) -> None:
    """The attack of somebody with a spreadsheet: bounds of every suppressed cell from the totals, until nothing moves."""
    told = release(counts, rows="oblast", columns="group", round_to=1)
    full = with_totals(counts)
    low, high = _bounds_by_subtraction(full, told)
    for key, count in full.items():
        if count < 10:
            assert high[key] - low[key] >= 10


def _bounds_by_subtraction(full: dict[Key, int], told: Release) -> tuple[dict[Key, int], dict[Key, int]]:
    plenty = sum(full.values()) + 1000
    low = {key: 0 if figure is None else figure for key, figure in told.figures.items()}
    high = {key: plenty if figure is None else figure for key, figure in told.figures.items()}
    sums: list[tuple[Key, list[Key]]] = []
    for axis in (0, 1):
        for name in {key[axis] for key in full}:
            line = [key for key in full if key[axis] == name]
            ends = [key for key in line if key[1 - axis] == TOTAL]
            sums.extend((end, [key for key in line if key != end]) for end in ends)
    for _ in range(50):
        for total, parts in sums:
            low[total] = max(low[total], sum(low[part] for part in parts))
            high[total] = min(high[total], sum(high[part] for part in parts))
            for part in parts:
                others_low = sum(low[other] for other in parts if other != part)
                others_high = sum(high[other] for other in parts if other != part)
                low[part] = max(low[part], low[total] - others_high)
                high[part] = min(high[part], high[total] - others_low)
    return low, high


@given(counts=st.lists(st.integers(0, 4), min_size=4, max_size=4))
@settings(max_examples=60, deadline=None)
def test_trying_every_table_there_could_be_leaves_every_small_cell_open(counts: list[int]) -> None:
    """The strongest attack there is: all 2 x 2 tables that fit what was published, counted out (threshold 3)."""
    keys = list(itertools.product("ab", "xy"))
    full = with_totals(dict(zip(keys, counts, strict=True)))
    small = {key for key, count in full.items() if count < 3}
    hidden = protect(full, small, 3)
    choices = [range(8) if key in hidden else (full[key],) for key in keys]
    tables = (with_totals(dict(zip(keys, values, strict=True))) for values in itertools.product(*choices))
    fitting = [table for table in tables if all(table[key] == full[key] for key in full.keys() - hidden)]
    for key in small:
        assert max(table[key] for table in fitting) - min(table[key] for table in fitting) >= 3


@given(counts=TABLES, data=st.data())
@settings(max_examples=80, deadline=None)
def test_the_difference_of_two_releases_of_one_table_is_nothing_or_at_least_ten(
    counts: dict[Key, int], data: st.DataObject
) -> None:
    """Late exits and corrections move a count by one or two: who keeps the old table must not see whom."""
    first = release(counts, rows="oblast", columns="group")
    told = first
    for _ in range(3):
        counts = {key: max(0, count + data.draw(st.integers(-12, 12))) for key, count in counts.items()}
        after = release(counts, rows="oblast", columns="group", before=told)
        for key, figure in after.figures.items():
            earlier = told.figures[key]
            if earlier is None:
                assert figure is None, "what was suppressed stays suppressed"
            elif figure is not None:
                assert figure == earlier or abs(figure - earlier) >= 10
        told = after


@given(counts=TABLES, data=st.data())
@settings(max_examples=80, deadline=None)
def test_subtracting_a_table_of_a_part_finds_no_small_cell(counts: dict[Key, int], data: st.DataObject) -> None:
    """All foreigners less all but one group: the difference is a table of that group."""
    part = {key: count - min(count, data.draw(st.one_of(st.just(0), st.integers(0, 30)))) for key, count in counts.items()}
    first = release(part, rows="oblast", columns="purpose", round_to=1)
    whole = release(counts, rows="oblast", columns="purpose", nested=[first], round_to=1)
    difference = {key: whole.exact[key] - first.exact[key] for key in whole.exact}
    secret = hidden_of(whole) | hidden_of(first)
    for key, count in difference.items():
        if count < 10:
            assert key in secret
            least, greatest = interval(difference, secret, key)
            assert greatest is None or greatest - least >= 10


def test_tables_that_are_not_nested_are_refused() -> None:
    first = release({("a", ""): 100, ("b", ""): 200}, rows="oblast")
    with pytest.raises(UsageError, match="part of the other's people"):
        release({("a", ""): 200, ("b", ""): 100}, rows="oblast", nested=[first])
    with pytest.raises(UsageError, match="same rows and columns"):
        release({("a", ""): 200}, rows="oblast", nested=[first])


def test_citizenship_by_post_by_day_is_never_published() -> None:
    with pytest.raises(UsageError, match="citizenship, day, post"):
        release({("UZB,KZ-75-A1", "2025-03-01"): 500}, rows="citizenship, post", columns="day")


def test_totals_and_negative_counts_are_no_cells() -> None:
    with pytest.raises(UsageError, match="expected a count"):
        with_totals({("a", "x"): -1})
    with pytest.raises(UsageError, match="no totals"):
        with_totals({("a", TOTAL): 12})


@given(st.integers(0, 10_000), st.sampled_from([1, 5, 10]))
def test_rounding_moves_no_figure_by_more_than_half_the_base(count: int, base: int) -> None:
    assert rounded(count, base) % base == 0
    assert abs(rounded(count, base) - count) <= base / 2
