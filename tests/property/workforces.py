"""Workforces by chance: a handful of people at few employers and addresses on few days, so that everything meets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from hypothesis import strategies as st

from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import (
    BorderCrossing,
    Correction,
    Dispute,
    EmployerDeclaration,
    Inspection,
    LabourContract,
    PersonEvent,
    ProtectionStatus,
    QuotaAllocation,
    Record,
    StayRegistration,
    WorkPermit,
)
from tests.property.declarations import DAY_MS, declared

EMPLOYERS = ("e1-" + "a" * 32, "e1-" + "b" * 32)
ADDRESSES = (b"A" * 16, b"B" * 16)
FIRST_ON = 20_080
"""2024-12-23: a year ends soon after."""
NOON_MS = 7 * 3_600_000


@cache
def small() -> Policy:
    """The shipped policy with thresholds that a handful of people reach."""
    kz = load("kz")
    changes: dict[str, Any] = {"trafficking_min_workers": 2, "trafficking_expiry_days": 5, "trafficking_seen_days": 15}
    return replace(kz, rules=tuple(replace(rules, quota_pace_days=20, quota_warning_days=60, **changes) for rules in kz.rules))


@dataclass(frozen=True)
class Workforce:
    """Everything that is sent, and the day it is looked at.

    Attributes:
        people: events by person, in the order they are sent.
        declarations: of the employers.
        allocations: of the quotas.
        end_on: the log's last day.
    """

    people: dict[str, tuple[PersonEvent, ...]]
    declarations: tuple[EmployerDeclaration, ...]
    allocations: tuple[QuotaAllocation, ...]
    end_on: int

    @property
    def now_ms(self) -> int:
        """The log's clock at the end."""
        return self.end_on * DAY_MS + NOON_MS


class _Writer:
    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.number = 0
        self.end_on = 0

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def often(self, one_in: int) -> bool:
        return self.draw(st.integers(1, one_in)) == 1

    def event(self, kind: type[Record], subject: str, on: int, /, *rest: Any) -> Any:
        self.number += 1
        at_ms = on * DAY_MS + NOON_MS + self.number
        return kind(self.number.to_bytes(16, "big"), subject, at_ms, at_ms, "register:test", self.number, *rest)


