"""Employers' workers, quotas, signs of trafficking: judged from the raw events of everybody at once, day by day.

Knows nothing of links: who looks at all people together needs none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from streams.policy.model import Policy
from streams.records import EmployerDeclaration, PersonEvent, QuotaAllocation, WorkPermit
from tests.oracle.breaches import CURES
from tests.oracle.country import Concluded, Country, Permit
from tests.oracle.facts import active_facts, of_kind, place_in_time
from tests.oracle.judge import REFERRAL, alert_id, judge
from tests.oracle.quotas import quotas
from tests.oracle.time import Calendar
from tests.oracle.trafficking import signs, trafficking

OF_WORKERS = ("work_without_permit", "work_permit_expired", "work_other_employer")


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
            if last is not None and one.ended_by in CURES:
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
    country.signs += signs(country, subject, facts)


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
            "" if lasting else "alerts_ended",
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
        "employer_over_quota",
        employer,
        first,
        first - 1,
        first,
        last,
        days,
        evidence,
        at_first.oblast,
        at_first.sector,
        ended_by="" if last is None else "within_quota",
    )
