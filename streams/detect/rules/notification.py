"""The arrival of a foreigner has to be notified.

**Source**: docs/rules.md, Arrival notified; Entry and stay rules (Government resolution No. 148 of 21.01.2012, as amended from
11 January 2020): the host notifies within three working days; Treaty on the Eurasian Economic Union, Art. 97: thirty days;
before 2020 the foreigner registered within five calendar days.
"""

from __future__ import annotations

from typing import Final

from streams.detect import titles
from streams.detect.finding import Found
from streams.detect.situation import Situation
from streams.detect.stays import Stay

ARRIVAL_NOT_NOTIFIED: Final = "arrival_not_notified"


def deadline_of(situation: Situation, stay: Stay) -> int | None:
    """Returns the last day to notify of a stay's arrival, by the policy of the entry day; none if nobody has to."""
    rules = situation.policy.at(stay.stay_on)
    own_term = rules.notification_groups.get(stay.group)
    if own_term is not None:
        return stay.stay_on + own_term - 1
    if rules.notification_days is None:
        return None
    if rules.notification_unit == "working":
        return situation.policy.working_days.add(stay.stay_on, rules.notification_days)
    return stay.stay_on + rules.notification_days


def find(situation: Situation) -> None:
    """Adds a finding for each stay that nobody notified in time."""
    for stay in situation.presence.stays:
        if stay.of_citizen or stay.of_unknown:
            continue
        deadline = deadline_of(situation, stay)
        if deadline is None or stay.last_on <= deadline:
            continue
        ended_on, ended_by = _end(situation, stay, deadline)
        if ended_on is not None and ended_on <= deadline:
            continue
        if _exempt(situation, deadline):
            continue
        today = stay.today
        if today <= deadline:
            situation.look_again_on(deadline + 1, stay.zone)
            continue
        if not situation.applies(ARRIVAL_NOT_NOTIFIED, deadline + 1):
            continue
        found = Found(ARRIVAL_NOT_NOTIFIED, stay.stay_on, deadline, deadline + 1)
        if ended_on is not None:
            if ended_on <= today:
                found.last_day_on = ended_on
                found.ended_by = ended_by
            else:
                situation.look_again_on(ended_on, stay.zone)
        situation.add(found, stay)


def _end(situation: Situation, stay: Stay, deadline: int) -> tuple[int | None, str]:
    """Returns the day the duty was met or fell away, and how; none while it lasts."""
    ended_on: int | None = None
    ended_by = ""
    if not stay.is_open:
        ended_on = stay.last_on
        ended_by = "exit_not_seen" if stay.exit is None else "exit_seen"
    citizen_on = situation.citizen_from(stay.stay_on)
    if citizen_on is not None and (ended_on is None or citizen_on <= ended_on):
        ended_on, ended_by = citizen_on, "citizenship"
    if stay.notices:
        notified_on = min(day for day, _ in stay.notices)
        if ended_on is None or notified_on <= ended_on:
            ended_on, ended_by = notified_on, "registered"
    return ended_on, ended_by


def _exempt(situation: Situation, deadline: int) -> bool:
    """Returns whether permanent residence, protection or citizenship holds on the deadline day."""
    return any(
        title.first_on <= deadline <= title.last_on
        and (
            (title.kind == titles.RESIDENCE and title.strong)
            or (title.kind == titles.PROTECTION and title.covers)
            or title.kind == titles.CITIZENSHIP
        )
        for title in situation.titles
    )
