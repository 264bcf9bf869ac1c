"""Titles to stay: registrations, visas, residence permits, citizenship."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from streams.records.envelope import PersonEvent

RegistrationKind = Literal["arrival", "extension", "deregistration"]
HostKind = Literal["natural_person", "hotel", "employer", "university", "hospital", "other"]
VisaKind = Literal["issued", "extended", "annulled"]
PermitKind = Literal["issued", "extended", "revoked"]
Residence = Literal["temporary", "permanent"]
CitizenshipKind = Literal["acquired", "lost"]


@dataclass(frozen=True, slots=True)
class StayRegistration(PersonEvent):
    """A host's notice of arrival, an extension of a stay, or a deregistration.

    Attributes:
        kind: arrival, extension or deregistration.
        oblast: where the person stays, ISO 3166-2:KZ.
        address_key: keyed hash of the address (16 bytes), for finding people at one address without knowing it.
        host: what kind of host notified.
        host_subject: the host's pseudonym where it is an employer.
        arrived_on: day of arrival at this address.
        valid_until_on: last lawful day an extension grants; none for a plain notice of arrival.
    """

    NAME: ClassVar[str] = "stay_registration"

    kind: RegistrationKind
    oblast: str
    address_key: bytes | None
    host: HostKind
    host_subject: str | None
    arrived_on: int
    valid_until_on: int | None


@dataclass(frozen=True, slots=True)
class Visa(PersonEvent):
    """A visa issued, extended or annulled.

    Attributes:
        kind: issued, extended (carries the new values) or annulled.
        visa_id: 16 bytes; the issuer's reference.
        category: visa category of Kazakhstan's rules, e.g. ``B10`` (tourism), ``C3`` (work).
        valid_from_on: first day of validity.
        valid_until_on: last day of validity.
        days_allowed: days of stay allowed in total over the validity.
        entries_allowed: entries allowed; 0 means any number.
    """

    NAME: ClassVar[str] = "visa"

    kind: VisaKind
    visa_id: bytes
    category: str
    valid_from_on: int
    valid_until_on: int
    days_allowed: int
    entries_allowed: int


@dataclass(frozen=True, slots=True)
class ResidencePermit(PersonEvent):
    """A temporary residence permit or a permanent residence permit.

    Attributes:
        kind: issued, extended (carries the new values) or revoked.
        permit_id: 16 bytes; the issuer's reference.
        residence: temporary or permanent.
        purpose: the ground of a temporary permit (work, study, family, …), as in border_crossing.
        oblast: oblast of residence, ISO 3166-2:KZ.
        valid_from_on: first day.
        valid_until_on: last day; none where unlimited.
    """

    NAME: ClassVar[str] = "residence_permit"

    kind: PermitKind
    permit_id: bytes
    residence: Residence
    purpose: str
    oblast: str
    valid_from_on: int
    valid_until_on: int | None


@dataclass(frozen=True, slots=True)
class Citizenship(PersonEvent):
    """A citizenship acquired or lost, seen from the registers (not from a document shown).

    Attributes:
        kind: acquired or lost.
        country: ISO 3166-1 alpha-3; ``KAZ`` ends every stay rule.
        effective_on: the day it takes effect.
    """

    NAME: ClassVar[str] = "citizenship"

    kind: CitizenshipKind
    country: str
    effective_on: int
