"""Any value the schemas can hold, for laws that must hold of all of them."""

from __future__ import annotations

from typing import Any, cast

from hypothesis import strategies as st

from streams.records import INPUTS, INTERNAL, OUTPUTS, RELAYED, Gap
from streams.wire.avro import Message
from streams.wire.jsonform import Field, fields_of

KINDS = (*INPUTS, *RELAYED, *OUTPUTS, *INTERNAL)

IDS = st.binary(min_size=16, max_size=16)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def _values(field: Field) -> st.SearchStrategy[Any]:
    forms: dict[str, st.SearchStrategy[Any]] = {
        "id": IDS,
        "instant": st.integers(*field.limits) | st.integers(0, 4_000_000_000_000),
        "date": st.integers(*field.limits) | st.integers(-30_000, 90_000),
        "integer": st.integers(*field.limits),
        "flag": st.booleans(),
        "text": st.sampled_from(field.symbols) if field.symbols else TEXTS,
        "bytes": st.binary(max_size=200),
        "texts": st.lists(TEXTS, max_size=4).map(tuple),
        "ids": st.lists(IDS, max_size=4).map(tuple),
        "gaps": st.lists(st.deferred(lambda: records_of(Gap)), max_size=4).map(tuple),
    }
    return st.none() | forms[field.form] if field.nullable else forms[field.form]


def records_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Returns a strategy of any record of a class that its schema can hold."""
    return st.builds(kind, **{field.name: _values(field) for field in fields_of(kind)})


def records() -> st.SearchStrategy[Message]:
    """Returns a strategy of any record of any class."""
    return cast("st.SearchStrategy[Message]", st.sampled_from(KINDS).flatmap(records_of))
