"""What border posts say about themselves: the coverage that makes silence mean something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from streams.records.envelope import Record, SubjectKind

OutageKind = Literal["started", "ended", "backfilled"]


@dataclass(frozen=True, slots=True)
class PostHeartbeat(Record):
    """A post vouches that everything it saw up to an instant has been sent.

    Attributes:
        complete_through_at: every crossing before this instant (UTC epoch ms) has been published.
        first_seq: first ``source_seq`` of the crossings this heartbeat covers; 0 when there were none.
        last_seq: last ``source_seq`` covered; 0 when there were none.
        sent_count: crossings published since the previous heartbeat.
    """

    NAME: ClassVar[str] = "post_heartbeat"
    SUBJECT: ClassVar[SubjectKind] = "post"

    complete_through_at: int
    first_seq: int
    last_seq: int
    sent_count: int


@dataclass(frozen=True, slots=True)
class PostOutage(Record):
    """A post could not record (started), can again (ended), or has typed in what it missed (backfilled).

    Attributes:
        outage_id: 16 bytes; ties the three messages of one outage together.
        kind: started, ended or backfilled.
        from_at: first instant without records, UTC epoch ms.
        until_at: first instant with records again; none while it lasts.
    """

    NAME: ClassVar[str] = "post_outage"
    SUBJECT: ClassVar[SubjectKind] = "post"

    outage_id: bytes
    kind: OutageKind
    from_at: int
    until_at: int | None
