"""Search: an exact key leads to what it names, words become a filter. Keys come in a form's body, never in an address."""

from __future__ import annotations

import re
from uuid import UUID

from starlette.responses import Response

from streams.console.filters import Filter, read
from streams.console.visit import Refused, Visit, Way
from streams.warehouse.columns import quote

_SUBJECT = re.compile(r"[pe]\d{1,3}-[0-9a-f]{32}")


def ways() -> list[Way]:
    """Returns the routes."""
    return [Way("/search", _search, "see_alerts", ("POST",))]


def _search(visit: Visit) -> Response:
    asked = visit.field("q", 80)
    visit.audit("searched", "", "key" if _key(asked) or _SUBJECT.fullmatch(asked) else "words")
    if _SUBJECT.fullmatch(asked):
        return visit.go(_of_subject(visit, asked))
    if (key := _key(asked)) is not None:
        return visit.go(_of_key(visit, key))
    wanted = read({"text": asked, "state": "all"}, visit.desk.policy)
    if wanted is None or not wanted.text:
        raise Refused(422, "refused.search")
    return visit.go(f"/feed?{wanted.query}")


def _key(asked: str) -> UUID | None:
    try:
        return UUID(asked)
    except ValueError:
        return None


def _first_alert(visit: Visit, where: str) -> str:
    """Returns the id of the newest alert a condition names; the address of a page can hold it.

    Raises:
        Refused: there is none for the visitor.
    """
    within = f" AND oblast = {quote(visit.oblast)}" if visit.oblast else ""
    rows = visit.desk.reading.ask(
        f"SELECT alert_id FROM alerts_now WHERE ({where}){within} ORDER BY decided_at DESC, toString(alert_id) LIMIT 1"  # noqa: S608
    )
    if not rows:
        raise Refused(404, "refused.not_found")
    return str(rows[0]["alert_id"])


def _of_subject(visit: Visit, subject: str) -> str:
    if subject.startswith("p"):
        wanted = Filter(state="all", same_person=_first_alert(visit, f"subject = {quote(subject)}"))
    else:
        about = f"subject = {quote(subject)} OR employer = {quote(subject)}"
        wanted = Filter(state="all", same_employer=_first_alert(visit, about))
    return f"/feed?{wanted.query}"


def _of_key(visit: Visit, key: UUID) -> str:
    """Returns where an id leads: an alert, a case, an event an alert rests on, an address."""
    if visit.desk.reading.alert(key, visit.oblast) is not None:
        return f"/alerts/{key}"
    if visit.desk.reading.case(key, visit.oblast) is not None:
        return f"/cases/{key}"
    named = quote(str(key))
    residents = f"SELECT subject FROM core_stay_registration WHERE address_key = {named}"  # noqa: S608
    try:
        return f"/feed?{Filter(state='all', same_address=_first_alert(visit, f'subject IN ({residents})')).query}"
    except Refused:
        return f"/alerts/{_first_alert(visit, f'has(evidence, toUUID({named})) OR caused_by = toUUID({named})')}"
