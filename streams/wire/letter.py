"""What a dead letter is made of, whoever writes it: a worker about what it cannot process, the sink about refused rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streams.records import DeadLetter
from streams.wire.signing import signature_in
from streams.wire.topics import MAX_LETTER_VALUE_BYTES

_KEY_BYTES = 64 * 1024
"""Bytes of a key that a dead letter keeps, at most."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it lies in its topic.

    Attributes:
        topic: full name.
        partition: its partition.
        offset: its offset.
        timestamp: the broker's, UTC epoch ms.
        key: none if it has none.
        value: none if it has none.
        headers: names and values.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


def letter_about(received: Received, *, code: str, reason: str, event_type: str, source: str) -> DeadLetter:
    """Returns the dead letter about a message.

    A letter longer than its topic takes would stop its writer for good. The broker measures what arrives, which may be
    compressed; so a message that is too long once unpacked is cut, and the reason says where the whole lies.

    Args:
        received: the message.
        code: the reason's code, one of ``streams.decode.CODES``.
        reason: what was expected, what came, what to do; no personal data.
        event_type: the event type if it could be told, else empty.
        source: the publishing system if it could be told, else empty.
    """
    key, value = received.key, received.value or b""
    kept = MAX_LETTER_VALUE_BYTES - _KEY_BYTES
    if len(value) > kept or (key is not None and len(key) > _KEY_BYTES):
        reason += (
            f" The message has {len(value)} bytes and a key of {len(key or b'')}: here are the first {kept} and "
            f"{_KEY_BYTES} at most, the whole lies at its offset in its topic."
        )
        key, value = None if key is None else key[:_KEY_BYTES], value[:kept]
    return DeadLetter(
        topic=received.topic,
        partition=received.partition,
        offset=received.offset,
        timestamp_at=received.timestamp,
        key=key,
        value=value,
        code=code,
        reason=reason,
        event_type=event_type,
        source=source,
        signature=signature_in(received.headers),
    )


def key_of(letter: DeadLetter) -> bytes:
    """Returns a letter's key: where its message lies, so that one message is one letter to whoever compacts by key."""
    return f"{letter.topic}/{letter.partition}/{letter.offset}".encode()
