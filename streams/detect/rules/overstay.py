"""Presence without a title: beyond the visa-exempt allowance, a visa, a permit, or the terms after a refusal of protection.

**Source**: docs/rules.md, Overstay; Law on migration of population (No. 477-IV of 22.07.2011); Entry and stay rules (Government
resolution No. 148 of 21.01.2012); Concept of migration policy 2007-2015, monitoring of unlawful stay. The article of a
finding is the policy's of its first day.
"""

from __future__ import annotations

from typing import Final

from streams.detect import titles
from streams.detect.days import Span
from streams.detect.finding import Found
from streams.detect.situation import Situation
from streams.detect.stays import Stay
from streams.policy.model import UNKNOWN_GROUP
from streams.records import PersonEvent

VISA_EXEMPT: Final = "overstay_visa_exempt"
VISA: Final = "overstay_visa"
PERMIT: Final = "overstay_permit"
PROTECTION_REFUSED: Final = "overstay_protection_refused"
TITLE_UNKNOWN: Final = "title_unknown"

RULES: Final = (VISA_EXEMPT, VISA, PERMIT, PROTECTION_REFUSED)

_RESTS_ON: Final = (titles.VISA, titles.RESIDENCE, titles.WORK_PERMIT, titles.CONTRACT, titles.PROTECTION, titles.EXTENSION)


def find(situation: Situation) -> None:
    """Adds one finding for each unbroken run of breach days within one stay."""
    for stay in situation.presence.stays:
        if stay.of_citizen:
            continue
        today = stay.today
        for run in situation.breaches(stay):
            first, last = run
            if first > today:
                situation.look_again_on(first, stay.zone)
                break
            if last < stay.last_on:
                situation.look_again_on(last + 1, stay.zone)
            _add_run(situation, stay, run, today)


def _add_run(situation: Situation, stay: Stay, run: Span, today: int) -> None:
    first, last = run
    rule, rests_on = _rule(situation, stay, first)
    if not situation.applies(rule, first):
        return
    found = Found(rule, stay.stay_on, first - 1, first)
    if last == stay.last_on and not stay.is_open:
        found.last_day_on = last
        found.ended_by = "exit_not_seen" if stay.exit is None else "exit_seen"
    elif last < today:
        found.last_day_on = last + 1
        found.ended_by = "title_found"
    situation.add(found, stay, rests_on)


def rule_of(situation: Situation, stay: Stay, first: int) -> str:
    """Returns the rule a run of breach days that begins on a day falls under."""
    return _rule(situation, stay, first)[0]


def _rule(situation: Situation, stay: Stay, first: int) -> tuple[str, list[PersonEvent]]:
    """Returns the rule a run falls under, decided on its first day, and the records of the titles it rests on."""
    policy = situation.policy
    covering = _covering(situation, stay, first - 1) if first > stay.stay_on else []
    rests_on = _records(situation, {title.ref for title in covering if title.kind in _RESTS_ON})
    group = situation.group_at(stay.entry, first)
    if UNKNOWN_GROUP in (group, stay.group):
        return TITLE_UNKNOWN, rests_on
    if policy.at(first).allowance(group) is not None:
        return VISA_EXEMPT, rests_on
    if first > stay.stay_on:
        kinds = {title.kind for title in covering}
        if titles.PROTECTION in kinds:
            return PROTECTION_REFUSED, rests_on
        if kinds - {titles.VISA}:
            return PERMIT, rests_on
        return (VISA if kinds else VISA_EXEMPT), rests_on
    earlier = [title for title in situation.titles if title.kind == titles.VISA and title.first_on <= stay.stay_on]
    if earlier:
        return VISA, _records(situation, {title.ref for title in earlier})
    return TITLE_UNKNOWN, []


def _covering(situation: Situation, stay: Stay, day: int) -> list[titles.Title]:
    """Returns the titles that cover a day of a stay, but for the allowance."""
    by_visa = dict(situation.visa_days(stay)) if any(title.kind == titles.VISA for title in situation.titles) else {}
    found: list[titles.Title] = []
    for title in situation.titles:
        if not title.first_on <= day <= title.last_on:
            continue
        days = by_visa.get(title.ref, []) if title.kind == titles.VISA else situation.covered(stay, title)
        if any(first <= day <= last for first, last in days):
            found.append(title)
    return found


def _records(situation: Situation, refs: set[bytes]) -> list[PersonEvent]:
    """Returns all active records of some visas, permits, contracts and procedures."""
    return situation.records_tied_by(refs) if refs else []


def last_lawful_day(situation: Situation, stay: Stay) -> int | None:
    """Returns the last lawful day of an open stay if the person stays on and nothing changes.

    Returns:
        Days since 1970-01-01; none if today has no title, or if no end is in sight.
    """
    today = stay.today
    for first, last in situation.breaches(stay):
        if first > today:
            return first - 1
        if last >= today:
            return None
    return None
