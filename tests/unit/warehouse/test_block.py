"""The encoder: what goes in comes out, and sending twice sends the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.warehouse.block import Block, decode, encode
from streams.warehouse.columns import DAY, INSTANT, WORD, Column
from streams.warehouse.errors import RefusedError

GAP = f"Tuple(post String, from_at {INSTANT}, until_at Nullable({INSTANT}))"
IDS = st.binary(min_size=16, max_size=16)
DAYS = st.integers(-25_000, 100_000)  # 1901 to 2243
INSTANTS = st.integers(-2_000_000_000_000, 8_000_000_000_000)
TEXT = st.text(max_size=20)

KINDS: dict[str, tuple[st.SearchStrategy[Any], Any]] = {
    "UUID": (IDS, lambda value: UUID(bytes=value)),
    "Nullable(UUID)": (st.none() | IDS, lambda value: value and UUID(bytes=value)),
    "Array(UUID)": (st.lists(IDS, max_size=3).map(tuple), lambda value: [UUID(bytes=one) for one in value]),
    DAY: (DAYS, lambda value: date(1970, 1, 1) + timedelta(days=value)),
    f"Nullable({DAY})": (st.none() | DAYS, lambda value: None if value is None else date(1970, 1, 1) + timedelta(days=value)),
    INSTANT: (INSTANTS, lambda value: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)),
    "Int64": (st.integers(-(2**63), 2**63 - 1), lambda value: value),
    "Int32": (st.integers(-(2**31), 2**31 - 1), lambda value: value),
    "Bool": (st.booleans(), lambda value: value),
    WORD: (TEXT, lambda value: value),
    "LowCardinality(Nullable(String))": (st.none() | TEXT, lambda value: value),
    "String": (TEXT, lambda value: value),
    "Array(String)": (st.lists(TEXT, max_size=3).map(tuple), list),
    f"Array({GAP})": (
        st.lists(st.tuples(TEXT, st.integers(0, 10**12), st.none()), max_size=2),
        lambda value: [one[0] for one in value],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_what_is_encoded_is_decoded(kind: str, data: st.DataObject) -> None:
    values, expected = KINDS[kind]
    column = data.draw(st.lists(values, min_size=1, max_size=20))
    block = Block((Column("c", kind, ""),), [tuple(column)])
    content = encode(block)
    got = [row[0] for row in decode(content).rows]
    if kind.startswith("Array(Tuple"):
        got = [[one[0] for one in value] for value in got]
    if kind == INSTANT:  # the driver reads instants by way of a float
        assert all(abs(one - expected(value)) < timedelta(milliseconds=1) for one, value in zip(got, column, strict=True))
    else:
        assert got == [expected(value) for value in column]
    assert encode(block) == content, "a retry must send the same bytes"


@pytest.mark.parametrize(
    ("kind", "value"),
    [("UUID", b"short"), ("UUID", None), ("UUID", 5), (DAY, "2025-03-01"), ("Int32", 2**31), ("Int64", None), ("String", None)],
)
def test_a_value_that_does_not_fit_is_refused(kind: str, value: Any) -> None:
    if kind == "UUID" and value is None:
        # Zeroes, as for every type's default: the schema, not the encoder, says whether an id may be absent.
        assert decode(encode(Block((Column("c", kind, ""),), [[None]]))).rows == [(UUID(int=0),)]
        return
    with pytest.raises(RefusedError, match="does not fit"):
        encode(Block((Column("c", kind, ""),), [[value]]))


def test_a_slice_has_the_rows_between() -> None:
    block = Block((Column("a", "Int32", ""), Column("b", "String", "")), [(1, 2, 3), ("x", "y", "z")])
    assert block.slice(1, 3).data == [(2, 3), ("y", "z")]
    assert block.slice(1, 3).rows == 2
    assert Block((), []).rows == 0
