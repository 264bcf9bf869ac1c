"""The feed: what came, the newest first; live where the browser can; acknowledged one by one or many at once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response, StreamingResponse

from streams.cases.follow import case_id_of
from streams.clock import now_ms
from streams.console.decisions import Taken
from streams.console.filters import FAMILIES, GRADES, SEVERITIES, STATES, Filter, read
from streams.console.live import Entry, Feed, read_position, write_position
from streams.console.reading import PAGE
from streams.console.visit import SESSION_COOKIE, Refused, Visit, Way
from streams.records import Alert

BEAT_S = 15.0
"""A feed says at least so often that it lives; and looks whether its session still does."""
AT_ONCE = 500
_SEEN = ("raised", "amended")


def ways() -> list[Way]:
    """Returns the routes."""
    return [
        Way("/feed", _feed, "see_alerts"),
        Way("/feed/live", _live, "see_alerts", api=True),
        Way("/feed/acknowledge", _acknowledge, "acknowledge", ("POST",)),
        Way("/alerts/{id}/row", _row, "see_alerts"),
    ]


def wanted_by(visit: Visit) -> Filter:
    """Returns the filter in the URL.

    Raises:
        Refused: a value is none of those there are.
    """
    wanted = read(visit.request.query_params, visit.desk.policy)
    if wanted is None:
        raise Refused(422, "refused.filter")
    return wanted


def _feed(visit: Visit) -> Response:
    wanted = wanted_by(visit)
    reading = visit.desk.reading
    # Before the list: what the list does not have yet comes live, what it has twice is recognised by its version.
    position = reading.positions()
    rows = reading.alerts(wanted, visit.oblast, limit=PAGE + 1)
    more = rows[PAGE - 1] if len(rows) > PAGE else None
    policy = visit.desk.policy
    return visit.page(
        "feed.html",
        wanted=wanted,
        rows=rows[:PAGE],
        older=f"{more['decided_ms']}.{more['alert_id']}" if more else "",
        counts=reading.counts(wanted, visit.oblast),
        position=write_position(position),
        states=list(STATES),
        grades=GRADES,
        severities=SEVERITIES,
        families=FAMILIES,
        rules=[name for name, terms in policy.at(visit.desk.today()).by_rule.items() if terms.family in FAMILIES],
        done=visit.request.query_params.get("done", ""),
    )


def _row(visit: Visit) -> Response:
    found = visit.desk.reading.some([visit.id_in_path()], visit.oblast)
    if not found:
        raise Refused(404, "refused.nothing_here")
    found[0] |= {"has_employer": bool(found[0]["employer"]), "personal": is_person(found[0]["subject"])}
    return HTMLResponse(draw(visit, found[0]))


def draw(visit: Visit, row: dict[str, Any]) -> str:
    """Returns a row of the feed as HTML."""
    return visit.desk.pages.get_template("feed_row.html").render(row=row, say=visit.say, desk=visit.desk)


def _live(visit: Visit) -> Response:
    wanted = wanted_by(visit)
    told = visit.request.headers.get("last-event-id") or visit.request.query_params.get("from", "")
    position = read_position(told)
    if position is None:
        raise Refused(422, "refused.form")
    return StreamingResponse(
        _stream(visit, wanted, position),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _stream(visit: Visit, wanted: Filter, position: dict[int, int]) -> AsyncIterator[str]:
    feed = Feed(visit.desk.live, position)
    token = visit.request.cookies.get(SESSION_COOKIE, "")
    oblast = visit.oblast
    yield "retry: 2000\n\n"
    if not feed.is_complete():
        yield "event: reload\ndata: {}\n\n"
        return
    while True:
        entries = await feed.next(BEAT_S)
        if entries is None:
            yield "event: reload\ndata: {}\n\n"
            return
        if not entries:
            if await run_in_threadpool(visit.desk.sessions.peek, token, now_ms()) is None:
                yield "event: over\ndata: {}\n\n"
                return
            yield ": still here\n\n"
            continue
        events = [_event(visit, entry, wanted) for entry in entries if not oblast or entry.alert.oblast == oblast]
        # One id behind the whole group: a break inside it repeats the group, and versions make the repetition harmless.
        yield "".join(events) + f"event: place\nid: {write_position(feed.position)}\ndata: {{}}\n\n"


def _event(visit: Visit, entry: Entry, wanted: Filter) -> str:
    alert = entry.alert
    content: dict[str, Any] = {"id": str(UUID(bytes=alert.alert_id)), "version": alert.version, "shown": wanted.shows(alert)}
    language = visit.say.language
    if content["shown"]:
        if language not in entry.drawn:
            entry.drawn[language] = draw(visit, row_of(alert))
        content["html"] = entry.drawn[language]
    return f"event: alert\ndata: {json.dumps(content, ensure_ascii=False)}\n\n"


def row_of(alert: Alert) -> dict[str, Any]:
    """Returns a version as the warehouse would show it in a row."""
    names = ("version", "rule", "family", "state", "grade", "severity", "stay_on", "deadline_on", "first_day_on", "last_day_on")
    row = {name: getattr(alert, name) for name in (*names, "days", "group", "oblast", "post", "reason", "decided_at")}
    return row | {
        "alert_id": UUID(bytes=alert.alert_id),
        "has_employer": bool(alert.employer),
        "personal": is_person(alert.subject),
        "decided_ms": alert.decided_at,
    }


def is_person(subject: str) -> bool:
    """Returns whether a pseudonym is a person's: an employer's alert has no case, and no decision event exists for it yet."""
    return subject.startswith("p")


def _acknowledge(visit: Visit) -> Response:
    try:
        ids = {UUID(str(value)) for value in visit.form.getlist("alert")}
    except ValueError:
        raise Refused(422, "refused.form") from None
    if not ids or len(ids) > AT_ONCE:
        raise Refused(422, "refused.nothing_chosen")
    found = visit.desk.reading.some(ids, visit.oblast)
    if len(found) < len(ids):
        raise Refused(404, "refused.nothing_here")  # gone, or of another oblast: nothing is acknowledged
    reason = visit.field("reason") or "acknowledged"
    taken = [
        Taken(
            "acknowledged",
            row["subject"],
            case_id_of(row["subject"], visit.desk.day_of(row["stay_on"])),
            row["alert_id"].bytes,
            reason,
        )
        for row in sorted(found, key=lambda one: str(one["alert_id"]))
        if row["state"] in _SEEN and is_person(row["subject"])
    ]
    sent = visit.desk.decisions.take(visit.account.officer, taken)
    back = visit.field("back")
    query = back if read(dict(part.split("=", 1) for part in back.split("&") if "=" in part), visit.desk.policy) else ""
    done = "sent" if sent else "kept"
    return visit.go(f"/feed?{query}&done={done}" if query else f"/feed?done={done}")
