"""Work, with a permit, of somebody whose purpose of entry does not allow any.

**Source**: docs/rules.md, Work; Law on migration of population (No. 477-IV of 22.07.2011): the purpose of stay; Entry and stay
rules (Government resolution No. 148 of 21.01.2012); the purposes are the policy's `purposes_without_work`.
"""

from __future__ import annotations

from typing import Final

from streams.detect.finding import Found
from streams.detect.rules.work_seen import ANY_DEADLINE, Cure, Work, WorkDays, WorkRule, Wrong
from streams.detect.situation import Situation
from streams.detect.stays import Stay

WORK_PURPOSE: Final = "work_purpose"


def wrong(one: WorkDays) -> list[Wrong]:
    """Returns the days a permit fits, in a stay whose purpose allows no work."""
    if one.stay.entry.purpose not in one.segment.rules.purposes_without_work:
        return []
    return [(ANY_DEADLINE, span) for span in one.in_place]


def _nothing(situation: Situation, stay: Stay, found: Found, work: Work) -> Cure | None:
    """Returns none: a permit fits already, and the purpose of an entry stays what it was."""
    return None


RULE: Final = WorkRule(WORK_PURPOSE, wrong, _nothing)
