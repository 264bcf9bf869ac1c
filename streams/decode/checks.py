"""What is checked on each event type beyond the envelope.

Only what makes an event unusable in itself is refused. Facts that contradict other facts (an exit before any entry, a
second passport, a visa nobody issued) are kept: they become data-quality findings, not dead letters.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection
from typing import Any, get_args

from streams.decode.envelope import (
    FIRST_DAY,
    FIRST_MS,
    FUTURE_TOLERANCE_MS,
    LAST_DAY,
    LAST_MS,
    Fault,
    date_fault,
    employer_fault,
    instant_fault,
    is_pseudonym,
    shown,
)
from streams.decode.rejected import Codes
from streams.detect.dossier import Dossier
from streams.person.circle import SOURCE as WORKER
from streams.records import (
    BorderCrossing,
    CaseDecision,
    Citizenship,
    Correction,
    CountStatement,
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
    ProtectionStatus,
    QuotaAllocation,
    Record,
    ResidenceChange,
    ResidencePermit,
    SharedFacts,
    StayRegistration,
    Tick,
    Visa,
    WorkPermit,
)
from streams.records.crossings import Purpose
from streams.records.labour import WorkCategory

PURPOSES = frozenset(get_args(Purpose))
CATEGORIES = frozenset(get_args(WorkCategory))

DIGEST_BYTES = 32
"""Bytes of the digest of a statement of counts."""

MAX_REASON = 2000
"""Characters of an officer's reason."""

Check = Callable[[Any, int], Fault | None]
"""Takes the record and the broker's timestamp; returns the first fault."""


def _date(name: str, on: int | None) -> Fault | None:
    return None if on is None or FIRST_DAY <= on < LAST_DAY else date_fault(name, on)


def _period(from_name: str, from_on: int, until_name: str, until_on: int | None) -> Fault | None:
    fault = _date(from_name, from_on) or _date(until_name, until_on)
    if fault is None and until_on is not None and until_on < from_on:
        return (
            "until_before_from",
            f"{until_name}: expected the day of {from_name} or later; came {from_on - until_on} days before it.",
        )
    return fault


def _instant(name: str, at_ms: int | None) -> Fault | None:
    if at_ms is None or FIRST_MS <= at_ms < LAST_MS:
        return None
    code = "before_1900" if at_ms < FIRST_MS else "after_2200"
    return code, f"{name}: expected milliseconds since 1970-01-01 between 1900 and 2199; came {at_ms}."


def _at_least(name: str, number: int, least: int) -> Fault | None:
    return None if number >= least else ("out_of_range", f"{name}: expected {least} or more; came {number}.")


def _known(what: str, register: Collection[str], name: str, code: str | None) -> Fault | None:
    if code is None or code in register:
        return None
    return f"unknown_{what}", f"{name}: expected a code of the policy's register of {_REGISTER[what]}; came {shown(code)}."


