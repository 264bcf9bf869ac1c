"""Work: permits, contracts, employers and what inspectors find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from streams.records.envelope import PersonEvent, Record, SubjectKind

PermitKind = Literal["issued", "extended", "revoked"]
WorkPermitType = Literal["employer", "household", "self_employment", "intra_company", "seasonal"]
WorkCategory = Literal["1", "2", "3", "4", "seasonal"]
ContractKind = Literal["concluded", "ended", "outbound"]
InspectionKind = Literal["in_country_check", "worker_found"]


@dataclass(frozen=True, slots=True)
class WorkPermit(PersonEvent):
    """A permit to work.

    Attributes:
        kind: issued, extended (carries the new values) or revoked.
        permit_id: 16 bytes; the issuer's reference.
        permit_type: employer permit, household permit (work for natural persons), self-employment, intra-company, seasonal.
        category: category of an employer permit; none for the other types.
        employer: pseudonym of the employer the permit names; none where it names none.
        oblast: the oblast the permit is valid in, ISO 3166-2:KZ.
        sector: section letter of the national classification of economic activities (A to U).
        valid_from_on: first day.
        valid_until_on: last day.
    """

    NAME: ClassVar[str] = "work_permit"

    kind: PermitKind
    permit_id: bytes
    permit_type: WorkPermitType
    category: WorkCategory | None
    employer: str | None
    oblast: str
    sector: str
    valid_from_on: int
    valid_until_on: int


@dataclass(frozen=True, slots=True)
class LabourContract(PersonEvent):
    """A labour contract concluded or ended in Kazakhstan, or the registered contract of someone leaving to work abroad.

    Attributes:
        kind: concluded, ended or outbound.
        contract_id: 16 bytes; the register's reference.
        employer: the employer's pseudonym.
        country: country of work; ``KAZ`` unless outbound.
        oblast: oblast of work (outbound: of residence), ISO 3166-2:KZ.
        sector: section letter of the classification of economic activities.
        from_on: first day of work.
        until_on: last day of work; none for a contract without a term.
    """

    NAME: ClassVar[str] = "labour_contract"

    kind: ContractKind
    contract_id: bytes
    employer: str
    country: str
    oblast: str
    sector: str
    from_on: int
    until_on: int | None


@dataclass(frozen=True, slots=True)
class Inspection(PersonEvent):
    """A person seen inside the country by an officer.

    Attributes:
        kind: an in-country check, or a person found working at an employer.
        inspection_id: 16 bytes; one visit of inspectors, which may find many people.
        oblast: where, ISO 3166-2:KZ.
        employer: pseudonym of the employer, for worker_found; none if not known.
        sector: section letter of the economic activity, for worker_found.
        address_key: keyed hash of the address, 16 bytes.
    """

    NAME: ClassVar[str] = "inspection"

    kind: InspectionKind
    inspection_id: bytes
    oblast: str
    employer: str | None
    sector: str | None
    address_key: bytes | None


@dataclass(frozen=True, slots=True)
class EmployerDeclaration(Record):
    """An employer's headcount, the denominator of the share of citizens.

    Attributes:
        as_of_on: the day the figures are of.
        oblast: ISO 3166-2:KZ.
        sector: section letter of the economic activity.
        size: size class of the enterprise.
        citizens_12: citizens of Kazakhstan employed in categories 1 and 2.
        citizens_34: citizens employed in categories 3 and 4.
        foreigners_12: foreigners employed on permits in categories 1 and 2.
        foreigners_34: foreigners employed on permits in categories 3 and 4.
    """

    NAME: ClassVar[str] = "employer_declaration"
    SUBJECT: ClassVar[SubjectKind] = "employer"

    as_of_on: int
    oblast: str
    sector: str
    size: Literal["small", "medium", "large"]
    citizens_12: int
    citizens_34: int
    foreigners_12: int
    foreigners_34: int
