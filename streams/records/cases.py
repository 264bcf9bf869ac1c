"""What officers decide; the stream only carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from streams.records.envelope import PersonEvent

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
