"""A check in the field: what is known about the holder of a document, and what they can lawfully do. Unknown is unknown.

The document's number comes in the body of a request, never in its address: addresses end up in logs and histories (ADR 0095).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from starlette.responses import JSONResponse, Response

from streams.cases.options import options_today
from streams.console.texts import Voice
from streams.console.visit import Refused, Visit, Way
from streams.console.wording import title_of
from streams.detect.calculator import calculate
from streams.documents import DocumentError, TravelDocument
from streams.documents.mrz import read_mrz
from streams.documents.number import canonical_country, canonical_number
from streams.errors import SetupError
from streams.person import dossier_of, root_of
from streams.policy.model import Policy
from streams.publish.holder import this_year
from streams.publish.pseudonym import pseudonyms
from streams.vault.masking import masked

EACH_MINUTE = 120
"""Checks of one account: enough for a control at a bus, too few to try numbers through."""

OCCASIONS = ("inspection", "border", "counter", "employer")
"""Why an officer looks somebody up; the audit has it. The first is meant where none is given."""

_PSEUDONYM = re.compile(r"p\d{1,6}-[0-9a-f]{32}")
ASKED = {"country": 3, "document": 40, "mrz": 200, "subject": 60}
"""What a check may be asked by, and how long it may be."""

COMPARED = ("surname", "given_names", "born_on", "sex", "expires_on", "personal_number")
"""What of a document as it is read is held against what was given before."""


def ways() -> list[Way]:
    """Returns the routes."""
    return [
        Way("/check", _page, "check_document"),
        Way("/check", _check_page, "check_document", ("POST",), each_minute=EACH_MINUTE),
        Way("/api/check", _check_api, "check_document", ("POST",), api=True, each_minute=EACH_MINUTE),
    ]


def answer_for(state: bytes | None, subject: str, policy: Policy, now_ms: int, say: Voice) -> dict[str, Any]:
    """Returns what a check says.

    Args:
        state: the person's packed state; none if nothing is known.
        subject: the pseudonym.
        policy: the policy.
        now_ms: the log's clock.
        say: the language of the sentences.

    Returns:
        ``status`` is ``unknown``, ``lawful``, ``no_title_known`` or ``not_present`` (by our records); days are ISO 8601.
    """
    if state is None:
        return {
            "status": "unknown",
            "message": say("check.unknown"),
            "protected": None,
            "last_lawful_day": None,
            "findings": [],
            "options": [],
        }
    today = policy.local_day(now_ms, "")
    found = calculate(dossier_of(state, subject), policy, today)
    situation = found.assessment.situation
    present = [line for line in found.ledger if line.first_on <= today <= line.last_on and line.standing != "unknown"]
    if not present:
        status = "not_present"
    elif any(line.standing == "no_title_known" for line in present):
        status = "no_title_known"
    else:
        status = "lawful"
    running = any(stay.is_open for stay in situation.presence.stays)
    return {
        "status": status,
        "message": say("check." + status),
        "protected": found.assessment.protected,
        "last_lawful_day": _iso(found.last_lawful_day) if running and status == "lawful" else None,
        "findings": [
            {"rule": one.rule, "title": title_of(one.rule, one.grade, policy, say), "grade": one.grade}
            for one in found.assessment.findings
            if one.is_open
        ],
        "options": [
            {"option": name, "title": say.of(policy.option_texts.get(name), name)} for name in options_today(found.assessment)
        ],
    }


def _iso(day: int | None) -> str | None:
    from datetime import date, timedelta

    return None if day is None else (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def held_of(read: TravelDocument, known: TravelDocument | None) -> dict[str, Any]:
    """Returns what a check says of the document itself.

    Args:
        read: as it lies before the officer.
        known: as the vault has it under the same number; none if it was never given.

    Returns:
        ``known``; ``differs``: the fields in which it differs from what was given before, where both say something; ``shown``:
        what was given before, masked.
    """
    if known is None:
        return {"known": False, "differs": [], "shown": None}
    pairs = ((name, getattr(read, name), getattr(known, name)) for name in COMPARED)
    return {
        "known": True,
        "differs": [name for name, mine, theirs in pairs if mine and theirs and mine != theirs],
        "shown": asdict(masked(known)),
    }


def _document(country: str, number: str, zone: str) -> TravelDocument:
    """Returns the document that is checked: by its machine-readable zone, or by country and number.

    Raises:
        Refused: it is none.
    """
    try:
        if zone:
            found = read_mrz(zone, this_year())
            if found.is_visa:
                raise Refused(422, "refused.mrz")  # a visa's number is not the document's
            return found.document
        return TravelDocument(canonical_country(country), canonical_number(number))
    except DocumentError:
        raise Refused(422, "refused.mrz" if zone else "refused.document") from None


def _check(visit: Visit, asked: Mapping[str, str], occasion: str) -> dict[str, Any]:
    """Looks someone up, and says so in the audit: who, when, why, and of whom only for who knows the pseudonym already.

    Args:
        visit: who asks.
        asked: of `ASKED`: a document's country and number, a zone, or a pseudonym; empty where it is not given.
        occasion: why.

    Raises:
        Refused: the document is none, the key is missing, or the records have not all been read yet.
    """
    if occasion not in OCCASIONS:
        raise Refused(422, "refused.form")
    read: TravelDocument | None = None
    subject = asked["subject"]
    if subject:
        if not _PSEUDONYM.fullmatch(subject):
            raise Refused(422, "refused.document")
    else:
        read = _document(asked["country"], asked["document"], asked["mrz"])
        try:
            subject = pseudonyms(visit.desk.settings).holder(read)
        except SetupError:
            raise Refused(503, "refused.no_key") from None
    states = visit.desk.states
    if not states.caught_up:
        raise Refused(503, "refused.still_reading")
    held = subject
    state = states.get(subject)
    if state is not None and (root := root_of(state, subject)) != subject:
        # Another pseudonym of the person answers for all of them.
        state, subject = states.get(root), root
    found = answer_for(state, subject, visit.desk.policy, visit.desk.steady_clock(), visit.say)
    found["document"] = None
    if read is not None and visit.desk.vault is not None:
        known = visit.desk.vault.read(held, f"a check: {occasion}", officer=visit.account.officer, about=trace_of(held))
        found["document"] = held_of(read, known)
    visit.audit("check", f"{found['status']} {trace_of(subject)}", occasion)
    return found


def trace_of(subject: str) -> str:
    """Returns what the audit keeps of whom a check was about.

    Whoever has the pseudonym can find the checks of that person; nobody finds a person from the audit.
    """
    return sha256(f"check {subject}".encode()).hexdigest()[:16]


def _page(visit: Visit) -> Response:
    return visit.page("check.html", found=None, occasions=OCCASIONS)


def _check_page(visit: Visit) -> Response:
    occasion = visit.field("occasion", 20) or OCCASIONS[0]
    found = _check(visit, {name: visit.field(name, longest) for name, longest in ASKED.items()}, occasion)
    return visit.page("check.html", found=found, occasions=OCCASIONS)


def _check_api(visit: Visit) -> Response:
    texts = {name: visit.body.get(name, "") for name in ASKED}
    if not all(isinstance(value, str) and len(value) <= ASKED[name] for name, value in texts.items()):
        raise Refused(422, "refused.document")
    occasion = visit.body.get("occasion", OCCASIONS[0])
    return JSONResponse(_check(visit, texts, occasion))
