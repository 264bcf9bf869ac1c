"""What is read from memory is what the ordinary decoder reads, and nothing else is read from memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.records import BorderCrossing
from streams.records.crossings import Direction, DocumentKind, Purpose, RefusalReason, Transport
from streams.wire import avro
from streams.wire.avro import Codec, MalformedError, codecs
from streams.wire.schemas import Version

CURRENT = codecs().by_kind[BorderCrossing]


def fresh() -> Codec:
    """Returns a codec that remembers nothing yet."""
    version: Version = CURRENT.version
    return Codec(BorderCrossing, version, version)


def told(read: Callable[[bytes, int], Any], value: bytes) -> Any:
    """Returns what a codec says of a message: a record or its fields, or why there are none."""
    try:
        return read(value, 10)
    except MalformedError as error:
        return error.code, error.reason


instants = st.one_of(st.integers(1_500_000_000_000, 2_000_000_000_000), st.integers(-(2**63), 2**63 - 1))
crossings = st.builds(
    BorderCrossing,
    event_id=st.binary(min_size=16, max_size=16),
    subject=st.one_of(st.just("p1-" + "ab" * 16), st.text(max_size=70)),
    occurred_at=instants,
    recorded_at=instants,
    source=st.one_of(st.sampled_from(["post:KZ-75-A1", "post:KZ-71-A1"]), st.text(max_size=70)),
    source_seq=st.one_of(st.integers(1, 10**7), st.integers(-(2**63), 2**63 - 1)),
    direction=st.sampled_from(get_args(Direction)),
    post=st.sampled_from(["KZ-75-A1", "KZ-71-A1", "x" * 40]),
    citizenship=st.sampled_from(["UZB", "KGZ"]),
    purpose=st.sampled_from(get_args(Purpose)),
    document=st.sampled_from(get_args(DocumentKind)),
    transport=st.sampled_from(get_args(Transport)),
    visa_id=st.one_of(st.none(), st.binary(min_size=16, max_size=16)),
    refusal_reason=st.one_of(st.none(), st.sampled_from(get_args(RefusalReason))),
)


@given(st.lists(crossings, min_size=1, max_size=8))
def test_a_codec_with_a_memory_reads_what_was_written(events: list[BorderCrossing]) -> None:
    codec = fresh()
    for event in events * 2:
        assert codec.read(avro.encode(event), 10) == event
        assert codec.fields(avro.encode(event), 10) == codec.values(event)


@given(crossings, st.data())
def test_a_memory_changes_no_verdict_on_damaged_bytes(event: BorderCrossing, data: st.DataObject) -> None:
    whole = avro.encode(event)
    knowing = fresh()
    for _ in range(2):
        assert knowing.read(whole, 10) == event
    at = data.draw(st.integers(10, len(whole) - 1))
    damaged = data.draw(
        st.sampled_from([whole[:at], whole + whole[at:], whole[:at] + data.draw(st.binary(max_size=3)) + whole[at + 1 :]])
    )
    verdict = told(fresh().read, damaged)
    assert told(knowing.read, damaged) == verdict
    assert told(knowing.fields, damaged) == (CURRENT.values(verdict) if isinstance(verdict, BorderCrossing) else verdict)


def test_a_repeated_crossing_is_read_from_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    first = BorderCrossing(
        (1).to_bytes(16, "big"), "p1-" + "0" * 32, 1_700_000_000_000, 1_700_000_000_500, "post:KZ-75-A1", 1, "entry",
        "KZ-75-A1", "UZB", "private", "passport", "air", None, None,
    )  # fmt: skip
    second = BorderCrossing(
        (2).to_bytes(16, "big"), "p1-" + "1" * 32, 1_700_000_100_000, 1_700_000_100_000, "post:KZ-75-A1", 2, "entry",
        "KZ-75-A1", "UZB", "private", "passport", "air", None, None,
    )  # fmt: skip
    codec = fresh()
    assert codec.read(avro.encode(first), 10) == first

    def never(*_: Any) -> Any:
        raise AssertionError("the ordinary decoder was asked")

    monkeypatch.setattr(avro, "schemaless_reader", never)
    read = codec.read(avro.encode(second), 10)
    assert read == second
