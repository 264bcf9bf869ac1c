"""Facts as bytes: what a dossier is kept in between two events.

A fact is a tag byte and a body. Crossings, registrations and work permits, most of what there is, have a tight fixed form
when their values are in the usual ranges; everything else is written field by field with variable-length integers. Strings
(posts, countries, oblasts, employers) are written once per dossier and referred to; common ones have a number for good.
The envelope's ``source`` and ``source_seq`` decide nothing and are not kept; the subject is the key the state is kept under.

Tags, field orders and numbers below are a storage format: add at the end, never change (`packing.VERSION` otherwise).
"""

from __future__ import annotations

from struct import Struct
from typing import Final, Literal, cast, get_args

from streams.detect.packing import (
    Strings,
    put_int,
    put_optional,
    put_uint,
    take_int,
    take_optional,
    take_uint,
)
from streams.records import (
    BorderCrossing,
    CaseDecision,
    Citizenship,
    Correction,
    Dispute,
    EntryBan,
    IdentityLink,
    Inspection,
    Kandas,
    LabourContract,
    PersonEvent,
    ProtectionStatus,
    ResidenceChange,
    ResidencePermit,
    StayRegistration,
    Visa,
    WorkPermit,
)
from streams.records.cases import Decision
from streams.records.crossings import Direction, DocumentKind, Purpose, RefusalReason, Transport
from streams.records.identity import LinkReason
from streams.records.labour import ContractKind, InspectionKind, WorkCategory, WorkPermitType
from streams.records.labour import PermitKind as WorkPermitKind
from streams.records.movement import KandasKind
from streams.records.protection import ProtectionKind
from streams.records.stays import CitizenshipKind, HostKind, PermitKind, RegistrationKind, Residence, VisaKind

LinkKind = Literal["linked", "unlinked"]
BanKind = Literal["imposed", "lifted"]
BanGround = Literal["expulsion", "deportation", "security", "court", "other"]
CorrectionReason = Literal["data_entry", "wrong_person", "duplicate", "clock", "court", "other"]
DisputeKind = Literal["opened", "upheld", "rejected"]

_ID, _ID_OR_NONE, _DAY, _DAY_OR_NONE, _TEXT, _TEXT_OR_NONE, _FLAG, _WORD, _WORD_OR_NONE = range(9)

_Field = tuple[str, int, tuple[str, ...]]


def _fields(spec: str, **words: object) -> tuple[_Field, ...]:
    """Reads ``name:kind`` pairs; a name among ``words`` is one word of that Literal."""
    kinds = {"id": _ID, "id?": _ID_OR_NONE, "day": _DAY, "day?": _DAY_OR_NONE, "text": _TEXT, "text?": _TEXT_OR_NONE,
             "flag": _FLAG, "word": _WORD, "word?": _WORD_OR_NONE}  # fmt: skip
    found: list[_Field] = []
    for pair in spec.split():
        name, kind = pair.split(":")
        found.append((name, kinds[kind], get_args(words[name]) if name in words else ()))
    return tuple(found)


