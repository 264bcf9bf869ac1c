"""Employers' workers, quotas, signs of trafficking: judged from the raw events of everybody at once, day by day.

Knows nothing of links: who looks at all people together needs none.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from streams.policy.model import Policy, Rules
from streams.records import (
    EmployerDeclaration,
    Inspection,
    PersonEvent,
    QuotaAllocation,
    StayRegistration,
    WorkPermit,
)
from tests.oracle.facts import Disputes, active_facts, of_kind, place_in_time
from tests.oracle.judge import REFERRAL, alert_id, judge
from tests.oracle.stays import presence
from tests.oracle.time import Calendar, day_number
from tests.oracle.titles import Titles

OF_WORKERS = ("work_without_permit", "work_permit_expired", "work_other_employer")


@dataclass
class Concluded:
    """What must be concluded of an employer or a quota line; oblast and sector none where a worker's alert gives them."""

    rule: str
    subject: str
    stay_on: int
    deadline_on: int
    first_day_on: int
    last_day_on: int | None
    days: int
    evidence: tuple[bytes, ...]
    oblast: str | None
    sector: str | None
    grade: str = "established"
    options: tuple[str, ...] = ()


@dataclass
class Permit:
    """A record of a permit of one person, and the days on which it is in force."""

    subject: str
    record: WorkPermit
    last_on: int

    def covers(self, day: int) -> bool:
        """Whether it is in force on a day."""
        return self.record.valid_from_on <= day <= self.last_on


@dataclass
class Sign:
    """A person at an employer's address after the permits expired; `out` once nothing of it is so any more."""

    subject: str
    record: Inspection | StayRegistration
    employer: str
    address: bytes
    first_on: int
    expired_on: int
    last_on: int | None


@dataclass
class Country:
    """Everybody's events, read once."""

    calendar: Calendar
    now_ms: int
    permits: list[Permit] = field(default_factory=list)
    issued: list[tuple[int, Permit]] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)
    breaches: list[tuple[str, bytes, str, int, int | None, str]] = field(default_factory=list)


def judge_labour(
    events: Iterable[PersonEvent],
    declarations: Iterable[EmployerDeclaration],
    allocations: Iterable[QuotaAllocation],
    policy: Policy,
    now_ms: int,
) -> dict[bytes, Concluded]:
    """Returns, by id, every conclusion about employers and quotas that must hold.

    Args:
        events: of all people, in any order, duplicates included.
        declarations: of all employers.
        allocations: of all quotas.
        policy: its plain values are read.
        now_ms: the log's clock at the end, not before any event.
    """
    calendar = Calendar(policy)
    country = Country(calendar, now_ms)
    by_subject: dict[str, list[PersonEvent]] = {}
    for event in events:
        by_subject.setdefault(event.subject, []).append(event)
    for subject in sorted(by_subject):
        _read(country, subject, by_subject[subject], policy)
    today = calendar.local_day(now_ms)
    found: list[Concluded] = []
    employers = {one[2] for one in country.breaches} | {one.employer for one in country.signs}
    by_employer: dict[str, list[EmployerDeclaration]] = {}
    for declaration in declarations:
        by_employer.setdefault(declaration.subject, []).append(declaration)
    for employer in sorted(employers | by_employer.keys()):
        found += unlawful(country, employer, today)
        found += over_quota(country, employer, days_that_hold(by_employer.get(employer, [])), today)
        found += trafficking(country, employer, today)
    found += quotas(country, list(allocations), today)
    window = calendar.rules(today).legalisation_window
    done: dict[bytes, Concluded] = {}
    for one in found:
        terms = calendar.rules(one.first_day_on).by_rule.get(one.rule)
        if terms is not None:
            never = (REFERRAL, "leave_by_own_means", *(() if window else ("legalisation_window",)))
            one.options = tuple(option for option in terms.options if option not in never)
            done[alert_id(one.rule, one.subject, one.stay_on, one.deadline_on)] = one
    return done


