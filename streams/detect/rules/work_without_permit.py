"""Work of somebody who needs a permit and never had one.

**Source**: docs/rules.md, Work; Law on migration of population (No. 477-IV of 22.07.2011), chapter on labour migration;
Concept of migration policy 2007-2015, foreign-labour quota and liability of employers.
"""

from __future__ import annotations

from typing import Final

from streams.detect.rules.work_permit_expired import ended_before
from streams.detect.rules.work_seen import ANY_DEADLINE, WorkDays, WorkRule, Wrong, cured_by_permit

WORK_WITHOUT_PERMIT: Final = "work_without_permit"


def wrong(one: WorkDays) -> list[Wrong]:
    """Returns the days no permit covers and before which none has ended."""
    permits = one.situation.permits
    return [(ANY_DEADLINE, span) for span in one.unpermitted if ended_before(permits, span[0]) is None]


RULE: Final = WorkRule(WORK_WITHOUT_PERMIT, wrong, cured_by_permit)
