"""Laws of the lane of employers' workers: what holds in the end is what everybody's raw events say, however they came."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import fields

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams import labour
from streams.person import NEVER, START, Cause, revisit, take
from streams.records import (
    Alert,
    EmployerDeclaration,
    Finding,
    LabourLink,
    PersonEvent,
    QuotaAllocation,
    Tick,
)
from streams.wire import avro
from tests.oracle.labour import Concluded, judge_labour
from tests.oracle.time import date_of
from tests.property.declarations import DAY_MS
from tests.property.test_oracle_agreement import is_due
from tests.property.workforces import NOON_MS, Workforce, small, tick, workforces

WORKFORCES = 20_000 if os.environ.get("SHEKARA_TEST_PROFILE") == "nightly" else 500
agreement = settings(
    max_examples=WORKFORCES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    print_blob=True,
)
OPEN = ("raised", "amended", "acknowledged")
Message = LabourLink | EmployerDeclaration | QuotaAllocation | Tick


def links_of(events: Sequence[PersonEvent], ticks: Sequence[Tick], dice: random.Random) -> list[LabourLink]:
    """Returns what a person's partition writes, facts and ticks in some order, the state packed between any two steps."""
    log: list[PersonEvent | Tick] = [*events, *ticks[:-1]]
    dice.shuffle(log)
    log.append(ticks[-1])
    state: bytes | None = None
    time, due = START, NEVER
    found: list[LabourLink] = []
    for record in log:
        if isinstance(record, Tick):
            before, time = time, time.after(record)
            if state is None or not is_due(due, before, time):
                continue
            step = revisit(state, events[0].subject, time, Cause(record.event_id, 7), small())
        else:
            step = take(state, record, time, Cause(record.event_id, 7), small())
        due, state = step.due, step.state or state
        found += step.links
    return found


def interleaved(sequences: list[list[Message]], dice: random.Random) -> list[Message]:
    """Returns all of them, each in its own order, some things twice."""
    left = [list(one) for one in sequences if one]
    found: list[Message] = []
    while left:
        one = dice.choice(left)
        found.append(one.pop(0))
        if dice.random() < 0.1:
            found.append(dice.choice(found))
        left = [one for one in left if one]
    return found


class Book:
    """The lane, as its agent drives it: what is kept, what was told."""

    def __init__(self) -> None:
        self.kept: dict[bytes, bytes] = {}
        self.due: dict[bytes, int | None] = {}
        self.now_ms = 0
        self.told: dict[bytes, Alert | Finding] = {}

    def take(self, record: Message) -> None:
        if isinstance(record, Tick):
            if record.occurred_at <= self.now_ms:
                return
            self.now_ms = record.occurred_at
            for key in sorted(key for key, due in self.due.items() if due is not None and due <= self.now_ms):
                self._emit(labour.revisit(self._lane(), key, record.event_id, 7))
        else:
            self._emit(labour.take(self._lane(), record, avro.encode(record), 7))

    def _lane(self) -> labour.Lane:
        return labour.Lane(self.kept.get, read, self.now_ms, small())

    def _emit(self, step: labour.Step) -> None:
        self.kept.update(step.changes)
        self.due.update(step.due)
        for key, due in step.due.items():
            assert labour.due_of(self.kept[key]) == due
        versions: list[Alert | Finding] = [*step.alerts, *step.findings]
        for one in versions:
            known = self.told.get(one.alert_id)
            assert one.version == (known.version + 1 if known else 1)
            assert "officer_may_consider_referral" not in one.options
            assert "leave_by_own_means" not in one.options
            self.told[one.alert_id] = one


def read(value: bytes) -> LabourLink:
    record = avro.decode(value)
    assert isinstance(record, LabourLink)
    return record


