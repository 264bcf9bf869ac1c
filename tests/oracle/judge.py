"""The verdict: every conclusion that must hold at the end, its grade, days and options, and every case's stage."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from streams.policy.model import Policy
from streams.records import CaseDecision, Gap, PersonEvent
from tests.oracle.breaches import (
    CURES,
    Found,
    arrival,
    data_quality,
    entry_during_ban,
    evidence_of,
    household,
    overstays,
    place_of,
    reminders,
)
from tests.oracle.facts import Disputes, active_facts, of_kind, place_in_time
from tests.oracle.stays import presence
from tests.oracle.time import Calendar, add_months
from tests.oracle.titles import Titles
from tests.oracle.work import work

OVERSTAYS = ("overstay_visa_exempt", "overstay_visa", "overstay_permit", "overstay_protection_refused")
REMOVABLE = (*OVERSTAYS, "entry_during_ban")
REFERRAL = "officer_may_consider_referral"


@dataclass(frozen=True)
class Expected:
    """What must be concluded; the fields mean what they mean in `streams.records.outputs`."""

    rule: str
    family: str
    open: bool
    grade: str
    stay_on: int
    deadline_on: int
    first_day_on: int
    last_day_on: int | None
    days: int
    ended_by: str
    options: tuple[str, ...]
    evidence: tuple[bytes, ...]
    employer: str
    group: str
    post: str
    oblast: str
    sector: str


@dataclass(frozen=True)
class ExpectedCase:
    """Where the follow-up of one stay must stand."""

    stage: str
    protected: bool


@dataclass(frozen=True)
class Day:
    """One line of the ledger: a day of one stay."""

    on: int
    stay_on: int
    titles: tuple[str, ...]
    lawful: bool


@dataclass(frozen=True)
class Verdict:
    """Everything about one person.

    Attributes:
        conclusions: by alert id; what is not here must not hold (never raised, or retracted, or a reminder that is over).
        cases: by case id, of stays with a breach; a case of another stay must be cleared, or as its decisions say.
        protected: whether removal is blocked.
        ledger: every day of every stay up to today.
    """

    conclusions: dict[bytes, Expected]
    cases: dict[bytes, ExpectedCase]
    protected: bool
    ledger: list[Day]


def alert_id(rule: str, subject: str, stay_on: int, deadline_on: int) -> bytes:
    """Returns a conclusion's id."""
    return hashlib.sha256(f"{rule}|{subject}|{stay_on}|{deadline_on}".encode()).digest()[:16]


def case_id(subject: str, stay_on: int) -> bytes:
    """Returns a case's id."""
    return hashlib.sha256(f"case|{subject}|{stay_on}".encode()).digest()[:16]


def judge(
    events: Iterable[PersonEvent], policy: Policy, now_ms: int, complete_through_ms: int = 0, gaps: tuple[Gap, ...] = ()
) -> Verdict:
    """Judges one person.

    Args:
        events: all events of one person, in any order, duplicates included.
        policy: its plain values are read.
        now_ms: the log's clock, UTC epoch ms.
        complete_through_ms: how far the border's records are complete.
        gaps: times not covered.
    """
    calendar = Calendar(policy)
    facts = active_facts(events)
    if not facts:
        return Verdict({}, {}, False, [])
    subject = facts[0].subject
    now = max(now_ms, *(fact.occurred_at for fact in facts))
    here = presence(facts, now, calendar)
    titles = Titles(facts, here, calendar)
    today = calendar.local_day(now)
    disputes = Disputes(facts)
    protected = titles.protects(today) or disputes.any_open

    found = data_quality(calendar, titles)
    for number, stay in enumerate(here.stays):
        for one in (
            *overstays(calendar, titles, stay),
            *arrival(calendar, titles, stay),
            *entry_during_ban(calendar, titles, stay),
            *work(calendar, titles, stay),
        ):
            one.order = number
            found.append(one)
    found += household(calendar, titles, here)
    for one in found:
        _expire(one, calendar)
    rules_today = [calendar.rules(stay.today) for stay in here.stays if stay.end == "running"]
    horizon = max([0, *(day for rules in rules_today for day in (*rules.reminder_days, rules.extension_request_days or 0))]) + 2
    found += reminders(calendar, Titles(facts, presence(facts, now, calendar, horizon), calendar))

    conclusions: dict[bytes, Expected] = {}
    for one in sorted(found, key=lambda f: (f.first_day_on, -f.order)):
        terms = calendar.rules(one.first_day_on).by_rule.get(one.rule)
        name = alert_id(one.rule, subject, one.stay_on, one.deadline_on)
        evidence = tuple(record.event_id for record in evidence_of(one))
        if terms is None or name in conclusions:
            continue
        grade = _grade(one, terms.family, calendar, complete_through_ms, gaps)
        conclusions[name] = Expected(
            rule=one.rule,
            family=terms.family,
            open=one.last_day_on is None,
            grade=grade,
            stay_on=one.stay_on,
            deadline_on=one.deadline_on,
            first_day_on=one.first_day_on,
            last_day_on=one.last_day_on,
            days=_days(one, today),
            ended_by=one.ended_by,
            options=_options(terms.options, one, grade, protected, calendar.rules(today).legalisation_window),
            evidence=evidence,
            employer=one.employer,
            **place_of(one, calendar),
        )
    conclusions = {name: one for name, one in conclusions.items() if not disputes.suspends(name, one.evidence)}
    cases = {}
    for key in {one.stay_on for one in conclusions.values() if one.family == "breach"}:
        of_stay = [one for one in conclusions.values() if one.stay_on == key and one.family == "breach"]
        cases[case_id(subject, key)] = ExpectedCase(stage(facts, titles, case_id(subject, key), of_stay, protected), protected)
    ledger = [
        Day(day, stay.first_day, tuple(sorted({kind for kind, _ in titles.of(stay, day)})), titles.lawful(stay, day))
        for stay in here.stays
        for day in stay.days()
    ]
    return Verdict(conclusions, cases, protected, ledger)


