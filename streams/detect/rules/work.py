"""Work without the right to it: no permit, an expired one, another employer or oblast, a purpose that allows none, no contract.

**Source**: docs/rules.md, Work; Law on migration of population, chapter on labour migration; Rules on permits for foreign
labour (Order No. 559 of 27.06.2016); Concept of migration policy 2007-2015, foreign-labour quota and liability of employers.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from streams.detect import titles
from streams.detect.days import FAR, Span, first_from, intersect, subtract, union
from streams.detect.finding import Found
from streams.detect.situation import Segment, Situation
from streams.detect.stays import Stay
from streams.detect.titles import Title
from streams.records import Inspection, LabourContract, PersonEvent, WorkPermit

WITHOUT_PERMIT = "work_without_permit"
PERMIT_EXPIRED = "work_permit_expired"
OTHER_EMPLOYER = "work_other_employer"
OTHER_OBLAST = "work_other_oblast"
PURPOSE = "work_purpose"
CONTRACT_NOT_CONCLUDED = "contract_not_concluded"

RULES = (WITHOUT_PERMIT, PERMIT_EXPIRED, OTHER_EMPLOYER, OTHER_OBLAST, PURPOSE, CONTRACT_NOT_CONCLUDED)


class Work:
    """Work seen by an inspector on one day (a sighting), or told by a contract for many (an episode).

    Attributes:
        days: days of presence on which the work was done.
        employer: the employer; none if nobody knows.
        oblast: where.
        sector: section letter; empty if not known.
        record: the inspection or the contract.
        sighted: whether an inspector saw it.
    """

    __slots__ = ("days", "employer", "oblast", "record", "sector", "sighted")

    def __init__(self, days: list[Span], record: Inspection | LabourContract) -> None:
        self.days = days
        self.employer = record.employer
        self.oblast = record.oblast
        self.sector = record.sector or ""
        self.record = record
        self.sighted = isinstance(record, Inspection)


_Add = Callable[[str, int, Work, list[Span]], None]


def find(situation: Situation) -> None:
    """Adds what is wrong with the work a person was seen at or has a contract for."""
    if not situation.contracts and not situation.inspections:
        return
    for stay in situation.presence.stays:
        if stay.of_citizen or stay.of_unknown:
            continue
        works = _works(situation, stay)
        if works:
            _judge(situation, stay, works)


def _works(situation: Situation, stay: Stay) -> list[Work]:
    found = [Work([(day, day)], one) for day, one in stay.seen if one.kind == "worker_found"]
    for contract in situation.contracts:
        days = intersect([(contract.first_on, contract.last_on)], [(stay.stay_on, stay.last_on)])
        if days:
            assert isinstance(contract.record, LabourContract)  # noqa: S101 - for the type checker
            found.append(Work(days, contract.record))
    return found


def _judge(situation: Situation, stay: Stay, works: list[Work]) -> None:
    wrong: dict[tuple[str, int], list[tuple[int, int, bytes, int, Work]]] = {}

    def add(rule: str, deadline: int, work: Work, days: list[Span]) -> None:
        for first, last in days:
            entry = (first, work.record.occurred_at, work.record.event_id, last, work)
            wrong.setdefault((rule, deadline), []).append(entry)

    free = _free_days(situation)
    for work in works:
        fitting = fitting_permits(situation, work)
        for segment in situation.segments(stay):
            days = subtract(intersect(work.days, [(segment.first_on, segment.last_on)]), free)
            if not days:
                continue
            placed = [one for one in fitting if _in_place(one, work, segment)]
            if segment.group not in segment.rules.permit_free_groups:
                days_left = _without_permit(situation, work, days, add)
                fit = union([(one.first_on, one.last_on) for one in fitting])
                fit_in_place = union([(one.first_on, one.last_on) for one in placed])
                add(OTHER_EMPLOYER, 0, work, subtract(days_left, fit))
                days_left = intersect(days_left, fit)
                add(OTHER_OBLAST, 0, work, subtract(days_left, fit_in_place))
                days_left = intersect(days_left, fit_in_place)
                if stay.entry.purpose in segment.rules.purposes_without_work:
                    add(PURPOSE, 0, work, days_left)
                bound = [one for one in placed if _is_bound(one)]
                days = subtract(days_left, union([(one.first_on, one.last_on) for one in placed if one not in bound]))
            if work.sighted and work.employer is not None:
                at_employer = union([(one.first_on, one.last_on) for one in _contracts_with(situation, work.employer)])
                add(CONTRACT_NOT_CONCLUDED, 0, work, subtract(days, at_employer))
    for (rule, deadline), entries in wrong.items():
        _gather(situation, stay, rule, deadline, entries)


def _without_permit(situation: Situation, work: Work, days: list[Span], add: _Add) -> list[Span]:
    """Adds the days no permit covers; returns those one does."""
    covered = union([(one.first_on, one.last_on) for one in situation.permits])
    for first, last in subtract(days, covered):
        ended = [one.last_on for one in situation.permits if one.first_on <= one.last_on < first]
        if ended:
            add(PERMIT_EXPIRED, max(ended), work, [(first, last)])
        else:
            add(WITHOUT_PERMIT, 0, work, [(first, last)])
    return intersect(days, covered)


def _gather(situation: Situation, stay: Stay, rule: str, deadline: int, entries: list[tuple[int, int, bytes, int, Work]]) -> None:
    """Makes findings of wrong days: one lasts until it is cured, and the wrong days that come meanwhile belong to it."""
    today = stay.today
    queue = list(entries)
    heapq.heapify(queue)
    current: Found | None = None
    sources: list[Work] = []
    end = 0
    while queue:
        first, occurred, event_id, last, work = heapq.heappop(queue)
        if current is None or first >= end:
            if current is not None:
                _add(situation, stay, current, sources)
                current = None
            if first > today:
                situation.look_again_on(first, stay.zone)
                break
            if not situation.applies(rule, first):
                period_last = situation.policy.at(first).until_on
                if period_last is not None and period_last < last:
                    heapq.heappush(queue, (period_last + 1, occurred, event_id, last, work))
                continue
            current = Found(rule, stay.stay_on, deadline if rule == PERMIT_EXPIRED else first - 1, first)
            current.employer = work.employer or ""
            current.oblast = work.oblast
            current.sector = work.sector
            sources = []
            end = _end(situation, stay, current, work, today)
        if first <= today and work not in sources:
            sources.append(work)
        if end <= last and end < FAR:
            heapq.heappush(queue, (end, occurred, event_id, last, work))
    if current is not None:
        _add(situation, stay, current, sources)


def _end(situation: Situation, stay: Stay, found: Found, work: Work, today: int) -> int:
    """Sets how a finding ends, if it has; returns the first day that does not belong to it any more."""
    cures: list[tuple[int, str]] = []
    later = found.first_day_on + 1
    cure: int | None = None
    if found.rule == CONTRACT_NOT_CONCLUDED:
        with_employer = [(one.first_on, one.last_on) for one in _contracts_with(situation, found.employer)]
        cure = first_from(union(with_employer), later)
        if cure is not None:
            cures.append((cure, "contract_found"))
    elif found.rule != PURPOSE:
        rules = situation.policy.at(found.first_day_on)
        segment = Segment(found.first_day_on, FAR, rules, stay.group)
        fitting = [one for one in fitting_permits(situation, work) if _in_place(one, work, segment)]
        cure = first_from(union([(one.first_on, one.last_on) for one in fitting]), later)
        if cure is not None:
            cures.append((cure, "permit_found"))
    citizen_on = situation.citizen_from(later)
    if citizen_on is not None:
        cures.append((citizen_on, "citizenship"))
    if cures and min(cures)[0] <= stay.last_on:
        cured_on, by = min(cures)
        if cured_on <= today:
            found.last_day_on, found.ended_by = cured_on, by
        else:
            situation.look_again_on(cured_on, stay.zone)
        return cured_on
    if not stay.is_open:
        found.last_day_on = stay.last_on
        found.ended_by = "exit_not_seen" if stay.exit is None else "exit_seen"
    return stay.last_on + 1


def _add(situation: Situation, stay: Stay, found: Found, sources: list[Work]) -> None:
    rests_on: list[PersonEvent] = [work.record for work in sources]
    if found.rule == PERMIT_EXPIRED:
        expired = {one.ref for one in situation.permits if one.last_on == found.deadline_on}
        rests_on += situation.records_tied_by(expired)
    situation.add(found, stay, rests_on)
    if any(work.sighted for work in sources):
        found.grade = "established"


def fitting_permits(situation: Situation, work: Work) -> list[Title]:
    """Returns the permits that allow work for the employer, wherever."""
    found: list[Title] = []
    for title in situation.permits:
        permit = title.record
        assert isinstance(permit, WorkPermit)  # noqa: S101 - for the type checker
        if work.employer is None or permit.employer == work.employer or permit.permit_type == "self_employment":
            found.append(title)
    return found


def _in_place(title: Title, work: Work, segment: Segment) -> bool:
    assert isinstance(title.record, WorkPermit)  # noqa: S101 - for the type checker
    return not segment.rules.permit_single_oblast or title.record.oblast == work.oblast


def _is_bound(title: Title) -> bool:
    """Returns whether a permit goes with a contract: it is an employer's or a transferee's."""
    assert isinstance(title.record, WorkPermit)  # noqa: S101 - for the type checker
    return title.record.permit_type in ("employer", "intra_company")


def _contracts_with(situation: Situation, employer: str) -> list[Title]:
    found: list[Title] = []
    for title in situation.contracts:
        assert isinstance(title.record, LabourContract)  # noqa: S101 - for the type checker
        if title.record.employer == employer:
            found.append(title)
    return found


def _free_days(situation: Situation) -> list[Span]:
    """Returns the days on which the person needs no permit: permanent resident, recognised refugee, citizen."""
    return union(
        [
            (title.first_on, title.last_on)
            for title in situation.titles
            if title.kind == titles.CITIZENSHIP or (title.strong and title.kind in (titles.RESIDENCE, titles.PROTECTION))
        ]
    )
