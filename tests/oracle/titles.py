"""Titles: what makes a day of presence lawful."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from streams.records import (
    Citizenship,
    EntryBan,
    LabourContract,
    PersonEvent,
    ProtectionStatus,
    ResidencePermit,
    StayRegistration,
    Visa,
    WorkPermit,
)
from tests.oracle.facts import of_kind, place_in_time
from tests.oracle.stays import Presence, Stay
from tests.oracle.time import FOREVER, Calendar

PROTECTING = (
    "asylum_pending",
    "asylum_recognised",
    "appeal_term",
    "appeal_pending",
    "late_appeal",
    "trafficking_victim",
    "minor",
)
"""Kinds of protection under which nobody may be removed."""

NO_TITLE = ("late_appeal", "minor")
"""Kinds of protection that do not make a day lawful."""


@dataclass(frozen=True)
class Interval:
    """Days from one to another, both included.

    Attributes:
        number: the permit, visa, contract or procedure it belongs to.
        record: the record that grants it.
        what: finer kind, where it matters.
    """

    from_on: int
    until_on: int
    number: bytes
    record: PersonEvent
    what: str = ""

    def covers(self, day: int) -> bool:
        """Whether a day lies in it."""
        return self.from_on <= day <= self.until_on


def _granted(granting: Iterable[Interval], cuts: Iterable[tuple[tuple[int, bytes], bytes, int]]) -> list[Interval]:
    """Shortens intervals by later cuts of the same number: (place in time, number, last day)."""
    listed = list(cuts)
    found = []
    for one in granting:
        until = min(
            [one.until_on, *(last for when, number, last in listed if number == one.number and when > place_in_time(one.record))]
        )
        if until >= one.from_on:
            found.append(Interval(one.from_on, until, one.number, one.record, one.what))
    return found


class Titles:
    """Everything that can make a day lawful, for one person."""

    def __init__(self, facts: list[PersonEvent], here: Presence, calendar: Calendar) -> None:
        self.facts = facts
        self.calendar = calendar
        self.presence = here
        day = calendar.local_day
        permits = of_kind(facts, ResidencePermit)
        self.residence = _granted(
            (
                Interval(p.valid_from_on, FOREVER if p.valid_until_on is None else p.valid_until_on, p.permit_id, p, p.residence)
                for p in permits
                if p.kind != "revoked"
            ),
            ((place_in_time(p), p.permit_id, day(p.occurred_at, p.oblast)) for p in permits if p.kind == "revoked"),
        )
        work = of_kind(facts, WorkPermit)
        self.work = _granted(
            (Interval(p.valid_from_on, p.valid_until_on, p.permit_id, p, p.permit_type) for p in work if p.kind != "revoked"),
            ((place_in_time(p), p.permit_id, day(p.occurred_at, p.oblast)) for p in work if p.kind == "revoked"),
        )
        contracts = of_kind(facts, LabourContract)
        self.contracts = _granted(
            (
                Interval(c.from_on, FOREVER if c.until_on is None else c.until_on, c.contract_id, c)
                for c in contracts
                if c.kind == "concluded" and c.country == "KAZ"
            ),
            ((place_in_time(c), c.contract_id, day(c.occurred_at, c.oblast)) for c in contracts if c.kind == "ended"),
        )
        self.extensions = [
            Interval(r.arrived_on, r.valid_until_on, r.event_id, r)
            for r in of_kind(facts, StayRegistration)
            if r.kind == "extension" and r.valid_until_on is not None
        ]
        bans = of_kind(facts, EntryBan)
        self.bans = _granted(
            (
                Interval(b.from_on, FOREVER if b.until_on is None else b.until_on, b.ban_id, b)
                for b in bans
                if b.kind == "imposed"
            ),
            ((place_in_time(b), b.ban_id, day(b.occurred_at) - 1) for b in bans if b.kind == "lifted"),
        )
        visas = of_kind(facts, Visa)
        self.visa_records = visas
        self.visas = _granted(
            (Interval(v.valid_from_on, v.valid_until_on, v.visa_id, v) for v in visas if v.kind != "annulled"),
            ((place_in_time(v), v.visa_id, day(v.occurred_at)) for v in visas if v.kind == "annulled"),
        )
        self.protection = self._protection(of_kind(facts, ProtectionStatus))
        self.present = sorted({d for stay in here.stays for d in stay.days()} | {d for d, _ in here.lone_exits})
        self._visa_days = {number: self._days_of_visa(number) for number in {visa.number for visa in self.visas}}
        self._counted_of = {id(stay): self._without_title(stay) for stay in here.stays}
        lone = {d for d, exit_ in here.lone_exits if not self.of(None, d) and calendar.group(exit_.citizenship, d) != "kaz"}
        self.counted = sorted(lone.union(*self._counted_of.values()))

    # -- protection -------------------------------------------------------------------------------------------------

    def _protection(self, records: list[ProtectionStatus]) -> list[Interval]:
        granting: list[Interval] = []
        for index, one in enumerate(records):
            day = self.calendar.local_day(one.occurred_at)
            until = FOREVER if one.valid_until_on is None else one.valid_until_on
            following = [other for other in records[index + 1 :] if other.protection_id == one.protection_id]
            decided = self.calendar.local_day(following[0].occurred_at) if following else FOREVER
            number = one.protection_id
            if one.kind == "asylum_applied":
                granting.append(Interval(day, decided, number, one, "asylum_pending"))
            elif one.kind in ("asylum_recognised", "appeal_upheld"):
                granting.append(Interval(day, until, number, one, "asylum_recognised"))
            elif one.kind == "asylum_refused":
                granting.append(
                    Interval(day, day + self.calendar.rules(day).asylum_appeal_days, number, one, "appeal_term"),
                )
            elif one.kind == "appeal_filed":
                refusals = [r for r in records[:index] if r.protection_id == number and r.kind == "asylum_refused"]
                timely = False
                if refusals:
                    refused_on = self.calendar.local_day(refusals[-1].occurred_at)
                    timely = refused_on <= day <= refused_on + self.calendar.rules(refused_on).asylum_appeal_days
                granting.append(Interval(day, decided, number, one, "appeal_pending" if timely else "late_appeal"))
            elif one.kind == "appeal_dismissed":
                granting.append(
                    Interval(day, day + self.calendar.rules(day).asylum_departure_days, number, one, "departure_term"),
                )
            elif one.kind in ("trafficking_victim", "minor"):
                granting.append(Interval(day, until, number, one, one.kind))
        ends = (
            (place_in_time(r), r.protection_id, self.calendar.local_day(r.occurred_at))
            for r in records
            if r.kind == "status_ended"
        )
        return _granted(granting, ends)

    def protects(self, day: int) -> bool:
        """Whether a status that blocks removal holds on a day."""
        return any(one.covers(day) and one.what in PROTECTING for one in self.protection)

    def recognised(self, day: int) -> bool:
        """Whether the person is a recognised refugee on a day."""
        return any(one.covers(day) and one.what == "asylum_recognised" for one in self.protection)

    def permanent(self, day: int) -> bool:
        """Whether a permanent residence permit holds on a day."""
        return any(one.covers(day) and one.what == "permanent" for one in self.residence)

    def citizen(self, day: int) -> bool:
        """Whether a citizenship of Kazakhstan, acquired by the registers, holds on a day."""
        holds = False
        for one in sorted(of_kind(self.facts, Citizenship), key=lambda c: (c.effective_on, place_in_time(c))):
            if one.country == "KAZ" and one.effective_on <= day:
                holds = one.kind == "acquired"
        return holds

    # -- visas ------------------------------------------------------------------------------------------------------

    def visa_begins(self, number: bytes) -> int:
        """Returns the first day of a visa's validity."""
        return min(one.from_on for one in self.visas if one.number == number)

    def _days_of_visa(self, number: bytes) -> set[int]:
        latest = [v for v in self.visa_records if v.visa_id == number and v.kind != "annulled"][-1]
        pieces = [one for one in self.visas if one.number == number]
        inside = [d for d in self.present if any(piece.covers(d) for piece in pieces)]
        return set(inside[: latest.days_allowed])

    def _visa_admits(self, number: bytes, stay: Stay) -> bool:
        latest = [v for v in self.visa_records if v.visa_id == number and v.kind != "annulled"][-1]
        if latest.entries_allowed == 0 or stay.first_day < self.visa_begins(number):
            return True
        pieces = [one for one in self.visas if one.number == number]
        inside = [other for other in self.presence.stays if any(piece.covers(other.first_day) for piece in pieces)]
        return stay in inside[: latest.entries_allowed]

    # -- titles of a day --------------------------------------------------------------------------------------------

    def of(self, stay: Stay | None, day: int) -> list[tuple[str, bytes]]:
        """Returns every title but the allowance that a day of a stay has: (kind of title, its number)."""
        if stay is not None and self.calendar.group(stay.entry.citizenship, stay.first_day) == "kaz":
            return [("citizenship", b"")]
        found = [("residence", one.number) for one in self.residence if one.covers(day)]
        found += [("work_permit", one.number) for one in self.work if one.covers(day)]
        found += [("extension", one.number) for one in self.extensions if one.covers(day)]
        found += [("protection", one.number) for one in self.protection if one.covers(day) and one.what not in NO_TITLE]
        for number, days in self._visa_days.items():
            if stay is not None and day in days and self._visa_admits(number, stay):
                found.append(("visa", number))
        if stay is not None:
            group = self.calendar.group(stay.entry.citizenship, day)
            if group in self.calendar.rules(day).contract_grants_stay:
                found += [("contract", one.number) for one in self.contracts if one.covers(day)]
        if self.citizen(day):
            found.append(("citizenship", b""))
        return found

    def _without_title(self, stay: Stay) -> set[int]:
        return {day for day in stay.days() if not self.of(stay, day)}

    def allowance(self, stay: Stay, day: int) -> bool:
        """Whether a day of a stay is within the allowance of its group."""
        group = self.calendar.group(stay.entry.citizenship, day)
        terms = self.calendar.rules(day).allowances.get(group)
        if terms is None:
            return False
        of_stay = [d for d in self._counted_of[id(stay)] if d <= day]
        if terms.days_per_entry is not None and len(of_stay) > terms.days_per_entry:
            return False
        if terms.days_in_window is None:
            return True
        if terms.anchor == "per_entry":
            return len(of_stay) <= terms.days_in_window
        assert terms.window_days is not None
        if terms.anchor == "rolling":
            inside = [d for d in self.counted if day - terms.window_days + 1 <= d <= day]
        else:
            begins = -FOREVER
            inside = []
            for d in self.counted:
                if d > day:
                    break
                if d >= begins + terms.window_days:
                    begins, inside = d, []
                inside.append(d)
        return len(inside) <= terms.days_in_window

    def lawful(self, stay: Stay, day: int) -> bool:
        """Whether a day of a stay has any title."""
        return bool(self.of(stay, day)) or self.allowance(stay, day)
