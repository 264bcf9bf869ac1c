"""The numbers of `shekara assess`, by asking every day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from streams.policy.model import Policy
from streams.records import BorderCrossing, PersonEvent
from tests.oracle.breaches import CURES, overstays
from tests.oracle.facts import active_facts
from tests.oracle.judge import OVERSTAYS
from tests.oracle.stays import Presence, Stay, presence
from tests.oracle.time import Calendar
from tests.oracle.titles import Titles

FAR = 3660
"""Days looked ahead."""


@dataclass(frozen=True)
class Answer:
    """The answer for a day; days since 1970-01-01."""

    days_used: int
    days_remaining: int | None
    overstay: bool
    first_overstay_day: int | None
    longest_stay_entry: int
    longest_stay_days: int | None
    last_lawful_day: int | None
    next_lawful_entry: int | None


def place_of(event: PersonEvent) -> str:
    """Returns the post or oblast of an event, empty if it has neither."""
    return str(getattr(event, "post", None) or getattr(event, "oblast", None) or "")


def known_by(events: Iterable[PersonEvent], calendar: Calendar, on: int) -> list[PersonEvent]:
    """Returns the events of a day and before."""
    return [event for event in events if calendar.local_day(event.occurred_at, place_of(event)) <= on]


def end_of_day(calendar: Calendar, on: int) -> int:
    """Returns the last millisecond of a day in the country's zone."""
    return calendar.day_end(on, "") - 1


class Calculator:
    """Answers for one person on one day."""

    def __init__(self, events: Iterable[PersonEvent], policy: Policy, on: int, citizenship: str = "") -> None:
        self.calendar = Calendar(policy)
        self.on = on
        self.facts = active_facts(known_by(events, self.calendar, on))
        self.here = presence(self.facts, end_of_day(self.calendar, on), self.calendar)
        self.titles = Titles(self.facts, self.here, self.calendar)
        crossings = [fact for fact in self.facts if isinstance(fact, BorderCrossing)]
        self.citizenship = crossings[-1].citizenship if crossings else citizenship

    def answer(self, entry: int | None = None) -> Answer:
        """Returns every number; ``entry`` is the entry asked for."""
        used, limit = self._used()
        bad = sorted(
            day
            for stay in self.here.stays
            for run in overstays(self.calendar, self.titles, stay)
            if run.rule in OVERSTAYS
            for day in stay.days()
            if run.first_day_on <= day and (run.last_day_on is None or day < run.last_day_on + (run.ended_by not in CURES))
        )
        running = [stay for stay in self.here.stays if stay.end == "running"]
        if entry is None and running:
            first = running[0].first_day
            ahead = presence(self.facts, end_of_day(self.calendar, self.on), self.calendar, FAR)
            days = self._lawful_days(ahead, next(stay for stay in ahead.stays if stay.end == "running"))
        else:
            first = self.on if entry is None else entry
            days = self._trip(first, FAR)
        start = self.on + 1 if self.on in self.titles.present else self.on
        following = next((day for day in range(start, self.on + FAR) if self._conceivable(day) and self._trip(day, 0) != 0), None)
        return Answer(
            days_used=used,
            days_remaining=None if limit is None else max(0, limit - used),
            overstay=self.on in bad,
            first_overstay_day=bad[0] if bad else None,
            longest_stay_entry=first,
            longest_stay_days=days,
            last_lawful_day=first + days - 1 if days else None,
            next_lawful_entry=following,
        )

    def _used(self) -> tuple[int, int | None]:
        group = self.calendar.group(self.citizenship, self.on)
        terms = self.calendar.rules(self.on).allowances.get(group)
        counted = [day for day in self.titles.counted if day <= self.on]
        if terms is not None and terms.days_in_window is not None and terms.anchor != "per_entry":
            assert terms.window_days is not None
            if terms.anchor == "rolling":
                return len([day for day in counted if day > self.on - terms.window_days]), terms.days_in_window
            begins: int | None = None
            for day in counted:
                if begins is None or day >= begins + terms.window_days:
                    begins = day
            if begins is None or self.on >= begins + terms.window_days:
                return 0, terms.days_in_window
            return len([day for day in counted if day >= begins]), terms.days_in_window
        present = [stay for stay in self.here.stays if stay.first_day <= self.on <= stay.last_day]
        used = 0
        if present:
            used = len([day for day in present[-1].days() if day <= self.on and not self.titles.of(present[-1], day)])
        limits = [] if terms is None else [n for n in (terms.days_per_entry, terms.days_in_window) if n is not None]
        return used, min(limits, default=None)

    def _conceivable(self, day: int) -> bool:
        """Whether anything at all could make a day lawful (spares building ten years of trips for nothing)."""
        titles = self.titles
        granted = (*titles.residence, *titles.work, *titles.contracts, *titles.extensions, *titles.protection, *titles.visas)
        group = self.calendar.group(self.citizenship, day)
        return (
            group == "kaz"
            or titles.citizen(day)
            or self.calendar.rules(day).allowances.get(group) is not None
            or any(one.covers(day) for one in granted)
        )

    def _lawful_days(self, here: Presence, stay: Stay) -> int | None:
        titles = Titles(self.facts, here, self.calendar)
        for day in stay.days():
            if not titles.lawful(stay, day):
                return day - stay.first_day
        return None

    def _trip(self, first: int, length: int) -> int | None:
        """Lawful days of a new stay from a day on; a running stay ends on the day asked about."""
        stays = [replace(stay, end="exit") if stay.end == "running" else stay for stay in self.here.stays]
        model = BorderCrossing(
            b"\xff" * 16, "", 0, 0, "", 0, "entry", "", self.citizenship, "private", "passport", "unknown", None, None
        )  # fmt: skip
        trip = Stay(model, "running", None, None, first, first + length, self.on)
        return self._lawful_days(Presence([*stays, trip], self.here.lone_exits), trip)
