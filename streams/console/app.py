"""The web application: every route with the action it needs, and what stands before all of them."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from streams.console import (
    alert_page,
    api,
    case_page,
    check,
    disputes,
    employer_page,
    entry,
    feed,
    grouping,
    handover,
    identity_pages,
    live_feed,
    mutes,
    overview,
    password_page,
    post_pages,
    proceeding_pages,
    provider_page,
    saved_views,
    search,
    second_factor_page,
    source_pages,
    staff,
    triage,
)
from streams.console.desk import Desk
from streams.console.texts import choose
from streams.console.visit import LANGUAGE_COOKIE, Headers, Visit, Way

STATIC = Path(__file__).parent / "static"


def ways() -> list[Way]:
    """Returns every route that is ours."""
    work = (
        feed,
        live_feed,
        grouping,
        handover,
        search,
        triage,
        mutes,
        saved_views,
        alert_page,
        case_page,
        proceeding_pages,
        disputes,
    )
    rooms = (
        entry,
        second_factor_page,
        provider_page,
        password_page,
        overview,
        post_pages,
        source_pages,
        *work,
        employer_page,
        check,
        identity_pages,
        api,
        staff,
    )
    return [way for room in rooms for way in room.ways()]


def application(desk: Desk, hosts: list[str] | None = None) -> Starlette:
    """Returns the application.

    Args:
        desk: the parts.
        hosts: names under which browsers may call us (a foreign name that points here is refused); loopback's if none.
    """

    async def livez(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        trouble = await run_in_threadpool(desk.trouble)
        return PlainTextResponse(f"{trouble or 'ok'}\n", 503 if trouble else 200)

    async def lost(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        visit = Visit(desk, request, choose(request.cookies.get(LANGUAGE_COOKIE, ""), request.headers.get("accept-language", "")))
        return visit.page(
            "refused.html", status=status, sentence=visit.say("refused.nothing_here" if status < 500 else "refused.fault")
        )

    return Starlette(
        routes=[
            Route("/livez", livez),
            Route("/readyz", readyz),
            *(way.route(desk) for way in ways()),
            Mount("/static", StaticFiles(directory=STATIC), name="static"),
        ],
        middleware=[
            Middleware(Headers, secure=desk.secure),
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts or ["127.0.0.1", "localhost", "[::1]"], www_redirect=False),
        ],
        exception_handlers={HTTPException: lost},
    )
