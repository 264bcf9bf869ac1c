"""One person, one step: a fact comes, or time passes; what has to be told follows. Packed bytes in, packed bytes out.

**Source**: docs/architecture.md, Contracts between rooms; docs/rules.md.
"""

from __future__ import annotations

from typing import Final

from streams.alerts.known import Known
from streams.alerts.lifecycle import Occasion, Told, compare
from streams.cases.follow import File, case_id_of, follow
from streams.cases.interlock import prove
from streams.cases.options import offered
from streams.detect.assess import Assessment, assess, conclusion_id
from streams.detect.dossier import Dossier
from streams.detect.folding import fold
from streams.detect.logtime import LogTime
from streams.detect.rules.reminders import outcome
from streams.detect.situation import Situation
from streams.person.circle import Circle, Kinship, forget_who_left, is_waited_for, tell, together
from streams.person.links import concerns_labour
from streams.person.links import tell as tell_links
from streams.person.state import State, policy_digest, unpack
from streams.person.step import NEVER, Cause, Due, Step
from streams.policy.model import Policy
from streams.records import (
    Alert,
    BorderCrossing,
    Case,
    Citizenship,
    Correction,
    Dispute,
    Finding,
    IdentityLink,
    LabourContract,
    LabourLink,
    PersonEvent,
    ProtectionStatus,
    ResidencePermit,
    SharedFacts,
    StayRegistration,
    Visa,
    WorkPermit,
)

_TITLES: Final = (Visa, ResidencePermit, WorkPermit, LabourContract, StayRegistration, ProtectionStatus, Citizenship)

_OF_LINKS: Final = (IdentityLink, SharedFacts)


def take(state: bytes | None, record: PersonEvent, time: LogTime, cause: Cause, policy: Policy) -> Step:
    """Takes one fact about a person.

    Args:
        state: the person's packed state; none if the person is new.
        record: the fact.
        time: the log's clock and coverage at this point of the partition.
        cause: the record, as what new versions are put down to.
        policy: the policy.

    Returns:
        What came of it. A fact that is known already changes nothing: the state is none then.
    """
    subject = record.subject
    before = State(Dossier(subject), [], [], NEVER, policy_digest(policy.version)) if state is None else unpack(state, subject)
    if before.circle is not None or type(record) in _OF_LINKS:
        return _take_linked(before, record, time, cause, policy)
    dossier = before.dossier.add(record)
    if state is not None and dossier is before.dossier:
        return Step(None, (), (), (), before.due)
    before.dossier = dossier
    return _advance(before, _news(record), time, cause, policy, changed=True)


def _take_linked(state: State, record: PersonEvent, time: LogTime, cause: Cause, policy: Policy) -> Step:
    """Takes a fact about someone who has, or may have, several pseudonyms, or what one of those tells this one."""
    own, circle = state.dossier, state.circle or Circle()
    was = Kinship(own, circle)
    if isinstance(record, SharedFacts):
        heard = circle.take(record)
        if state.circle is not None and heard is circle:
            return Step(None, (), (), (), state.due)
        state.circle = heard
    else:
        state.dossier = own.add(record)
        if state.circle is not None and state.dossier is own:
            return Step(None, (), (), (), state.due)
        state.circle = circle
    now = Kinship(state.dossier, state.circle)
    state.circle = forget_who_left(state.circle, was, now)
    shared = tell(own, was, state.dossier, now, cause.caused_at)
    step = _advance(state, _news(record), time, cause, policy, changed=True)
    return Step(step.state, step.alerts, step.findings, step.cases, step.due, step.links, shared)


def revisit(state: bytes, subject: str, time: LogTime, cause: Cause, policy: Policy) -> Step:
    """Looks at a person again because time or coverage has reached what `due_of` said.

    Args:
        state: the person's packed state.
        subject: the person's pseudonym.
        time: the log's clock and coverage after the tick.
        cause: the tick.
        policy: the policy.

    Returns:
        What came of it; the state is none when nothing changed, not even when to look again.
    """
    return _advance(unpack(state, subject), "new_facts", time, cause, policy, changed=False)


