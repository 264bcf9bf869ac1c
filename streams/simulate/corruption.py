"""Messages spoilt on their way, and the dead letter each must become."""

from __future__ import annotations

from dataclasses import replace

from streams.records import BorderCrossing, Record
from streams.simulate.draft import Corrupt
from streams.simulate.draws import Draws, Weighted
from streams.wire.avro import SINGLE_OBJECT, SINGLE_OBJECT_HEADER, encode
from streams.wire.topics import topic_of

_WAYS = Weighted(
    {
        "unknown_framing": 3,
        "truncated": 4,
        "unknown_schema": 3,
        "unknown_post": 3,
        "unknown_country": 2,
        "far_future": 3,
        "bad_subject": 2,
        "empty": 1,
        "trailing_bytes": 1,
    }
)

_YEAR_2150_MS = 5_680_281_600_000


def spoil(record: Record, draws: Draws) -> Corrupt:
    """Returns a spoilt copy of a record; what was meant is sent again, whole, right after it.

    Args:
        record: what was meant.
        draws: decides how it is spoilt.
    """
    code = draws.of(_WAYS)
    if code in ("unknown_post", "unknown_country") and not isinstance(record, BorderCrossing):
        code = "truncated"
    key = record.subject.encode()
    topic = topic_of(type(record))
    match code:
        case "unknown_post" if isinstance(record, BorderCrossing):
            value = encode(replace(record, post="KZ-99-X9"))
        case "unknown_country" if isinstance(record, BorderCrossing):
            value = encode(replace(record, citizenship="QQQ"))
        case "far_future":
            value = encode(replace(record, occurred_at=record.occurred_at % _YEAR_2150_MS + _YEAR_2150_MS))
        case "bad_subject":
            # What a careless publisher does: the number of a document instead of a pseudonym (an invented one).
            key = f"N{draws.between(10_000_000, 99_999_999)}".encode()
            value = encode(replace(record, subject=key.decode()))
        case "unknown_framing":
            value = b"\x7f" + draws.bits(8 * 60).to_bytes(60, "big")
        case "unknown_schema":
            value = SINGLE_OBJECT + draws.bits(64).to_bytes(8, "big") + encode(record)[SINGLE_OBJECT_HEADER:]
        case "empty":
            value = b""
        case "trailing_bytes":
            value = encode(record) + b"\x00" * draws.between(1, 9)
        case _:
            whole = encode(record)
            value = whole[: draws.between(1, len(whole) - 1)]
    return Corrupt(topic, key, value, code)