def _read(country: Country, subject: str, events: list[PersonEvent], policy: Policy) -> None:
    calendar = country.calendar
    facts = active_facts(events)
    # Every post's records are complete up to now: what that means for a grade is the other oracle's business.
    verdict = judge(events, policy, country.now_ms, country.now_ms)
    for name, one in verdict.conclusions.items():
        if one.rule in OF_WORKERS and one.employer:
            last = one.last_day_on
            if last is not None and one.ended_by == "cure":
                last -= 1
            country.breaches.append((subject, name, one.employer, one.first_day_on, last, one.grade))
    work_permits = of_kind(facts, WorkPermit)
    counted: set[bytes] = set()
    for record in work_permits:
        if record.kind == "revoked":
            continue
        cuts = [
            calendar.local_day(other.occurred_at, other.oblast)
            for other in work_permits
            if other.kind == "revoked" and other.permit_id == record.permit_id and place_in_time(other) > place_in_time(record)
        ]
        permit = Permit(subject, record, min([record.valid_until_on, *cuts]))
        country.permits.append(permit)
        if record.kind == "issued" and record.permit_type in ("employer", "seasonal") and record.permit_id not in counted:
            counted.add(record.permit_id)
            country.issued.append((calendar.local_day(record.occurred_at, record.oblast), permit))
    country.signs += _signs(country, subject, facts)


# -- people working unlawfully --------------------------------------------------------------------------------------------


def unlawful(country: Country, employer: str, today: int) -> Iterator[Concluded]:
    """Each unbroken time in which somebody worked there without a right to."""
    mine = [one for one in country.breaches if one[2] == employer]
    if not mine:
        return
    last_of_all = max([today, *(one[3] for one in mine), *(one[4] or 0 for one in mine)])
    covered = {day for _, _, _, first, last, _ in mine for day in range(first, (last_of_all if last is None else last) + 1)}
    for first in sorted(day for day in covered if day - 1 not in covered):
        last = first
        while last + 1 in covered:
            last += 1
        inside = sorted((one for one in mine if first <= one[3] <= last), key=lambda one: (one[3], one[0], one[1]))
        lasting = [one for one in inside if one[4] is None]
        grades = [one[5] for one in lasting or inside]
        yield Concluded(
            "employer_unlawful_workers",
            employer,
            first,
            first - 1,
            first,
            None if lasting else last,
            (max(today, first) if lasting else last) - first + 1,
            tuple(one[1] for one in inside),
            None,
            None,
            next(grade for grade in ("established", "presumed", "uncertain") if grade in grades),
        )


# -- an employer's own quota ----------------------------------------------------------------------------------------------


def days_that_hold(declarations: list[EmployerDeclaration]) -> list[EmployerDeclaration]:
    """The declaration that holds for each day there is one of, in order of days."""

    def contents(one: EmployerDeclaration) -> bytes:
        own = (one.as_of_on, one.oblast, one.sector, one.size)
        counts = (one.citizens_12, one.citizens_34, one.foreigners_12, one.foreigners_34)
        return json.dumps([one.NAME, one.occurred_at, *own, *counts], ensure_ascii=False, separators=(",", ":")).encode()

    by_id: dict[bytes, EmployerDeclaration] = {}
    for one in declarations:
        known = by_id.get(one.event_id)
        if known is None or (one.recorded_at, contents(one)) < (known.recorded_at, contents(known)):
            by_id[one.event_id] = one
    by_day: dict[int, EmployerDeclaration] = {}
    for one in sorted(by_id.values(), key=lambda each: (each.recorded_at, each.event_id)):
        by_day[one.as_of_on] = one
    return [by_day[day] for day in sorted(by_day)]


def over_quota(country: Country, employer: str, declared: list[EmployerDeclaration], today: int) -> Iterator[Concluded]:
    """Each unbroken run of days on which more people hold permits that name it than its citizens leave it."""
    if not declared:
        return
    first: int | None = None
    evidence: tuple[bytes, ...] = ()
    at_first = declared[0]
    for day in range(declared[0].as_of_on, today + 1):
        holds = [one for one in declared if one.as_of_on <= day][-1]
        rules = country.calendar.rules(day)
        over: list[Permit] = []
        for categories, citizens, share in (
            (("1", "2"), holds.citizens_12, rules.citizen_share_12),
            (("3", "4"), holds.citizens_34, rules.citizen_share_34),
        ):
            here = [
                one
                for one in country.permits
                if one.record.employer == employer
                and one.record.permit_type != "seasonal"
                and one.record.category in categories
                and one.covers(day)
            ]
            people = len({one.subject for one in here})
            if share is not None and people * 100 > (citizens + people) * (100 - share):
                over += here
        if over and first is None:
            first, at_first = day, holds
            over.sort(key=lambda one: (one.record.valid_from_on, one.subject, one.record.event_id))
            evidence = (holds.event_id, *(one.record.event_id for one in over))
        elif not over and first is not None:
            yield _own(employer, (first, day, day - first), evidence, at_first)
            first = None
    if first is not None:
        yield _own(employer, (first, None, today - first + 1), evidence, at_first)