_FORMS: Final[tuple[tuple[type[PersonEvent], tuple[_Field, ...]], ...]] = (
    (
        BorderCrossing,
        _fields(
            "direction:word post:text citizenship:text purpose:word document:word transport:word visa_id:id? "
            "refusal_reason:word?",
            direction=Direction, purpose=Purpose, document=DocumentKind, transport=Transport, refusal_reason=RefusalReason,
        ),
    ),
    (
        StayRegistration,
        _fields(
            "kind:word oblast:text address_key:id? host:word host_subject:text? arrived_on:day valid_until_on:day?",
            kind=RegistrationKind, host=HostKind,
        ),
    ),
    (
        WorkPermit,
        _fields(
            "kind:word permit_id:id permit_type:word category:word? employer:text? oblast:text sector:text "
            "valid_from_on:day valid_until_on:day",
            kind=WorkPermitKind, permit_type=WorkPermitType, category=WorkCategory,
        ),
    ),
    (
        Visa,
        _fields(
            "kind:word visa_id:id category:text valid_from_on:day valid_until_on:day days_allowed:day entries_allowed:day",
            kind=VisaKind,
        ),
    ),
    (
        ResidencePermit,
        _fields(
            "kind:word permit_id:id residence:word purpose:text oblast:text valid_from_on:day valid_until_on:day?",
            kind=PermitKind, residence=Residence,
        ),
    ),
    (Citizenship, _fields("kind:word country:text effective_on:day", kind=CitizenshipKind)),
    (
        LabourContract,
        _fields(
            "kind:word contract_id:id employer:text country:text oblast:text sector:text from_on:day until_on:day?",
            kind=ContractKind,
        ),
    ),
    (
        Inspection,
        _fields(
            "kind:word inspection_id:id oblast:text employer:text? sector:text? address_key:id?",
            kind=InspectionKind,
        ),
    ),
    (ProtectionStatus, _fields("kind:word protection_id:id valid_until_on:day?", kind=ProtectionKind)),
    (ResidenceChange, _fields("from_country:text to_country:text from_oblast:text? to_oblast:text? moved_on:day")),
    (
        Kandas,
        _fields("kind:word family_id:id family_size:day from_country:text oblast:text in_quota:flag", kind=KandasKind),
    ),
    (IdentityLink, _fields("kind:word link_id:id other_subject:text reason:word", kind=LinkKind, reason=LinkReason)),
    (EntryBan, _fields("kind:word ban_id:id ground:word from_on:day until_on:day?", kind=BanKind, ground=BanGround)),
    (Correction, _fields("supersedes:id replacement:id? reason:word", reason=CorrectionReason)),
    (
        Dispute,
        _fields("kind:word dispute_id:id disputed_event:id? alert_id:id?", kind=DisputeKind),
    ),
    (
        CaseDecision,
        _fields("case_id:id decision:word officer:text reason:text alert_id:id?", decision=Decision),
    ),
)  # fmt: skip

_TAG: Final[dict[type[PersonEvent], int]] = {kind: tag for tag, (kind, _) in enumerate(_FORMS)}
_CROSSING, _REGISTRATION, _WORK_PERMIT = 0, 1, 2
_TIGHT: Final = 128
"""Set in the tag of a fact in tight form."""

# id, occurred_at (32 low bits, 16 high bits), recorded_at - occurred_at, then what the type needs.
_HEAD: Final = Struct("<16sIHI")
_TIGHT_CROSSING: Final = Struct("<16sIHIBBBB")
_TIGHT_REGISTRATION: Final = Struct("<16sIHIBBBHH")
_TIGHT_WORK_PERMIT: Final = Struct("<16sIHI16sBBBBBHH")
_NO_DAY: Final = 0xFFFF

_DIRECTIONS: Final = get_args(Direction)
_PURPOSES: Final = get_args(Purpose)
_DOCUMENTS: Final = get_args(DocumentKind)
_TRANSPORTS: Final = get_args(Transport)
_REGISTRATIONS: Final = get_args(RegistrationKind)
_HOSTS: Final = get_args(HostKind)
_PERMITS: Final = get_args(WorkPermitKind)
_PERMIT_TYPES: Final = get_args(WorkPermitType)
_CATEGORIES: Final[tuple[str | None, ...]] = (*get_args(WorkCategory), None)
_CODES: Final[dict[str, dict[str | None, int]]] = {
    name: {word: code for code, word in enumerate(words)}
    for name, words in (
        ("direction", _DIRECTIONS), ("purpose", _PURPOSES), ("document", _DOCUMENTS), ("transport", _TRANSPORTS),
        ("registration", _REGISTRATIONS), ("host", _HOSTS), ("permit", _PERMITS), ("permit_type", _PERMIT_TYPES),
        ("category", _CATEGORIES),
    )
}  # fmt: skip
_DIRECTION_CODE: Final = _CODES["direction"]
_PURPOSE_CODE: Final = _CODES["purpose"]
_DOCUMENT_CODE: Final = _CODES["document"]
_TRANSPORT_CODE: Final = _CODES["transport"]
_REGISTRATION_CODE: Final = _CODES["registration"]
_HOST_CODE: Final = _CODES["host"]
_PERMIT_CODE: Final = _CODES["permit"]
_PERMIT_TYPE_CODE: Final = _CODES["permit_type"]
_CATEGORY_CODE: Final = _CODES["category"]


