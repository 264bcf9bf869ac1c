"""Pseudonyms that may be one person: a supervisor looks at the evidence and says yes or no. The machine only proposes (ADR 0148).

A yes leaves as an ``identity_link`` event in the officer's name; a no is kept in the vault, and the pair is not proposed again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from streams.console.decisions import Linked
from streams.console.visit import Refused, Visit, Way
from streams.errors import UsageError
from streams.person import root_of
from streams.vault.candidates import Candidate, Candidates

PARTS = ("names", "birth_date", "personal_number", "sex", "state")
"""The evidence, in the order shown."""

AT_MOST = 200
_SHORTEST_REASON = 5


@dataclass(frozen=True, slots=True)
class Proposed:
    """A candidate as the pages show it.

    Attributes:
        id: of the candidate, as text.
        score: from 0 to 1.
        state: proposed, accepted or rejected.
        evidence: part and its value: a likeness of 0 to 1 for names, otherwise a word.
    """

    id: str
    score: float
    state: str
    evidence: list[tuple[str, Any]]


def ways() -> list[Way]:
    """Returns the routes."""
    return [
        Way("/identity", _list, "settle_identity"),
        Way("/identity/{id}", _ask_why, "settle_identity"),
        Way("/identity/{id}", _look, "settle_identity", ("POST",)),
        Way("/identity/{id}/decision", _settle, "settle_identity", ("POST",)),
    ]


def _candidates(visit: Visit) -> Candidates:
    """Returns what finds candidates.

    Raises:
        Refused: there is no vault here, or the states have not all been read: who is linked already is not known yet.
    """
    desk = visit.desk
    if desk.vault is None:
        raise Refused(503, "refused.no_vault")
    if not desk.states.caught_up:
        raise Refused(503, "refused.still_reading")

    def root(subject: str) -> str:
        state = desk.states.get(subject)
        return subject if state is None else root_of(state, subject)

    return Candidates(desk.vault, lambda one, other: root(one) == root(other))


def _shown(candidate: Candidate) -> Proposed:
    evidence = json.loads(candidate.pair.evidence)
    return Proposed(
        str(candidate.id),
        candidate.pair.score,
        candidate.pair.state,
        [(name, evidence[name]) for name in PARTS if name in evidence],
    )


def _list(visit: Visit) -> Response:
    candidates = _candidates(visit)
    candidates.find()
    waiting = candidates.open()
    visit.audit("see_identity_candidates", "", str(len(waiting)))
    return visit.page("identity.html", waiting=[_shown(one) for one in waiting[:AT_MOST]], number=len(waiting))


def _one(visit: Visit) -> Candidate:
    found = _candidates(visit).one(visit.id_in_path())
    if found is None:
        raise Refused(404, "refused.nothing_here")
    return found


def _ask_why(visit: Visit) -> Response:
    return visit.page("identity_pair.html", one=_shown(_one(visit)), documents=None, trouble="")


def _look(visit: Visit, *, status: int = 200, trouble: str = "") -> Response:
    found = _one(visit)
    reason = visit.field("reason", 500)
    if len(reason) < _SHORTEST_REASON:
        sentence = visit.say("person.reason_missing")
        return visit.page("identity_pair.html", status=422, one=_shown(found), documents=None, trouble=sentence)
    vault = visit.desk.vault
    assert vault is not None  # noqa: S101  # _one refuses without it
    officer = visit.account.officer
    documents = [
        vault.reveal(subject, reason, officer=officer, about=str(found.id)) for subject in (found.pair.first, found.pair.second)
    ]
    return visit.page("identity_pair.html", status=status, one=_shown(found), documents=documents, trouble=trouble)


def _settle(visit: Visit) -> Response:
    candidates = _candidates(visit)
    found = _one(visit)
    reason, decision = visit.field("reason", 500), visit.field("decision", 10)
    if decision not in ("accept", "reject"):
        raise Refused(422, "refused.form")
    if len(reason) < _SHORTEST_REASON:
        return visit.page(
            "identity_pair.html", status=422, one=_shown(found), documents=None, trouble=visit.say("person.reason_missing")
        )
    if found.pair.state != "proposed":
        raise Refused(409, "refused.decided_already")
    officer = visit.account.officer
    if decision == "accept":
        # The event first: a pair noted as accepted without its link would be lost; a link sent twice is one link.
        visit.desk.decisions.link(officer, Linked(found.pair.second, found.pair.first, found.id.bytes, reason))
    else:
        visit.audit("decided_identity_rejected", str(found.id), reason)
    try:
        candidates.settle(found, accepted=decision == "accept", officer=officer, reason=reason)
    except UsageError:
        raise Refused(409, "refused.decided_already") from None
    return visit.go("/identity")
