"""What workers write is what fastavro would write, byte for byte; what fastavro refuses is refused."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import Any, cast

import pytest
from fastavro import schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from streams.records import INTERNAL, OUTPUTS, Alert
from streams.wire import avro, writer
from streams.wire.avro import Message, codecs
from tests.property.strategies import records_of

OURS = (*OUTPUTS, *INTERNAL)
written = cast("st.SearchStrategy[Message]", st.sampled_from(OURS).flatmap(records_of))


def by_fastavro(record: Message) -> bytes:
    """Returns the message as fastavro writes it, by way of a dictionary."""
    codec = codecs().by_kind[type(record)]
    out = BytesIO()
    out.write(codec.header)
    names = [field["name"] for field in codec.version.plain["fields"]]
    schemaless_writer(out, codec.version.plain, {name: getattr(record, name) for name in names})
    return out.getvalue()


def quick(kind: type[Any]) -> Any:
    """Returns the function made for a record class."""
    codec = codecs().by_kind[kind]
    return writer.writer_of(codec.version.plain, codec.header)


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.NAME)
def test_every_record_a_worker_writes_has_a_writer_of_its_own(kind: type[Any]) -> None:
    assert quick(kind) is not None


@given(st.lists(written, min_size=1, max_size=4))
def test_the_bytes_are_those_of_fastavro_the_first_time_and_again(records: list[Message]) -> None:
    for record in records * 2:
        assert quick(type(record))(record) == by_fastavro(record) == avro.encode(record)


@given(st.integers(-(2**63), 2**63 - 1) | st.integers(-(2**20), 2**43))
def test_every_whole_number_of_64_bits_is_written_as_fastavro_writes_it(value: int) -> None:
    out = BytesIO()
    schemaless_writer(out, {"type": "long"}, value)
    assert writer.number(value) == out.getvalue()


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 2**80])
def test_a_number_that_needs_more_than_64_bits_is_not_cut(value: int) -> None:
    with pytest.raises(writer.NotOfThisFormError):
        writer.number(value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"alert_id": b"short"},
        {"version": "1"},
        {"rule": b"bytes"},
        {"family": "no such family"},
        {"last_day_on": "tomorrow"},
        {"options": (1,)},
        {"evidence": (b"short",)},
        {"caused_at": None},
        {"decided_at": 2**63},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
@given(records_of(Alert))
def test_a_value_the_schema_does_not_allow_is_refused(wrong: dict[str, Any], record: Alert) -> None:
    broken = replace(record, **wrong)
    with pytest.raises(Exception) as ours:  # noqa: PT011 - whatever fastavro raises, ours raises
        avro.encode(broken)
    with pytest.raises(type(ours.value)):
        by_fastavro(broken)


def test_what_is_kept_does_not_grow_without_bound() -> None:
    for value in range(3 * writer._ENTRIES):
        writer.kept_number(value)
        writer.kept_text(str(value))
        writer.kept_list((str(value),))
    assert max(len(writer._numbers), len(writer._texts), len(writer._lists)) <= writer._ENTRIES
