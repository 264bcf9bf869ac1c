"""Who may do what: one matrix, as data. Every route names one action; a route without one does not start (ADR 0090).

**Source**: issue of the console, People and safety; Concept of migration policy 2007-2015, a single link between agencies.
"""

from __future__ import annotations

from typing import Literal

Role = Literal["operator", "supervisor", "oblast_operator", "analyst", "auditor", "administrator"]
Action = Literal[
    "own_account",
    "see_overview",
    "see_alerts",
    "see_person",
    "acknowledge",
    "organise",
    "mute",
    "proceed",
    "record_dispute",
    "decide_dispute",
    "note",
    "decide",
    "propose_referral",
    "confirm_referral",
    "record_removal",
    "check_document",
    "settle_identity",
    "see_audit",
    "manage_accounts",
]

ROLES: tuple[Role, ...] = ("operator", "supervisor", "oblast_operator", "analyst", "auditor", "administrator")

_FIELD: frozenset[Role] = frozenset({"operator", "supervisor", "oblast_operator"})

MATRIX: dict[Action, frozenset[Role]] = {
    "own_account": frozenset(ROLES),
    "see_overview": _FIELD | {"analyst"},
    "see_alerts": _FIELD,
    "see_person": _FIELD,
    "acknowledge": _FIELD,
    # Who has what, what rests, saved views: work among colleagues, nothing that decides about a person.
    "organise": _FIELD,
    "mute": _FIELD,
    "proceed": _FIELD,
    # Anybody at a counter writes down that somebody disagrees; a supervisor who has not decided in the case decides it.
    "record_dispute": _FIELD,
    "decide_dispute": frozenset({"supervisor"}),
    "note": _FIELD,
    "decide": _FIELD,
    "propose_referral": _FIELD,
    # The second officer is a supervisor, and never the one who proposed.
    "confirm_referral": frozenset({"supervisor"}),
    "record_removal": frozenset({"supervisor"}),
    "check_document": _FIELD,
    # Who is whom touches everything known of two people: a supervisor's word, with the documents' evidence before them.
    "settle_identity": frozenset({"supervisor"}),
    # The auditor sees the audit and not the people; the administrator sees neither.
    "see_audit": frozenset({"auditor"}),
    "manage_accounts": frozenset({"administrator"}),
}


def may(role: str, action: Action) -> bool:
    """Returns whether a role may do something."""
    return role in MATRIX[action]


_SECOND_FACTOR: frozenset[Role] = frozenset({"supervisor", "auditor", "administrator"})


def needs_second_factor(role: str) -> bool:
    """Returns whether a role may do nothing before it has a second factor: who can confirm, oversee or let others in."""
    return role in _SECOND_FACTOR


def sees_one_oblast(role: str) -> bool:
    """Returns whether a role sees the one oblast of its account and nothing else."""
    return role == "oblast_operator"