def lived(force: Workforce, dice: random.Random, shuffle: Callable[[list[Message]], None] | None = None) -> Book:
    """Runs a workforce through partitions and lane; in the end everybody knows the last day."""
    ticks = [tick(day * DAY_MS + NOON_MS) for day in range(force.end_on - 60, force.end_on + 1, 10)]
    ticks[-1] = tick(force.now_ms)
    sequences: list[list[Message]] = [[*links_of(events, ticks, dice)] for events in force.people.values()]
    declared, allocated = list(force.declarations), list(force.allocations)
    dice.shuffle(declared)
    dice.shuffle(allocated)
    messages = interleaved([*sequences, [*declared], [*allocated], [*ticks]], dice)
    if shuffle is not None:
        shuffle(messages)
    book = Book()
    for message in messages:
        book.take(message)
    return book


def differences(book: Book, expected: dict[bytes, Concluded]) -> list[str]:
    faults = []
    for name, want in expected.items():
        came = book.told.get(name)
        label = f"{want.rule} of {want.subject} stay {date_of(want.stay_on)}"
        if came is None:
            faults.append(f"{label}: expected, never told")
            continue
        lasts = want.last_day_on is None
        if (came.state in OPEN) is not lasts or (not lasts and came.state != "resolved"):
            faults.append(f"{label}: expected {'open' if lasts else 'ended'}, came {came.state} ({came.reason})")
            continue
        pairs = [
            ("subject", want.subject, came.subject),
            ("first_day_on", want.first_day_on, came.first_day_on),
            ("last_day_on", want.last_day_on, came.last_day_on),
            ("evidence", [one.hex() for one in want.evidence], [one.hex() for one in came.evidence]),
            ("options", want.options, came.options),
        ]
        if want.oblast is not None:
            pairs += [("oblast", want.oblast, came.oblast), ("sector", want.sector, came.sector)]
        pairs += [("grade", want.grade, came.grade)] if lasts else [("days", want.days, came.days)]
        faults += [f"{label}: {what}: expected {left}, came {right}" for what, left, right in pairs if left != right]
    for name, came in book.told.items():
        ended_reminder = came.family == "reminder" and came.state == "resolved"
        if name not in expected and came.state != "retracted" and not ended_reminder:
            faults.append(f"{came.rule} of {came.subject} stay {date_of(came.stay_on)}: told {came.state}, not expected")
    return faults


def agree(force: Workforce, book: Book) -> None:
    events = [event for one in force.people.values() for event in one]
    faults = differences(book, judge_labour(events, force.declarations, force.allocations, small(), force.now_ms))
    assert not faults, story(force, faults)


@agreement
@given(workforces(), st.randoms(use_true_random=False))
def test_whatever_the_order_repetitions_and_interleaving_what_holds_is_what_the_raw_events_say(
    force: Workforce, dice: random.Random
) -> None:
    agree(force, lived(force, dice))


@settings(agreement, max_examples=max(WORKFORCES // 5, 100))
@given(workforces(), st.randoms(use_true_random=False))
def test_even_links_out_of_the_order_of_their_versions_come_to_the_same(force: Workforce, dice: random.Random) -> None:
    agree(force, lived(force, dice, dice.shuffle))


def story(force: Workforce, faults: list[str]) -> str:
    """Returns a workforce as a person would tell it, and what is disputed."""
    lines = ["", *faults, f"looked at on {date_of(force.end_on)}:"]
    everything = [*[one for events in force.people.values() for one in events], *force.declarations, *force.allocations]
    for one in everything:
        own = [
            f"{item.name}={date_of(value) if item.name.endswith('_on') else _short(value)}"
            for item in fields(one)
            if item.name not in ("event_id", "occurred_at", "recorded_at", "source", "source_seq")
            and (value := getattr(one, item.name)) not in (None, "", ())
        ]
        lines.append(f"  {one.event_id.hex()[-4:]} {date_of(one.occurred_at // DAY_MS)} {one.NAME} {' '.join(own)}")
    return "\n".join(lines)


def _short(value: object) -> object:
    return value.hex()[:6] if isinstance(value, bytes) else value
