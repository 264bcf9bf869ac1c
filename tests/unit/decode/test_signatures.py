"""Signed by its source or not, at the door: by the message, the register and the time of arrival alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.decode import CODES, Decoder, Rejected, load_sources
from streams.errors import UsageError
from streams.records import BorderCrossing, Record, Visa
from streams.wire import avro
from streams.wire.jsonform import instant_text
from streams.wire.signing import BATCH_EVENTS, HASH_BYTES, HEADER, MAX_BATCH_EVENTS, SignatureError, Signer, parse
from streams.wire.topics import topic_of
from tests.unit.decode.lawful import RECEIVED_AT, SomeCodes, lawful

SIGNER = Signer("a1-2025", bytes(range(32)))
OTHER = Signer("a1-2025", bytes(32))
HOUR = 3_600_000


def register(path: Path, mode: str, *, kid: str = "a1-2025", until: int | None = None, revoked: int | None = None) -> Decoder:
    ends = "".join(f", {name}: {instant_text(at)}" for name, at in (("until", until), ("revoked_at", revoked)) if at)
    key = f"{{kid: {kid}, public: {SIGNER.public.hex()}, from: {instant_text(RECEIVED_AT - 5 * HOUR)}{ends}}}"
    file = path / "sources.yaml"
    file.write_text(
        f"sources:\n  'post:KZ-75-A1': {{types: [border_crossing], signatures: {mode}, keys: [{key}]}}\n"
        "  '*': {types: [visa]}\n"
    )
    return Decoder(SomeCodes(), load_sources(file))


def said(decoder: Decoder, record: Record, headers: Sequence[tuple[str, bytes]], at: int = RECEIVED_AT) -> str:
    outcome = decoder.decode(avro.encode(record), received_at=at, topic=topic_of(record.NAME), headers=headers)
    if isinstance(outcome, Rejected):
        assert outcome.code in CODES
        assert (outcome.event_type, outcome.source) == (record.NAME, record.source)
        return outcome.code
    return "taken"


EVENTS = [lawful(BorderCrossing, event_id=n.to_bytes(16, "big"), source_seq=n) for n in range(1, BATCH_EVENTS + 1)]
HEADERS = [("other", b"x"), (HEADER, SIGNER.header([avro.encode(one) for one in EVENTS]))]


def test_every_event_of_a_signed_list_is_taken_by_itself_in_any_order_any_number_of_times(tmp_path: Path) -> None:
    decoder = register(tmp_path, "strict")
    assert {said(decoder, one, HEADERS) for one in [*reversed(EVENTS), *EVENTS]} == {"taken"}


def test_strict_refuses_with_a_code_for_each_fault_and_lenient_lets_pass(tmp_path: Path) -> None:
    stranger = lawful(BorderCrossing, event_id=b"x" * 16)
    forged = [(HEADER, OTHER.header([avro.encode(EVENTS[0])]))]
    unknown = [(HEADER, Signer("a1-2099", bytes(range(32))).header([avro.encode(EVENTS[0])]))]
    faults = [
        (EVENTS[0], [], "unsigned"),
        (EVENTS[0], [(HEADER, b"")], "bad_signature"),
        (EVENTS[0], [(HEADER, b"\x01\x03abc")], "bad_signature"),
        (stranger, HEADERS, "bad_signature"),
        (EVENTS[0], forged, "bad_signature"),
        (EVENTS[0], unknown, "unknown_key"),
    ]
    strict, lenient = register(tmp_path, "strict"), register(tmp_path, "lenient")
    for record, headers, code in faults:
        assert said(strict, record, headers) == code
        assert said(lenient, record, headers) == "taken"


def test_a_source_that_may_not_write_a_type_is_told_that_first(tmp_path: Path) -> None:
    decoder = register(tmp_path, "strict")
    assert said(decoder, lawful(Visa), []) == "source_not_allowed"
    assert said(decoder, lawful(Visa, source="register:visas"), []) == "taken"


def test_a_key_counts_from_its_first_instant_until_its_last_by_arrival(tmp_path: Path) -> None:
    decoder = register(tmp_path, "strict", until=RECEIVED_AT + HOUR)
    found = [said(decoder, EVENTS[0], HEADERS, RECEIVED_AT + hours * HOUR) for hours in (-5, 0, 1)]
    assert found == ["taken", "taken", "key_not_valid"]
    before = lawful(BorderCrossing, occurred_at=RECEIVED_AT - 9 * HOUR)
    header = [(HEADER, SIGNER.header([avro.encode(before)]))]
    assert said(decoder, before, header, RECEIVED_AT - 6 * HOUR) == "key_not_valid"
    revoked = register(tmp_path, "strict", revoked=RECEIVED_AT)
    assert [said(revoked, EVENTS[0], HEADERS, RECEIVED_AT + by) for by in (-1, 0)] == ["taken", "key_not_valid"]


def test_a_signature_made_for_one_source_says_nothing_for_another(tmp_path: Path) -> None:
    decoder = register(tmp_path, "strict", kid="b7-2025")
    assert said(decoder, EVENTS[0], HEADERS) == "unknown_key"


@given(position=st.integers(0, len(HEADERS[1][1]) - 1), flip=st.integers(1, 255))
def test_no_changed_byte_of_a_header_is_taken(tmp_path_factory: pytest.TempPathFactory, position: int, flip: int) -> None:
    decoder = register(tmp_path_factory.getbasetemp(), "strict")
    header = bytearray(HEADERS[1][1])
    header[position] ^= flip
    assert said(decoder, EVENTS[0], [(HEADER, bytes(header))]) != "taken"


@given(st.binary(max_size=300))
def test_no_bytes_are_a_header_without_a_whole_list(header: bytes) -> None:
    try:
        signed = parse(header)
    except SignatureError:
        return
    assert 0 < len(signed.hashes) <= MAX_BATCH_EVENTS
    assert len(header) >= 74 + HASH_BYTES


def test_batches_of_a_key_are_numbered() -> None:
    signer = Signer("k", bytes(range(32)), 7)
    assert [parse(signer.header([b"a"])).number for _ in range(3)] == [8, 9, 10]


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ("signatures: sometimes", "signatures: expected one of off, lenient, strict"),
        ("signatures: strict", "without keys"),
        ("keys: [{kid: a, public: '00', from: 2025-01-01T00:00:00Z}]", "32 bytes"),
        (f"keys: [{{kid: a, public: '{'00' * 32}', from: 2025-01-01}}]", "keys: expected kid, public"),
        (f"keys: [{{kid: 'ä', public: '{'00' * 32}', from: 2025-01-01T00:00:00Z}}]", "a kid has"),
    ],
)
def test_a_register_with_a_wrong_key_is_refused_by_name(tmp_path: Path, entry: str, wrong: str) -> None:
    file = tmp_path / "sources.yaml"
    file.write_text(f"sources:\n  'post:x': {{types: [visa], {entry}}}\n")
    with pytest.raises(UsageError, match=wrong) as error:
        load_sources(file)
    assert "post:x" in str(error.value)