def _expire(one: Found, calendar: Calendar) -> None:
    """Ends a breach of a running stay in which nothing was heard of the person for as long as data are kept."""
    stay = one.stay
    terms = calendar.rules(one.first_day_on).by_rule.get(one.rule)
    if stay is None or stay.end != "running" or one.last_day_on is not None or terms is None or terms.family != "breach":
        return
    years = calendar.rules(stay.today).retention_no_exit_years
    signs = [one.first_day_on, stay.first_day, *(day for day, _ in stay.inspections)]
    signs += [day for day, record in stay.registrations if record.kind in ("arrival", "extension")]
    over = add_months(max(signs), 12 * years)
    if years and stay.today > over:
        one.last_day_on, one.ended_by = over, "retention"


def _grade(one: Found, family: str, calendar: Calendar, complete_through_ms: int, gaps: tuple[Gap, ...]) -> str:
    stay = one.stay
    if stay is None or family == "reminder" or one.rule == "entry_without_exit" or one.sighted:
        return "established"
    seen_on = [stay.first_day, *(day for day, _ in stay.inspections)]
    if stay.exit is not None:
        seen_on.append(stay.last_day)
    if max(seen_on) >= one.first_day_on:
        return "established"
    last_seen = max([stay.entry.occurred_at, *(fact.occurred_at for _, fact in stay.inspections)])
    deadline_over = calendar.day_end(one.deadline_on, stay.entry.post)
    blind = any(gap.from_at < deadline_over and (gap.until_at is None or gap.until_at > last_seen) for gap in gaps)
    blind = blind and last_seen < deadline_over
    return "presumed" if complete_through_ms >= deadline_over and not blind else "uncertain"


def _days(one: Found, today: int) -> int:
    if one.last_day_on is None:
        return (one.stay.today if one.stay is not None else today) - one.first_day_on + 1
    return one.last_day_on - one.first_day_on + (0 if one.ended_by in CURES else 1)


def _options(listed: tuple[str, ...], one: Found, grade: str, protected: bool, window: bool) -> tuple[str, ...]:
    left = one.stay is not None and one.stay.end == "exit"
    found = []
    for option in listed:
        if option == "legalisation_window" and not window:
            continue
        if option == "leave_by_own_means" and (protected or left):
            continue
        if option == REFERRAL and (
            protected or one.rule not in REMOVABLE or grade != "established" or one.last_day_on is not None
        ):
            continue
        found.append(option)
    return tuple(found)


def stage(facts: list[PersonEvent], titles: Titles, case: bytes, alerts: list[Expected], protected_today: bool) -> str:
    """Returns where a case stands.

    Args:
        facts: active facts in order.
        titles: the person's titles (for protection on the day of a decision).
        case: the case's id.
        alerts: its breach findings that are not absent.
        protected_today: whether removal is blocked today.
    """
    now = "suspected"
    proposers: set[str] = set()
    for decision in of_kind(facts, CaseDecision):
        if decision.case_id != case:
            continue
        word = decision.decision
        if word == "reopened":
            now, proposers = "suspected", set()
        if now in ("legalised", "left", "cleared", "removed"):
            continue
        day = titles.calendar.local_day(decision.occurred_at)
        forbidden = protected_today or titles.protects(day) or Disputes(facts, place_in_time(decision)).any_open
        if word in ("contacted", "order_to_leave") and now == "suspected":
            now = "contacted"
        elif word in ("legalised", "cleared"):
            now = word
        elif word == "left_voluntarily":
            now = "left"
        elif word == "referral_proposed" and not forbidden:
            proposers.add(decision.officer)
        elif word == "referral_confirmed" and not forbidden and proposers - {decision.officer}:
            now = "referred"
        elif word == "removed" and not forbidden and now == "referred":
            now = "removed"
    if now in ("legalised", "left", "cleared", "removed") or any(one.open for one in alerts):
        return now
    if all(one.ended_by == "retention" for one in alerts):
        return "cleared"
    return "legalised" if any(one.ended_by in CURES for one in alerts) else "left"