class _Checks:
    """The checks that need a policy's codes."""

    def __init__(self, codes: Codes) -> None:
        self._countries = frozenset(codes.countries)
        self._oblasts = frozenset(codes.oblasts)
        self._posts = frozenset(codes.posts)
        self._sectors = frozenset(codes.sectors)
        self._visa_categories = frozenset(codes.visa_categories)

    def _oblast(self, code: str | None, name: str = "oblast") -> Fault | None:
        return _known("oblast", self._oblasts, name, code)

    def _sector(self, code: str | None) -> Fault | None:
        return _known("sector", self._sectors, "sector", code)

    def _country(self, name: str, code: str) -> Fault | None:
        return _known("country", self._countries, name, code)

    def border_crossing(self, event: BorderCrossing, _: int) -> Fault | None:
        if event.post not in self._posts:
            return _known("post", self._posts, "post", event.post)
        if event.citizenship not in self._countries:
            return self._country("citizenship", event.citizenship)
        if event.direction == "refusal":
            if event.refusal_reason is None:
                return "missing_refusal_reason", "refusal_reason: expected why entry was refused; came null."
        elif event.refusal_reason is not None:
            return (
                "unexpected_refusal_reason",
                f"refusal_reason: expected null for an {event.direction}; came {event.refusal_reason}.",
            )
        return None

    def stay_registration(self, event: StayRegistration, _: int) -> Fault | None:
        if event.kind == "extension" and event.valid_until_on is None:
            return "missing_valid_until", "valid_until_on: expected the last lawful day an extension grants; came null."
        return (
            self._oblast(event.oblast)
            or _period("arrived_on", event.arrived_on, "valid_until_on", event.valid_until_on)
            or employer_fault("host_subject", event.host_subject)
        )

    def visa(self, event: Visa, _: int) -> Fault | None:
        return (
            _known("visa_category", self._visa_categories, "category", event.category)
            or _period("valid_from_on", event.valid_from_on, "valid_until_on", event.valid_until_on)
            or _at_least("days_allowed", event.days_allowed, 0)
            or _at_least("entries_allowed", event.entries_allowed, 0)
        )

    def residence_permit(self, event: ResidencePermit, _: int) -> Fault | None:
        if event.purpose not in PURPOSES:
            return "unknown_purpose", f"purpose: expected one of {', '.join(sorted(PURPOSES))}; came {shown(event.purpose)}."
        return self._oblast(event.oblast) or _period("valid_from_on", event.valid_from_on, "valid_until_on", event.valid_until_on)

    def citizenship(self, event: Citizenship, _: int) -> Fault | None:
        return self._country("country", event.country) or _date("effective_on", event.effective_on)

    def work_permit(self, event: WorkPermit, _: int) -> Fault | None:
        if event.category is None:
            if event.permit_type == "employer":
                return "missing_category", "category: expected 1, 2, 3, 4 or seasonal for an employer permit; came null."
        elif event.category not in CATEGORIES:
            return _category(event.category)
        return (
            employer_fault("employer", event.employer)
            or self._oblast(event.oblast)
            or self._sector(event.sector)
            or _period("valid_from_on", event.valid_from_on, "valid_until_on", event.valid_until_on)
        )

    def labour_contract(self, event: LabourContract, _: int) -> Fault | None:
        fault = (
            employer_fault("employer", event.employer)
            or self._country("country", event.country)
            or self._oblast(event.oblast)
            or self._sector(event.sector)
            or _period("from_on", event.from_on, "until_on", event.until_on)
        )
        if fault is None and event.kind == "outbound" and event.country == "KAZ":
            return "wrong_country", "country: expected the country of work abroad for an outbound contract; came KAZ."
        if fault is None and event.kind == "concluded" and event.country != "KAZ":
            return "wrong_country", f"country: expected KAZ unless the contract is outbound; came {event.country}."
        return fault

    def inspection(self, event: Inspection, _: int) -> Fault | None:
        if event.kind == "worker_found" and event.sector is None:
            return "missing_sector", "sector: expected the section letter of the economic activity for worker_found; came null."
        return self._oblast(event.oblast) or self._sector(event.sector) or employer_fault("employer", event.employer)

    def employer_declaration(self, event: EmployerDeclaration, _: int) -> Fault | None:
        return (
            _date("as_of_on", event.as_of_on)
            or self._oblast(event.oblast)
            or self._sector(event.sector)
            or _at_least("citizens_12", event.citizens_12, 0)
            or _at_least("citizens_34", event.citizens_34, 0)
            or _at_least("foreigners_12", event.foreigners_12, 0)
            or _at_least("foreigners_34", event.foreigners_34, 0)
        )

    def protection_status(self, event: ProtectionStatus, _: int) -> Fault | None:
        return _date("valid_until_on", event.valid_until_on)

    def residence_change(self, event: ResidenceChange, _: int) -> Fault | None:
        fault = self._country("from_country", event.from_country) or self._country("to_country", event.to_country)
        if fault is not None:
            return fault
        if "KAZ" not in (event.from_country, event.to_country):
            return (
                "wrong_country",
                f"from_country, to_country: expected KAZ on one side; came {event.from_country} and {event.to_country}.",
            )
        if event.from_country == "KAZ" and event.from_oblast is None:
            return "missing_oblast", "from_oblast: expected the oblast left, as from_country is KAZ; came null."
        if event.to_country == "KAZ" and event.to_oblast is None:
            return "missing_oblast", "to_oblast: expected the oblast moved to, as to_country is KAZ; came null."
        return (
            self._oblast(event.from_oblast, "from_oblast")
            or self._oblast(event.to_oblast, "to_oblast")
            or _date("moved_on", event.moved_on)
        )

    def kandas(self, event: Kandas, _: int) -> Fault | None:
        return (
            _at_least("family_size", event.family_size, 1)
            or self._country("from_country", event.from_country)
            or self._oblast(event.oblast)
        )

    def entry_ban(self, event: EntryBan, _: int) -> Fault | None:
        return _period("from_on", event.from_on, "until_on", event.until_on)

    def post_heartbeat(self, event: PostHeartbeat, received_at: int) -> Fault | None:
        # A post that vouches for the future would make silence mean something it does not.
        if not FIRST_MS <= event.complete_through_at <= received_at + FUTURE_TOLERANCE_MS:
            return instant_fault("complete_through_at", event.complete_through_at, received_at)
        fault = _at_least("first_seq", event.first_seq, 0) or _at_least("sent_count", event.sent_count, 0)
        return fault or _at_least("last_seq", event.last_seq, event.first_seq)

    def post_outage(self, event: PostOutage, _: int) -> Fault | None:
        if event.kind != "started" and event.until_at is None:
            return (
                "missing_until",
                f"until_at: expected the first instant with records again, as the outage is {event.kind}; came null.",
            )
        fault = _instant("from_at", event.from_at) or _instant("until_at", event.until_at)
        if fault is None and event.until_at is not None and event.until_at < event.from_at:
            return "until_before_from", "until_at: expected from_at or later; came an earlier instant."
        return fault

    def tick(self, event: Tick, received_at: int) -> Fault | None:
        # The posts of its gaps are not looked up: a tick must not be lost because a post left the register.
        if not FIRST_MS <= event.complete_through_at <= received_at + FUTURE_TOLERANCE_MS:
            return instant_fault("complete_through_at", event.complete_through_at, received_at)
        return None

    def quota_allocation(self, event: QuotaAllocation, _: int) -> Fault | None:
        if event.category is not None and event.category not in CATEGORIES:
            return _category(event.category)
        if not 1990 <= event.year < 2200:
            return "out_of_range", f"year: expected 1990 to 2199; came {event.year}."
        return (
            self._oblast(event.oblast)
            or self._sector(event.sector)
            or _at_least("version", event.version, 1)
            or _at_least("persons", event.persons, 0)
            or _date("effective_on", event.effective_on)
        )


