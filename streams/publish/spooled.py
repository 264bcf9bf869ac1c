"""What a spool says of the events it holds."""

from __future__ import annotations

from dataclasses import dataclass

from streams.publish.publisher import Receipt


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of an event given to the spool.

    Attributes:
        event_id: its id.
        source_seq: its number at its source, as it will be published.
        waiting: whether it waits; if not, it was delivered before and ``receipt`` says where it lies.
        new: whether the spool took it now, not before.
        receipt: of its delivery.
    """

    event_id: bytes
    source_seq: int
    waiting: bool
    new: bool
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """One event that waits.

    Attributes:
        n: its place in the order.
        event_id: its id.
        value: the message, in single-object encoding.
        put_at: when it was put, UTC epoch ms.
    """

    n: int
    event_id: bytes
    value: bytes
    put_at: int


@dataclass(frozen=True, slots=True)
class SpoolState:
    """What a spool holds.

    Attributes:
        waiting: events that wait.
        waiting_bytes: their size, sealed.
        max_bytes: the size at which nothing more is taken.
        oldest_at: when the oldest that waits was put, UTC epoch ms; none if none waits.
        delivered: receipts kept.
        damaged: events whose bytes on disk were changed: kept aside, never sent.
    """

    waiting: int
    waiting_bytes: int
    max_bytes: int
    oldest_at: int | None
    delivered: int
    damaged: int
