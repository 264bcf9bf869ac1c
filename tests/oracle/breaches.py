"""Breaches of stay, arrival and bans, faults in the data, and reminders: each found by looking at every day."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from streams.records import (
    BorderCrossing,
    EntryBan,
    LabourContract,
    PersonEvent,
    ProtectionStatus,
    ResidencePermit,
    StayRegistration,
    Visa,
    WorkPermit,
)
from tests.oracle.facts import place_in_time
from tests.oracle.stays import Presence, Stay
from tests.oracle.time import Calendar, add_months
from tests.oracle.titles import Titles

EndedBy = Literal[
    "", "exit_seen", "exit_not_seen", "title_found", "registered", "permit_found", "contract_found", "citizenship",
    "permits_over", "retention",
]  # fmt: skip

CURES = ("title_found", "registered", "permit_found", "contract_found", "citizenship")
"""What puts an end to a breach from its day on; that day is not one of it."""


@dataclass
class Found:
    """Something that is so, before grades and options.

    Attributes:
        rule: name of the rule.
        stay: the stay; none for an exit nobody saw an entry for.
        stay_on: key of the stay.
        deadline_on: last lawful day, or the last day to act.
        first_day_on: first day of it.
        last_day_on: last day; none while it lasts.
        ended_by: how it ended.
        evidence: what it rests on beside the crossings and inspections of the stay.
        sighted: rests on a sighting.
        employer: where work is concerned.
        oblast: where work is concerned.
        sector: where work is concerned.
        order: number of the stay, to tell apart two with one id.
    """

    rule: str
    stay: Stay | None
    stay_on: int
    deadline_on: int
    first_day_on: int
    last_day_on: int | None = None
    ended_by: EndedBy = ""
    evidence: list[PersonEvent] = field(default_factory=list)
    sighted: bool = False
    employer: str = ""
    oblast: str = ""
    sector: str = ""
    order: int = 0


def foreigner(calendar: Calendar, titles: Titles, stay: Stay, day: int) -> bool:
    """Whether the rules for foreigners apply on a day of a stay: neither a citizen nor of unknown citizenship."""
    if calendar.group(stay.entry.citizenship, stay.first_day) == "kaz" or titles.citizen(day):
        return False
    return calendar.group(stay.entry.citizenship, day) != "unknown"


def close(found: Found, titles: Titles, cured_on: int | None = None, by: EndedBy = "title_found") -> Found:
    """Ends a finding with its stay or with the day something cured it, whichever is first (on one day: the cure).

    On one day citizenship comes before a permit or contract, and after a notice of arrival or a title.
    """
    stay = found.stay
    assert stay is not None
    first = {"registered": 0, "title_found": 0}
    cures: list[tuple[int, int, EndedBy]] = []
    if cured_on is not None and cured_on <= stay.last_day:
        cures.append((cured_on, first.get(by, 2), by))
    for day in range(found.first_day_on, stay.last_day + 1):
        if titles.citizen(day):
            cures.append((day, 1, "citizenship"))
            break
    if cures:
        found.last_day_on, _, found.ended_by = min(cures)
    elif stay.end != "running":
        found.last_day_on, found.ended_by = stay.last_day, "exit_seen" if stay.end == "exit" else "exit_not_seen"
    return found


# -- overstay -----------------------------------------------------------------------------------------------------------


def overstays(calendar: Calendar, titles: Titles, stay: Stay) -> list[Found]:
    """Every unbroken run of days without a title."""
    if calendar.group(stay.entry.citizenship, stay.first_day) == "kaz":
        return []
    found: list[Found] = []
    lawful = {day: titles.lawful(stay, day) for day in stay.days()}
    for day in stay.days():
        if lawful[day] or (day > stay.first_day and not lawful[day - 1]):
            continue
        rule, evidence = _which_overstay(calendar, titles, stay, day)
        cured = next((later for later in stay.days() if later > day and lawful[later]), None)
        found.append(close(Found(rule, stay, stay.first_day, day - 1, day, evidence=evidence), titles, cured))
    return found


def _which_overstay(calendar: Calendar, titles: Titles, stay: Stay, first: int) -> tuple[str, list[PersonEvent]]:
    group = calendar.group(stay.entry.citizenship, first)
    covered: list[tuple[str, bytes]] = []
    by_allowance = False
    for day in range(first - 1, stay.first_day - 1, -1):
        covered = titles.of(stay, day)
        by_allowance = not covered and titles.allowance(stay, day)
        if covered or by_allowance:
            break
    evidence = records_of(titles.facts, {number for _, number in covered})
    kinds = {kind for kind, _ in covered}
    if calendar.rules(first).allowances.get(group) is not None or by_allowance:
        rule = "overstay_visa_exempt"
    elif "protection" in kinds:
        rule = "overstay_protection_refused"
    elif kinds:
        rule = "overstay_permit" if kinds - {"visa"} else "overstay_visa"
    else:
        if group == "unknown":
            return "title_unknown", []
        begun = {number for number in {one.number for one in titles.visas} if titles.visa_begins(number) <= stay.first_day}
        evidence = records_of(titles.facts, begun)
        rule = "overstay_visa" if begun else "title_unknown"
    return ("title_unknown" if group == "unknown" else rule), evidence


def records_of(facts: list[PersonEvent], numbers: set[bytes]) -> list[PersonEvent]:
    """Returns the records of visas, permits, contracts, procedures, extensions and bans by their numbers."""
    return [
        fact
        for fact in facts
        if (isinstance(fact, Visa) and fact.visa_id in numbers)
        or (isinstance(fact, ResidencePermit | WorkPermit) and fact.permit_id in numbers)
        or (isinstance(fact, LabourContract) and fact.contract_id in numbers)
        or (isinstance(fact, ProtectionStatus) and fact.protection_id in numbers)
        or (isinstance(fact, EntryBan) and fact.ban_id in numbers)
        or (isinstance(fact, StayRegistration) and fact.kind == "extension" and fact.event_id in numbers)
    ]


# -- arrival ------------------------------------------------------------------------------------------------------------


def arrival(calendar: Calendar, titles: Titles, stay: Stay) -> list[Found]:
    """The notice of arrival, due some days after every entry."""
    entry_day = stay.first_day
    rules = calendar.rules(entry_day)
    group = calendar.group(stay.entry.citizenship, entry_day)
    if group in rules.notification_groups:
        deadline = entry_day + rules.notification_groups[group] - 1
    elif rules.notification_days is None:
        return []
    elif rules.notification_unit == "working":
        deadline = calendar.working_day_after(entry_day, rules.notification_days)
    else:
        deadline = entry_day + rules.notification_days
    if not foreigner(calendar, titles, stay, deadline) or group == "unknown" or stay.last_day <= deadline:
        return []
    if any(titles.citizen(day) for day in range(entry_day, deadline + 1)):
        return []
    if titles.permanent(deadline) or any(kind == "protection" for kind, _ in titles.of(stay, deadline)):
        return []
    noticed = sorted(day for day, notice in stay.registrations if notice.kind in ("arrival", "extension"))
    if noticed and noticed[0] <= deadline:
        return []
    found = Found("arrival_not_notified", stay, entry_day, deadline, deadline + 1)
    return [close(found, titles, noticed[0] if noticed else None, "registered")]


# -- bans and data quality ----------------------------------------------------------------------------------------------


def entry_during_ban(calendar: Calendar, titles: Titles, stay: Stay) -> list[Found]:
    """An entry while a ban was in force."""
    in_force = {one.number for one in titles.bans if one.covers(stay.first_day)}
    if not in_force or not foreigner(calendar, titles, stay, stay.first_day):
        return []
    found = Found("entry_during_ban", stay, stay.first_day, stay.first_day - 1, stay.first_day)
    found.evidence = records_of(titles.facts, in_force)
    return [close(found, titles)]


def data_quality(calendar: Calendar, titles: Titles) -> list[Found]:
    """Crossings that contradict each other; those of citizens do not."""

    def citizens(crossing: BorderCrossing) -> bool:
        day = calendar.local_day(crossing.occurred_at, crossing.post)
        return calendar.group(crossing.citizenship, day) == "kaz" or titles.citizen(day)

    found = []
    for order, stay in enumerate(titles.presence.stays):
        if stay.next_entry is not None and not citizens(stay.entry) and not citizens(stay.next_entry):
            again = calendar.local_day(stay.next_entry.occurred_at, stay.next_entry.post)
            one = Found(
                "entry_without_exit", stay, stay.first_day, stay.first_day, again, evidence=[stay.next_entry], order=order
            )
            found.append(one)
    for order, (day, crossing) in enumerate(titles.presence.lone_exits):
        if not citizens(crossing):
            found.append(Found("exit_without_entry", None, day, day, day, evidence=[crossing], order=order))
    return found


# -- household permits --------------------------------------------------------------------------------------------------


def household(calendar: Calendar, titles: Titles, here: Presence) -> list[Found]:
    """Household permits held for longer than they may be."""
    permits = [one for one in titles.work if one.what == "household"]
    days = {day for one in permits for day in range(one.from_on, one.until_on + 1)}
    found: list[Found] = []
    for begins in sorted(day for day in days if day - 1 not in days):
        ends = begins
        while ends + 1 in days:
            ends += 1
        limit = calendar.rules(begins).household_permit_max_months
        if limit is None:
            continue
        first = add_months(begins, limit)
        stays = [stay for stay in here.stays if stay.first_day <= first <= stay.last_day]
        if ends < first or not stays or not foreigner(calendar, titles, stays[-1], first):
            continue
        stay = stays[-1]
        numbers = {one.number for one in permits if begins <= one.from_on <= ends}
        one = Found("household_permit_too_long", stay, stay.first_day, first - 1, first)
        one.evidence = records_of(titles.facts, numbers)
        close(one, titles)
        if (stay.today if one.last_day_on is None else one.last_day_on) > ends:
            one.last_day_on, one.ended_by = ends, "permits_over"
        found.append(one)
    return found


# -- reminders ----------------------------------------------------------------------------------------------------------


def reminders(calendar: Calendar, ahead: Titles) -> list[Found]:
    """What runs out soon for a person who is present today and stays on (`ahead` imagines it)."""
    running = [stay for stay in ahead.presence.stays if stay.end == "running"]
    if not running:
        return []
    stay = running[0]
    today = max(stay.today, stay.first_day)
    if not foreigner(calendar, ahead, stay, today) or not ahead.lawful(stay, today):
        return []
    last = today
    while last < stay.last_day and ahead.lawful(stay, last + 1):
        last += 1
    if last == stay.last_day:
        return []
    rules = calendar.rules(today)
    found = []
    reached = [days for days in rules.reminder_days if last - today <= days]
    if reached:
        found.append(Found("expiry_reminder", stay, stay.first_day, last, last - min(reached)))
    term = rules.extension_request_days
    kinds = {kind for kind, _ in ahead.of(stay, last)}
    asks = (not kinds) or bool(kinds & {"visa", "residence", "work_permit"})
    if term is not None and last - today <= term and asks:
        found.append(Found("extension_not_requested", stay, stay.first_day, last, last - term))
    return found


def evidence_of(found: Found) -> list[PersonEvent]:
    """Returns what a finding rests on, in order."""
    records: list[PersonEvent] = list(found.evidence)
    stay = found.stay
    if stay is not None and found.rule in ("expiry_reminder", "extension_not_requested"):
        records = [stay.entry]
    elif stay is not None and found.rule == "entry_without_exit":
        records = [stay.entry, *records]
    elif stay is not None:
        records.append(stay.entry)
        if stay.exit is not None:
            records.append(stay.exit)
        records += [fact for day, fact in stay.inspections if day >= found.first_day_on]
    unique = {record.event_id: record for record in records}
    return sorted(unique.values(), key=place_in_time)


def place_of(found: Found, calendar: Calendar) -> dict[str, str]:
    """Returns whom and what place a finding is about: stay group, post of entry, oblast, sector of the work."""
    stay = found.stay
    [crossing] = [stay.entry] if stay is not None else found.evidence
    assert isinstance(crossing, BorderCrossing)
    on = found.first_day_on if stay is None else stay.first_day
    oblast = found.oblast or calendar.oblast(crossing.post)
    if stay is not None and not found.oblast:
        noticed = [one.oblast for _, one in stay.registrations if one.kind != "deregistration"]
        oblast = (noticed or [one.oblast for _, one in stay.inspections] or [oblast])[-1]
    return {
        "group": calendar.group(crossing.citizenship, on),
        "post": crossing.post,
        "oblast": oblast,
        "sector": found.sector,
    }
