"""Crossings that do not fit together: something is missing in the data, and nobody is suspected of anything.

**Source**: docs/rules.md, Stays, Bans and data quality; Concept of migration policy 2007-2015, monitoring at border posts.
"""

from __future__ import annotations

from typing import Final

from streams.detect import titles
from streams.detect.finding import Found
from streams.detect.situation import Situation, in_order
from streams.detect.stays import CITIZENS
from streams.records import BorderCrossing

ENTRY_WITHOUT_EXIT: Final = "entry_without_exit"
EXIT_WITHOUT_ENTRY: Final = "exit_without_entry"


def find(situation: Situation) -> None:
    """Adds a finding for each entry after an exit nobody saw, and each exit after an entry nobody saw."""
    for stay, entry in situation.presence.reentries:
        day = situation.policy.local_day(entry.occurred_at, entry.post)
        if _of_citizen(situation, stay.entry, stay.stay_on) or _of_citizen(situation, entry, day):
            continue
        if not situation.applies(ENTRY_WITHOUT_EXIT, day):
            continue
        found = Found(ENTRY_WITHOUT_EXIT, stay.stay_on, stay.stay_on, day)
        situation.add(found, stay, (entry,), graded=False)
    for day, crossing in situation.presence.lone_exits:
        if _of_citizen(situation, crossing, day) or not situation.applies(EXIT_WITHOUT_ENTRY, day):
            continue
        found = Found(EXIT_WITHOUT_ENTRY, day, day, day)
        found.group = situation.group_at(crossing, day)
        found.post = crossing.post
        post = situation.policy.codes.posts.get(crossing.post)
        found.oblast = "" if post is None else post.oblast
        found.days = situation.today - day + 1
        found.departed = True
        found.evidence = in_order((crossing,))
        situation.found.append(found)


def _of_citizen(situation: Situation, crossing: BorderCrossing, day: int) -> bool:
    """Returns whether a crossing is that of a citizen, by the citizenship shown or by the registers."""
    return situation.group_at(crossing, day) == CITIZENS or situation.has_title(titles.CITIZENSHIP, day)
