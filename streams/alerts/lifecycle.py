"""The life of a conclusion: what was concluded, compared with what is found now, gives the next version, or none.

**Source**: docs/rules.md, Disputes, lifecycle (the table). A version says what holds from now on; nothing is ever edited.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from streams.alerts.known import Known
from streams.detect.assess import conclusion_id
from streams.detect.finding import Found
from streams.detect.rules.retention import RETENTION
from streams.policy.model import Policy, RuleTerms
from streams.records import Alert, Finding
from streams.records.outputs import AlertState

Key = tuple[str, int, int]

_TIME_RAN_OUT = frozenset({"term_over", "year_over"})
"""What a reminder ends by that nobody acted on in time: it expired."""


class Occasion:
    """On what occasion conclusions are compared.

    Attributes:
        subject: the person's or employer's pseudonym.
        policy: the policy that decided.
        caused_by: event id of the record that made us look.
        caused_at: broker's timestamp of it, UTC epoch ms.
        decided_at: the person's now, UTC epoch ms.
        new_fact: what kind of news an absent finding is put down to: a reason of the table.
        suspended: findings that rest because of a dispute.
        acknowledged: conclusions an officer has acknowledged.
        amended: what an amendment is put down to where nothing tells more.
        outcome: what became of a reminder that is not due any more (`streams.detect.rules.reminders.outcome`).
    """

    __slots__ = (
        "acknowledged", "amended", "caused_at", "caused_by", "decided_at", "new_fact", "outcome", "policy", "subject",
        "suspended",
    )  # fmt: skip

    def __init__(self, subject: str, policy: Policy, caused_by: bytes, caused_at: int, decided_at: int) -> None:
        self.subject = subject
        self.policy = policy
        self.caused_by = caused_by
        self.caused_at = caused_at
        self.decided_at = decided_at
        self.new_fact = "new_facts"
        self.amended = "options"
        self.suspended: set[Key] = set()
        self.acknowledged: set[Key] = set()
        self.outcome: Callable[[int, int], tuple[str, int] | None] = _never


def _never(stay_on: int, deadline_on: int) -> tuple[str, int] | None:
    return None


class Told:
    """A finding with the options its reader is to be told.

    Attributes:
        found: the finding.
        options: the options that apply.
        terms: the policy's terms of the rule.
        also: what else, should it change, makes a further version.
    """

    __slots__ = ("also", "found", "options", "terms")

    def __init__(self, found: Found, options: tuple[str, ...], terms: RuleTerms, also: str = "") -> None:
        self.found = found
        self.options = options
        self.terms = terms
        self.also = also


def compare(known: list[Known], told: list[Told], occasion: Occasion) -> list[Alert | Finding]:
    """Compares what was concluded with what is found now.

    Args:
        known: what was concluded, changed in place: new versions, and new conclusions at the end.
        told: what is found now, with its options.
        occasion: on what occasion.

    Returns:
        The new versions, in the order they are to be told.
    """
    by_key = {one.key: one for one in known}
    versions: list[Alert | Finding] = []
    now: set[Key] = set()
    for one in told:
        key = one.found.key
        now.add(key)
        before = by_key.get(key)
        if before is None:
            before = Known(*key)
            known.append(before)
        version = _found(before, one, key in occasion.acknowledged, occasion)
        if version is not None:
            versions.append(version)
    if len(now) < len(by_key) or any(key not in now for key in by_key):
        for one_known in by_key.values():
            if one_known.key not in now and one_known.state != "retracted":
                version = _absent(one_known, occasion)
                if version is not None:
                    versions.append(version)
    return versions


def _digest(told: Told, *, acknowledged: bool) -> int:
    """Returns a checksum of what makes a further version of the same state: of an ended finding, what ended it and when."""
    found = told.found
    words = (
        f"{found.grade}|{','.join(told.options)}|{acknowledged}|" if found.is_open else f"{found.last_day_on}|{found.ended_by}|"
    )
    return zlib.crc32(b"".join(found.evidence), zlib.crc32(f"{words}{found.first_day_on}|{found.employer}{told.also}".encode()))


def _found(known: Known, told: Told, acknowledged: bool, occasion: Occasion) -> Alert | Finding | None:
    found = told.found
    digest = _digest(told, acknowledged=acknowledged)
    state: AlertState
    if found.is_open:
        if known.version and known.is_open:
            if known.digest == digest and _place(known) == _place(found):
                return None
            state = "acknowledged" if acknowledged else "amended"
            reason = _amendment(known, told, occasion.amended, acknowledged=acknowledged)
        else:
            state = reason = "raised"
    else:
        state = "expired" if found.ended_by == RETENTION else "resolved"
        if known.version and known.state == state and known.digest == digest and _place(known) == _place(found):
            return None
        reason = found.ended_by
    known.version += 1
    known.state = state
    known.reason = reason
    known.digest = digest
    known.family = told.terms.family
    known.grade = found.grade
    known.first_day_on = found.first_day_on
    known.last_day_on = found.last_day_on
    known.group = found.group
    known.oblast = found.oblast
    known.post = found.post
    known.employer = found.employer
    known.sector = found.sector
    return _version(known, occasion, told.terms, options=told.options, evidence=found.evidence, days=found.days)


def _amendment(known: Known, told: Told, otherwise: str, *, acknowledged: bool) -> str:
    found = told.found
    if known.first_day_on != found.first_day_on:
        return "threshold"
    if known.grade != found.grade:
        return "evidence" if "established" in (known.grade, found.grade) else "coverage"
    if acknowledged and known.state != "acknowledged":
        return "acknowledged"
    return otherwise if _place(known) == _place(found) and known.employer == found.employer else "evidence"


def _place(one: Known | Found) -> tuple[str, str, str, str]:
    """Returns whom and what place a conclusion is about, as far as its evidence does not say it."""
    return one.group, one.post, one.oblast, one.sector


def _absent(known: Known, occasion: Occasion) -> Alert | Finding | None:
    """Takes a conclusion back; a reminder that is no longer due has ended or expired, unless it should never have been."""
    reason = "dispute" if known.key in occasion.suspended else occasion.new_fact
    state: AlertState = "retracted"
    if known.family == "reminder":
        if known.state in ("resolved", "expired"):
            return None
        ended = None if known.key in occasion.suspended else occasion.outcome(known.stay_on, known.deadline_on)
        if ended is not None:
            reason, known.last_day_on = ended
            state = "expired" if reason in _TIME_RAN_OUT else "resolved"
    known.version += 1
    known.state = state
    known.reason = reason
    known.digest = 0
    return _version(known, occasion, _terms(known, occasion.policy))


def _terms(known: Known, policy: Policy) -> RuleTerms:
    """Returns the terms a conclusion was told under; those of another day where today's policy has none on its first day."""
    terms = policy.at(known.first_day_on).by_rule.get(known.rule)
    for rules in policy.rules:
        if terms is None:
            terms = rules.by_rule.get(known.rule)
    if terms is None:
        terms = RuleTerms(known.rule, known.family, "info", "", "low", ())
    return terms


def _version(
    known: Known,
    occasion: Occasion,
    terms: RuleTerms,
    *,
    options: tuple[str, ...] = (),
    evidence: tuple[bytes, ...] = (),
    days: int = 0,
) -> Alert | Finding:
    kind = Alert if known.family in ("breach", "protective") else Finding
    return kind(
        conclusion_id(known.rule, occasion.subject, known.stay_on, known.deadline_on),
        known.version,
        occasion.subject,
        known.rule,
        known.family,
        known.state,
        known.grade,
        terms.severity,
        known.stay_on,
        known.deadline_on,
        known.first_day_on,
        known.last_day_on,
        days,
        known.group,
        known.oblast,
        known.post,
        known.employer,
        known.sector,
        terms.article,
        occasion.policy.version,
        options,
        evidence,
        known.reason,
        occasion.caused_by,
        occasion.caused_at,
        occasion.decided_at,
    )
