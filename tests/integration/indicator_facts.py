"""Small hand-written sets of events for the tests of indicators; days are counted from 1 March 2025."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, TypeVar

from streams.records import Alert, Case, CaseDecision, Tick
from streams.records.envelope import Record
from streams.warehouse.embedded import Embedded
from streams.wire.avro import Message
from tests.contract.warehouse import NEXT, deliver, deliveries
from tests.unit.warehouse.made import DAY_MS, NOON_1_MARCH_2025, event_id, make

R = TypeVar("R", bound=Record)

FIRST = date(2025, 3, 1)
EPOCH = date(1970, 1, 1)


def day(number: int) -> int:
    """Returns a day as records have it."""
    return (FIRST - EPOCH).days + number


def on(number: int) -> date:
    """Returns a day as the warehouse answers it."""
    return FIRST + timedelta(days=number)


def of(year: int, month: int = 6, number: int = 15) -> int:
    """Returns a date as days from 1 March 2025."""
    return (date(year, month, number) - FIRST).days


def at(number: float) -> int:
    """Returns noon of a day, UTC epoch ms."""
    return NOON_1_MARCH_2025 + int(number * DAY_MS)


def fact(of_type: type[R], number: int, subject: str = "p1-a", when: float = 0, /, **values: Any) -> R:
    """Returns an event with the id of its number, written down a second after it happened."""
    plain = {
        "event_id": event_id(number),
        "subject": subject,
        "occurred_at": at(when),
        "recorded_at": at(when) + 1000,
        "source": "register:test",
        "source_seq": number,
    }
    return replace(make(of_type, **plain), **values)


def tick(number: int, when: float) -> Tick:
    """Returns a tick: the log's clock stands at noon of that day."""
    return fact(Tick, number, "clock", when, complete_through_at=at(when))


def alert(number: int, rule: str, subject: str = "p1-a", **values: Any) -> Alert:
    """Returns the first version of an alert that holds, raised on day 0 of a stay that began on day 0."""
    plain: dict[str, Any] = {
        "alert_id": event_id(number),
        "version": 1,
        "subject": subject,
        "rule": rule,
        "family": "breach",
        "state": "raised",
        "grade": "established",
        "stay_on": day(0),
        "first_day_on": day(0),
        "decided_at": at(0),
    }
    return make(Alert, **plain | values)


def case(number: int, version: int, stage: str, when: float, subject: str = "p1-a", **values: Any) -> Case:
    """Returns a version of a case opened on day 0 in Almaty."""
    plain: dict[str, Any] = {
        "case_id": event_id(number),
        "version": version,
        "subject": subject,
        "stage": stage,
        "open": True,
        "oblast": "KZ-75",
        "opened_at": at(0),
        "decided_at": at(when),
    }
    return make(Case, **plain | values)


def decision(number: int, what: str, subject: str, of_case: int, *, when: float, officer: str = "o1-x") -> CaseDecision:
    """Returns an officer's decision."""
    return fact(CaseDecision, number, subject, when, case_id=event_id(of_case), decision=what, officer=officer, reason="r")


def told(engine: Embedded, inputs: Sequence[Message], outputs: Sequence[Message] = ()) -> None:
    """Delivers events and decisions, twice: a repeat must change nothing. What is told later stands later in the log."""
    first = NEXT.get(engine, 0)
    NEXT[engine] = first + max(len(inputs), len(outputs))
    for topic, records in (("t.people", inputs), ("t.outputs", outputs)):
        log = deliveries(records, topic=topic, first=first)
        deliver(engine, log)
        deliver(engine, log[: len(log) // 2 + 1], cut=3)


def rows(engine: Embedded, view: str, columns: str = "*", where: str = "") -> list[tuple[Any, ...]]:
    """Returns a view's rows in the order of their columns, numbers with fractions rounded to 4 digits."""
    found = engine.select(f"SELECT {columns} FROM {view} {f'WHERE {where}' if where else ''} ORDER BY ALL").rows  # noqa: S608
    return [tuple(round(value, 4) if isinstance(value, float) else value for value in row) for row in found]
