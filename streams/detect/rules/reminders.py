"""Words before a breach: which are due, and what became of one that is not due any more.

**Source**: docs/rules.md, Reminders. Which law each rule is from stands in its own module.
"""

from __future__ import annotations

from typing import Final

from streams.detect.days import has
from streams.detect.rules import expiry_reminder, extension_not_requested
from streams.detect.rules.overstay import last_lawful_day
from streams.detect.rules.running_stay import running_stay
from streams.detect.situation import Situation

RULES: Final = (expiry_reminder.EXPIRY_REMINDER, extension_not_requested.EXTENSION_NOT_REQUESTED)


def find(situation: Situation) -> None:
    """Adds the reminders due today to a person who is present."""
    running = running_stay(situation)
    if running is not None:
        expiry_reminder.find(situation, running)
        extension_not_requested.find(situation, running)


def outcome(situation: Situation, stay_on: int, deadline_on: int) -> tuple[str, int] | None:
    """Returns what became of an earlier reminder that is no longer due.

    Args:
        situation: what is known now.
        stay_on: the reminder's stay.
        deadline_on: the last lawful day it reminded of.

    Returns:
        How and on what day it ended: by exit, by a later last lawful day (``extension``), or because the day is over
        (``term_over``); none if it should never have been.
    """
    stay = next((one for one in reversed(situation.presence.stays) if one.stay_on == stay_on), None)
    if stay is None or stay.of_citizen:
        return None
    if not stay.is_open:
        return ("exit_not_seen" if stay.exit is None else "exit_seen"), stay.last_on
    today = stay.today
    if today > deadline_on:
        return ("term_over" if has(situation.breaches(stay), deadline_on + 1) else "extension"), deadline_on
    last = last_lawful_day(situation, stay)
    if last is None:
        return None if has(situation.breaches(stay), today) else ("extension", today)
    return ("extension", today) if last > deadline_on else None
