"""One person's events as they lie in the log, and what follows from them by the same code that decides in the stream."""

from __future__ import annotations

import typing
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from streams.console.reading import Fields, Reading
from streams.detect.assess import Assessment, assess
from streams.detect.dossier import Dossier
from streams.detect.ledger import Line, ledger
from streams.detect.logtime import START, LogTime
from streams.policy.model import Policy
from streams.records import INPUTS, Gap, PersonEvent

KINDS: tuple[type[PersonEvent], ...] = tuple(kind for kind in INPUTS if issubclass(kind, PersonEvent))

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Logged:
    """An event and its place in the log.

    Attributes:
        event: the event.
        topic: full name.
        partition: of the topic.
        offset: in the partition.
        received_at: when the broker received it, UTC epoch ms.
        counts: whether it is an active fact: not withdrawn by a correction.
    """

    event: PersonEvent
    topic: str
    partition: int
    offset: int
    received_at: int
    counts: bool


@dataclass(frozen=True, slots=True)
class PersonFile:
    """What is known about one person.

    Attributes:
        events: every event once, in order of ``(occurred_at, event_id)``.
        assessment: what follows from them.
        lines: the day ledger.
        time: the log's clock and coverage it was judged by.
    """

    events: tuple[Logged, ...]
    assessment: Assessment
    lines: tuple[Line, ...]
    time: LogTime


def open_file(reading: Reading, policy: Policy, subject: str, known_at: int | None = None) -> PersonFile:
    """Reads a person's events from the warehouse and judges them.

    Args:
        reading: asks the warehouse.
        policy: the policy.
        subject: the person's pseudonym.
        known_at: as it was known then: what the broker received later, ticks included, is left out; UTC epoch ms. None: now.

    Raises:
        ShekaraError: the warehouse did not answer.
    """
    places: dict[bytes, Fields] = {}
    dossier = Dossier(subject)
    subjects = reading.pseudonyms_of(subject)
    for kind in KINDS:
        for row in reading.events_of(subjects, kind.NAME):
            if known_at is not None and plain(row["received_at"]) > known_at:
                continue
            event = record_of(kind, row | {"subject": subject})
            dossier = dossier.add(event)
            known = places.get(event.event_id)
            if known is None or row["offset"] < known["offset"]:
                places[event.event_id] = row
    time = log_time(reading, known_at)
    assessment = assess(dossier, policy, time)
    active = {fact.event_id for fact in dossier.active()}
    events = tuple(
        Logged(
            fact,
            places[fact.event_id]["topic"],
            places[fact.event_id]["partition"],
            places[fact.event_id]["offset"],
            plain(places[fact.event_id]["received_at"]),
            fact.event_id in active,
        )
        for fact in dossier.facts
    )
    return PersonFile(events, assessment, tuple(ledger(assessment.situation)), time)


def log_time(reading: Reading, known_at: int | None = None) -> LogTime:
    """Returns the log's clock and coverage: those of the last tick, or of the last one received until then (UTC epoch ms)."""
    until = "" if known_at is None else f"WHERE toUnixTimestamp64Milli(received_at) <= {known_at} "
    rows = reading.ask(
        f"SELECT occurred_at, complete_through_at, gaps FROM raw_tick {until}ORDER BY occurred_at DESC LIMIT 1"  # noqa: S608
    )
    if not rows:
        return START
    row = rows[0]
    gaps = tuple(Gap(*plain(gap)) for gap in row["gaps"])
    return LogTime(plain(row["occurred_at"]), plain(row["complete_through_at"]), gaps)


def record_of(kind: type[PersonEvent], row: Fields) -> PersonEvent:
    """Returns a row of a ``raw_…`` table as the record it was."""
    values = {one.name: plain(row[one.name]) for one in fields(kind)}
    return typing.cast("Any", kind)(**values)  # type: ignore[no-any-return]


def plain(value: Any) -> Any:
    """Returns a value of the warehouse as records have it: ids as bytes, days and instants as integers."""
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    if isinstance(value, list | tuple):
        return tuple(plain(one) for one in value)
    if isinstance(value, date):
        return (value - _EPOCH).days
    return value
