"""State, its marker, and whether the log still fits them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import IntegrityError
from streams.runtime.store import MemoryStore, Source, check_against_source, pack_marker, unpack_marker


@given(st.integers(-1, 2**62))
def test_a_marker_comes_back_as_it_was(offset: int) -> None:
    assert unpack_marker(pack_marker(offset)) == offset


def test_a_marker_that_is_none_is_refused() -> None:
    with pytest.raises(IntegrityError, match="8 bytes and is 3"):
        unpack_marker(b"abc")


@given(st.lists(st.dictionaries(st.binary(max_size=1), st.one_of(st.none(), st.binary(max_size=2)))))
def test_the_store_holds_the_last_value_of_every_key_and_forgets_what_was_removed(
    batches: list[dict[bytes, bytes | None]],
) -> None:
    store, model = MemoryStore(), dict[bytes, bytes | None]()
    for changes in batches:
        store.apply(changes)
        model |= changes
    kept = {key: value for key, value in model.items() if value is not None}
    assert dict(store.items()) == kept
    assert len(store) == len(kept)
    assert all(store.get(key) == model[key] for key in model)


def test_a_fresh_partition_begins_where_the_log_begins() -> None:
    assert check_against_source(None, Source("t", 0, 17, 40)) == 17


def test_a_known_partition_goes_on_behind_its_marker() -> None:
    assert check_against_source(16, Source("t", 0, 17, 40)) == 17
    assert check_against_source(39, Source("t", 0, 17, 40)) == 40


@pytest.mark.parametrize(
    ("marker", "low", "high", "words"),
    [(15, 17, 40, "Retention deleted offsets 16 to 16"), (40, 0, 40, "created again"), (9, 0, 0, "created again")],
)
def test_a_log_that_lost_records_is_refused(marker: int, low: int, high: int, words: str) -> None:
    with pytest.raises(IntegrityError, match=words) as caught:
        check_against_source(marker, Source("t", 0, low, high))
    assert caught.value.next_step
