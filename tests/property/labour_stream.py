"""The lane of employers' workers as it runs, without Kafka: partitions write links, one lane reads them, all packed between."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

from streams import labour
from streams.person import NEVER, START, Cause, Due, LogTime, revisit, take
from streams.policy.model import Policy
from streams.records import Alert, EmployerDeclaration, Finding, LabourLink, PersonEvent, QuotaAllocation, Tick
from streams.wire import avro
from tests.oracle.country import Concluded
from tests.oracle.time import date_of

OPEN = ("raised", "amended", "acknowledged")
Message = LabourLink | EmployerDeclaration | QuotaAllocation | Tick


def tick(at_ms: int) -> Tick:
    """Returns a tick; every post's records are complete up to it."""
    return Tick(at_ms.to_bytes(16, "big"), "wall", at_ms, at_ms, "test", 1, at_ms, ())


def links_of(log: Iterable[PersonEvent | Tick], subject: str, policy: Policy) -> list[LabourLink]:
    """Returns what a person's partition writes, the state packed between any two steps."""
    state: bytes | None = None
    time, due = START, NEVER
    found: list[LabourLink] = []
    for record in log:
        if isinstance(record, Tick):
            before, time = time, time.after(record)
            if state is None or not _is_due(due, before, time):
                continue
            step = revisit(state, subject, time, Cause(record.event_id, 7), policy)
        else:
            step = take(state, record, time, Cause(record.event_id, 7), policy)
        due, state = step.due, step.state or state
        found += step.links
    return found


def _is_due(due: Due, before: LogTime, now: LogTime) -> bool:
    return (
        (due.at_ms is not None and now.now_ms >= due.at_ms)
        or (due.coverage_ms is not None and now.complete_through_ms >= due.coverage_ms)
        or (due.on_gaps and now.gaps != before.gaps)
    )


class Book:
    """The lane, as its agent drives it.

    Attributes:
        kept: what is kept.
        told: the last version of every conclusion.
        versions: all of them.
    """

    def __init__(self, policy: Policy) -> None:
        self.kept: dict[bytes, bytes] = {}
        self.told: dict[bytes, Alert | Finding] = {}
        self.versions: list[Alert | Finding] = []
        self._policy = policy
        self._due: dict[bytes, int | None] = {}
        self._now_ms = 0

    def take(self, record: Message) -> list[Alert | Finding]:
        """Takes what comes next; returns what is told."""
        before = len(self.versions)
        if not isinstance(record, Tick):
            self._emit(labour.take(self._lane(), record, avro.encode(record), 7))
        elif record.occurred_at > self._now_ms:
            self._now_ms = record.occurred_at
            for key in sorted(key for key, due in self._due.items() if due is not None and due <= self._now_ms):
                self._emit(labour.revisit(self._lane(), key, record.event_id, 7))
        return self.versions[before:]

    def _lane(self) -> labour.Lane:
        return labour.Lane(self.kept.get, _link, self._now_ms, self._policy)

    def _emit(self, step: labour.Step) -> None:
        self.kept.update(step.changes)
        self._due.update(step.due)
        for key, due in step.due.items():
            assert labour.due_of(self.kept[key]) == due
        versions: list[Alert | Finding] = [*step.alerts, *step.findings]
        for one in versions:
            known = self.told.get(one.alert_id)
            assert one.version == (known.version + 1 if known else 1)
            assert not {"officer_may_consider_referral", "leave_by_own_means"} & {*one.options}
            self.told[one.alert_id] = one
            self.versions.append(one)


def _link(value: bytes) -> LabourLink:
    record = avro.decode(value)
    assert isinstance(record, LabourLink)
    return record


def interleaved(sequences: Iterable[Sequence[Message]], dice: random.Random) -> list[Message]:
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


def lived(
    people: dict[str, tuple[PersonEvent, ...]],
    registers: Sequence[Sequence[Message]],
    ticks: Sequence[Tick],
    policy: Policy,
    *,
    dice: random.Random,
    shuffle: Callable[[list[Message]], None] = lambda messages: None,
) -> Book:
    """Runs everybody through their partitions and the lane, facts and ticks in some order; in the end all know the last tick."""
    sequences: list[Sequence[Message]] = [ticks]
    for subject, events in people.items():
        log: list[PersonEvent | Tick] = [*events, *ticks[:-1]]
        dice.shuffle(log)
        sequences.append(links_of([*log, ticks[-1]], subject, policy))
    for one in registers:
        mixed = list(one)
        dice.shuffle(mixed)
        sequences.append(mixed)
    messages = interleaved(sequences, dice)
    shuffle(messages)
    book = Book(policy)
    for message in messages:
        book.take(message)
    return book


def differences(book: Book, expected: dict[bytes, Concluded]) -> list[str]:
    """Returns where the lane and the oracle disagree, in words."""
    faults: list[str] = []
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
        pairs: list[tuple[str, object, object]] = [
            ("subject", want.subject, came.subject),
            ("first_day_on", want.first_day_on, came.first_day_on),
            ("last_day_on", want.last_day_on, came.last_day_on),
            ("evidence", [one.hex() for one in want.evidence], [one.hex() for one in came.evidence]),
            ("options", want.options, came.options),
        ]
        if want.oblast is not None:
            pairs += [("oblast", want.oblast, came.oblast), ("sector", want.sector, came.sector)]
        if lasts:
            pairs.append(("grade", want.grade, came.grade))
        else:
            pairs += [("days", want.days, came.days), ("ended by", want.ended_by, came.reason)]
        faults += [f"{label}: {what}: expected {left}, came {right}" for what, left, right in pairs if left != right]
    for name, came in book.told.items():
        ended_reminder = came.family == "reminder" and came.state in ("resolved", "expired")
        if name not in expected and came.state != "retracted" and not ended_reminder:
            faults.append(f"{came.rule} of {came.subject} stay {date_of(came.stay_on)}: told {came.state}, not expected")
    return faults
