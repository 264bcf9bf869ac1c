"""Records for tests of the warehouse: whatever a test does not name is plain and valid."""

from __future__ import annotations

import typing
from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar
from uuid import UUID

from streams.records import BorderCrossing, Correction
from streams.wire.avro import Message

T = TypeVar("T", bound=Message)

DAY_MS = 86_400_000
NOON_1_MARCH_2025 = 1_740_812_400_000
"""07:00 UTC, noon in all of Kazakhstan."""


def event_id(number: int) -> bytes:
    """Returns an id that shows its number."""
    return UUID(int=number).bytes


def make(kind: type[T], **values: Any) -> T:
    """Returns a record of any type; fields not named get the plainest value of their type."""
    hints = typing.get_type_hints(kind)
    filled = {field.name: values.pop(field.name) if field.name in values else _plain(hints[field.name]) for field in fields(kind)}
    assert not values, f"{kind.__name__} has no field {', '.join(values)}"
    return kind(**filled)


def _plain(hint: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, UnionType) and NoneType in typing.get_args(hint):
        return None
    if origin is Literal:
        return typing.get_args(hint)[0]
    if origin is tuple:
        return ()
    return {bytes: bytes(16), str: "", int: 0, bool: False}[hint]


def crossing(number: int, subject: str = "p1-a", direction: str = "entry", day: int = 0, **values: Any) -> BorderCrossing:
    """Returns a crossing at Almaty airport, some days after 1 March 2025."""
    at = NOON_1_MARCH_2025 + day * DAY_MS
    defaults: dict[str, Any] = {
        "event_id": event_id(number),
        "subject": subject,
        "occurred_at": at,
        "recorded_at": at + 1000,
        "source": "post:KZ-75-A1",
        "source_seq": number,
        "direction": direction,
        "post": "KZ-75-A1",
        "citizenship": "UZB",
    }
    return make(BorderCrossing, **defaults | values)


def correction(number: int, supersedes: int | bytes, subject: str = "p1-a", **values: Any) -> Correction:
    """Returns a correction that withdraws the event of a number (or id)."""
    at = NOON_1_MARCH_2025 + 100 * DAY_MS
    defaults: dict[str, Any] = {
        "event_id": event_id(number),
        "subject": subject,
        "occurred_at": at,
        "recorded_at": at,
        "source": "register:corrections",
        "source_seq": number,
        "supersedes": supersedes if isinstance(supersedes, bytes) else event_id(supersedes),
    }
    return make(Correction, **defaults | values)