_REGISTER = {
    "country": "countries",
    "oblast": "oblasts",
    "post": "border posts",
    "sector": "sectors",
    "visa_category": "visa categories",
}


def _category(category: str) -> Fault:
    return "unknown_category", f"category: expected 1, 2, 3, 4 or seasonal; came {shown(category)}."


def _identity_link(event: IdentityLink, _: int) -> Fault | None:
    if not is_pseudonym(event.other_subject, "p"):
        return (
            "bad_subject",
            "other_subject: expected the pseudonym of a person; came something else. Never send document numbers.",
        )
    if event.other_subject == event.subject:
        return "self_reference", "other_subject: expected another pseudonym than the subject; came the same."
    return None


def _shared_facts(event: SharedFacts, _: int) -> Fault | None:
    if event.source != WORKER:
        return "source_not_allowed", f"source: expected {WORKER}; came {shown(event.source)}. Only a worker tells facts on."
    if not is_pseudonym(event.origin, "p"):
        return "bad_subject", "origin: expected the pseudonym of a person; came something else."
    if event.origin == event.subject:
        return "self_reference", "origin: expected another pseudonym than the subject; came the same."
    try:
        Dossier.unpack(event.facts, event.origin)
    except (IndexError, ValueError, struct.error):
        return "undecodable", f"facts: expected the form of a stored dossier; came {len(event.facts)} bytes that are not."
    return None


def _correction(event: Correction, _: int) -> Fault | None:
    if event.supersedes == event.event_id:
        return "self_reference", "supersedes: expected the id of an earlier event; came this event's own."
    return None


def _dispute(event: Dispute, _: int) -> Fault | None:
    if event.kind == "opened" and event.disputed_event is None and event.alert_id is None:
        return "missing_disputed", "disputed_event, alert_id: expected one of them when a dispute is opened; came null and null."
    return None


def _case_decision(event: CaseDecision | EmployerDecision, _: int) -> Fault | None:
    if not event.officer:
        return "missing_officer", "officer: expected the pseudonym of the officer who decided; came an empty text."
    if not event.reason.strip() or len(event.reason) > MAX_REASON:
        return "missing_reason", f"reason: expected 1 to {MAX_REASON} characters; came {len(event.reason)}."
    return None


def _employer_decision(event: EmployerDecision, received_at: int) -> Fault | None:
    return _case_decision(event, received_at) or _at_least("alert_version", event.alert_version, 1)


def _count_statement(event: CountStatement, _: int) -> Fault | None:
    fault = (
        _date("day_on", event.day_on)
        or _at_least("first_seq", event.first_seq, 0)
        or _at_least("last_seq", event.last_seq, event.first_seq)
        or _at_least("crossings", event.crossings, 0)
        or _at_least("events", event.events, event.crossings)
    )
    if fault is None and len(event.digest) != DIGEST_BYTES:
        return "out_of_range", f"digest: expected {DIGEST_BYTES} bytes; came {len(event.digest)}."
    if fault is None and (event.kid is None) != (event.signature is None):
        return "bad_signature", "kid, signature: expected both, or neither of an unsigned statement; came one."
    return fault


def checks(codes: Codes) -> dict[type[Record], Check]:
    """Returns the check of every input type, bound to the codes of a policy."""
    bound = _Checks(codes)
    return {
        BorderCrossing: bound.border_crossing,
        StayRegistration: bound.stay_registration,
        Visa: bound.visa,
        ResidencePermit: bound.residence_permit,
        Citizenship: bound.citizenship,
        WorkPermit: bound.work_permit,
        LabourContract: bound.labour_contract,
        Inspection: bound.inspection,
        EmployerDeclaration: bound.employer_declaration,
        ProtectionStatus: bound.protection_status,
        ResidenceChange: bound.residence_change,
        Kandas: bound.kandas,
        IdentityLink: _identity_link,
        SharedFacts: _shared_facts,
        EntryBan: bound.entry_ban,
        Correction: _correction,
        Dispute: _dispute,
        CaseDecision: _case_decision,
        EmployerDecision: _employer_decision,
        PostHeartbeat: bound.post_heartbeat,
        PostOutage: bound.post_outage,
        CountStatement: _count_statement,
        Tick: bound.tick,
        QuotaAllocation: bound.quota_allocation,
    }
