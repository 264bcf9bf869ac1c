"""Facts of one person in one line each, for tests that read like the rules."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from streams.records import (
    BorderCrossing,
    CaseDecision,
    Correction,
    Dispute,
    Inspection,
    LabourContract,
    PersonEvent,
    ProtectionStatus,
    ResidencePermit,
    StayRegistration,
    Visa,
    WorkPermit,
)

SUBJECT = "person-1"


def number(n: int) -> bytes:
    """Returns a 16-byte id."""
    return n.to_bytes(16, "big")


def day(text: str) -> int:
    """Returns days since 1970-01-01 of an ISO date."""
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def at(text: str) -> int:
    """Returns the UTC epoch ms of an ISO date (its noon) or an ISO date and time."""
    text = text if "T" in text else f"{text}T12:00"
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def _head(n: int, when: str) -> tuple[bytes, str, int, int, str, int]:
    return number(n), SUBJECT, at(when), at(when), "", 0


def crossing(
    n: int, when: str, direction: Any, *, who: str = "UZB", post: str = "KZ-75-A1", purpose: Any = "private"
) -> BorderCrossing:
    """Returns a crossing."""
    return BorderCrossing(*_head(n, when), direction, post, who, purpose, "passport", "air", None, None)


def entry(n: int, when: str, **more: Any) -> BorderCrossing:
    """Returns an entry."""
    return crossing(n, when, "entry", **more)


def leave(n: int, when: str, **more: Any) -> BorderCrossing:
    """Returns an exit."""
    return crossing(n, when, "exit", **more)


def notice(n: int, when: str, kind: Any = "arrival", until: str | None = None) -> StayRegistration:
    """Returns a notice of arrival, or an extension from its day on."""
    last = None if until is None else day(until)
    return StayRegistration(*_head(n, when), kind, "KZ-75", None, "hotel", None, day(when[:10]), last)


def visa(n: int, first: str, last: str, *, days: int = 90, entries: int = 1) -> Visa:
    """Returns a visa issued on its first day."""
    return Visa(*_head(n, first), "issued", number(900), "B10", day(first), day(last), days, entries)


def residence(n: int, first: str, last: str | None, kind: Any = "permanent") -> ResidencePermit:
    """Returns a residence permit issued on its first day."""
    until = None if last is None else day(last)
    return ResidencePermit(*_head(n, first), "issued", number(901), kind, "work", "KZ-75", day(first), until)


def permit(
    n: int, first: str, last: str, *, employer: str | None = "e1", kind: Any = "employer", oblast: str = "KZ-75"
) -> WorkPermit:
    """Returns a work permit issued on its first day."""
    return WorkPermit(*_head(n, first), "issued", number(1000 + n), kind, None, employer, oblast, "F", day(first), day(last))


def contract(n: int, first: str, last: str | None = None, *, employer: str = "e1") -> LabourContract:
    """Returns a labour contract concluded on its first day."""
    until = None if last is None else day(last)
    return LabourContract(*_head(n, first), "concluded", number(2000 + n), employer, "KAZ", "KZ-75", "F", day(first), until)


def inspection(n: int, when: str, *, employer: str | None = None, oblast: str = "KZ-75") -> Inspection:
    """Returns an in-country check, or a worker found where an employer is given."""
    kind: Any = "in_country_check" if employer is None else "worker_found"
    return Inspection(*_head(n, when), kind, number(3000), oblast, employer, None, None)


def protection(n: int, when: str, kind: Any, *, until: str | None = None) -> ProtectionStatus:
    """Returns a step of a protection procedure."""
    return ProtectionStatus(*_head(n, when), kind, number(4000), None if until is None else day(until))


def correction(n: int, when: str, of: int) -> Correction:
    """Returns a correction of another event."""
    return Correction(*_head(n, when), number(of), None, "data_entry")


def dispute(n: int, when: str, kind: Any = "opened", *, event: int | None = None, alert: bytes | None = None) -> Dispute:
    """Returns a step of a dispute."""
    return Dispute(*_head(n, when), kind, number(5000), None if event is None else number(event), alert)


def decision(n: int, when: str, case_id: bytes, what: Any, *, officer: str = "o1", alert: bytes | None = None) -> CaseDecision:
    """Returns an officer's decision."""
    return CaseDecision(*_head(n, when), case_id, what, officer, "reason", alert)


def bytes_of(facts: list[PersonEvent]) -> list[bytes]:
    """Returns the ids of facts."""
    return [fact.event_id for fact in facts]