def put_fact(out: bytearray, fact: PersonEvent, strings: Strings) -> None:
    """Appends one fact.

    Raises:
        KeyError: the fact is of no type a dossier holds.
    """
    tag = _TAG[type(fact)]
    at, late = fact.occurred_at, fact.recorded_at - fact.occurred_at
    if tag <= _WORK_PERMIT and 0 <= late <= 0xFFFFFFFF and 0 <= at < 1 << 48:
        if tag == _CROSSING:
            if _put_crossing(out, cast("BorderCrossing", fact), strings, at, late):
                return
        elif tag == _REGISTRATION:
            if _put_registration(out, cast("StayRegistration", fact), strings, at, late):
                return
        elif _put_work_permit(out, cast("WorkPermit", fact), strings, at, late):
            return
    out.append(tag)
    out += fact.event_id
    put_int(out, at)
    put_int(out, late)
    for name, kind, words in _FORMS[tag][1]:
        value = getattr(fact, name)
        if kind in (_WORD, _WORD_OR_NONE):
            out.append(255 if value is None else words.index(value))
        elif kind == _DAY:
            put_int(out, value)
        elif kind == _DAY_OR_NONE:
            put_optional(out, value)
        elif kind == _TEXT:
            put_uint(out, strings.code(value))
        elif kind == _TEXT_OR_NONE:
            put_uint(out, 0 if value is None else strings.code(value) + 1)
        elif kind == _FLAG:
            out.append(1 if value else 0)
        elif kind == _ID:
            out += value
        else:
            out.append(0 if value is None else 1)
            out += value or b""


def _put_crossing(out: bytearray, fact: BorderCrossing, strings: Strings, at: int, late: int) -> bool:
    post, citizenship = strings.code(fact.post), strings.code(fact.citizenship)
    if fact.refusal_reason is not None or post > 255 or citizenship > 255:
        return False
    visa = fact.visa_id
    out.append(_CROSSING | _TIGHT)
    out += _TIGHT_CROSSING.pack(
        fact.event_id, at & 0xFFFFFFFF, at >> 32, late,
        post, citizenship,
        _DIRECTION_CODE[fact.direction] | _DOCUMENT_CODE[fact.document] << 2 | (0 if visa is None else 128),
        _PURPOSE_CODE[fact.purpose] | _TRANSPORT_CODE[fact.transport] << 4,
    )  # fmt: skip
    if visa is not None:
        out += visa
    return True


def _put_registration(out: bytearray, fact: StayRegistration, strings: Strings, at: int, late: int) -> bool:
    oblast = strings.code(fact.oblast)
    until = _NO_DAY if fact.valid_until_on is None else fact.valid_until_on
    host = 0 if fact.host_subject is None else strings.code(fact.host_subject)
    if oblast > 255 or host > 255 or not 0 <= fact.arrived_on < _NO_DAY or not 0 <= until <= _NO_DAY:
        return False
    if until == _NO_DAY and fact.valid_until_on is not None:
        return False
    address = fact.address_key
    out.append(_REGISTRATION | _TIGHT)
    out += _TIGHT_REGISTRATION.pack(
        fact.event_id, at & 0xFFFFFFFF, at >> 32, late,
        oblast, host,
        _REGISTRATION_CODE[fact.kind] | _HOST_CODE[fact.host] << 2
        | (0 if address is None else 128) | (0 if fact.host_subject is None else 64),
        fact.arrived_on, until,
    )  # fmt: skip
    if address is not None:
        out += address
    return True


def _put_work_permit(out: bytearray, fact: WorkPermit, strings: Strings, at: int, late: int) -> bool:
    oblast, sector = strings.code(fact.oblast), strings.code(fact.sector)
    employer = 0 if fact.employer is None else strings.code(fact.employer)
    if max(oblast, sector, employer) > 255 or not 0 <= fact.valid_from_on < _NO_DAY or not 0 <= fact.valid_until_on < _NO_DAY:
        return False
    out.append(_WORK_PERMIT | _TIGHT)
    out += _TIGHT_WORK_PERMIT.pack(
        fact.event_id, at & 0xFFFFFFFF, at >> 32, late, fact.permit_id,
        oblast, sector, employer,
        _PERMIT_CODE[fact.kind] | _PERMIT_TYPE_CODE[fact.permit_type] << 2,
        _CATEGORY_CODE[fact.category] | (0 if fact.employer is None else 128),
        fact.valid_from_on, fact.valid_until_on,
    )  # fmt: skip
    return True


