"""What may be decided on a case now, and by whom: one function for the page that offers it and for the server that takes it.

The stream has the last word: a decision its interlock forbids changes nothing. This is the first word.

**Source**: docs/rules.md, Cases, options, interlock; rights baseline 2 and 3; ADR 0094.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from streams.cases.options import REFERRAL
from streams.console.rights import Action, may
from streams.records.cases import Decision

DECISIONS: tuple[Decision, ...] = get_args(Decision)

ACTION: Mapping[Decision, Action] = {
    "acknowledged": "acknowledge",
    "contacted": "decide",
    "legalised": "decide",
    "left_voluntarily": "decide",
    "cleared": "decide",
    "order_to_leave": "decide",
    "referral_proposed": "propose_referral",
    "referral_confirmed": "confirm_referral",
    "removed": "record_removal",
    "reopened": "decide",
}
"""The right each decision needs."""

TOWARDS_REMOVAL: frozenset[Decision] = frozenset({"order_to_leave", "referral_proposed", "referral_confirmed", "removed"})
"""What is never offered on, nor taken for, a protected person's case."""

_OPEN = frozenset({"suspected", "contacted", "referred"})


@dataclass(frozen=True, slots=True)
class CaseNow:
    """What decides what may be decided.

    Attributes:
        stage: of the case's last version.
        protected: whether anything known says that the person is protected.
        options: the case's lawful options.
        decisions: (decision, officer) in the order that counts, ours that are on their way included.
    """

    stage: str
    protected: bool
    options: Sequence[str]
    decisions: Sequence[tuple[str, str]]

    @property
    def proposers(self) -> set[str]:
        """Returns who has proposed a referral since the case was last opened."""
        found: set[str] = set()
        for decision, officer in self.decisions:
            if decision == "reopened":
                found.clear()
            elif decision == "referral_proposed":
                found.add(officer)
        return found


def refusal(decision: Decision, case: CaseNow, officer: str, role: str) -> str:
    """Returns why an officer may not take a decision now, as a key of the texts; empty if they may.

    Args:
        decision: what they want to decide.
        case: how the case stands.
        officer: their pseudonym.
        role: their role.
    """
    if case.protected and decision in TOWARDS_REMOVAL:
        return "refused.protected"
    if not may(role, ACTION[decision]):
        return "refused.rights"
    if decision == "reopened":
        return "" if case.stage not in _OPEN else "refused.stage"
    if case.stage not in _OPEN:
        return "refused.stage"
    if decision == "contacted":
        return "" if case.stage == "suspected" else "refused.stage"
    if decision == "referral_proposed":
        return "" if REFERRAL in case.options else "refused.no_referral"
    if decision == "referral_confirmed":
        if REFERRAL not in case.options:
            return "refused.no_referral"
        return "" if case.proposers - {officer} else "refused.second_officer"
    if decision == "removed":
        return "" if case.stage == "referred" else "refused.stage"
    return ""


def offered(case: CaseNow, officer: str, role: str) -> list[Decision]:
    """Returns what an officer may decide now, help first, what leads towards removal last."""
    return [one for one in DECISIONS if one != "acknowledged" and not refusal(one, case, officer, role)]
