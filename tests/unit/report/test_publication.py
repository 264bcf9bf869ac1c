"""Tables published one after another, attacked with all of them at once: the same people by other dimensions, and over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.errors import UsageError
from streams.report.disclosure import TOTAL, Key, interval, with_totals
from streams.report.publication import Cell, as_rows, layout_of, published
from streams.warehouse.published import Figure

NAMES = ("oblast", "grade", "alerts")
BY = ("oblast:alerts", "grade:alerts", "oblast,grade:alerts", "grade,oblast:alerts")
COUNTS = st.fixed_dictionaries(
    {(row, column): st.one_of(st.integers(0, 15), st.integers(0, 300)) for row in ("a", "b", "c") for column in ("x", "y")}
)


def release(counts: Mapping[Key, int], by: str, standing: list[Figure], table: str = "mart_alerts") -> list[Figure]:
    """Publishes a table and returns its figures."""
    layout = layout_of(by)
    rows = [(row, column, count) for (row, column), count in counts.items()]
    return [Figure(f"{table} {layout.text}", *one) for one in as_rows(published(NAMES, rows, layout, table, standing))]


def newest(figures: list[Figure]) -> list[Figure]:
    return list({(one.name, one.row, one.column): one for one in figures}.values())


@given(counts=COUNTS, order=st.permutations(BY), few=st.integers(2, 4))
@settings(max_examples=120, deadline=None)
def test_no_order_of_publishing_the_same_people_by_other_dimensions_tells_of_few(
    counts: dict[Key, int], order: list[str], few: int
) -> None:
    """The attacker has every table. What is shown in any of them is known; the rest must not place a small count within ten.

    Figures are rounded, so the attacker here knows even more than there is to know: the counts behind what is shown.
    """
    shown: set[Cell] = set()
    hidden: set[Cell] = set()
    standing: list[Figure] = []
    for by in order[:few]:
        try:
            told = release(counts, by, standing)
        except UsageError:
            continue  # refused: nothing is out
        standing += told
        layout = layout_of(by)
        for one in told:
            (hidden if one.figure is None else shown).add(layout.cell((one.row, one.column)))
    assert not shown & hidden, "what one table suppresses no other shows"
    full = with_totals(counts)
    whole = layout_of("oblast,grade:alerts")
    unknown = {key for key in full if whole.cell(key) not in shown}
    for key, count in full.items():
        if count < 10:
            assert key in unknown
            least, greatest = interval(full, unknown, key)
            assert greatest is None or greatest - least >= 10


@given(counts=COUNTS, data=st.data())
@settings(max_examples=80, deadline=None)
def test_over_time_no_figure_moves_by_few_and_what_was_suppressed_stays_so(counts: dict[Key, int], data: st.DataObject) -> None:
    """Late exits and corrections move a count by one or two; who keeps every release must not see whom."""
    standing = release(counts, "oblast,grade:alerts", [])
    for _ in range(4):
        counts = {key: max(0, count + data.draw(st.integers(-12, 12))) for key, count in counts.items()}
        after = release(counts, "oblast,grade:alerts", standing)
        earlier = {(one.row, one.column): one.figure for one in standing}
        for one in after:
            before = earlier[one.row, one.column]
            if before is None:
                assert one.figure is None
            elif one.figure is not None:
                assert one.figure == before or abs(one.figure - before) >= 10
        standing = newest([*standing, *after])


@given(counts=COUNTS, data=st.data())
@settings(max_examples=60, deadline=None)
def test_over_time_what_one_table_suppressed_no_other_shows_later(counts: dict[Key, int], data: st.DataObject) -> None:
    standing = release(counts, "oblast:alerts", [])
    hidden = {layout_of("oblast:alerts").cell((one.row, one.column)) for one in standing if one.figure is None}
    counts = {key: count + data.draw(st.integers(0, 400)) for key, count in counts.items()}
    layout = layout_of("oblast,grade:alerts")
    try:
        later = release(counts, "oblast,grade:alerts", standing)
    except UsageError:
        return
    assert not {layout.cell((one.row, one.column)) for one in later if one.figure is not None} & hidden


def test_a_total_another_table_shows_hides_nothing_here() -> None:
    """By grade everything is large and the total shown. By oblast 4 and 96: without the total 4 would be safe, with it not."""
    standing = release({("a", "x"): 50, ("a", "y"): 46, ("b", "x"): 4, ("b", "y"): 0}, "grade:alerts", [])
    assert {one.row: one.figure for one in standing} == {"x": 55, "y": 45, TOTAL: 100}
    told = release({("a", "x"): 50, ("a", "y"): 46, ("b", "x"): 4, ("b", "y"): 0}, "oblast:alerts", standing)
    assert {one.row: one.figure for one in told} == {"a": None, "b": None, TOTAL: 100}


def test_tables_of_other_views_and_of_other_counts_say_nothing_of_these_people() -> None:
    counts = {("a", "x"): 40, ("b", "x"): 60}
    other = [Figure("mart_cases oblast:alerts", "a", "", None), Figure("mart_alerts oblast:persons", "a", "", None)]
    assert {one.row: one.figure for one in release(counts, "oblast:alerts", other)} == {"a": 40, "b": 60, TOTAL: 100}


def test_a_cell_that_is_gone_stays_in_the_table_suppressed() -> None:
    standing = release({("a", "x"): 40, ("b", "x"): 60, ("c", "x"): 80}, "oblast:alerts", [])
    told: dict[str, Any] = {one.row: one.figure for one in release({("b", "x"): 60, ("c", "x"): 80}, "oblast:alerts", standing)}
    assert told["a"] is None
    assert None in (told["b"], told["c"], told[TOTAL]), "the total less the others would tell that nobody is left"


def test_where_nothing_can_be_hidden_any_more_the_table_is_refused() -> None:
    """Everything was shown by grade and oblast; now one cell is small, and each other one is known from there."""
    counts = {(row, column): 40 for row in "ab" for column in "xy"}
    standing = release(counts, "grade,oblast:alerts", [])
    with pytest.raises(UsageError, match="cannot be published"):
        release(counts | {("a", "x"): 4}, "oblast,grade:alerts", standing)
