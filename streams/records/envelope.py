"""What every event carries, whoever publishes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

SubjectKind = Literal["person", "post", "employer", "quota", "clock"]


@dataclass(frozen=True, slots=True)
class Record:
    """The envelope of every event.

    Attributes:
        event_id: 16 bytes (a UUID); the same fact sent again carries the same id.
        subject: whom or what the fact is about: a person's or an employer's pseudonym, a post's code, a quota's name.
        occurred_at: when it happened, UTC epoch milliseconds.
        recorded_at: when the source wrote it down, UTC epoch milliseconds.
        source: the publishing system, e.g. ``post:KZ-75-A1``; never a person.
        source_seq: number of this event at its source, counting from 1 without gaps.
    """

    NAME: ClassVar[str] = ""
    SUBJECT: ClassVar[SubjectKind] = "person"

    event_id: bytes
    subject: str
    occurred_at: int
    recorded_at: int
    source: str
    source_seq: int


@dataclass(frozen=True, slots=True)
class PersonEvent(Record):
    """An event whose subject is a person: it becomes a fact of that person's dossier."""
