"""One employer, one step: a declaration comes; what has to be told follows. Packed bytes in, packed bytes out.

**Source**: docs/rules.md, Employers; ADR 0065.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from streams.alerts.lifecycle import Occasion, Told, compare
from streams.cases.options import options_of
from streams.detect.employers import share
from streams.detect.employers.headcounts import Headcounts
from streams.detect.finding import Found
from streams.employer.state import State, unpack
from streams.policy.model import Policy
from streams.records import Alert, EmployerDeclaration, Finding


@dataclass(frozen=True, slots=True)
class Step:
    """What came of looking at one employer once.

    Attributes:
        state: the new packed state; none when nothing changed, so nothing need be written.
        alerts: new versions of alerts, in order.
        findings: new versions of findings, in order.
    """

    state: bytes | None
    alerts: tuple[Alert, ...]
    findings: tuple[Finding, ...]


def take(state: bytes | None, record: EmployerDeclaration, caused_at: int, policy: Policy) -> Step:
    """Takes one declaration of an employer.

    Args:
        state: the employer's packed state; none if it is new.
        record: the declaration.
        caused_at: the broker's timestamp of it, UTC epoch ms.
        policy: the policy.

    Returns:
        What came of it. A declaration that is known already changes nothing: the state is none then.
    """
    subject = record.subject
    digest = zlib.crc32(policy.version.encode())
    before = State(Headcounts(subject), [], digest) if state is None else unpack(state, subject)
    headcounts = before.headcounts.add(record)
    if headcounts is before.headcounts:
        return Step(None, (), ())
    before.headcounts = headcounts
    # There are no ticks in the employers' log: its clock is the latest of what was declared, whatever came first.
    now_ms = max(one.occurred_at for one in headcounts.declarations)
    occasion = Occasion(subject, policy, record.event_id, caused_at, now_ms)
    occasion.amended = "evidence"
    if digest != before.policy_digest:
        occasion.new_fact = "policy"
    versions = compare(before.known, [_tell(found, policy) for found in share.find(headcounts, policy)], occasion)
    before.policy_digest = digest
    return Step(
        before.pack(),
        tuple([one for one in versions if isinstance(one, Alert)]),
        tuple([one for one in versions if isinstance(one, Finding)]),
    )


def _tell(found: Found, policy: Policy) -> Told:
    """Returns a finding with the policy's options, less those that are only a person's: to leave, a campaign, a referral."""
    terms = policy.at(found.first_day_on).by_rule[found.rule]
    options = options_of(terms.options, found, window=False, proof=None)
    # Two contents under one id change neither evidence nor days told by it: what they do change is named here.
    return Told(found, options, terms, f"|{found.oblast}|{found.sector}|{found.days}")
