"""Lawful options of a finding, in the order in which they must be considered: help first, a referral last, if at all.

**Source**: docs/rules.md, Cases, options, interlock; Concept of migration policy 2007-2015: legalisation before sanctions.
"""

from __future__ import annotations

from typing import Final

from streams.cases.interlock import Unprotected, prove
from streams.detect.assess import Assessment
from streams.detect.finding import Found
from streams.detect.rules.bans import ENTRY_DURING_BAN
from streams.detect.rules.overstay import RULES as OVERSTAY
from streams.detect.situation import Situation
from streams.policy.model import Rules

REFERRAL: Final = "officer_may_consider_referral"
_LEGALISATION: Final = "legalisation_window"
_LEAVE: Final = "leave_by_own_means"

_MAY_LEAD_TO_REFERRAL: Final = frozenset({*OVERSTAY, ENTRY_DURING_BAN})


def offered(assessment: Assessment) -> list[tuple[Found, tuple[str, ...]]]:
    """Returns every finding with the options that apply today; says when a legalisation campaign may begin or end."""
    situation = assessment.situation
    today = situation.policy.at(situation.today)
    proof = prove(assessment)
    told: list[tuple[Found, tuple[str, ...]]] = []
    for found in assessment.findings:
        listed = situation.policy.at(found.first_day_on).by_rule[found.rule].options
        told.append((found, options_of(listed, found, window=today.legalisation_window, proof=proof)))
        if found.is_open and _LEGALISATION in listed:
            _look_when_the_window_changes(situation, today)
    return told


def _look_when_the_window_changes(situation: Situation, today: Rules) -> None:
    """Says on which coming day a legalisation campaign begins or ends."""
    rules = today
    while rules.until_on is not None:
        rules = situation.policy.at(rules.until_on + 1)
        if rules.legalisation_window != today.legalisation_window:
            situation.look_again_on(rules.from_on, situation.country)
            return


def options_today(assessment: Assessment) -> tuple[str, ...]:
    """Returns the options of all open findings, each once, in the order they must be considered."""
    given = [options for found, options in offered(assessment) if found.is_open]
    return tuple([one for one in assessment.situation.policy.option_texts if any(one in options for options in given)])


def options_of(listed: tuple[str, ...], found: Found, *, window: bool, proof: Unprotected | None) -> tuple[str, ...]:
    """Returns the options of a finding.

    Args:
        listed: what the policy lists for the rule, in order.
        found: the finding.
        window: whether a legalisation campaign is open today.
        proof: that the person is not protected; none if they are.
    """
    options = tuple(
        [
            option
            for option in listed
            if option != REFERRAL
            and (window or option != _LEGALISATION)
            and (option != _LEAVE or (proof is not None and not found.departed))
        ]
    )
    if proof is not None and REFERRAL in listed and found.is_open and found.grade == "established":
        return with_referral(options, found, proof)
    return options


def with_referral(options: tuple[str, ...], found: Found, proof: Unprotected) -> tuple[str, ...]:
    """Returns the options with, last, the referral an officer may consider: the only place it is ever added."""
    if not isinstance(proof, Unprotected) or found.rule not in _MAY_LEAD_TO_REFERRAL:
        return options
    return (*options, REFERRAL)
