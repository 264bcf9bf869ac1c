"""Lawful options of a finding, in the order in which they must be considered: help first, a referral last, if at all.

**Source**: docs/rules.md, Cases, options, interlock; Concept of migration policy 2007-2015: legalisation before sanctions.
"""

from __future__ import annotations

from streams.cases.interlock import Unprotected
from streams.detect.finding import Found
from streams.detect.rules.bans import ENTRY_DURING_BAN
from streams.detect.rules.overstay import RULES as OVERSTAY

REFERRAL = "officer_may_consider_referral"
_LEGALISATION = "legalisation_window"
_LEAVE = "leave_by_own_means"

_MAY_LEAD_TO_REFERRAL = frozenset({*OVERSTAY, ENTRY_DURING_BAN})


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
