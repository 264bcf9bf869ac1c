"""The answer of the stay calculator for people and for programs: JSON, sentences, and the days as a little picture."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from streams.cases.options import offered
from streams.detect.calculator import Answer
from streams.detect.finding import Found
from streams.detect.ledger import Line
from streams.detect.rules.retention import RETENTION
from streams.policy.model import Policy

_EPOCH = date(1970, 1, 1)
PICTURE_MONTHS = 12
"""So many months, at most, are drawn; earlier days are counted in a line."""

LAWFUL, BREACH, UNKNOWN, ABSENT = "■", "▲", "?", "·"


def iso(day: int | None) -> str | None:
    """Returns a day (days since 1970-01-01) as ``YYYY-MM-DD``; none stays none."""
    return None if day is None else (_EPOCH + timedelta(days=day)).isoformat()


def days_of(ledger: Iterable[Line]) -> list[dict[str, Any]]:
    """Returns the day ledger as JSON: runs of days of a stay, whether they are lawful and by what."""
    return [
        {
            "stay": iso(line.stay_on),
            "from": iso(line.first_on),
            "to": iso(line.last_on),
            "days": line.last_on - line.first_on + 1,
            "standing": line.standing,
            "titles": list(line.titles),
        }
        for line in ledger
    ]


def as_json(
    answer: Answer, faults: Iterable[tuple[str, str, int | None]] = (), *, without: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Returns the answer as JSON.

    Args:
        answer: the calculator's.
        faults: what was wrong with the data already when they were read: rule, message, day.
        without: rules the data can say nothing about.

    Returns:
        The keys of ``shekara assess --json`` (docs/tutorials/assess.md); dates ISO 8601 or null.
    """
    assessment = answer.assessment
    policy = assessment.situation.policy
    findings = [_fault(policy, *fault) for fault in faults]
    kept = [(found, options) for found, options in offered(assessment) if found.rule not in without]
    findings += [_finding(policy, found, options) for found, options in kept]
    open_options = [options for found, options in kept if found.is_open]
    return {
        "on": iso(answer.on),
        "days_used": answer.days_used,
        "days_remaining": answer.days_remaining,
        "overstay": answer.overstay,
        "first_overstay_day": iso(answer.first_overstay_day),
        "ledger": days_of(answer.ledger),
        "longest_stay": {
            "entry": iso(answer.longest_stay_entry),
            "days": answer.longest_stay_days,
            "last_lawful_day": iso(answer.last_lawful_day),
        },
        "next_lawful_entry": iso(answer.next_lawful_entry),
        "findings": findings,
        "options": [one for one in policy.option_texts if any(one in options for options in open_options)],
        "not_asked": sorted(without),
        "protected": assessment.protected,
        "policy": policy.name,
        "policy_version": policy.version,
    }


def _finding(policy: Policy, found: Found, options: tuple[str, ...]) -> dict[str, Any]:
    terms = policy.at(found.first_day_on).by_rule[found.rule]
    return {
        "rule": found.rule,
        "title": policy.rule_texts[found.rule][0].en,
        "family": terms.family,
        "state": "open" if found.is_open else "expired" if found.ended_by == RETENTION else "ended",
        "grade": found.grade,
        "severity": terms.severity,
        "stay": iso(found.stay_on),
        "deadline": iso(found.deadline_on),
        "first_day": iso(found.first_day_on),
        "last_day": iso(found.last_day_on),
        "days": found.days,
        "group": found.group,
        "employer": found.employer or None,
        "article": terms.article,
        "options": list(options),
        "message": None,
    }


def _fault(policy: Policy, rule: str, message: str, on: int | None) -> dict[str, Any]:
    return {
        "rule": rule,
        "title": "The data cannot be right",
        "family": "data_quality",
        "state": "open",
        "grade": "established",
        "severity": "info",
        "stay": iso(on),
        "deadline": None,
        "first_day": iso(on),
        "last_day": None,
        "days": None,
        "group": None,
        "employer": None,
        "article": None,
        "options": ["correct_record"] if "correct_record" in policy.option_texts else [],
        "message": message,
    }


def picture(answer: Answer) -> tuple[list[tuple[str, list[tuple[str, str]]]], int]:
    """Returns the days as rows of months.

    Returns:
        Rows of (month like ``2024-01``, cells), a cell being (mark, standing); and the number of days of presence before them.
    """
    standing: dict[int, str] = {}
    for line in answer.ledger:
        for day in range(line.first_on, line.last_on + 1):
            if standing.get(day) != "no_title_known":  # of two stays that share a day the one without a title is shown
                standing[day] = line.standing
    for day, _ in answer.assessment.situation.presence.lone_exits:
        standing.setdefault(day, "lawful")
    if not standing:
        return [], 0
    last = _EPOCH + timedelta(days=answer.on)
    first = _EPOCH + timedelta(days=min(standing))
    months = min((last.year - first.year) * 12 + last.month - first.month + 1, PICTURE_MONTHS)
    rows: list[tuple[str, list[tuple[str, str]]]] = []
    number = last.year * 12 + last.month - months
    shown_from = 0
    for index in range(number, number + months):
        year, month = divmod(index, 12)
        begin = (date(year, month + 1, 1) - _EPOCH).days
        shown_from = shown_from or begin
        cells = []
        for day in range(begin, begin + calendar.monthrange(year, month + 1)[1]):
            found = standing.get(day, "absent") if day <= answer.on else "to come"
            cells.append((_MARKS[found], found))
        rows.append((f"{year}-{month + 1:02}", cells))
    return rows, len([day for day, what in standing.items() if day < shown_from and what != "unknown"])


_MARKS = {"lawful": LAWFUL, "no_title_known": BREACH, "unknown": UNKNOWN, "absent": ABSENT, "to come": " "}
