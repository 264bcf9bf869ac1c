"""What officers decide; the stream only carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from streams.records.envelope import PersonEvent, Record, SubjectKind

Decision = Literal[
    "acknowledged",
    "contacted",
    "legalised",
    "left_voluntarily",
    "cleared",
    "order_to_leave",
    "referral_proposed",
    "referral_confirmed",
    "removed",
    "reopened",
]
EmployerOutcome = Literal["in_order", "put_in_order", "passed_on", "protected", "cleared"]


@dataclass(frozen=True, slots=True)
class CaseDecision(PersonEvent):
    """One officer's decision on one case.

    Attributes:
        case_id: 16 bytes, as in the case's own records.
        decision: what was decided. A referral for removal exists only when ``referral_proposed`` and
            ``referral_confirmed`` come from two different officers.
        officer: the officer's pseudonym.
        reason: the reason in the officer's words; mandatory, no personal data.
        alert_id: the alert it is about; none where it is the whole case.
    """

    NAME: ClassVar[str] = "case_decision"

    case_id: bytes
    decision: Decision
    officer: str
    reason: str
    alert_id: bytes | None


@dataclass(frozen=True, slots=True)
class EmployerDecision(Record):
    """How officers' work on one alert about an employer, or about work there, ended.

    Attributes:
        alert_id: 16 bytes: the alert.
        alert_version: the version the officer had seen: a later one is not decided by it.
        decision: how it ended; the latest about an alert holds.
        officer: the officer's pseudonym.
        reason: the reason in the officer's words; mandatory, no personal data.
    """

    NAME: ClassVar[str] = "employer_decision"
    SUBJECT: ClassVar[SubjectKind] = "employer"

    alert_id: bytes
    alert_version: int
    decision: EmployerOutcome
    officer: str
    reason: str
