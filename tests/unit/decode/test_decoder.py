from __future__ import annotations

from typing import Any

import pytest

from streams.decode import CODES, FOUND_LATER, Decoder, Rejected
from streams.decode.envelope import FUTURE_TOLERANCE_MS
from streams.records import (
    INPUTS,
    BatchMarker,
    BorderCrossing,
    CaseDecision,
    Correction,
    Dispute,
    EmployerDecision,
    EmployerDeclaration,
    EntryBan,
    IdentityLink,
    Inspection,
    Kandas,
    LabourContract,
    PostHeartbeat,
    PostOutage,
    QuotaAllocation,
    Record,
    ResidenceChange,
    ResidencePermit,
    StayRegistration,
    Tick,
    Visa,
    WorkPermit,
)
from streams.wire import avro
from streams.wire.avro import codecs
from streams.wire.topics import LEDGER, MAX_EVENT_BYTES, PEOPLE, POSTS, topic_of
from tests.unit.decode.lawful import DAY, LAWFUL, OCCURRED_AT, PERSON, POST, RECEIVED_AT, SomeCodes, lawful

DECODER = Decoder(SomeCodes())


def _decoded(record: Record) -> Record | Rejected:
    return DECODER.decode(avro.encode(record), received_at=RECEIVED_AT, topic=topic_of(record.NAME))


def _code(value: bytes | None) -> str:
    rejected = DECODER.decode(value, received_at=RECEIVED_AT, topic=PEOPLE)
    assert isinstance(rejected, Rejected)
    assert rejected.code in CODES
    return rejected.code


@pytest.mark.parametrize("record", LAWFUL, ids=lambda record: record.NAME)
def test_a_lawful_event_comes_out_as_it_went_in(record: Record) -> None:
    assert _decoded(record) == record


def test_every_input_type_is_checked_and_tried() -> None:
    assert {type(record) for record in LAWFUL} == set(INPUTS)


@pytest.mark.parametrize("record", LAWFUL, ids=lambda record: record.NAME)
def test_confluent_framing_is_read_with_the_ids_of_the_schema_list(record: Record) -> None:
    codec = codecs().by_kind[type(record)]
    framed = b"\x00" + codec.version.schema_id.to_bytes(4, "big") + codec.encode(record)[10:]
    assert DECODER.decode(framed, received_at=RECEIVED_AT, topic=topic_of(record.NAME)) == record


ENCODED = avro.encode(lawful(BorderCrossing))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "empty"),
        (b"", "empty"),
        (b"{}", "unknown_framing"),
        (b'{"type": "border_crossing"}', "unknown_framing"),
        (b"\xc3\x01" + bytes(8) + ENCODED[10:], "unknown_schema"),
        (b"\x00" + (999).to_bytes(4, "big") + ENCODED[10:], "unknown_schema"),
        (ENCODED[:1], "truncated"),
        (ENCODED[:9], "truncated"),
        (b"\x00\x00", "truncated"),
        (ENCODED[:-1], "truncated"),
        (ENCODED + b"\x00", "trailing_bytes"),
        (ENCODED + bytes(MAX_EVENT_BYTES), "over_long"),
        (ENCODED.replace(b"KZ-75-A1", b"KZ-75\xff\xff\xff"), "undecodable"),
    ],
)
def test_bytes_that_are_no_event_are_refused_with_their_code(value: bytes | None, code: str) -> None:
    assert _code(value) == code


def test_what_the_header_tells_is_told_even_when_the_body_is_cut() -> None:
    for value in (ENCODED[:-1], ENCODED + bytes(MAX_EVENT_BYTES)):
        rejected = DECODER.decode(value, received_at=RECEIVED_AT, topic=PEOPLE)
        assert isinstance(rejected, Rejected)
        assert rejected.event_type == "border_crossing"


def test_an_event_on_another_types_topic_is_refused() -> None:
    rejected = DECODER.decode(ENCODED, received_at=RECEIVED_AT, topic=POSTS)
    assert isinstance(rejected, Rejected)
    assert (rejected.code, rejected.event_type, rejected.source) == ("wrong_topic", "border_crossing", "post:KZ-75-A1")


def test_what_only_this_system_writes_is_refused_as_input() -> None:
    marker = avro.encode(BatchMarker("shekara.people", 0, 0, 1, 2, 0, 0, RECEIVED_AT))
    for topic in (PEOPLE, LEDGER):
        rejected = DECODER.decode(marker, received_at=RECEIVED_AT, topic=topic)
        assert isinstance(rejected, Rejected)
        assert rejected.code == "wrong_topic"


