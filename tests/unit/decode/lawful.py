"""One lawful event of every input type, and the codes they need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from streams.records import (
    INPUTS,
    BorderCrossing,
    CaseDecision,
    Citizenship,
    Correction,
    CountStatement,
    Dispute,
    EmployerDecision,
    EmployerDeclaration,
    EntryBan,
    Gap,
    IdentityLink,
    Inspection,
    Kandas,
    LabourContract,
    PostHeartbeat,
    PostOutage,
    ProtectionStatus,
    QuotaAllocation,
    Record,
    ResidenceChange,
    ResidencePermit,
    StayRegistration,
    Tick,
    Visa,
    WorkPermit,
)

RECEIVED_AT = 1_750_000_000_000
OCCURRED_AT = RECEIVED_AT - 60_000
DAY = RECEIVED_AT // 86_400_000
PERSON = "p1-00112233445566778899aabbccddeeff"
OTHER_PERSON = "p2-ffeeddccbbaa99887766554433221100"
EMPLOYER = "e1-0f0e0d0c0b0a09080706050403020100"
POST = "KZ-75-A1"


@dataclass(frozen=True)
class SomeCodes:
    """Registers with a few real codes."""

    countries: frozenset[str] = frozenset({"KAZ", "UZB", "RUS", "CHN", "XXA"})
    oblasts: frozenset[str] = frozenset({"KZ-75", "KZ-71", "KZ-61"})
    posts: frozenset[str] = frozenset({POST, "KZ-61-R1"})
    sectors: frozenset[str] = frozenset("ABCDEFGHIJKLMNOPQRSTU")
    visa_categories: frozenset[str] = frozenset({"B10", "C3"})


def an_id(name: str) -> bytes:
    """Returns an id that is the same in every run."""
    return uuid5(UUID(int=1), name).bytes


OWN: dict[type[Record], dict[str, Any]] = {
    BorderCrossing: {
        "direction": "entry",
        "post": POST,
        "citizenship": "UZB",
        "purpose": "work",
        "document": "passport",
        "transport": "air",
        "visa_id": None,
        "refusal_reason": None,
    },
    StayRegistration: {
        "kind": "extension",
        "oblast": "KZ-75",
        "address_key": an_id("address"),
        "host": "employer",
        "host_subject": EMPLOYER,
        "arrived_on": DAY,
        "valid_until_on": DAY + 30,
    },
    Visa: {
        "kind": "issued",
        "visa_id": an_id("visa"),
        "category": "C3",
        "valid_from_on": DAY,
        "valid_until_on": DAY + 90,
        "days_allowed": 90,
        "entries_allowed": 0,
    },
    ResidencePermit: {
        "kind": "issued",
        "permit_id": an_id("permit"),
        "residence": "temporary",
        "purpose": "work",
        "oblast": "KZ-75",
        "valid_from_on": DAY,
        "valid_until_on": None,
    },
    Citizenship: {"kind": "acquired", "country": "KAZ", "effective_on": DAY},
    WorkPermit: {
        "kind": "issued",
        "permit_id": an_id("permit"),
        "permit_type": "employer",
        "category": "3",
        "employer": EMPLOYER,
        "oblast": "KZ-75",
        "sector": "F",
        "valid_from_on": DAY,
        "valid_until_on": DAY,
    },
    LabourContract: {
        "kind": "concluded",
        "contract_id": an_id("contract"),
        "employer": EMPLOYER,
        "country": "KAZ",
        "oblast": "KZ-75",
        "sector": "F",
        "from_on": DAY,
        "until_on": None,
    },
    Inspection: {
        "kind": "worker_found",
        "inspection_id": an_id("visit"),
        "oblast": "KZ-75",
        "employer": None,
        "sector": "F",
        "address_key": None,
    },
    ProtectionStatus: {"kind": "asylum_applied", "protection_id": an_id("asylum"), "valid_until_on": None},
    ResidenceChange: {
        "from_country": "UZB",
        "to_country": "KAZ",
        "from_oblast": None,
        "to_oblast": "KZ-61",
        "moved_on": DAY,
    },
    Kandas: {
        "kind": "applied",
        "family_id": an_id("family"),
        "family_size": 4,
        "from_country": "UZB",
        "oblast": "KZ-61",
        "in_quota": True,
    },
    IdentityLink: {"kind": "linked", "link_id": an_id("link"), "other_subject": OTHER_PERSON, "reason": "new_document"},
    EntryBan: {"kind": "imposed", "ban_id": an_id("ban"), "ground": "expulsion", "from_on": DAY, "until_on": DAY + 1826},
    Correction: {"supersedes": an_id("wrong"), "replacement": None, "reason": "data_entry"},
    Dispute: {"kind": "opened", "dispute_id": an_id("dispute"), "disputed_event": an_id("wrong"), "alert_id": None},
    CaseDecision: {
        "case_id": an_id("case"),
        "decision": "contacted",
        "officer": "o1-17",
        "reason": "Visited, registration explained.",
        "alert_id": None,
    },
    EmployerDecision: {
        "alert_id": an_id("alert"),
        "alert_version": 2,
        "decision": "put_in_order",
        "officer": "o1-17",
        "reason": "Two permits were issued.",
    },
    Tick: {"complete_through_at": OCCURRED_AT, "gaps": (Gap(POST, OCCURRED_AT - 5, None),)},
    PostHeartbeat: {"complete_through_at": OCCURRED_AT, "first_seq": 3, "last_seq": 7, "sent_count": 5},
    PostOutage: {"outage_id": an_id("outage"), "kind": "ended", "from_at": OCCURRED_AT - 5, "until_at": OCCURRED_AT},
    CountStatement: {
        "day_on": DAY,
        "first_seq": 3,
        "last_seq": 7,
        "events": 5,
        "crossings": 4,
        "digest": bytes(range(32)),
        "kid": None,
        "signature": None,
    },
    EmployerDeclaration: {
        "as_of_on": DAY,
        "oblast": "KZ-75",
        "sector": "F",
        "size": "large",
        "citizens_12": 70,
        "citizens_34": 900,
        "foreigners_12": 30,
        "foreigners_34": 100,
    },
    QuotaAllocation: {
        "quota": "labour",
        "year": 2025,
        "version": 1,
        "oblast": None,
        "category": None,
        "sector": None,
        "persons": 19_400,
        "effective_on": DAY,
    },
}

SUBJECTS = {"person": PERSON, "employer": EMPLOYER, "post": POST, "quota": "labour-2025", "clock": "clock"}


def lawful(kind: type[Record], /, **changes: Any) -> Record:
    """Returns a lawful event of a type, with changes."""
    envelope: dict[str, Any] = {
        "event_id": an_id(kind.NAME),
        "subject": SUBJECTS[kind.SUBJECT],
        "occurred_at": OCCURRED_AT,
        "recorded_at": OCCURRED_AT + 1000,
        "source": "post:KZ-75-A1",
        "source_seq": 1,
    }
    return kind(**(envelope | OWN[kind] | changes))


LAWFUL: list[Record] = [lawful(kind) for kind in INPUTS]
