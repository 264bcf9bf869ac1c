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
class CountStatement(Record):
    """What a post says it has numbered and sent on one day: what the log is reconciled against.

    Attributes:
        day_on: the post's local day, days since 1970-01-01.
        first_seq: first ``source_seq`` given since the statement before; 0 when there were none.
        last_seq: last ``source_seq`` given; 0 when there were none.
        events: events numbered from first to last, of every type.
        crossings: border crossings among them.
        digest: 32 bytes, the exclusive or over these events of SHA-256 of event id and number (``streams.publish.tally``).
        kid: name of the key that signed; none if unsigned.
        signature: Ed25519, 64 bytes; none if unsigned.
    """

    NAME: ClassVar[str] = "count_statement"
    SUBJECT: ClassVar[SubjectKind] = "post"

    day_on: int
    first_seq: int
    last_seq: int
    events: int
    crossings: int
    digest: bytes
    kid: str | None
    signature: bytes | None


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
