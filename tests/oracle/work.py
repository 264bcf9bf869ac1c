"""Work: every sighting and every day of a contract, judged one by one."""

from __future__ import annotations

from dataclasses import dataclass

from streams.records import Inspection, LabourContract
from tests.oracle.breaches import CURES, EndedBy, Found, close, foreigner, records_of
from tests.oracle.facts import place_in_time
from tests.oracle.stays import Stay
from tests.oracle.time import Calendar
from tests.oracle.titles import Interval, Titles


@dataclass(frozen=True)
class WorkDay:
    """A day someone worked somewhere."""

    day: int
    employer: str | None
    oblast: str
    event: Inspection | LabourContract


def work_days(titles: Titles, stay: Stay) -> list[WorkDay]:
    """Every sighting in a stay and every day of a contract on which the person was present, in order."""
    found = [
        WorkDay(day, seen.employer, seen.oblast, seen)
        for day, seen in stay.inspections
        if seen.kind == "worker_found" and day <= stay.last_day
    ]
    for contract in titles.contracts:
        record = contract.record
        assert isinstance(record, LabourContract)
        found += [WorkDay(day, record.employer, record.oblast, record) for day in stay.days() if contract.covers(day)]
    return sorted(found, key=lambda one: (one.day, *place_in_time(one.event)))


def names_employer(permit: Interval, employer: str | None) -> bool:
    """Whether a permit fits an employer."""
    if employer is None or permit.what == "self_employment":
        return True
    named: str | None = permit.record.employer  # type: ignore[attr-defined]
    return named == employer


def fitting(calendar: Calendar, titles: Titles, day: int, employer: str | None, oblast: str) -> list[Interval]:
    """Returns the permits that allow working for an employer in an oblast on a day."""
    return [
        permit
        for permit in titles.work
        if permit.covers(day)
        and names_employer(permit, employer)
        and (not calendar.rules(day).permit_single_oblast or permit.record.oblast == oblast)  # type: ignore[attr-defined]
    ]


def contract_with(titles: Titles, day: int, employer: str | None) -> bool:
    """Whether a contract with an employer is in force on a day."""
    return any(one.covers(day) and one.record.employer == employer for one in titles.contracts)  # type: ignore[attr-defined]


def faults_of(calendar: Calendar, titles: Titles, stay: Stay, one: WorkDay) -> list[tuple[str, int]]:
    """Returns what is wrong with a day of work: (rule, deadline)."""
    day = one.day
    if not foreigner(calendar, titles, stay, day) or titles.permanent(day) or titles.recognised(day):
        return []
    rules = calendar.rules(day)
    unbound = isinstance(one.event, Inspection) and one.employer is not None and not contract_with(titles, day, one.employer)
    if calendar.group(stay.entry.citizenship, day) in rules.permit_free_groups:
        return [("contract_not_concluded", day - 1)] if unbound else []
    if not any(permit.covers(day) for permit in titles.work):
        earlier = [permit.until_on for permit in titles.work if permit.until_on < day]
        return [("work_permit_expired", max(earlier))] if earlier else [("work_without_permit", day - 1)]
    if not any(permit.covers(day) and names_employer(permit, one.employer) for permit in titles.work):
        return [("work_other_employer", day - 1)]
    fits = fitting(calendar, titles, day, one.employer, one.oblast)
    if not fits:
        return [("work_other_oblast", day - 1)]
    found = []
    if stay.entry.purpose in rules.purposes_without_work:
        found.append(("work_purpose", day - 1))
    if unbound and all(permit.what in ("employer", "intra_company") for permit in fits):
        found.append(("contract_not_concluded", day - 1))
    return found


def work(calendar: Calendar, titles: Titles, stay: Stay) -> list[Found]:
    """Returns what is wrong with the work done in a stay."""
    found: list[Found] = []
    for one in work_days(titles, stay):
        for rule, deadline in faults_of(calendar, titles, stay, one):
            sighted = isinstance(one.event, Inspection)
            running = [
                other
                for other in found
                if other.rule == rule
                and (rule != "work_permit_expired" or other.deadline_on == deadline)
                and (other.ended_by not in CURES or (other.last_day_on is not None and one.day < other.last_day_on))
            ]
            if running:
                running[0].evidence.append(one.event)
                running[0].sighted |= sighted
                continue
            new = Found(rule, stay, stay.first_day, deadline, one.day, evidence=[one.event], sighted=sighted)
            new.employer, new.oblast, new.sector = one.employer or "", one.oblast, one.event.sector or ""
            if rule == "work_permit_expired":
                new.evidence += records_of(titles.facts, {p.number for p in titles.work if p.until_on == deadline})
            by: EndedBy = "contract_found" if rule == "contract_not_concluded" else "permit_found"
            found.append(close(new, titles, _cure(calendar, titles, stay, rule, one), by))
    return found


def _cure(calendar: Calendar, titles: Titles, stay: Stay, rule: str, one: WorkDay) -> int | None:
    for day in range(one.day + 1, stay.last_day + 1):
        if rule == "contract_not_concluded":
            if contract_with(titles, day, one.employer):
                return day
        elif rule != "work_purpose" and fitting(calendar, titles, day, one.employer, one.oblast):
            return day
    return None
