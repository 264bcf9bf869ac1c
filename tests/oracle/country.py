"""Everybody at once: permits, breaches and signs of all people, and what is concluded of employers and quotas from them."""

from __future__ import annotations

from dataclasses import dataclass, field

from streams.records import Inspection, StayRegistration, WorkPermit
from tests.oracle.time import Calendar


@dataclass
class Concluded:
    """What must be concluded of an employer or a quota line; oblast and sector none where a worker's alert gives them."""

    rule: str
    subject: str
    stay_on: int
    deadline_on: int
    first_day_on: int
    last_day_on: int | None
    days: int
    evidence: tuple[bytes, ...]
    oblast: str | None
    sector: str | None
    grade: str = "established"
    ended_by: str = ""
    options: tuple[str, ...] = ()


@dataclass
class Permit:
    """A record of a permit of one person, and the days on which it is in force."""

    subject: str
    record: WorkPermit
    last_on: int

    def covers(self, day: int) -> bool:
        """Whether it is in force on a day."""
        return self.record.valid_from_on <= day <= self.last_on


@dataclass
class Sign:
    """A person at an employer's address after the permits expired; `out` once nothing of it is so any more."""

    subject: str
    record: Inspection | StayRegistration
    employer: str
    address: bytes
    first_on: int
    expired_on: int
    last_on: int | None


@dataclass
class Country:
    """Everybody's events, read once."""

    calendar: Calendar
    now_ms: int
    permits: list[Permit] = field(default_factory=list)
    issued: list[tuple[int, Permit]] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)
    breaches: list[tuple[str, bytes, str, int, int | None, str]] = field(default_factory=list)