def _advance(state: State, news: str, time: LogTime, cause: Cause, policy: Policy, *, changed: bool) -> Step:
    subject = state.dossier.subject
    answers, whole = True, state.dossier
    if state.circle is None:
        assessment = assess(whole, policy, time)
    else:
        kinship = Kinship(state.dossier, state.circle)
        answers = kinship.root == subject
        if answers:
            whole = together(whole, state.circle, kinship)
        assessment = assess(whole, policy, time, guarded=is_waited_for(state.circle, kinship, subject))
        if not answers:
            # Another pseudonym of the person answers for this one's facts too.
            assessment.findings = []
            assessment.suspended = set()
    situation = assessment.situation
    occasion = Occasion(subject, policy, cause.event_id, cause.caused_at, situation.now_ms)
    digest = policy_digest(policy.version)
    occasion.new_fact = "policy" if digest != state.policy_digest and news == "new_facts" else news
    alerts: tuple[Alert, ...] = ()
    findings: tuple[Finding, ...] = ()
    cases: tuple[Case, ...] = ()
    if assessment.findings or state.known:
        occasion.suspended = assessment.suspended
        occasion.outcome = lambda stay_on, deadline_on: outcome(situation, stay_on, deadline_on)
        told = _tell(assessment)
        if situation.decisions:
            keys = {one.key for one in state.known} | {one.found.key for one in told}
            occasion.acknowledged = _acknowledged(situation, keys, subject)
        versions = compare(state.known, told, occasion)
        alerts = tuple([one for one in versions if isinstance(one, Alert)])
        findings = tuple([one for one in versions if isinstance(one, Finding)])
        if alerts or state.cases:
            cases = _follow(state, told, assessment, cause)
    due = Due(situation.due_ms, situation.coverage.wait_ms, on_gaps=situation.coverage.on_gaps) if answers else NEVER
    links: tuple[LabourLink, ...] = ()
    other_policy = digest != state.policy_digest
    if (changed or alerts or other_policy) and (concerns_labour(whole.facts) or not answers):
        tied = situation if answers else Situation(Dossier(subject), policy, time)
        links = tell_links(state.links, state.known, tied, occasion)
    if not (changed or alerts or findings or cases or links) and due == state.due and not other_policy:
        return Step(None, (), (), (), due)
    state.due = due
    state.policy_digest = digest
    # What a sign of trafficking rests on stays: without it the sign would be taken back one day. So does what was told to
    # others: it must stay as it was told.
    if state.circle is None and not any(one.tells_kept for one in state.links):
        state.dossier = fold(state.dossier, assessment, time)
    return Step(state.pack(), alerts, findings, cases, due, links)


def _news(record: PersonEvent) -> str:
    """Returns what an alert that is taken back is put down to."""
    kind = type(record)
    if kind in _OF_LINKS:
        return "identity"
    if kind is BorderCrossing:
        return "exit_seen" if record.direction == "exit" else "new_facts"  # type: ignore[attr-defined]
    if kind is Correction:
        return "correction"
    if kind is Dispute:
        return "dispute"
    return "title_found" if kind in _TITLES else "new_facts"


def _tell(assessment: Assessment) -> list[Told]:
    """Returns the findings with the options that apply today."""
    policy = assessment.situation.policy
    return [Told(found, options, policy.at(found.first_day_on).by_rule[found.rule]) for found, options in offered(assessment)]


def _acknowledged(situation: Situation, keys: set[tuple[str, int, int]], subject: str) -> set[tuple[str, int, int]]:
    """Returns the conclusions officers acknowledged: one by one, or with their whole case."""
    alerts: set[bytes] = set()
    whole_cases: set[bytes] = set()
    for decision in situation.decisions:
        if decision.decision == "acknowledged":
            if decision.alert_id is None:
                whole_cases.add(decision.case_id)
            else:
                alerts.add(decision.alert_id)
    if not alerts and not whole_cases:
        return set()
    return {
        (rule, stay_on, deadline_on)
        for rule, stay_on, deadline_on in keys
        if conclusion_id(rule, subject, stay_on, deadline_on) in alerts or case_id_of(subject, stay_on) in whole_cases
    }


def _follow(state: State, told: list[Told], assessment: Assessment, cause: Cause) -> tuple[Case, ...]:
    """Brings the cases of all stays with a breach up to date."""
    subject = state.dossier.subject
    options = {one.found.key: one.options for one in told}
    by_stay: dict[int, list[Known]] = {}
    for known in state.known:
        if known.family == "breach":
            by_stay.setdefault(known.stay_on, []).append(known)
    found: list[Case] = []
    for alerts in by_stay.values():
        file = File(subject, alerts, options, assessment.situation, prove(assessment))
        ids = tuple([conclusion_id(one.rule, subject, one.stay_on, one.deadline_on) for one in alerts])
        case = follow(state.cases, file, cause.event_id, ids)
        if case is not None:
            found.append(case)
    return tuple(found)
