"""Work for another employer than the one the permit names.

**Source**: docs/rules.md, Work; Rules on permits for foreign labour (Order No. 559 of 27.06.2016): a permit is given to one
employer; Concept of migration policy 2007-2015, liability of employers.
"""

from __future__ import annotations

from typing import Final

from streams.detect.days import subtract
from streams.detect.rules.work_seen import ANY_DEADLINE, WorkDays, WorkRule, Wrong, cured_by_permit

WORK_OTHER_EMPLOYER: Final = "work_other_employer"


def wrong(one: WorkDays) -> list[Wrong]:
    """Returns the days a permit covers, but none for the employer."""
    return [(ANY_DEADLINE, span) for span in subtract(one.permitted, one.for_employer)]


RULE: Final = WorkRule(WORK_OTHER_EMPLOYER, wrong, cured_by_permit)
