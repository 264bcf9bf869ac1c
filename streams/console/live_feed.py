"""The feed, live: server-sent events with a place in the log, so that a break loses nothing (ADR 0092, ADR 0143)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from streams.clock import monotonic_s, now_ms
from streams.console.feed import draw, row_of, wanted_by
from streams.console.filters import Filter
from streams.console.live import Entry, Feed, Stretch, read_position, write_position
from streams.console.visit import SESSION_COOKIE, Refused, Visit, Way
from streams.console.work import Moment

BEAT_S = 15.0
"""So often a feed looks whether its session still lives, and says that it does itself if there was nothing to tell."""

_RETRY = b"retry: 2000\n\n"
_RELOAD = b"event: reload\ndata: {}\n\n"
_OVER = b"event: over\ndata: {}\n\n"
_STILL_HERE = b": still here\n\n"


def ways() -> list[Way]:
    """Returns the routes."""
    return [Way("/feed/live", _live, "see_alerts", api=True)]


def _live(visit: Visit) -> Response:
    wanted = wanted_by(visit)
    told = visit.request.headers.get("last-event-id") or visit.request.query_params.get("from", "")
    position = read_position(told)
    if position is None:
        raise Refused(422, "refused.form")
    return StreamingResponse(
        _stream(visit, wanted, Feed(visit.desk.live, position)),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _stream(visit: Visit, wanted: Filter, feed: Feed) -> AsyncIterator[bytes]:
    token = visit.request.cookies.get(SESSION_COOKIE, "")
    oblast, work = visit.oblast, visit.desk.work
    told = visit.request.query_params.get("work", "")
    number = (
        min(int(told), work.number) if told.isdecimal() and len(told) < 18 else work.number
    )  # it starts anew with the console
    yield _RETRY
    if not feed.is_complete():
        yield _RELOAD
        return
    looked_s = monotonic_s()
    while True:
        patience_s = max(looked_s + BEAT_S - monotonic_s(), 0.0)
        stretch = await feed.next(patience_s, lambda seen=number: work.number > seen)  # type: ignore[misc]
        if stretch is None:
            yield _RELOAD
            return
        if monotonic_s() >= looked_s + BEAT_S:
            # However much there is to tell: who was signed out elsewhere is told nothing more.
            looked_s = monotonic_s()
            if await run_in_threadpool(visit.desk.sessions.peek, token, now_ms()) is None:
                yield _OVER
                return
            if not stretch.entries:
                yield _STILL_HERE
        if work.number > number:
            number, changed = work.changed_since(number)
            if changed and oblast:
                theirs = await run_in_threadpool(visit.desk.reading.some, map(UUID, changed), oblast)
                changed = [str(row["alert_id"]) for row in theirs]
            if changed:
                yield f"event: work\ndata: {json.dumps(changed)}\n\n".encode()
        if stretch.entries:
            # One id behind the whole stretch: a break inside it repeats it, and versions make the repetition harmless.
            yield _told(visit, wanted, stretch) + f"event: place\nid: {write_position(feed.position)}\ndata: {{}}\n\n".encode()


def _told(visit: Visit, wanted: Filter, stretch: Stretch) -> bytes:
    """Returns a stretch as events, written once for everybody who sees the same of it."""
    if stretch.span is None:
        return _written(visit, wanted, stretch.entries)
    owner = visit.account.officer if wanted.owner == "me" else ""
    seen_by = (visit.say.language, visit.oblast, wanted.query, owner)
    key = (stretch.span, visit.desk.work.number, seen_by)
    return visit.desk.editions.of(key, lambda: _written(visit, wanted, stretch.entries))


def _written(visit: Visit, wanted: Filter, entries: list[Entry]) -> bytes:
    moment, oblast = visit.desk.work.moment(visit.account.officer), visit.oblast
    return b"".join([_event(visit, one, wanted, moment) for one in entries if not oblast or one.alert.oblast == oblast])


def _event(visit: Visit, entry: Entry, wanted: Filter, moment: Moment) -> bytes:
    alert = entry.alert
    content: dict[str, Any] = {"id": str(UUID(bytes=alert.alert_id)), "version": alert.version, "shown": False}
    if not wanted.shows(alert, moment):
        return _data(content)

    def write() -> bytes:
        return _data(content | {"shown": True, "html": draw(visit, row_of(alert) | {"received_ms": entry.received_at})})

    key = (entry.partition, entry.offset, visit.desk.work.number, visit.say.language)
    return visit.desk.editions.of(key, write)


def _data(content: dict[str, Any]) -> bytes:
    return f"event: alert\ndata: {json.dumps(content, ensure_ascii=False)}\n\n".encode()
