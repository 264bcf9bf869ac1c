"""An employer with permits for more foreigners than its citizens leave it: its own quota, by register and declaration.

The share rule believes the foreigners an employer declares; this one counts the permits that name it.

**Source**: docs/rules.md, Employers; Rules on permits to attract foreign labour (Order No. 559 of 27.06.2016): for every 100 of
staff at most 30 foreigners in categories 1 and 2, at most 10 in categories 3 and 4; Concept of migration policy 2007-2015, quota.
"""

from __future__ import annotations

from streams.detect.days import FAR
from streams.detect.finding import Found
from streams.detect.labour.watch import Watch
from streams.policy.model import Policy, Rules
from streams.records import EmployerDeclaration, LabourLink

EMPLOYER_OVER_QUOTA = "employer_over_quota"
WITHIN_QUOTA = "within_quota"
"""How it ends: permits ran out, or more citizens were declared."""

_12, _34 = frozenset({"1", "2"}), frozenset({"3", "4"})


def find(employer: str, permits: list[LabourLink], declared: list[EmployerDeclaration], watch: Watch) -> list[Found]:
    """Returns a finding for each unbroken run of days above the quota up to today, in order.

    Args:
        employer: the employer.
        permits: links of kind permit that hold and name it.
        declared: its declarations that hold, in order of days; before the first nothing is known.
        watch: policy and today; each day is judged by its own values.
    """
    spans = [one for one in permits if one.last_on is not None and one.first_on <= one.last_on and one.category in _12 | _34]
    if not spans or not declared:
        return []
    found: list[Found] = []
    current: Found | None = None
    for day in _changes(spans, declared, watch.policy):
        if day > watch.today:
            watch.look_again_on(day)
            break
        holding = [one for one in declared if one.as_of_on <= day]
        over = _over(day, spans, holding[-1], watch.policy.at(day)) if holding else []
        if over and current is None:
            current = _begin(employer, day, holding[-1], over)
        elif not over and current is not None:
            current.last_day_on = day
            current.ended_by = WITHIN_QUOTA
            current.days = day - current.first_day_on
            found.append(current)
            current = None
    if current is not None:
        current.days = watch.today - current.first_day_on + 1
        found.append(current)
    return [one for one in found if watch.applies(EMPLOYER_OVER_QUOTA, one.first_day_on)]


def _changes(spans: list[LabourLink], declared: list[EmployerDeclaration], policy: Policy) -> list[int]:
    """Returns every day on which the answer may be another than on the day before, from the first declaration on."""
    days = {one.as_of_on for one in declared}
    for one in spans:
        days.add(one.first_on)
        days.add((FAR if one.last_on is None else one.last_on) + 1)
    days.update(policy.periods)
    first = declared[0].as_of_on
    return sorted([day for day in days if day >= first])


def _over(day: int, spans: list[LabourLink], declaration: EmployerDeclaration, rules: Rules) -> list[LabourLink]:
    """Returns the permits in force of the pairs of categories that are above the quota; none where both are within."""
    found: list[LabourLink] = []
    for categories, citizens, share in (
        (_12, declaration.citizens_12, rules.citizen_share_12),
        (_34, declaration.citizens_34, rules.citizen_share_34),
    ):
        in_force = [one for one in spans if one.category in categories and _covers(one, day)]
        people = len({one.subject for one in in_force})
        if share is not None and people * 100 > (citizens + people) * (100 - share):
            found += in_force
    return found


def _covers(one: LabourLink, day: int) -> bool:
    return one.first_on <= day and (one.last_on is None or day <= one.last_on)


def _begin(employer: str, day: int, declaration: EmployerDeclaration, over: list[LabourLink]) -> Found:
    one = Found(EMPLOYER_OVER_QUOTA, day, day - 1, day)
    one.employer = employer
    one.oblast = declaration.oblast
    one.sector = declaration.sector
    over = sorted(over, key=lambda link: (link.first_on, link.subject, link.link_id))
    one.evidence = (declaration.event_id, *[link.link_id for link in over])
    return one
