"""A check in the field: what is known about the holder of a document, and what they can lawfully do. Unknown is unknown.

The document's number comes in the body of a request, never in its address: addresses end up in logs and histories (ADR 0095).
"""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import JSONResponse, Response

from streams.cases.options import options_today
from streams.console.texts import Voice
from streams.console.visit import Refused, Visit, Way
from streams.console.wording import title_of
from streams.detect.calculator import calculate
from streams.errors import SetupError, UsageError
from streams.person import dossier_of, root_of
from streams.policy.model import Policy
from streams.publish.pseudonym import pseudonyms

EACH_MINUTE = 120
"""Checks of one account: enough for a control at a bus, too few to try numbers through."""

_PSEUDONYM = re.compile(r"p\d{1,6}-[0-9a-f]{32}")
_COUNTRY = re.compile(r"[A-Za-z]{1,3}")


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


def _check(visit: Visit, country: str, document: str, subject: str) -> dict[str, Any]:
    """Looks someone up, and says so in the audit (that a check was made, not of whom).

    Raises:
        Refused: the document is none, the key is missing, or the records have not all been read yet.
    """
    if subject:
        if not _PSEUDONYM.fullmatch(subject):
            raise Refused(422, "refused.document")
    else:
        if not _COUNTRY.fullmatch(country):
            raise Refused(422, "refused.document")
        try:
            subject = pseudonyms(visit.desk.settings).person(country, document)
        except SetupError:
            raise Refused(503, "refused.no_key") from None
        except UsageError:
            raise Refused(422, "refused.document") from None
    states = visit.desk.states
    if not states.caught_up:
        raise Refused(503, "refused.still_reading")
    state = states.get(subject)
    if state is not None and (root := root_of(state, subject)) != subject:
        # Another pseudonym of the person answers for all of them.
        state, subject = states.get(root), root
    found = answer_for(state, subject, visit.desk.policy, visit.desk.steady_clock(), visit.say)
    visit.audit("check", found["status"])
    return found


def _page(visit: Visit) -> Response:
    return visit.page("check.html", found=None)


def _check_page(visit: Visit) -> Response:
    found = _check(visit, visit.field("country", 3), visit.field("document", 40), visit.field("subject", 60))
    return visit.page("check.html", found=found)


def _check_api(visit: Visit) -> Response:
    texts = {name: visit.body.get(name, "") for name in ("country", "document", "subject")}
    if not all(isinstance(value, str) for value in texts.values()):
        raise Refused(422, "refused.document")
    return JSONResponse(_check(visit, texts["country"], texts["document"], texts["subject"]))
