"""Household permits (work for natural persons) are for a limited time in one go.

**Source**: docs/rules.md, Work; Law on migration of population, Art. 43-1: permits to a labour immigrant are issued for one to
three months at a time, at most twelve months without a break.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from streams.detect import titles
from streams.detect.days import FAR, union
from streams.detect.finding import Found
from streams.detect.situation import Situation
from streams.detect.stays import Stay
from streams.records import WorkPermit

HOUSEHOLD_PERMIT_TOO_LONG: Final = "household_permit_too_long"

_EPOCH: Final = date(1970, 1, 1).toordinal()
_LAST_DAY: Final = date(9000, 1, 1).toordinal() - _EPOCH


def add_months(day: int, months: int) -> int:
    """Returns the same day of a later month, or that month's last day; `FAR` for a day no calendar of ours reaches."""
    if not 0 <= day < _LAST_DAY:
        return FAR
    start = date.fromordinal(day + _EPOCH)
    month = start.month - 1 + months
    year, month = start.year + month // 12, month % 12 + 1
    for last in (start.day, 30, 29, 28):
        try:
            return date(year, month, min(last, start.day)).toordinal() - _EPOCH
        except ValueError:
            continue
    raise AssertionError("every month has a 28th day")


def find(situation: Situation) -> None:
    """Adds a finding for each unbroken time on household permits that is longer than allowed."""
    permits = [one for one in situation.permits if isinstance(one.record, WorkPermit) and one.record.permit_type == "household"]
    if not permits:
        return
    for first, last in union([(one.first_on, one.last_on) for one in permits]):
        months = situation.policy.at(first).household_permit_max_months
        if months is None:
            continue
        beyond = add_months(first, months)
        stay = _stay_on(situation, beyond)
        if beyond > last or stay is None or stay.of_citizen or stay.of_unknown:
            continue
        if situation.has_title(titles.CITIZENSHIP, beyond):
            continue
        today = stay.today
        if beyond > today:
            situation.look_again_on(beyond, stay.zone)
            continue
        if not situation.applies(HOUSEHOLD_PERMIT_TOO_LONG, beyond):
            continue
        found = Found(HOUSEHOLD_PERMIT_TOO_LONG, stay.stay_on, beyond - 1, beyond)
        citizen_on = situation.citizen_from(beyond)
        if citizen_on is not None and citizen_on > min(last, stay.last_on):
            citizen_on = None
        if citizen_on is not None and citizen_on <= today:
            found.last_day_on, found.ended_by = citizen_on, "citizenship"
        elif last < today and last < stay.last_on:
            found.last_day_on, found.ended_by = last, "permits_over"
        elif not stay.is_open:
            found.last_day_on = stay.last_on
            found.ended_by = "exit_not_seen" if stay.exit is None else "exit_seen"
        else:
            situation.look_again_on(last + 1 if citizen_on is None else citizen_on, stay.zone)
        refs = {one.ref for one in permits if first <= one.first_on <= last}
        situation.add(found, stay, situation.records_tied_by(refs))


def _stay_on(situation: Situation, day: int) -> Stay | None:
    """Returns the latest stay with a day; none if the person was not present on it."""
    for stay in reversed(situation.presence.stays):
        if stay.stay_on <= day <= stay.last_on:
            return stay
    return None
