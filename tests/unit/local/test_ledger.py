"""The ledger's law: unbroken runs of offsets, each offset accounted for exactly once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import IntegrityError
from streams.local.ledger import Ledger
from streams.records import BatchMarker


def marker(first: int, processed: int, dead: int = 0, skipped: int = 0, partition: int = 0) -> BatchMarker:
    last = first + processed + dead + skipped - 1
    return BatchMarker("t.people", partition, first, last, processed, dead, skipped, 0)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)).filter(lambda parts: sum(parts) > 0), max_size=20)
)
def test_any_unbroken_runs_add_up_to_the_end_of_the_log(batches: list[tuple[int, int, int]]) -> None:
    ledger, offset = Ledger(), 0
    for processed, dead, skipped in batches:
        ledger.take(marker(offset, processed, dead, skipped))
        offset += processed + dead + skipped
    assert ledger.behind({("t.people", 0): offset}) == 0
    assert ledger.processed + ledger.dead_letters + ledger.skipped == offset
    assert ledger.processed == sum(batch[0] for batch in batches)
    assert ledger.dead_letters == sum(batch[1] for batch in batches)


def test_a_hole_is_an_error_that_says_where() -> None:
    ledger = Ledger()
    ledger.take(marker(0, 10))
    with pytest.raises(
        IntegrityError, match=r"t\.people, partition 0: expected a batch that starts at offset 10.*offsets 11 to 15"
    ):
        ledger.take(marker(11, 5))


def test_an_overlap_is_an_error() -> None:
    ledger = Ledger()
    ledger.take(marker(0, 10))
    with pytest.raises(IntegrityError, match="contradicts itself"):
        ledger.take(marker(9, 5))


def test_a_batch_that_does_not_account_for_each_offset_is_an_error() -> None:
    with pytest.raises(IntegrityError, match="with 3 accounted for"):
        Ledger().take(BatchMarker("t.people", 0, 0, 9, 2, 1, 0, 0))


def test_what_no_marker_covers_is_behind() -> None:
    ledger = Ledger()
    ledger.take(marker(0, 10))
    ledger.take(marker(0, 3, partition=1))
    assert ledger.behind({("t.people", 0): 12, ("t.people", 1): 3, ("t.posts", 0): 4}) == 6
