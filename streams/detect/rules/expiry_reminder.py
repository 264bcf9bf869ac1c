"""A word before a breach: the last lawful day is 30, 14, 7, 3 or 1 days away, or so many as the policy says.

**Source**: docs/rules.md, Reminders; Concept of migration policy 2007-2015, rights of migrants.
"""

from __future__ import annotations

from typing import Final

from streams.detect.finding import Found
from streams.detect.rules.running_stay import RunningStay
from streams.detect.situation import Situation

EXPIRY_REMINDER: Final = "expiry_reminder"


def find(situation: Situation, running: RunningStay) -> None:
    """Adds the reminder of the smallest threshold that is reached."""
    stay, last = running.stay, running.last_on
    reached = [days for days in running.rules.reminder_days if running.left <= days]
    coming = [days for days in running.rules.reminder_days if running.left > days]
    if coming:
        situation.look_again_on(last - max(coming), stay.zone)
    if reached:
        first = last - min(reached)
        if situation.applies(EXPIRY_REMINDER, first):
            situation.add(Found(EXPIRY_REMINDER, stay.stay_on, last, first), stay, graded=False)
