"""People changing residence: across the border, between oblasts, and the ethnic returnees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from streams.records.envelope import PersonEvent

KandasKind = Literal["applied", "granted", "refused", "arrived", "centre_admitted", "centre_completed"]


@dataclass(frozen=True, slots=True)
class ResidenceChange(PersonEvent):
    """A change of permanent residence, the unit of the migration balance.

    Attributes:
        from_country: ISO 3166-1 alpha-3; ``KAZ`` with another ``to_country`` is a departure.
        to_country: ISO 3166-1 alpha-3; both ``KAZ`` is internal migration.
        from_oblast: ISO 3166-2:KZ where ``from_country`` is ``KAZ``.
        to_oblast: ISO 3166-2:KZ where ``to_country`` is ``KAZ``.
        moved_on: the day the change takes effect.
    """

    NAME: ClassVar[str] = "residence_change"

    from_country: str
    to_country: str
    from_oblast: str | None
    to_oblast: str | None
    moved_on: int


@dataclass(frozen=True, slots=True)
class Kandas(PersonEvent):
    """Steps of an ethnic returnee (oralman, today kandas).

    Attributes:
        kind: application, decision, arrival, and the adaptation centre's steps.
        family_id: 16 bytes; one family applies together.
        family_size: people in the family, counting the applicant.
        from_country: country of origin, ISO 3166-1 alpha-3.
        oblast: oblast of settlement, ISO 3166-2:KZ.
        in_quota: whether the family counts against the regional quota.
    """

    NAME: ClassVar[str] = "kandas"

    kind: KandasKind
    family_id: bytes
    family_size: int
    from_country: str
    oblast: str
    in_quota: bool
