"""`assess`: a pure function from what is known to what follows from it.

**Source**: docs/rules.md; ADR 0061 (days by intervals), ADR 0062 (when to look again).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from streams.detect.dossier import Dossier
from streams.detect.finding import Found
from streams.detect.logtime import LogTime
from streams.detect.rules import bans, data_quality, households, notification, overstay, reminders, retention, work
from streams.detect.situation import Situation
from streams.policy.model import Policy
from streams.records import Dispute

RULES: Final[tuple[Callable[[Situation], None], ...]] = (
    overstay.find,
    notification.find,
    work.find,
    households.find,
    bans.find,
    data_quality.find,
    reminders.find,
)
"""Every rule about a person, in the order in which findings are told."""


def conclusion_id(rule: str, subject: str, stay_on: int, deadline_on: int) -> bytes:
    """Returns the id of a conclusion: the same facts give the same id on any machine."""
    return hashlib.sha256(f"{rule}|{subject}|{stay_on}|{deadline_on}".encode()).digest()[:16]


class Assessment:
    """What follows from a dossier at a time.

    Attributes:
        findings: what was found and is not suspended, one per id.
        suspended: keys of what was found but rests, because it or what it rests on is disputed.
        protected: removal is blocked today.
        situation: what it was concluded from: stays, titles, coverage.
        due_ms: when time alone may change something, UTC epoch ms; none if never.
    """

    __slots__ = ("due_ms", "findings", "protected", "situation", "suspended")

    def __init__(
        self, findings: list[Found], suspended: set[tuple[str, int, int]], situation: Situation, *, protected: bool
    ) -> None:
        self.findings = findings
        self.suspended = suspended
        self.situation = situation
        self.protected = protected
        self.due_ms = situation.due_ms


def assess(dossier: Dossier, policy: Policy, time: LogTime, *, guarded: bool = False) -> Assessment:
    """Judges a dossier by every rule.

    Args:
        dossier: everything known about the person.
        policy: the policy; which of its values hold is decided by the days judged.
        time: the log's clock and coverage.
        guarded: whether removal is blocked whatever the facts say: another pseudonym of the person has not told its facts yet.

    Returns:
        The assessment; it does not depend on the order in which the facts came.
    """
    situation = Situation(dossier, policy, time)
    for rule in RULES:
        rule(situation)
    retention.expire(situation)
    found = _one_per_key(situation.found)
    suspended: set[tuple[str, int, int]] = set()
    if situation.disputes:
        suspended = _disputed(situation, found, dossier.subject)
        found = [one for one in found if one.key not in suspended]
    protected = guarded or is_protected(situation, situation.today)
    for title in situation.titles:
        if title.protects:
            situation.look_again_on(title.first_on, situation.country)
            situation.look_again_on(title.last_on + 1, situation.country)
    return Assessment(found, suspended, situation, protected=protected)


def is_protected(situation: Situation, day: int) -> bool:
    """Returns whether removal is blocked on a day: by a protection that holds on it, or by a dispute open now."""
    if any(title.protects and title.first_on <= day <= title.last_on for title in situation.titles):
        return True
    return any(kind == "opened" for kind, _ in dispute_states(situation.disputes).values())


def dispute_states(disputes: list[Dispute]) -> dict[bytes, tuple[str, Dispute]]:
    """Returns, by dispute, the kind of its latest record and the record that says what it is about: its opening, if known."""
    found: dict[bytes, tuple[str, Dispute]] = {}
    for record in disputes:
        known = found.get(record.dispute_id)
        about = record if known is None or (record.kind == "opened" and known[1].kind != "opened") else known[1]
        found[record.dispute_id] = (record.kind, about)
    return found


def _disputed(situation: Situation, found: list[Found], subject: str) -> set[tuple[str, int, int]]:
    events: set[bytes] = set()
    alerts: set[bytes] = set()
    for kind, about in dispute_states(situation.disputes).values():
        if kind == "opened" and about.disputed_event is not None:
            events.add(about.disputed_event)
        if kind != "rejected" and about.alert_id is not None:
            alerts.add(about.alert_id)
    return {
        one.key
        for one in found
        if not events.isdisjoint(one.evidence)
        or (alerts and conclusion_id(one.rule, subject, one.stay_on, one.deadline_on) in alerts)
    }


def _one_per_key(found: list[Found]) -> list[Found]:
    """Keeps one finding of each id: the one with the earliest first day, of the same first day the later stay's."""
    if len(found) < 2:
        return found
    kept: dict[tuple[str, int, int], Found] = {}
    for one in found:
        known = kept.get(one.key)
        if known is None or one.first_day_on <= known.first_day_on:
            kept[one.key] = one
    return list(kept.values())
