"""What people's partitions tell the lane of employers' workers: a person at an employer, by version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from streams.records.outputs import Grade

LinkKind = Literal["breach", "permit", "kept"]


@dataclass(frozen=True, slots=True)
class LabourLink:
    """One version of one link; the greatest ``version`` of a ``(subject, kind, link_id)`` is what holds now.

    Attributes:
        link_id: breach: the id of the person's work alert; permit and kept: ``event_id`` of the record it is from; 16 bytes.
        version: 1, 2, …
        kind: an open or ended breach at an employer; a record of a work permit; a person kept at a place after permits expired.
        subject: the person's pseudonym.
        holds: whether there is (still) such a link; otherwise nothing below says anything.
        employer: the employer's pseudonym; empty where a permit names none.
        oblast: of the work, ISO 3166-2:KZ; empty if not known.
        sector: section letter; empty if not known.
        category: of a permit; ``seasonal`` for a seasonal permit without one; empty for other kinds and types.
        issued_on: the day a permit counts against the quota; none where it does not.
        first_on: first day.
        last_on: last day; none while it lasts.
        expired_on: kept: the last day of the permits that expired before; none otherwise.
        address_key: kept: keyed hash of the address, 16 bytes; none otherwise.
        grade: breach: how well it is known.
        reason: why this version, as in alerts.
        caused_by: event_id that caused this version.
        caused_at: broker's timestamp of that event, UTC epoch ms.
        decided_at: the person's now when it was told, UTC epoch ms.
    """

    NAME: ClassVar[str] = "labour_link"

    link_id: bytes
    version: int
    kind: LinkKind
    subject: str
    holds: bool
    employer: str
    oblast: str
    sector: str
    category: str
    issued_on: int | None
    first_on: int
    last_on: int | None
    expired_on: int | None
    address_key: bytes | None
    grade: Grade
    reason: str
    caused_by: bytes
    caused_at: int
    decided_at: int
