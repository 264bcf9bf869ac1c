"""A batch is a run of offsets; runs that touch have lost nothing between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.batch import Batch, Raw, joined, parts


def batch(first: int, following: int, offsets: list[int]) -> Batch:
    return Batch("t", 0, first, following, [Raw(offset, 0, None, b"") for offset in offsets])


@given(st.integers(0, 20), st.sets(st.integers(0, 30)), st.integers(-1, 40))
def test_the_rest_behind_an_offset_and_what_lies_before_it_make_the_whole(first: int, offsets: set[int], cut: int) -> None:
    whole = batch(first, 31, sorted(offset for offset in offsets if offset >= first))
    rest = whole.after(cut)
    before = [record for record in whole.records if record.offset <= cut]
    assert [*before, *rest.records] == list(whole.records)
    assert rest.first_offset == max(first, min(cut + 1, 31))
    assert rest.next_offset == 31
    assert rest.skipped_offsets >= 0


def test_offsets_without_a_record_are_counted() -> None:
    assert batch(5, 12, [5, 6, 9]).skipped_offsets == 4


@given(st.sets(st.integers(3, 30)), st.integers(1, 8))
def test_the_parts_of_a_batch_touch_and_join_into_the_whole(offsets: set[int], size: int) -> None:
    whole = batch(3, 35, sorted(offsets))
    pieces = list(parts(whole, size))
    assert joined(pieces) == whole
    assert max(len(piece.records) for piece in pieces) <= size


def test_batches_that_touch_join_into_one_run() -> None:
    one = joined([batch(0, 3, [0, 2]), batch(3, 4, []), batch(4, 6, [5])])
    assert (one.first_offset, one.next_offset, [record.offset for record in one.records]) == (0, 6, [0, 2, 5])


def test_batches_with_a_hole_between_them_do_not_join() -> None:
    with pytest.raises(ValueError, match="ends at 3 and the next begins at 4"):
        joined([batch(0, 3, [0]), batch(4, 6, [5])])
