"""An employer at which people without a right to work were found: as long as one of their alerts is open.

**Source**: docs/rules.md, Employers; Law on migration of population (No. 477-IV of 22.07.2011), employers' duties; Concept of
migration policy 2007-2015, stronger liability of employers of illegal migrants.
"""

from __future__ import annotations

from streams.detect.days import FAR, union
from streams.detect.finding import Found
from streams.detect.labour.watch import Watch
from streams.detect.rules.work_other_employer import WORK_OTHER_EMPLOYER
from streams.detect.rules.work_permit_expired import WORK_PERMIT_EXPIRED
from streams.detect.rules.work_without_permit import WORK_WITHOUT_PERMIT
from streams.records import LabourLink
from streams.records.outputs import Grade

EMPLOYER_UNLAWFUL_WORKERS = "employer_unlawful_workers"
ALERTS_ENDED = "alerts_ended"
"""How it ends: no alert of a worker is open any more."""

RULES_OF_WORKERS = frozenset({WORK_WITHOUT_PERMIT, WORK_PERMIT_EXPIRED, WORK_OTHER_EMPLOYER})
"""Whose alerts, where they name an employer, are links of kind breach."""

_BEST: tuple[Grade, ...] = ("established", "presumed", "uncertain")


def find(employer: str, breaches: list[LabourLink], watch: Watch) -> list[Found]:
    """Returns a finding for each unbroken time in which somebody works there unlawfully, in order.

    Args:
        employer: the employer.
        breaches: its links of kind breach that hold.
        watch: policy and today; the terms are those of the time's first day.
    """
    spans = [(one.first_on, FAR if one.last_on is None else one.last_on) for one in breaches]
    found: list[Found] = []
    for first, last in union(spans):
        if not watch.applies(EMPLOYER_UNLAWFUL_WORKERS, first):
            continue
        rests_on = [one for one in breaches if first <= one.first_on <= last]
        rests_on.sort(key=_when)
        one = Found(EMPLOYER_UNLAWFUL_WORKERS, first, first - 1, first)
        one.employer = employer
        one.oblast = rests_on[0].oblast
        one.sector = rests_on[0].sector
        one.evidence = tuple([link.link_id for link in rests_on])
        if last == FAR:
            one.days = max(watch.today, first) - first + 1
            telling = [link.grade for link in rests_on if link.last_on is None]
        else:
            one.last_day_on = last
            one.ended_by = ALERTS_ENDED
            one.days = last - first + 1
            telling = [link.grade for link in rests_on]
        one.grade = min(telling, key=_BEST.index)
        found.append(one)
    return found


def _when(link: LabourLink) -> tuple[int, str, bytes]:
    return link.first_on, link.subject, link.link_id
