"""Protection: the statuses that block every road to removal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from streams.records.envelope import PersonEvent

ProtectionKind = Literal[
    "asylum_applied",
    "asylum_recognised",
    "asylum_refused",
    "appeal_filed",
    "appeal_upheld",
    "appeal_dismissed",
    "trafficking_victim",
    "minor",
    "status_ended",
]


@dataclass(frozen=True, slots=True)
class ProtectionStatus(PersonEvent):
    """A step in a person's protection (Concept: non-refoulement; suppression of trafficking).

    Attributes:
        kind: what happened; ``appeal_upheld`` means the person won, ``status_ended`` closes a status named by ``protection_id``.
        protection_id: 16 bytes; ties the steps of one procedure together.
        valid_until_on: last day of the status (a minor's last day before majority); none where open-ended.
    """

    NAME: ClassVar[str] = "protection_status"

    kind: ProtectionKind
    protection_id: bytes
    valid_until_on: int | None
