"""Facts about facts: nothing is edited, everything can be corrected and disputed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from streams.records.envelope import PersonEvent


@dataclass(frozen=True, slots=True)
class Correction(PersonEvent):
    """Withdraws an earlier event; the right data, if there are any, come as a new event of their own.

    A correction takes effect on any event that is smaller by ``(recorded_at, event_id)``, a correction included,
    so that corrections of corrections are well-founded and the order of arrival does not matter.

    Attributes:
        supersedes: the ``event_id`` that no longer counts.
        replacement: the ``event_id`` of the event that takes its place; none where it simply was wrong.
        reason: why.
    """

    NAME: ClassVar[str] = "correction"

    supersedes: bytes
    replacement: bytes | None
    reason: Literal["data_entry", "wrong_person", "duplicate", "clock", "court", "other"]


@dataclass(frozen=True, slots=True)
class Dispute(PersonEvent):
    """The person, or someone for them, says a record is wrong: presumptions rest until it is decided.

    Attributes:
        kind: opened, upheld (the person was right) or rejected.
        dispute_id: 16 bytes; ties opening and decision together.
        disputed_event: the event in doubt; none where an alert as a whole is.
        alert_id: the alert in doubt; none where an event is.
    """

    NAME: ClassVar[str] = "dispute"

    kind: Literal["opened", "upheld", "rejected"]
    dispute_id: bytes
    disputed_event: bytes | None
    alert_id: bytes | None