BAD_SUBJECTS = [
    "",
    "N12345678",
    PERSON.upper(),
    PERSON[:-1],
    PERSON + "0",
    PERSON[:-1] + "g",
    PERSON.replace("p1", "p"),
    PERSON.replace("p1", "p0"),
    PERSON.replace("p1", "e1"),
    PERSON.replace("-", "_"),
    PERSON[:10] + "_" + PERSON[11:],
    PERSON.replace("p1", "p²"),
]

FAULTS: list[tuple[type[Record], dict[str, Any], str]] = [
    (BorderCrossing, {"occurred_at": RECEIVED_AT + FUTURE_TOLERANCE_MS + 1}, "far_future"),
    (BorderCrossing, {"occurred_at": 2**62}, "far_future"),
    (BorderCrossing, {"recorded_at": RECEIVED_AT + FUTURE_TOLERANCE_MS + 1}, "far_future"),
    (BorderCrossing, {"occurred_at": -2_208_988_800_001}, "before_1900"),
    (BorderCrossing, {"event_id": bytes(16)}, "nil_event_id"),
    (BorderCrossing, {"source": ""}, "bad_source"),
    (BorderCrossing, {"source": "x" * 65}, "bad_source"),
    (BorderCrossing, {"source": "post:\x1b[2J"}, "bad_source"),
    (BorderCrossing, {"source_seq": 0}, "bad_source_seq"),
    *((BorderCrossing, {"subject": subject}, "bad_subject") for subject in BAD_SUBJECTS),
    (BorderCrossing, {"post": "KZ-99-Z9"}, "unknown_post"),
    (BorderCrossing, {"citizenship": "ZZZ"}, "unknown_country"),
    (BorderCrossing, {"direction": "refusal"}, "missing_refusal_reason"),
    (BorderCrossing, {"refusal_reason": "no_visa"}, "unexpected_refusal_reason"),
    (StayRegistration, {"valid_until_on": None}, "missing_valid_until"),
    (StayRegistration, {"valid_until_on": DAY - 1}, "until_before_from"),
    (StayRegistration, {"oblast": "KZ-00"}, "unknown_oblast"),
    (StayRegistration, {"host_subject": PERSON}, "bad_employer"),
    (Visa, {"category": "Z9"}, "unknown_visa_category"),
    (Visa, {"valid_until_on": DAY - 1}, "until_before_from"),
    (Visa, {"valid_until_on": 2_932_896}, "after_2200"),
    (Visa, {"valid_from_on": -30_000}, "before_1900"),
    (Visa, {"days_allowed": -1}, "out_of_range"),
    (ResidencePermit, {"purpose": "fun"}, "unknown_purpose"),
    (WorkPermit, {"category": None}, "missing_category"),
    (WorkPermit, {"category": "5"}, "unknown_category"),
    (WorkPermit, {"sector": "Z"}, "unknown_sector"),
    (WorkPermit, {"employer": "TOO Kurylys"}, "bad_employer"),
    (LabourContract, {"kind": "outbound"}, "wrong_country"),
    (LabourContract, {"country": "RUS"}, "wrong_country"),
    (Inspection, {"sector": None}, "missing_sector"),
    (ResidenceChange, {"to_oblast": None}, "missing_oblast"),
    (ResidenceChange, {"to_country": "RUS"}, "wrong_country"),
    (Kandas, {"family_size": 0}, "out_of_range"),
    (IdentityLink, {"other_subject": PERSON}, "self_reference"),
    (IdentityLink, {"other_subject": "N12345678"}, "bad_subject"),
    (EntryBan, {"until_on": DAY - 1}, "until_before_from"),
    (Correction, {"supersedes": lawful(Correction).event_id}, "self_reference"),
    (Dispute, {"disputed_event": None}, "missing_disputed"),
    (CaseDecision, {"officer": ""}, "missing_officer"),
    (CaseDecision, {"reason": "  "}, "missing_reason"),
    (CaseDecision, {"reason": "x" * 2001}, "missing_reason"),
    (EmployerDecision, {"officer": ""}, "missing_officer"),
    (EmployerDecision, {"reason": " "}, "missing_reason"),
    (EmployerDecision, {"alert_version": 0}, "out_of_range"),
    (EmployerDecision, {"subject": "p1-00112233445566778899aabbccddeeff"}, "bad_subject"),
    (Tick, {"complete_through_at": RECEIVED_AT + FUTURE_TOLERANCE_MS + 1}, "far_future"),
    (Tick, {"subject": ""}, "bad_subject"),
    (PostHeartbeat, {"subject": "KZ-99-Z9"}, "unknown_post"),
    (PostHeartbeat, {"complete_through_at": RECEIVED_AT + FUTURE_TOLERANCE_MS + 1}, "far_future"),
    (PostHeartbeat, {"last_seq": 2}, "out_of_range"),
    (PostOutage, {"until_at": None}, "missing_until"),
    (PostOutage, {"until_at": OCCURRED_AT - 6}, "until_before_from"),
    (EmployerDeclaration, {"subject": PERSON}, "bad_subject"),
    (EmployerDeclaration, {"foreigners_34": -1}, "out_of_range"),
    (QuotaAllocation, {"category": "9"}, "unknown_category"),
    (QuotaAllocation, {"year": 25}, "out_of_range"),
    (QuotaAllocation, {"oblast": "KZ"}, "unknown_oblast"),
]


