"""Work in another oblast than the permit's.

**Source**: docs/rules.md, Work; Rules on permits for foreign labour (Order No. 559 of 27.06.2016): a permit is good for one
oblast (the policy's `permit_single_oblast`); Concept of migration policy 2007-2015, foreign-labour quota.
"""

from __future__ import annotations

from typing import Final

from streams.detect.days import subtract
from streams.detect.rules.work_seen import ANY_DEADLINE, WorkDays, WorkRule, Wrong, cured_by_permit

WORK_OTHER_OBLAST: Final = "work_other_oblast"


def wrong(one: WorkDays) -> list[Wrong]:
    """Returns the days a permit for the employer covers, but none for the oblast."""
    return [(ANY_DEADLINE, span) for span in subtract(one.for_employer, one.in_place)]


RULE: Final = WorkRule(WORK_OTHER_OBLAST, wrong, cured_by_permit)
