"""Work that went on after the permit had run out.

**Source**: docs/rules.md, Work; Law on migration of population (No. 477-IV of 22.07.2011), chapter on labour migration; Rules on
permits for foreign labour (Order No. 559 of 27.06.2016); Concept of migration policy 2007-2015, foreign-labour quota.
"""

from __future__ import annotations

from typing import Final

from streams.detect.rules.work_seen import WorkDays, WorkRule, Wrong, cured_by_permit
from streams.detect.titles import Title

WORK_PERMIT_EXPIRED: Final = "work_permit_expired"


def wrong(one: WorkDays) -> list[Wrong]:
    """Returns the days no permit covers any more, each behind the last day of the permit that ended last."""
    found: list[Wrong] = []
    for span in one.unpermitted:
        ended = ended_before(one.situation.permits, span[0])
        if ended is not None:
            found.append((ended, span))
    return found


def ended_before(permits: list[Title], day: int) -> int | None:
    """Returns the latest last day of the permits that have ended before a day; none if none has."""
    return max([one.last_on for one in permits if one.first_on <= one.last_on < day], default=None)


RULE: Final = WorkRule(WORK_PERMIT_EXPIRED, wrong, cured_by_permit)