def _own(
    employer: str, when: tuple[int, int | None, int], evidence: tuple[bytes, ...], at_first: EmployerDeclaration
) -> Concluded:
    first, last, days = when
    return Concluded(
        "employer_over_quota", employer, first, first - 1, first, last, days, evidence, at_first.oblast, at_first.sector
    )


# -- quota lines ----------------------------------------------------------------------------------------------------------


def quotas(country: Country, allocations: list[QuotaAllocation], today: int) -> Iterator[Concluded]:
    """Each unbroken time in which a line of the labour quota was used up; and when one soon will be."""
    by_id: dict[bytes, QuotaAllocation] = {}
    for one in allocations:
        known = by_id.get(one.event_id)
        if known is None or _content(one) < _content(known):
            by_id[one.event_id] = one
    lines: dict[tuple[int, str | None, str | None, str | None], list[QuotaAllocation]] = {}
    for one in by_id.values():
        if one.quota == "labour":
            lines.setdefault((one.year, one.oblast, one.category, one.sector), []).append(one)
    for key, allocated in lines.items():
        yield from _line(country, key, allocated, today)


def _content(one: QuotaAllocation) -> tuple[int, int, int, int, int, str]:
    return one.recorded_at, one.occurred_at, one.version, one.persons, one.effective_on, one.subject


def _line(
    country: Country, key: tuple[int, str | None, str | None, str | None], allocated: list[QuotaAllocation], today: int
) -> Iterator[Concluded]:
    year, oblast, category, sector = key
    name = "-".join(part for part in ("labour", str(year), oblast, category, sector) if part)
    january, december = day_number(date(year, 1, 1)), day_number(date(year, 12, 31))
    uses = Counter(day for day, one in country.issued if january <= day <= december and _counts(one, oblast, category, sector))
    today = max([today, *uses])

    def in_force(day: int) -> QuotaAllocation | None:
        by_version: dict[int, QuotaAllocation] = {}
        for one in sorted(allocated, key=lambda each: (each.recorded_at, each.event_id)):
            by_version[one.version] = one
        begun = [version for version, one in by_version.items() if one.effective_on <= day]
        return by_version[max(begun)] if begun else None

    def conclude(first: int, last: int | None, days: int, rests_on: dict[bytes, QuotaAllocation]) -> Concluded:
        ordered = sorted(rests_on.values(), key=lambda one: (one.occurred_at, one.event_id))
        evidence = tuple(one.event_id for one in ordered)
        return Concluded("quota_exhausted", name, first, first - 1, first, last, days, evidence, oblast or "", sector or "")

    first: int | None = None
    rests_on: dict[bytes, QuotaAllocation] = {}
    for day in range(january, min(today, december) + 1):
        holds = in_force(day)
        used = sum(number for on, number in uses.items() if on <= day)
        full = holds is not None and used >= holds.persons
        if holds is not None and (full or first is not None):
            rests_on[holds.event_id] = holds
        if full and first is None:
            first = day
        elif not full and first is not None:
            yield conclude(first, day, day - first, rests_on)
            first, rests_on = None, {}
        if not full and first is None:
            rests_on = {}
    if first is not None:
        over = today > december
        yield conclude(first, december if over else None, (december if over else today) - first + 1, rests_on)
    elif january <= today <= december:
        yield from _forecast(
            country.calendar.rules(today), (name, january, december), (oblast or "", sector or ""), uses, (in_force(today), today)
        )


def _counts(one: Permit, oblast: str | None, category: str | None, sector: str | None) -> bool:
    its = "seasonal" if one.record.permit_type == "seasonal" else one.record.category
    return oblast in (None, one.record.oblast) and category in (None, its) and sector in (None, one.record.sector)


def _forecast(
    rules: Rules,
    line: tuple[str, int, int],
    place: tuple[str, str],
    uses: Counter[int],
    now: tuple[QuotaAllocation | None, int],
) -> Iterator[Concluded]:
    (name, january, december), (holds, today) = line, now
    pace, warning = rules.quota_pace_days, rules.quota_warning_days
    if holds is None or pace is None or warning is None:
        return
    recent = sum(uses[day] for day in range(today - pace + 1, today + 1))
    if not recent:
        return
    left = holds.persons - sum(uses.values())
    for ahead in range(1, warning + 1):
        # At that pace a whole place is used up `ahead` days on when that many days use at least what is left.
        if recent * ahead >= left * pace and today + ahead <= december:
            day = today + ahead
            yield Concluded("quota_forecast", name, january, december, day, None, 0, (holds.event_id,), *place)
            return