@st.composite
def workforces(draw: st.DrawFn) -> Workforce:
    """Gives a workforce."""
    write = _Writer(draw)
    people: dict[str, tuple[PersonEvent, ...]] = {}
    together = write.often(2)
    for number in range(draw(st.integers(3, 8) if together else st.integers(1, 6))):
        subject = f"p1-{number:032x}"
        people[subject] = tuple(_person(write, subject, together=together and not write.often(4)))
    declarations = [
        declared(
            1000 + draw(st.integers(0, 5)),
            FIRST_ON + draw(st.integers(0, 3)) * 12,
            subject=write.pick(*EMPLOYERS),
            citizens_12=write.pick(0, 2, 5),
            citizens_34=write.pick(0, 9, 20),
            oblast=write.pick("KZ-75", "KZ-71"),
        )
        for _ in range(draw(st.integers(0, 4)))
    ]
    allocations = [_allocation(write) for _ in range(draw(st.integers(0, 5)))]
    latest = max([one.occurred_at // DAY_MS for events in people.values() for one in events])
    latest = max([latest, *[one.occurred_at // DAY_MS for one in declarations]])
    return Workforce(people, tuple(declarations), tuple(allocations), latest + 1 + write.pick(0, 1, 4, 9, 20, 60))


def _allocation(write: _Writer) -> QuotaAllocation:
    year = write.pick(2024, 2025, 2025)
    version = write.pick(1, 1, 2)
    where = write.pick(
        (None, None, None), ("KZ-75", None, None), (None, "2", None), ("KZ-75", "2", "F"), (None, "seasonal", None)
    )
    effective = {2024: 19_723, 2025: 20_089}[year] + write.pick(0, 0, 15, 40)
    quota = write.pick("labour", "labour", "labour", "kandas")
    persons = write.pick(0, 1, 2, 3, 6, 9)
    found: QuotaAllocation = write.event(QuotaAllocation, "q", FIRST_ON - 9, quota, year, version, *where, persons, effective)
    return found


def _person(write: _Writer, subject: str, *, together: bool) -> list[PersonEvent]:
    found: list[PersonEvent] = []
    day = FIRST_ON + write.pick(0, 0, 3, 20, 22)

    def put(kind: type[Record], on: int, *rest: Any) -> Any:
        event = write.event(kind, subject, on, *rest)
        found.append(event)
        return event

    citizenship = write.pick("UZB", "UZB", "UZB", "TUR", *(() if together else ("RUS", "KAZ")))
    put(BorderCrossing, day, "entry", "KZ-75-A1", citizenship, "work", "passport", "air", None, None)
    if together:
        # At one employer and address, with permits that run out about together.
        until = FIRST_ON + write.pick(9, 9, 10, 14, 15, 19)
        permit: tuple[Any, ...] = (b"0" * 16, "employer", write.pick("1", "2"), EMPLOYERS[0], "KZ-75", "F")
        put(WorkPermit, day - 1, "issued", *permit, day - 1, until)
        on = until + write.pick(1, 1, 2, 6, 15, 16)
        put(Inspection, on, "worker_found", b"v" * 16, "KZ-75", EMPLOYERS[0], "F", write.pick(*ADDRESSES[:1] * 3, *ADDRESSES))
    for _ in range(write.pick(0, 0, 1) if together else write.pick(0, 1, 1, 1, 2)):
        first = day + write.pick(-3, 0, 1, 2)
        until = first + write.pick(2, 5, 8, 9, 30, 200)
        kind = write.pick("employer", "employer", "employer", "seasonal", "household")
        category = write.pick("1", "2", "2", "3") if kind == "employer" else None
        number = write.pick(b"1", b"2") * 16
        employer = None if kind == "household" else write.pick(*EMPLOYERS)
        values: tuple[Any, ...] = (number, kind, category, employer, write.pick("KZ-75", "KZ-75", "KZ-71"), "F")
        put(WorkPermit, first, "issued", *values, first, until)
        if write.often(4):
            put(WorkPermit, first + 1, "extended", *values, until + write.pick(1, 1, 4), until + 12)
        if write.often(5):
            put(WorkPermit, first + write.pick(1, 3, 7), "revoked", *values, first, until)
    if write.often(8 if together else 4):
        begins = day + write.pick(0, 2, 12)
        employer = write.pick(*EMPLOYERS)
        put(LabourContract, begins, "concluded", b"c" * 16, employer, "KAZ", "KZ-75", "F", begins, write.pick(None, begins + 9))
    for _ in range(write.pick(0, 0, 1) if together else write.pick(0, 1, 1, 2)):
        on = day + write.pick(1, 6, 11, 12, 14, 25)
        address = write.pick(*ADDRESSES, ADDRESSES[0], None)
        put(Inspection, on, "worker_found", b"v" * 16, "KZ-75", write.pick(*EMPLOYERS, None), "F", address)
    for _ in range(write.pick(0, 0, 1, 2)):
        on = day + write.pick(0, 1, 5, 13)
        kind = write.pick("arrival", "arrival", "extension", "deregistration")
        host = write.pick(*EMPLOYERS, None)
        until = on + 30 if kind == "extension" else None
        put(StayRegistration, on, kind, "KZ-75", write.pick(*ADDRESSES), "employer" if host else "hotel", host, on, until)
    if write.often(6):
        on = day + write.pick(5, 13, 18, 26)
        put(ProtectionStatus, on, write.pick("trafficking_victim", "asylum_applied"), b"s" * 16, None)
    if write.often(2):
        put(
            BorderCrossing,
            day + write.pick(*(() if together else (3, 12)), 13, 18, 29, 40),
            "exit",
            "KZ-75-A1",
            citizenship,
            "work",
            "passport",
            "air",
            None,
            None,
        )
    if write.often(3):
        about = write.pick(*found)
        put(Correction, day + 41, about.event_id, None, "data_entry")
    if write.often(5):
        about = write.pick(*found)
        put(Dispute, day + 41, "opened", b"d" * 16, about.event_id, None)
    return found