@pytest.mark.parametrize(("kind", "changes", "code"), FAULTS)
def test_an_event_unusable_in_itself_is_refused_with_its_code(kind: type[Record], changes: dict[str, Any], code: str) -> None:
    rejected = _decoded(lawful(kind, **changes))
    assert isinstance(rejected, Rejected)
    assert (rejected.code, rejected.event_type) == (code, kind.NAME)
    field = next(iter(changes))
    if code not in {"missing_refusal_reason", "wrong_country"}:
        assert field in rejected.reason


def test_every_code_of_the_catalogue_is_reached_by_a_test() -> None:
    from_bytes = {
        "empty",
        "over_long",
        "unknown_framing",
        "unknown_schema",
        "truncated",
        "trailing_bytes",
        "undecodable",
        "wrong_topic",
    }
    by_register = {"source_not_allowed"}  # test_sources.py
    by_signature = {"unsigned", "unknown_key", "key_not_valid", "bad_signature"}  # test_signatures.py
    assert {code for _, _, code in FAULTS} | from_bytes | by_register | by_signature == set(CODES) - FOUND_LATER


KEPT: list[tuple[type[Record], dict[str, Any]]] = [
    (BorderCrossing, {"occurred_at": RECEIVED_AT + FUTURE_TOLERANCE_MS}),
    (BorderCrossing, {"recorded_at": OCCURRED_AT - 1}),
    (BorderCrossing, {"direction": "exit"}),
    (BorderCrossing, {"direction": "refusal", "refusal_reason": "entry_ban"}),
    (Visa, {"valid_until_on": DAY}),
    (WorkPermit, {"permit_type": "household", "category": None, "employer": None}),
    (LabourContract, {"kind": "ended"}),
    (Inspection, {"kind": "in_country_check", "sector": None}),
    (ResidenceChange, {"to_country": "RUS", "from_country": "KAZ", "from_oblast": "KZ-75", "to_oblast": None}),
    (Dispute, {"kind": "upheld", "disputed_event": None}),
    (PostOutage, {"kind": "started", "until_at": None}),
    (PostHeartbeat, {"first_seq": 0, "last_seq": 0, "sent_count": 0}),
    (Tick, {"complete_through_at": 0, "gaps": ()}),
]


@pytest.mark.parametrize(("kind", "changes"), KEPT)
def test_what_is_odd_but_usable_is_kept(kind: type[Record], changes: dict[str, Any]) -> None:
    record = lawful(kind, **changes)
    assert _decoded(record) == record


def test_a_reason_never_repeats_what_may_name_a_person() -> None:
    for kind, changes in (
        (BorderCrossing, {"subject": "N12345678"}),
        (BorderCrossing, {"post": "Ivanov Ivan Ivanovich"}),
        (IdentityLink, {"other_subject": "N12345678"}),
        (WorkPermit, {"employer": "Ivanov"}),
    ):
        rejected = _decoded(lawful(kind, **changes))
        assert isinstance(rejected, Rejected)
        assert next(iter(changes.values())) not in rejected.reason


def test_a_known_post_in_the_subject_of_a_heartbeat_is_enough() -> None:
    assert _decoded(lawful(PostHeartbeat, subject=POST)) == lawful(PostHeartbeat)