# -- signs of trafficking -------------------------------------------------------------------------------------------------


def _signs(country: Country, subject: str, facts: list[PersonEvent]) -> list[Sign]:
    calendar = country.calendar
    here = presence(facts, country.now_ms, calendar)
    titles = Titles(facts, here, calendar)
    disputes = Disputes(facts)
    found: list[Sign] = []
    for stay in here.stays:
        if calendar.group(stay.entry.citizenship, stay.first_day) in ("kaz", "unknown"):
            continue
        places: list[tuple[Inspection | StayRegistration, list[int]]] = [
            (seen, [day]) for day, seen in stay.inspections if seen.kind == "worker_found"
        ]
        for day, notice in stay.registrations:
            if notice.kind != "deregistration":
                moved = [on for on, other in stay.registrations if place_in_time(other) > place_in_time(notice)]
                until = min([stay.last_day, *(on - 1 for on in moved)])
                places.append((notice, list(range(day, until + 1))))
        for record, days in places:
            employer = record.employer if isinstance(record, Inspection) else record.host_subject
            if employer is None or record.address_key is None or disputes.suspends(b"", [record.event_id]):
                continue

            def papers(day: int, employer: str = employer) -> bool:
                contracts = (one for one in titles.contracts if one.record.employer == employer)  # type: ignore[attr-defined]
                return any(one.covers(day) for one in (*titles.work, *contracts))

            for day in days:
                ended = [one.until_on for one in titles.work if one.until_on < day]
                if not stay.first_day <= day <= stay.last_day or papers(day) or not ended:
                    continue
                within = calendar.rules(max(ended) + 1).trafficking_seen_days
                if within is None or day > max(ended) + within:
                    continue
                later = range(day + 1, calendar.local_day(country.now_ms) + 2)
                out = [on - 1 for on in later if papers(on) or titles.protects(on)][:1]
                if stay.end != "running":
                    out.append(stay.last_day)
                last = min(out) if out else None
                found.append(Sign(subject, record, employer, record.address_key, day, max(ended), last))
                break
    return found


def trafficking(country: Country, employer: str, today: int) -> Iterator[Concluded]:
    """Each group of people kept at an address of the employer whose permits expired together."""
    by_day: dict[int, list[tuple[list[Sign], int]]] = {}
    addresses = sorted({one.address for one in country.signs if one.employer == employer})
    for address in addresses:
        here = [one for one in country.signs if one.employer == employer and one.address == address and one.first_on <= today]
        windows: list[tuple[list[Sign], int]] = []
        for start in sorted({one.expired_on for one in here}):
            rules = country.calendar.rules(start)
            least, within = rules.trafficking_min_workers, rules.trafficking_expiry_days
            if least is None or within is None:
                continue
            inside = [one for one in here if start <= one.expired_on <= start + within]
            enough = [
                day
                for day in range(min(one.first_on for one in inside), max(one.first_on for one in inside) + 1)
                if len({one.subject for one in inside if one.first_on <= day}) >= least
            ]
            if enough:
                windows.append((inside, enough[0]))
        groups: list[tuple[list[Sign], int]] = []
        for inside, since in windows:
            shared = [group for group in groups if any(one in group[0] for one in inside)]
            if shared:
                groups.remove(shared[0])
                before, earlier = shared[0]
                groups.append((before + [one for one in inside if one not in before], min(earlier, since)))
            else:
                groups.append((inside, since))
        for group in groups:
            by_day.setdefault(min(one.expired_on for one in group[0]), []).append(group)
    for expired, together in by_day.items():
        people = [
            one
            for group, _ in together
            for one in sorted(group, key=lambda each: (each.first_on, each.subject, each.record.event_id))
        ]
        since = min(first for _, first in together)
        gone = all(one.last_on is not None and one.last_on < today for one in people)
        last = max([since, *(one.last_on for one in people if one.last_on is not None)]) if gone else None
        yield Concluded(
            "trafficking_indicators",
            employer,
            expired,
            expired,
            since,
            last,
            (today if last is None else last) - since + 1,
            tuple(dict.fromkeys(one.record.event_id for one in people)),
            people[0].record.oblast,
            (people[0].record.sector or "") if isinstance(people[0].record, Inspection) else "",
        )