def take_fact(data: bytes, at: int, strings: Strings, subject: str) -> tuple[PersonEvent, int]:
    """Reads what `put_fact` wrote; returns the fact and the position behind it."""
    tag = data[at]
    if not tag & _TIGHT:
        return _take_plain(data, at, strings, subject)
    at += 1
    if tag == _CROSSING | _TIGHT:
        event_id, low, high, late, post, citizenship, a, b = _TIGHT_CROSSING.unpack_from(data, at)
        at += 30
        occurred = low | high << 32
        visa = None
        if a & 128:
            visa = data[at : at + 16]
            at += 16
        return BorderCrossing(
            event_id, subject, occurred, occurred + late, "", 0, _DIRECTIONS[a & 3], strings.text(post),
            strings.text(citizenship), _PURPOSES[b & 15], _DOCUMENTS[a >> 2 & 7], _TRANSPORTS[b >> 4], visa, None,
        ), at  # fmt: skip
    if tag == _REGISTRATION | _TIGHT:
        event_id, low, high, late, oblast, host, a, arrived, until = _TIGHT_REGISTRATION.unpack_from(data, at)
        at += 33
        occurred = low | high << 32
        address = None
        if a & 128:
            address = data[at : at + 16]
            at += 16
        return StayRegistration(
            event_id, subject, occurred, occurred + late, "", 0, _REGISTRATIONS[a & 3], strings.text(oblast), address,
            _HOSTS[a >> 2 & 15], strings.text(host) if a & 64 else None, arrived, None if until == _NO_DAY else until,
        ), at  # fmt: skip
    (event_id, low, high, late, permit_id, oblast, sector, employer, a, b, first, last) = _TIGHT_WORK_PERMIT.unpack_from(data, at)
    occurred = low | high << 32
    return WorkPermit(
        event_id, subject, occurred, occurred + late, "", 0, _PERMITS[a & 3], permit_id, _PERMIT_TYPES[a >> 2],
        _CATEGORIES[b & 15], strings.text(employer) if b & 128 else None, strings.text(oblast), strings.text(sector), first, last,
    ), at + 51  # fmt: skip


def _take_plain(data: bytes, at: int, strings: Strings, subject: str) -> tuple[PersonEvent, int]:
    kind_of_fact, fields = _FORMS[data[at]]
    event_id = data[at + 1 : at + 17]
    occurred, at = take_int(data, at + 17)
    late, at = take_int(data, at)
    values: list[object] = []
    for _, kind, words in fields:
        value: object
        if kind in (_WORD, _WORD_OR_NONE):
            value = None if data[at] == 255 else words[data[at]]
            at += 1
        elif kind == _DAY:
            value, at = take_int(data, at)
        elif kind == _DAY_OR_NONE:
            value, at = take_optional(data, at)
        elif kind == _TEXT:
            code, at = take_uint(data, at)
            value = strings.text(code)
        elif kind == _TEXT_OR_NONE:
            code, at = take_uint(data, at)
            value = strings.text(code - 1) if code else None
        elif kind == _FLAG:
            value, at = data[at] == 1, at + 1
        elif kind == _ID:
            value, at = data[at : at + 16], at + 16
        elif data[at]:
            value, at = data[at + 1 : at + 17], at + 17
        else:
            value, at = None, at + 1
        values.append(value)
    fact: PersonEvent = kind_of_fact(event_id, subject, occurred, occurred + late, "", 0, *values)
    return fact, at


def own_fields(fact: PersonEvent) -> list[object]:
    """Returns the values of a fact's own fields (without the envelope) in their order, ids as hex."""
    values = [getattr(fact, name) for name, _, _ in _FORMS[_TAG[type(fact)]][1]]
    return [value.hex() if isinstance(value, bytes) else value for value in values]


FACTS: Final[tuple[type[PersonEvent], ...]] = tuple(kind for kind, _ in _FORMS)
"""Every type of fact a dossier holds."""

FIELDS: Final[dict[type[PersonEvent], tuple[str, ...]]] = {kind: tuple(name for name, _, _ in fields) for kind, fields in _FORMS}
"""The fields kept of each type, in order; a test holds them against the dataclasses."""
