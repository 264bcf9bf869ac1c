"""Stays: from crossings in order, each day of them written out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from streams.records import BorderCrossing, Inspection, PersonEvent, StayRegistration
from tests.oracle.facts import of_kind
from tests.oracle.time import FOREVER, Calendar

End = Literal["running", "exit", "lost"]


@dataclass
class Stay:
    """One stay.

    Attributes:
        entry: the crossing that began it.
        end: running, ended by an exit, or lost (the next entry came first).
        exit: the exit, if one ended it.
        first_day: its key.
        last_day: last day of known presence; today for a running stay.
        today: today at the entry's post.
        inspections: each with its day within the stay.
        registrations: each with its day within the stay.
    """

    entry: BorderCrossing
    end: End
    exit: BorderCrossing | None
    next_entry: BorderCrossing | None
    first_day: int
    last_day: int
    today: int
    inspections: list[tuple[int, Inspection]] = field(default_factory=list)
    registrations: list[tuple[int, StayRegistration]] = field(default_factory=list)

    def days(self) -> range:
        """Every day of presence."""
        return range(self.first_day, self.last_day + 1)


@dataclass
class Presence:
    """All of a person's stays, and the days of exits nobody saw an entry for."""

    stays: list[Stay]
    lone_exits: list[tuple[int, BorderCrossing]]


def presence(facts: list[PersonEvent], now_ms: int, calendar: Calendar, ahead_days: int = 0) -> Presence:
    """Returns the stays.

    Args:
        facts: active facts in order.
        now_ms: the person's clock.
        calendar: days and values.
        ahead_days: how many days a running stay is imagined to go on after today.
    """
    stays: list[Stay] = []
    lone: list[tuple[int, BorderCrossing]] = []
    running: Stay | None = None
    for crossing in of_kind(facts, BorderCrossing):
        day = calendar.local_day(crossing.occurred_at, crossing.post)
        if crossing.direction == "entry":
            if running is not None:
                running.end, running.next_entry = "lost", crossing
            today = calendar.local_day(now_ms, crossing.post)
            running = Stay(crossing, "running", None, None, day, max(day, today + ahead_days), today)
            stays.append(running)
        elif crossing.direction == "exit":
            if running is None:
                lone.append((day, crossing))
            else:
                running.end, running.exit = "exit", crossing
                running.last_day = max(running.first_day, day)
                running = None
    for fact in facts:
        if not isinstance(fact, Inspection | StayRegistration):
            continue
        home: Stay | None = None
        for stay in stays:
            if stay.entry.occurred_at <= fact.occurred_at:
                home = stay
        if home is None or (home.exit is not None and fact.occurred_at > home.exit.occurred_at):
            continue
        day = calendar.local_day(fact.occurred_at, fact.oblast)
        if isinstance(fact, Inspection):
            home.inspections.append((day, fact))
        else:
            home.registrations.append((day, fact))
    for stay in stays:
        if stay.end == "lost":
            stay.last_day = max([stay.first_day, *(day for day, _ in stay.inspections)])
        # A place in another zone may call it another day: it is brought into the stay's days; a running stay has no last one.
        last = FOREVER if stay.end == "running" else stay.last_day
        stay.inspections = [(min(max(day, stay.first_day), last), fact) for day, fact in stay.inspections]
        stay.registrations = [(min(max(day, stay.first_day), last), fact) for day, fact in stay.registrations]
    return Presence(stays, lone)
