"""What a source has numbered since it last said so: the counts of a heartbeat, and the statement of a day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from uuid import UUID, uuid5

from streams.records import BorderCrossing, CountStatement, PostHeartbeat, Record
from streams.wire.signing import Signer

_IDS = UUID("0f5ac3b1-6b0e-5f0c-8f38-9a1d5be1f5d2")
"""Namespace of statements' ids; never to be changed: the statement of a day has one id however often it is made."""

DIGEST_BYTES = 32


def digest_part(event_id: bytes, source_seq: int) -> int:
    """Returns what one event adds to a digest: SHA-256 of its id and number, as a number to be combined by exclusive or."""
    return int.from_bytes(sha256(event_id + source_seq.to_bytes(8, "big")).digest(), "big")


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of events that follow each other at one source; whatever order they are counted in, the result is the same.

    Attributes:
        first_seq: smallest number; 0 if nothing was counted.
        last_seq: largest number.
        events: how many.
        crossings: border crossings among them.
        digest: exclusive or of ``digest_part`` over them.
    """

    first_seq: int = 0
    last_seq: int = 0
    events: int = 0
    crossings: int = 0
    digest: int = 0

    def plus(self, record: Record) -> Tally:
        """Returns the tally with one more event; each may be counted once only."""
        seq = record.source_seq
        return Tally(
            min(self.first_seq or seq, seq),
            max(self.last_seq, seq),
            self.events + 1,
            self.crossings + isinstance(record, BorderCrossing),
            self.digest ^ digest_part(record.event_id, seq),
        )

    def and_then(self, other: Tally) -> Tally:
        """Returns the tally of this and other events; no event may be in both."""
        if not (self.events and other.events):
            return self if self.events else other
        return Tally(
            min(self.first_seq, other.first_seq),
            max(self.last_seq, other.last_seq),
            self.events + other.events,
            self.crossings + other.crossings,
            self.digest ^ other.digest,
        )


def heartbeat(post: str, source: str, tally: Tally, *, source_seq: int, complete_through_at: int, at_ms: int) -> PostHeartbeat:
    """Returns the heartbeat of a post.

    Args:
        post: its code.
        source: the publishing system.
        tally: of the crossings since the heartbeat before.
        source_seq: number of the heartbeat itself.
        complete_through_at: every crossing before this instant has been published, UTC epoch ms.
        at_ms: now, UTC epoch ms.
    """
    event_id = uuid5(_IDS, f"heartbeat|{source}|{source_seq}").bytes
    return PostHeartbeat(
        event_id, post, at_ms, at_ms, source, source_seq, complete_through_at, tally.first_seq, tally.last_seq, tally.crossings
    )


def statement(
    post: str, source: str, day_on: int, tally: Tally, *, source_seq: int, at_ms: int, signer: Signer | None = None
) -> CountStatement:
    """Returns the statement of one day, signed if there is a signer.

    Args:
        post: its code.
        source: the publishing system.
        day_on: the post's local day, days since 1970-01-01.
        tally: of every event numbered since the statement before.
        source_seq: number of the statement itself; it belongs to the next statement's range.
        at_ms: now, UTC epoch ms.
        signer: the source's key.
    """
    made = CountStatement(
        event_id=uuid5(_IDS, f"statement|{source}|{day_on}").bytes,
        subject=post,
        occurred_at=at_ms,
        recorded_at=at_ms,
        source=source,
        source_seq=source_seq,
        day_on=day_on,
        first_seq=tally.first_seq,
        last_seq=tally.last_seq,
        events=tally.events,
        crossings=tally.crossings,
        digest=tally.digest.to_bytes(DIGEST_BYTES, "big"),
        kid=None if signer is None else signer.kid,
        signature=None,
    )
    return made if signer is None else replace(made, signature=signer.sign_statement(made))
