"""Words before a breach: a stay is about to run out, or an extension should have been asked for by now.

**Source**: docs/rules.md, Reminders, Arrival notified; Concept of migration policy 2007-2015, rights of migrants; Entry and
stay rules: an extension is requested before the last lawful day.
"""

from __future__ import annotations

from streams.detect import titles
from streams.detect.days import has
from streams.detect.finding import Found
from streams.detect.rules.overstay import last_lawful_day
from streams.detect.situation import Situation

EXPIRY_REMINDER = "expiry_reminder"
EXTENSION_NOT_REQUESTED = "extension_not_requested"

RULES = (EXPIRY_REMINDER, EXTENSION_NOT_REQUESTED)

_EXTENDABLE = (titles.VISA, titles.RESIDENCE, titles.WORK_PERMIT)


def find(situation: Situation) -> None:
    """Adds the reminders due today to a person who is present."""
    stays = situation.presence.stays
    if not stays or not stays[-1].is_open or stays[-1].of_citizen or stays[-1].of_unknown:
        return
    stay = stays[-1]
    last = last_lawful_day(situation, stay)
    if last is None:
        return
    today = stay.today
    at_home = [one.last_on for one in situation.titles if one.kind == titles.CITIZENSHIP and one.first_on <= today <= one.last_on]
    if at_home:
        situation.look_again_on(max(at_home) + 1, stay.zone)
        return
    left = last - today
    rules = situation.policy.at(today)
    reached = [days for days in rules.reminder_days if left <= days]
    coming = [days for days in rules.reminder_days if left > days]
    if coming:
        situation.look_again_on(last - max(coming), stay.zone)
    if reached:
        first = last - min(reached)
        if situation.applies(EXPIRY_REMINDER, first):
            situation.add(Found(EXPIRY_REMINDER, stay.stay_on, last, first), stay, graded=False)
    term = rules.extension_request_days
    if term is not None:
        first = last - term
        if left > term:
            situation.look_again_on(first, stay.zone)
        elif situation.applies(EXTENSION_NOT_REQUESTED, first) and _extendable(situation, today):
            situation.add(Found(EXTENSION_NOT_REQUESTED, stay.stay_on, last, first), stay, graded=False)
    if rules.until_on is not None:
        situation.look_again_on(rules.until_on + 1, stay.zone)


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


def _extendable(situation: Situation, today: int) -> bool:
    """Returns whether today has an allowance, a visa or a permit."""
    stay = situation.presence.stays[-1]
    if not has(situation.titled(stay), today):
        return True
    for title in situation.titles:
        if title.kind in _EXTENDABLE and title.first_on <= today <= title.last_on:
            if title.kind != titles.VISA:
                return True
            if any(ref == title.ref and has(days, today) for ref, days in situation.visa_days(stay)):
                return True
    return False
