"""Too few citizens among an employer's staff, by its own declarations.

**Source**: docs/rules.md, Employers; Rules on permits to attract foreign labour (Order No. 559 of 27.06.2016): at least 70 %
citizens in categories 1 and 2, at least 90 % in categories 3 and 4; Concept of migration policy 2007-2015, employers' liability.
"""

from __future__ import annotations

from streams.detect.employers.headcounts import Headcounts
from streams.detect.finding import Found
from streams.policy.model import Policy
from streams.records import EmployerDeclaration

EMPLOYER_CITIZEN_SHARE = "employer_citizen_share"
SHARE_MET = "share_met"
"""How a breach ends: a later declaration meets both shares again."""


def find(headcounts: Headcounts, policy: Policy) -> list[Found]:
    """Returns a finding for each unbroken run of declarations in breach, in order of days.

    Args:
        headcounts: what the employer declared.
        policy: the policy; each declaration is judged by the values of the day its figures are of.
    """
    found: list[Found] = []
    run: list[EmployerDeclaration] = []
    for one in headcounts.effective():
        if is_too_low(one, policy):
            run.append(one)
        elif run:
            _conclude(found, run, one, policy)
            run = []
    if run:
        _conclude(found, run, None, policy)
    return found


def is_too_low(one: EmployerDeclaration, policy: Policy) -> bool:
    """Returns whether a declaration shows fewer citizens than asked for, in either pair of categories."""
    asked = policy.at(one.as_of_on)
    return _exceeds(one.citizens_12, one.foreigners_12, asked.citizen_share_12) or _exceeds(
        one.citizens_34, one.foreigners_34, asked.citizen_share_34
    )


def _exceeds(citizens: int, foreigners: int, share: int | None) -> bool:
    """Returns whether foreigners are more than what the share of citizens leaves; whole numbers, so exactly at it is lawful."""
    return share is not None and foreigners * 100 > (citizens + foreigners) * (100 - share)


def _conclude(found: list[Found], run: list[EmployerDeclaration], end: EmployerDeclaration | None, policy: Policy) -> None:
    first, last = run[0], run[-1]
    if EMPLOYER_CITIZEN_SHARE not in policy.at(first.as_of_on).by_rule:
        return
    one = Found(EMPLOYER_CITIZEN_SHARE, first.as_of_on, first.as_of_on - 1, first.as_of_on)
    one.oblast = last.oblast
    one.sector = last.sector
    one.employer = first.subject
    if end is None:
        one.days = last.as_of_on - first.as_of_on + 1
        rests_on = list(run)
    else:
        one.last_day_on = end.as_of_on
        one.ended_by = SHARE_MET
        one.days = end.as_of_on - first.as_of_on
        rests_on = [*run, end]
    rests_on.sort(key=_when)
    one.evidence = tuple([each.event_id for each in rests_on])
    found.append(one)


def _when(one: EmployerDeclaration) -> tuple[int, bytes]:
    return one.occurred_at, one.event_id
