"""An extension should have been asked for by now: the last lawful day is near and nothing reaches further.

**Source**: docs/rules.md, Arrival notified; Entry and stay rules (Government resolution No. 148 of 21.01.2012): an extension is
requested before the last lawful day; Concept of migration policy 2007-2015, rights of migrants.
"""

from __future__ import annotations

from typing import Final

from streams.detect import titles
from streams.detect.days import has
from streams.detect.finding import Found
from streams.detect.rules.running_stay import RunningStay
from streams.detect.situation import Situation

EXTENSION_NOT_REQUESTED: Final = "extension_not_requested"

_EXTENDABLE: Final = (titles.VISA, titles.RESIDENCE, titles.WORK_PERMIT)


def find(situation: Situation, running: RunningStay) -> None:
    """Adds the reminder to ask for an extension, where what ends is something that can be extended."""
    term = running.rules.extension_request_days
    if term is None:
        return
    stay = running.stay
    first = running.last_on - term
    if running.left > term:
        situation.look_again_on(first, stay.zone)
    elif situation.applies(EXTENSION_NOT_REQUESTED, first) and _is_extendable(situation, running):
        situation.add(Found(EXTENSION_NOT_REQUESTED, stay.stay_on, running.last_on, first), stay, graded=False)


def _is_extendable(situation: Situation, running: RunningStay) -> bool:
    """Returns whether the last lawful day is one of an allowance, a visa or a permit: protection is not extended by request.

    Asked of that day and not of today, the answer stays the same while no fact comes, so that no reminder comes and goes.
    """
    stay, last_on = running.stay, running.last_on
    if not has(situation.titled(stay), last_on):
        return True
    for title in situation.titles:
        if title.kind in _EXTENDABLE and title.first_on <= last_on <= title.last_on:
            if title.kind != titles.VISA:
                return True
            if any(ref == title.ref and has(days, last_on) for ref, days in situation.visa_days(stay)):
                return True
    return False
