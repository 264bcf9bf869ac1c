"""Entries while a ban on entry is in force.

**Source**: docs/rules.md, Bans and data quality; Law on migration of population, Art. 48; expulsion brings a ban of five years.
"""

from __future__ import annotations

from typing import Final

from streams.detect import titles
from streams.detect.days import FAR
from streams.detect.finding import Found
from streams.detect.situation import Situation
from streams.records import EntryBan, PersonEvent

ENTRY_DURING_BAN: Final = "entry_during_ban"


def find(situation: Situation) -> None:
    """Adds a finding for each entry on a day on which a ban is in force."""
    if not situation.bans:
        return
    for stay in situation.presence.stays:
        day = stay.stay_on
        if stay.of_citizen or stay.of_unknown or not situation.applies(ENTRY_DURING_BAN, day):
            continue
        if situation.has_title(titles.CITIZENSHIP, day):
            continue
        rests_on = _in_force(situation, day)
        if not rests_on:
            continue
        found = Found(ENTRY_DURING_BAN, day, day - 1, day)
        if not stay.is_open:
            found.last_day_on = stay.last_on
            found.ended_by = "exit_not_seen" if stay.exit is None else "exit_seen"
        citizen_on = situation.citizen_from(day)
        if citizen_on is not None and citizen_on <= stay.last_on:
            if citizen_on <= stay.today:
                found.last_day_on, found.ended_by = citizen_on, "citizenship"
            else:
                situation.look_again_on(citizen_on, stay.zone)
        situation.add(found, stay, rests_on)


def _in_force(situation: Situation, day: int) -> list[PersonEvent]:
    """Returns the records of the bans in force on a day: a lifted ban ends with the day before it was lifted."""
    last_on: dict[bytes, int] = {}
    imposed: list[tuple[EntryBan, int]] = []
    for ban in reversed(situation.bans):
        if ban.kind == "lifted":
            lifted_on = situation.policy.local_day(ban.occurred_at, "")
            last_on[ban.ban_id] = min(last_on.get(ban.ban_id, FAR), lifted_on - 1)
        else:
            until = FAR if ban.until_on is None else ban.until_on
            imposed.append((ban, min(until, last_on.get(ban.ban_id, FAR))))
    refs = {ban.ban_id for ban, until in imposed if ban.from_on <= day <= until}
    return [ban for ban in situation.bans if ban.ban_id in refs]
