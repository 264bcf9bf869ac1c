"""Quotas, allocated by year and re-allocated within it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from streams.records.envelope import Record, SubjectKind


@dataclass(frozen=True, slots=True)
class QuotaAllocation(Record):
    """One line of a quota; a later version of the same line replaces the earlier from its effective day.

    Attributes:
        quota: foreign labour or kandas.
        year: calendar year.
        version: 1, 2, … within the year.
        oblast: ISO 3166-2:KZ; none for the whole country.
        category: labour category; none for all.
        sector: section letter; none for all.
        persons: people allowed.
        effective_on: first day of this version.
    """

    NAME: ClassVar[str] = "quota_allocation"
    SUBJECT: ClassVar[SubjectKind] = "quota"

    quota: Literal["labour", "kandas"]
    year: int
    version: int
    oblast: str | None
    category: str | None
    sector: str | None
    persons: int
    effective_on: int
