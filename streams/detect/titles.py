"""Titles: what makes a day of presence lawful, as intervals of days.

**Source**: docs/rules.md, Titles; Concept of migration policy 2007-2015, a flexible visa mechanism and non-refoulement.
"""

from __future__ import annotations

from collections.abc import Sequence

from streams.detect.days import FAR
from streams.policy.model import Policy
from streams.records import (
    Citizenship,
    LabourContract,
    PersonEvent,
    ProtectionStatus,
    ResidencePermit,
    StayRegistration,
    Visa,
    WorkPermit,
)

RESIDENCE, VISA, WORK_PERMIT, CONTRACT, EXTENSION, PROTECTION, CITIZENSHIP = range(7)


class Title:
    """An interval of days a record, or a step of a procedure, covers.

    Attributes:
        kind: `RESIDENCE`, `VISA`, …
        first_on: first day.
        last_on: last day; `FAR` without an end.
        ref: what ties the records of one visa, permit, contract or procedure together, 16 bytes.
        record: the record it comes from.
        strong: of residence: permanent; of protection: recognised (work is free).
        protects: removal is blocked on these days.
        covers: whether it makes a day lawful (a minor's protection does not).
    """

    __slots__ = ("covers", "first_on", "kind", "last_on", "protects", "record", "ref", "strong")

    def __init__(self, kind: int, first_on: int, last_on: int, ref: bytes, record: PersonEvent) -> None:
        self.kind = kind
        self.first_on = first_on
        self.last_on = last_on
        self.ref = ref
        self.record = record
        self.strong = False
        self.protects = False
        self.covers = True


def residences(records: list[ResidencePermit], policy: Policy) -> list[Title]:
    """Returns the intervals of residence permits; a revocation cuts that permit's earlier records after its day."""
    found: list[Title] = []
    for record in records:
        if record.kind == "revoked":
            _cut(found, record.permit_id, policy.local_day(record.occurred_at, record.oblast))
        else:
            last = FAR if record.valid_until_on is None else record.valid_until_on
            title = Title(RESIDENCE, record.valid_from_on, last, record.permit_id, record)
            title.strong = record.residence == "permanent"
            found.append(title)
    return found


def work_permits(records: list[WorkPermit], policy: Policy) -> list[Title]:
    """Returns the intervals of work permits of any type."""
    found: list[Title] = []
    for record in records:
        if record.kind == "revoked":
            _cut(found, record.permit_id, policy.local_day(record.occurred_at, record.oblast))
        else:
            found.append(Title(WORK_PERMIT, record.valid_from_on, record.valid_until_on, record.permit_id, record))
    return found


def visas(records: list[Visa], policy: Policy) -> list[Title]:
    """Returns the validity of visas; how many days and entries of it count is decided stay by stay."""
    found: list[Title] = []
    for record in records:
        if record.kind == "annulled":
            _cut(found, record.visa_id, policy.local_day(record.occurred_at, ""))
        else:
            found.append(Title(VISA, record.valid_from_on, record.valid_until_on, record.visa_id, record))
    return found


def contracts(records: list[LabourContract], policy: Policy) -> list[Title]:
    """Returns the intervals of labour contracts concluded for Kazakhstan; whether they are a title is the group's matter."""
    found: list[Title] = []
    for record in records:
        if record.kind == "ended":
            _cut(found, record.contract_id, policy.local_day(record.occurred_at, record.oblast))
        elif record.kind == "concluded" and record.country == "KAZ":
            last = FAR if record.until_on is None else record.until_on
            found.append(Title(CONTRACT, record.from_on, last, record.contract_id, record))
    return found


def extensions(records: list[StayRegistration]) -> list[Title]:
    """Returns the intervals of extensions of stay."""
    return [
        Title(EXTENSION, record.arrived_on, record.valid_until_on, record.event_id, record)
        for record in records
        if record.kind == "extension" and record.valid_until_on is not None
    ]


def citizenships(records: list[Citizenship]) -> list[Title]:
    """Returns the days on which the registers say the person was a citizen of Kazakhstan."""
    found: list[Title] = []
    for record in sorted(
        (record for record in records if record.country == "KAZ"),
        key=lambda one: (one.effective_on, one.occurred_at, one.event_id),
    ):
        if record.kind == "acquired":
            found.append(Title(CITIZENSHIP, record.effective_on, FAR, record.event_id, record))
        else:
            for title in found:
                title.last_on = min(title.last_on, record.effective_on - 1)
    return found


def protections(records: list[ProtectionStatus], policy: Policy) -> list[Title]:
    """Returns the intervals of protection: those that make a day lawful, and those that block removal (most do both).

    **Source**: docs/rules.md, Titles and Protected; 1951 Convention, non-refoulement (Concept); every step counts from its
    local day in the country's zone, its last day included.
    """
    found: list[Title] = []
    refused_on: dict[bytes, int] = {}
    waiting: dict[bytes, Title] = {}
    for record in records:
        ref = record.protection_id
        day = policy.local_day(record.occurred_at, "")
        pending = waiting.pop(ref, None)
        if pending is not None:
            pending.last_on = day
        kind = record.kind
        if kind == "status_ended":
            _cut(found, ref, day)
            continue
        title = Title(PROTECTION, day, FAR, ref, record)
        title.protects = kind != "appeal_dismissed"
        if kind in ("asylum_applied", "appeal_filed"):
            waiting[ref] = title
            if kind == "appeal_filed":
                term = refused_on.get(ref)
                title.covers = term is not None and day <= term
        elif kind == "asylum_refused":
            title.last_on = refused_on[ref] = day + policy.at(day).asylum_appeal_days
        elif kind == "appeal_dismissed":
            title.last_on = day + policy.at(day).asylum_departure_days
        else:  # recognised, appeal upheld, trafficking victim, minor
            title.strong = kind in ("asylum_recognised", "appeal_upheld")
            title.covers = kind != "minor"
            if record.valid_until_on is not None:
                title.last_on = record.valid_until_on
        found.append(title)
    return found


def _cut(titles: Sequence[Title], ref: bytes, day: int) -> None:
    for title in titles:
        if title.ref == ref and title.last_on > day:
            title.last_on = day
