"""Work without the right to it: each rule says which days are wrong, and here they are gathered to findings.

**Source**: docs/rules.md, Work. Which law each rule is from stands in its own module.
"""

from __future__ import annotations

import heapq
from typing import Final

from streams.detect.days import FAR
from streams.detect.finding import Found
from streams.detect.rules import (
    contract_not_concluded,
    work_other_employer,
    work_other_oblast,
    work_permit_expired,
    work_purpose,
    work_without_permit,
)
from streams.detect.rules.work_permit_expired import WORK_PERMIT_EXPIRED
from streams.detect.rules.work_seen import Work, WorkRule, days_by_segment, free_days, works_of
from streams.detect.situation import Situation
from streams.detect.stays import Stay
from streams.records import PersonEvent

RULES: Final[tuple[WorkRule, ...]] = (
    work_without_permit.RULE,
    work_permit_expired.RULE,
    work_other_employer.RULE,
    work_other_oblast.RULE,
    work_purpose.RULE,
    contract_not_concluded.RULE,
)
"""Every rule about a person's work; of the first four a day can break only one."""

_Entry = tuple[int, int, bytes, int, Work]


def find(situation: Situation) -> None:
    """Adds what is wrong with the work a person was seen at or has a contract for."""
    if not situation.contracts and not situation.inspections:
        return
    for stay in situation.presence.stays:
        if stay.of_citizen or stay.of_unknown:
            continue
        works = works_of(situation, stay)
        if works:
            _judge(situation, stay, works)


def _judge(situation: Situation, stay: Stay, works: list[Work]) -> None:
    wrong: dict[tuple[str, int], tuple[WorkRule, list[_Entry]]] = {}
    free = free_days(situation)
    for work in works:
        for days in days_by_segment(situation, stay, work, free):
            for rule in RULES:
                for deadline, (first, last) in rule.wrong(days):
                    entries = wrong.setdefault((rule.name, deadline), (rule, []))[1]
                    entries.append((first, work.record.occurred_at, work.record.event_id, last, work))
    for (_, deadline), (rule, entries) in wrong.items():
        _gather(situation, stay, rule, deadline, entries)


def _gather(situation: Situation, stay: Stay, rule: WorkRule, deadline: int, entries: list[_Entry]) -> None:
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
            if not situation.applies(rule.name, first):
                continue  # a policy has a rule on every day or on none
            current = Found(rule.name, stay.stay_on, deadline if rule.name == WORK_PERMIT_EXPIRED else first - 1, first)
            current.employer = work.employer or ""
            current.oblast = work.oblast
            current.sector = work.sector
            sources = []
            end = _end(situation, stay, rule, current, work)
        if first > today:
            situation.look_again_on(first, stay.zone)  # from then on the finding rests on this work too
        elif work not in sources:
            sources.append(work)
        if end <= last and end < FAR:
            heapq.heappush(queue, (end, occurred, event_id, last, work))
    if current is not None:
        _add(situation, stay, current, sources)


def _end(situation: Situation, stay: Stay, rule: WorkRule, found: Found, work: Work) -> int:
    """Sets how a finding ends, if it has; returns the first day that does not belong to it any more."""
    cures = []
    cure = rule.cure(situation, stay, found, work)
    if cure is not None:
        cures.append(cure)
    citizen_on = situation.citizen_from(found.first_day_on + 1)
    if citizen_on is not None:
        cures.append((citizen_on, "citizenship"))
    if cures and min(cures)[0] <= stay.last_on:
        cured_on, by = min(cures)
        if cured_on <= stay.today:
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
    if found.rule == WORK_PERMIT_EXPIRED:
        expired = {one.ref for one in situation.permits if one.last_on == found.deadline_on}
        rests_on += situation.records_tied_by(expired)
    situation.add(found, stay, rests_on)
    if any(work.sighted for work in sources):
        found.grade = "established"
