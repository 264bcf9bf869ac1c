"""One step of the lane of employers' workers: a link, an allocation, a declaration or a day comes; what has to be told follows.

Everything it says is a function of the greatest version of every link, the sets of allocations and declarations, the policy and
the day: whatever came first, twice or late.

**Source**: docs/rules.md, Employers; ADR 0066.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from streams.alerts.lifecycle import Occasion, Told, compare
from streams.cases.options import options_of
from streams.detect.finding import Found
from streams.detect.labour import over_quota, quota, trafficking, unlawful_workers
from streams.detect.labour.quota import Line
from streams.detect.labour.watch import Watch
from streams.labour.state import (
    LINE,
    EmployerState,
    LineState,
    employer_key,
    line_key,
    line_of_key,
    link_key,
    unpack_employer,
    unpack_line,
)
from streams.policy.model import Policy
from streams.records import Alert, EmployerDeclaration, Finding, LabourLink, QuotaAllocation

Fact = LabourLink | EmployerDeclaration | QuotaAllocation
Get = Callable[[bytes], bytes | None]
"""Returns what is kept under a key."""

LinkOf = Callable[[bytes], LabourLink]
"""Reads a link that was kept as it came."""

_TAKEN_BACK = frozenset({"exit_seen", "title_found", "correction", "dispute", "policy"})


@dataclass(slots=True)
class Step:
    """What came of one record of the links' log.

    Attributes:
        changes: what is to be kept under which key.
        alerts: new versions of alerts, in order.
        findings: new versions of findings, in order.
        due: by key of an employer or line, when to look at it again (UTC epoch ms); none never.
    """

    changes: dict[bytes, bytes] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    due: dict[bytes, int | None] = field(default_factory=dict)


class Cause:
    """Why the lane looks.

    Attributes:
        event_id: of the event that made the person, the employer or the quota change.
        caused_at: the broker's timestamp of that event, UTC epoch ms.
        reason: what an absent conclusion is put down to.
    """

    __slots__ = ("caused_at", "event_id", "reason")

    def __init__(self, event_id: bytes, caused_at: int, reason: str = "new_facts") -> None:
        self.event_id = event_id
        self.caused_at = caused_at
        self.reason = reason


class Lane:
    """What a step works with.

    Attributes:
        get: returns what is kept under a key.
        link_of: reads a link that was kept as it came.
        now_ms: the lane's clock: the largest tick handed on to it, UTC epoch ms.
        policy: the policy.
        step: what has come of it so far.
    """

    __slots__ = ("get", "link_of", "now_ms", "policy", "step")

    def __init__(self, get: Get, link_of: LinkOf, now_ms: int, policy: Policy) -> None:
        self.get = get
        self.link_of = link_of
        self.now_ms = now_ms
        self.policy = policy
        self.step = Step()

    def employer(self, name: str) -> EmployerState:
        """Returns what is known of an employer."""
        data = self.get(employer_key(name))
        return EmployerState(name, _digest(self.policy)) if data is None else unpack_employer(data, name)

    def line(self, line: Line) -> LineState:
        """Returns what is known of a quota line."""
        data = self.get(line_key(line))
        return LineState(_digest(self.policy)) if data is None else unpack_line(data, line)


def take(lane: Lane, record: Fact, kept: bytes, caused_at: int) -> Step:
    """Takes one record.

    Args:
        lane: what is kept so far, the clock, the policy.
        record: the record.
        kept: its bytes, which a link is kept as.
        caused_at: the broker's timestamp of the record, UTC epoch ms; a link carries that of its own cause.

    Returns:
        What came of it; nothing when it is known already.
    """
    if isinstance(record, LabourLink):
        _take_link(lane, record, kept)
    elif isinstance(record, EmployerDeclaration):
        _take_declaration(lane, record, Cause(record.event_id, caused_at))
    elif record.quota == "labour":
        _take_allocation(lane, record, Cause(record.event_id, caused_at))
    return lane.step


def revisit(lane: Lane, key: bytes, event_id: bytes, caused_at: int) -> Step:
    """Looks at an employer or a line again because its day has come.

    Args:
        lane: what is kept so far, the clock, the policy.
        key: the employer's or the line's.
        event_id: of the tick.
        caused_at: the broker's timestamp of the tick, UTC epoch ms.
    """
    cause = Cause(event_id, caused_at)
    if key[:1] == LINE:
        line = line_of_key(key)
        _advance_line(lane, line, lane.line(line), cause)
    else:
        employer = key[1:].decode()
        _advance_employer(lane, employer, lane.employer(employer), cause)
    return lane.step


def _take_link(lane: Lane, link: LabourLink, kept: bytes) -> None:
    key = link_key(link)
    stored = lane.get(key)
    before = None if stored is None else lane.link_of(stored)
    reason = link.reason if not link.holds and link.reason in _TAKEN_BACK else "new_facts"
    cause = Cause(link.caused_by, link.caused_at, reason)
    if before is not None and link.version <= before.version:
        return
    lane.step.changes[key] = kept
    for employer in sorted({one.employer for one in (before, link) if one is not None and one.employer}):
        state = lane.employer(employer)
        state.links.pop(key, None)
        if link.holds and link.employer == employer:
            state.links[key] = link
        _advance_employer(lane, employer, state, cause)
    _count(lane, before, link, cause)


def _count(lane: Lane, before: LabourLink | None, link: LabourLink, cause: Cause) -> None:
    """Counts a permit against its lines, and what it was before no more."""
    moves: dict[bytes, dict[int, int]] = {}
    for one, sign in ((before, -1), (link, 1)):
        if one is not None and one.issued_on is not None:
            for line in quota.lines_of(one):
                days = moves.setdefault(line_key(line), {})
                days[one.issued_on] = days.get(one.issued_on, 0) + sign
    for key in sorted(moves):
        line = line_of_key(key)
        changed = {day: number for day, number in moves[key].items() if number}
        if not changed:
            continue
        state = lane.line(line)
        for day, number in changed.items():
            left = state.uses.pop(day, 0) + number
            if left:
                state.uses[day] = left
        _advance_line(lane, line, state, cause)


def _take_declaration(lane: Lane, record: EmployerDeclaration, cause: Cause) -> None:
    state = lane.employer(record.subject)
    headcounts = state.headcounts.add(record)
    if headcounts is not state.headcounts:
        state.headcounts = headcounts
        _advance_employer(lane, record.subject, state, cause)


def _take_allocation(lane: Lane, record: QuotaAllocation, cause: Cause) -> None:
    line = quota.line_of(record)
    state = lane.line(line)
    bare = replace(record, source="", source_seq=0)
    known = [one for one in state.allocations if one.event_id == record.event_id]
    if known and _content(known[0]) <= _content(bare):
        return
    state.allocations = [*[one for one in state.allocations if one.event_id != record.event_id], bare]
    _advance_line(lane, line, state, cause)


def _content(one: QuotaAllocation) -> tuple[int, int, int, int, int, str]:
    """Returns what decides between two contents sent under one id: the smaller holds."""
    return one.recorded_at, one.occurred_at, one.version, one.persons, one.effective_on, one.subject


def _digest(policy: Policy) -> int:
    return zlib.crc32(policy.version.encode())


def _advance_employer(lane: Lane, employer: str, state: EmployerState, cause: Cause) -> None:
    # Like a person's, its now is the log's clock or the latest it was told of, and no history of either.
    now_ms = max([lane.now_ms, *[one.decided_at for one in state.links.values()]])
    now_ms = max([now_ms, *[one.occurred_at for one in state.headcounts.declarations]])
    watch = Watch(lane.policy, now_ms)
    links = [state.links[key] for key in sorted(state.links)]
    found = unlawful_workers.find(employer, [one for one in links if one.kind == "breach"], watch)
    declared = state.headcounts.effective()
    permits = [one for one in links if one.kind == "permit"]
    found += over_quota.find(employer, permits, declared, watch)
    kept = [one for one in links if one.kind == "kept"]
    found += trafficking.find(employer, kept, watch)
    told = [_tell(one, watch) for one in found]
    occasion = _occasion(lane, employer, state.policy_digest, cause, now_ms)
    _emit(lane.step, compare(state.known, told, occasion))
    state.policy_digest = _digest(lane.policy)
    state.due_ms = watch.due_ms
    key = employer_key(employer)
    lane.step.changes[key] = state.pack()
    lane.step.due[key] = state.due_ms


def _advance_line(lane: Lane, line: Line, state: LineState, cause: Cause) -> None:
    now_ms = max([lane.now_ms, *[one.occurred_at for one in state.allocations]])
    watch = Watch(lane.policy, now_ms)
    watch.today = max([watch.today, *state.uses])
    found = quota.find(line, state.allocations, state.uses, watch)
    used_up = any(one.is_open and one.rule == quota.QUOTA_EXHAUSTED for one in found)
    over = watch.today > line.last_on
    reason = quota.YEAR_OVER if over else quota.QUOTA_USED_UP if used_up else "pace"
    last_on = min(watch.today, line.last_on)
    occasion = _occasion(lane, line.name, state.policy_digest, cause, now_ms)
    occasion.outcome = lambda stay_on, deadline_on: (reason, last_on)
    _emit(lane.step, compare(state.known, [_tell(one, watch) for one in found], occasion))
    state.policy_digest = _digest(lane.policy)
    state.due_ms = watch.due_ms
    key = line_key(line)
    lane.step.changes[key] = state.pack()
    lane.step.due[key] = state.due_ms


def _occasion(lane: Lane, subject: str, digest: int, cause: Cause, now_ms: int) -> Occasion:
    occasion = Occasion(subject, lane.policy, cause.event_id, cause.caused_at, now_ms)
    occasion.amended = "evidence"
    occasion.new_fact = "policy" if digest != _digest(lane.policy) and cause.reason == "new_facts" else cause.reason
    return occasion


def _tell(found: Found, watch: Watch) -> Told:
    """Returns a finding with the options that apply: no proof that somebody is unprotected ever comes here, so none removes."""
    terms = watch.policy.at(found.first_day_on).by_rule[found.rule]
    options = options_of(terms.options, found, window=watch.window(lasts=found.is_open), proof=None)
    return Told(found, options, terms, f"|{found.oblast}|{found.sector}")


def _emit(step: Step, versions: list[Alert | Finding]) -> None:
    for one in versions:
        if isinstance(one, Alert):
            step.alerts.append(one)
        else:
            step.findings.append(one)
