"""Events as the warehouse holds them: read back as the records they were, with their place in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from streams.detect.dossier import Dossier
from streams.records import Record
from streams.wire.jsonform import Field, fields_of

Select = Callable[[str], list[tuple[Any, ...]]]
"""Runs one query of the warehouse and returns its rows."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """One event as the log holds it.

    Attributes:
        record: the event.
        topic: topic it was read from.
        partition: its partition.
        offset: its offset.
        received_at: when the broker received it.
        known_at: where in the log the person's answering pseudonym was told of it, if it came under another one.
    """

    record: Record
    topic: str
    partition: int
    offset: int
    received_at: datetime
    known_at: tuple[str, int, int] | None = None


NOT_YET = ("", -1, -1)
"""The place of a fact the answering pseudonym has not been told of."""


def deliveries(kind: type[Record], select: Select, where: str) -> Iterator[Delivered]:
    """Yields the events of one type, in order of offset.

    Args:
        kind: the record class.
        select: asks the warehouse.
        where: a condition in SQL, made of checked values only.
    """
    fields = fields_of(kind)
    columns = ", ".join([*(_column(field) for field in fields), "topic", "partition", "offset", "received_at"])
    for row in select(f"SELECT {columns} FROM raw_{kind.NAME} FINAL WHERE {where} ORDER BY offset"):  # noqa: S608  # see Args
        values = [_value(field, value) for field, value in zip(fields, row, strict=False)]
        yield Delivered(kind(*values), *row[len(fields) :])


def pseudonyms_of(person: str, select: Select) -> list[str]:
    """Returns every pseudonym a person's facts may lie under: the one that answers for all first.

    Args:
        person: that one; checked by the caller.
        select: asks the warehouse.
    """
    # Most people are in no link, and who is whom costs a walk over all links.
    about = f"subject = '{person}' OR other_subject = '{person}'"
    if not select(f"SELECT 1 FROM raw_identity_link WHERE {about} LIMIT 1"):  # noqa: S608  # see Args
        return [person]
    rows = select(f"SELECT subject FROM core_same_person WHERE person = '{person}' AND subject != '{person}' ORDER BY subject")  # noqa: S608
    return [person, *(subject for (subject,) in rows)]


def heard_at(person: str, select: Select) -> dict[bytes, tuple[str, int, int]]:
    """Returns where in its own log a pseudonym was told facts of others, by the facts' ``event_id``.

    Args:
        person: the pseudonym; checked by the caller.
        select: asks the warehouse.
    """
    found: dict[bytes, tuple[str, int, int]] = {}
    columns = "origin, hex(facts), topic, partition, offset"
    query = f"SELECT {columns} FROM raw_shared_facts FINAL WHERE subject = '{person}' ORDER BY offset"  # noqa: S608  # see Args
    for origin, facts, topic, partition, offset in select(query):
        for fact in Dossier.unpack(bytes.fromhex(facts), origin).facts:
            found.setdefault(fact.event_id, (topic, partition, offset))
    return found


def _column(field: Field) -> str:
    if field.form == "instant":
        return f"toUnixTimestamp64Milli(`{field.name}`)"
    return f"`{field.name}`"


def _value(field: Field, value: Any) -> Any:
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, date) and field.form == "date":
        return (value - date(1970, 1, 1)).days
    return value
