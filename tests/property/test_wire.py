"""What holds of every record and of every sequence of bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.decode import CODES, Decoder, Rejected
from streams.records import Record
from streams.wire import avro
from streams.wire.avro import Message, codecs
from streams.wire.jsonform import FieldError, from_json, to_json
from streams.wire.topics import TOPICS, topic_of
from tests.property.strategies import records
from tests.unit.decode.lawful import LAWFUL, RECEIVED_AT, SomeCodes

DECODER = Decoder(SomeCodes())
INPUT_TOPICS = [topic for topic in TOPICS if topic.role == "input"]
HEADERS = [codec.header for codec in codecs().by_kind.values()]


@given(records())
def test_what_is_encoded_decodes_to_the_same_record(record: Message) -> None:
    assert avro.decode(avro.encode(record)) == record


@given(records())
def test_fields_without_the_record_are_the_records_fields(record: Message) -> None:
    value = avro.encode(record)
    for _ in range(2):  # the second time some come from memory
        assert avro.decode_fields(value) == (type(record), avro.fields_of(record))


@given(records())
def test_the_json_form_loses_nothing(record: Message) -> None:
    assert from_json(record.NAME, json.loads(json.dumps(to_json(record)))) == record


@given(records(), st.integers(0, 2**48), st.sampled_from(INPUT_TOPICS))
def test_any_record_is_let_in_whole_or_refused_with_a_reason(record: Message, received_at: int, topic: object) -> None:
    outcome = DECODER.decode(avro.encode(record), received_at=received_at, topic=topic_of(record.NAME))
    assert outcome == record or (isinstance(outcome, Rejected) and outcome.code in CODES and outcome.reason)


@pytest.mark.parametrize("record", LAWFUL, ids=lambda record: record.NAME)
def test_every_prefix_of_a_message_is_refused(record: Record) -> None:
    value = avro.encode(record)
    topic = topic_of(record.NAME)
    for length in range(len(value)):
        outcome = DECODER.decode(value[:length], received_at=RECEIVED_AT, topic=topic)
        assert isinstance(outcome, Rejected)
        assert outcome.code in {"empty", "truncated"}


@given(st.binary(max_size=400), st.sampled_from(INPUT_TOPICS))
def test_random_bytes_are_refused_and_never_raise(value: bytes, topic: object) -> None:
    outcome = DECODER.decode(value, received_at=RECEIVED_AT, topic=topic)  # type: ignore[arg-type]
    assert isinstance(outcome, Rejected)
    assert outcome.code in CODES


@given(st.sampled_from(HEADERS), st.binary(max_size=400), st.sampled_from(INPUT_TOPICS))
def test_random_bodies_behind_a_known_header_never_raise(header: bytes, body: bytes, topic: object) -> None:
    outcome = DECODER.decode(header + body, received_at=RECEIVED_AT, topic=topic)  # type: ignore[arg-type]
    assert not isinstance(outcome, Rejected) or outcome.code in CODES


@given(st.sampled_from(LAWFUL), st.data())
def test_one_flipped_byte_never_raises(record: Record, data: st.DataObject) -> None:
    value = bytearray(avro.encode(record))
    at = data.draw(st.integers(0, len(value) - 1))
    value[at] ^= data.draw(st.integers(1, 255))
    outcome = DECODER.decode(bytes(value), received_at=RECEIVED_AT, topic=topic_of(record.NAME))
    assert isinstance(outcome, Record) or outcome.code in CODES


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(LAWFUL), st.data())
def test_a_wrong_value_in_json_is_an_error_that_names_its_field(record: Record, data: st.DataObject) -> None:
    row = to_json(record)
    name = data.draw(st.sampled_from(sorted(row.keys() - {"type"})))
    row[name] = data.draw(JSON)
    fault = _fault_of(record.NAME, row)
    assert fault is None or (fault.field.partition("[")[0] == name and fault.expected)


def _fault_of(name: str, row: dict[str, Any]) -> FieldError | None:
    try:
        avro.encode(from_json(name, row))
    except FieldError as error:
        return error
    return None
