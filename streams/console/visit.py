"""One request on its way to a page: who asks, in which language, with which rights; and what every answer carries.

Handlers are plain functions run in threads: they may ask the store and the warehouse without an event loop in mind.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from streams.clock import now_ms
from streams.console.accounts import Account
from streams.console.pace import Pace
from streams.console.rights import Action, may, sees_one_oblast
from streams.console.sessions import Session
from streams.console.texts import Voice, choose
from streams.errors import ShekaraError

if TYPE_CHECKING:
    from streams.console.desk import Desk

log = structlog.get_logger(__name__)

SESSION_COOKIE = "shekara_session"
HALF_COOKIE = "shekara_half"
PROVIDER_COOKIE = "shekara_provider"
LANGUAGE_COOKIE = "shekara_language"
MAX_FORM_BYTES = 64 * 1024
MAX_FORM_FIELDS = 600
"""A page's worth of ticked rows and a little more."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": with it browsers send "Origin: null" with our own forms, and we could not tell them from others'.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
OVER_TLS = {"Strict-Transport-Security": "max-age=31536000"}
"""Only where browsers reach us over TLS: on loopback it would lock other programs of the machine out of http."""


class Refused(Exception):  # noqa: N818  # an answer, not a fault of the program
    """Ends a request with a status and one sentence.

    Args:
        status: HTTP status.
        key: key of the sentence in the texts.
    """

    def __init__(self, status: int, key: str) -> None:
        super().__init__(key)
        self.status = status
        self.key = key


@dataclass(slots=True)
class Visit:
    """What a handler is given.

    Attributes:
        desk: the console's parts.
        request: the request; its form, if it has one, is in ``form``.
        say: the voice of the visitor's language.
        session: none before sign-in.
        form: fields of a POST.
        body: JSON of a POST to the API.
    """

    desk: Desk
    request: Request
    say: Voice
    session: Session | None = None
    form: FormData = field(default_factory=FormData)
    body: dict[str, Any] = field(default_factory=dict)
    now: int = field(default_factory=now_ms)

    @property
    def account(self) -> Account:
        """Returns who asks.

        Raises:
            Refused: nobody is signed in.
        """
        if self.session is None:
            raise Refused(401, "refused.sign_in")
        return self.session.account

    @property
    def oblast(self) -> str:
        """Returns the one oblast the visitor sees; empty for the whole country."""
        account = self.account
        return account.oblast if sees_one_oblast(account.role) else ""

    def may(self, action: Action) -> bool:
        """Returns whether the visitor may do something."""
        return self.session is not None and may(self.session.account.role, action)

    def require(self, action: Action) -> None:
        """Refuses what the visitor may not do.

        Raises:
            Refused: so.
        """
        if not self.may(action):
            raise Refused(403, "refused.rights")

    def require_second_factor(self, way: Way) -> None:
        """Refuses everything but enrolment and leaving to who must have a second factor and has none.

        Raises:
            Refused: so.
        """
        if not way.enrolling and self.desk.second.lacks(self.account):
            raise Refused(403, "second.required")

    def require_pace(self, pace: Pace | None) -> None:
        """Refuses who asks too often.

        Raises:
            Refused: so.
        """
        if pace is not None and not pace.allows(self.account.id, self.now):
            raise Refused(429, "refused.too_often")

    def require_form(self, trouble: Refused | None) -> None:
        """Refuses a form in which something is wrong, or that no page of this session sent.

        Args:
            trouble: what was found wrong when it was read.

        Raises:
            Refused: so.
        """
        if trouble is not None:
            raise trouble
        if self.request.method == "POST" and self.session is not None:
            token = self.request.headers.get("x-csrf-token") or self.field("csrf")
            if not self.session.allows(token):
                raise Refused(403, "refused.elsewhere")

    def field(self, name: str, longest: int = 2000) -> str:
        """Returns a text field of the form, without blanks around it; empty if missing."""
        value = self.form.get(name)
        return value.strip()[:longest] if isinstance(value, str) else ""

    def secret(self, name: str) -> str:
        """Returns a field of the form exactly as it was typed; empty if missing."""
        value = self.form.get(name)
        return value if isinstance(value, str) else ""

    @property
    def address(self) -> str:
        """Returns from where the request comes, for counting attempts."""
        return self.request.client.host if self.request.client else ""

    @property
    def home_url(self) -> str:
        """Returns under which address the visitor reaches us, without a slash at its end."""
        return self.desk.public_url or f"{self.request.url.scheme}://{self.request.headers['host']}"

    def id_in_path(self, name: str = "id") -> UUID:
        """Returns an id of the path.

        Raises:
            Refused: it is no id.
        """
        try:
            return UUID(self.request.path_params[name])
        except ValueError:
            raise Refused(404, "refused.nothing_here") from None

    def audit(self, action: str, object_: str = "", reason: str = "") -> None:
        """Writes who did or saw what."""
        actor = self.session.account.officer if self.session else "anonymous"
        self.desk.audit.write(self.now, actor, action, object_, reason)

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """Returns a page."""
        content = self.desk.pages.get_template(template).render(visit=self, say=self.say, desk=self.desk, **values)
        return HTMLResponse(content, status)

    def go(self, path: str) -> Response:
        """Sends the browser on after a form."""
        return RedirectResponse(path, 303)


Handler = Callable[[Visit], Response]
_TRIED = frozenset({"refused.rights", "refused.elsewhere"})
"""Refusals the audit tells of: somebody signed in tried what is not theirs, or was made to by another page."""


@dataclass(frozen=True, slots=True)
class Way:
    """One route.

    Attributes:
        path: as Starlette has it.
        handler: what answers.
        action: what the visitor must be allowed to do; none: open to everyone.
        methods: GET, POST.
        api: answers refusals as JSON.
        each_minute: so often an account may ask in a minute; 0: as often as it likes.
        enrolling: open also to who must have a second factor and has none yet.
    """

    path: str
    handler: Handler
    action: Action | None
    methods: tuple[str, ...] = ("GET",)
    api: bool = False
    enrolling: bool = False
    each_minute: int = 0

    def route(self, desk: Desk) -> Route:
        """Returns the route with everything a request must pass on its way."""
        pace = Pace(self.each_minute) if self.each_minute else None

        async def endpoint(request: Request) -> Response:
            return await answer(desk, self, request, pace)

        return Route(self.path, endpoint, methods=list(self.methods), name=f"{self.path}:{','.join(self.methods)}")


async def answer(desk: Desk, way: Way, request: Request, pace: Pace | None = None) -> Response:
    """Answers one request of a way: session, rights, form, then its handler.

    Everything that waits for the store or the warehouse is done in one stay in a thread: every change between threads waits
    for the interpreter, and while the states are read that is what a check waits for.
    """
    visit = Visit(desk, request, choose(request.cookies.get(LANGUAGE_COOKIE, ""), request.headers.get("accept-language", "")))
    trouble = await _take_form(visit, way) if request.method == "POST" else None
    response = await run_in_threadpool(_answered, visit, way, pace, trouble)
    if way.api:
        # Opened by hand, an answer for programs is a file and never a page.
        response.headers.setdefault("Content-Disposition", 'attachment; filename="api.json"')
    return response


def _answered(visit: Visit, way: Way, pace: Pace | None, trouble: Refused | None) -> Response:
    """Answers a visit whose form has been read; ``trouble`` is what is wrong with the form."""
    try:
        visit.session = visit.desk.sessions.find(visit.request.cookies.get(SESSION_COOKIE, ""), visit.now)
        if way.action is not None:
            visit.account  # noqa: B018  # refuses who is not signed in
            visit.require(way.action)
            visit.require_second_factor(way)
            visit.require_pace(pace)
        visit.require_form(trouble)
        return way.handler(visit)
    except Refused as refused:
        if visit.session is not None and refused.key in _TRIED:
            visit.audit("refused", way.path, refused.key.removeprefix("refused."))
        return _refusal(visit, way, refused.status, refused.key)
    except ShekaraError as error:
        # Our own sentences name no person; still they go to the log, and the page says only what to do.
        log.warning("request failed", path=way.path, error=type(error).__name__, what=error.what)
        return _refusal(visit, way, 503, "refused.dependency")
    except Exception as error:
        # The message of an unexpected exception may quote data: its type and place must do.
        log.error("request broke", path=way.path, error=type(error).__name__, at=_place(error))  # noqa: TRY400
        return _refusal(visit, way, 500, "refused.fault")


async def _take_form(visit: Visit, way: Way) -> Refused | None:
    """Reads the form and makes sure one of our own pages sent it.

    Returns:
        What is wrong with it: it is too long, is none, or comes from elsewhere. Who may not send any is told that first.
    """
    request = visit.request
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host", ""):
        return Refused(403, "refused.elsewhere")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return Refused(403, "refused.elsewhere")
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > MAX_FORM_BYTES:
        return Refused(413, "refused.too_long")
    try:
        if way.api:
            content = json.loads(await request.body())
            if not isinstance(content, dict):
                return Refused(422, "refused.form")
            visit.body = content
        else:
            visit.form = await request.form(max_files=0, max_fields=MAX_FORM_FIELDS)
    except (ValueError, HTTPException, ClientDisconnect):
        return Refused(422, "refused.form")
    return None


def _refusal(visit: Visit, way: Way, status: int, key: str) -> Response:
    if way.api:
        return JSONResponse({"error": key.removeprefix("refused."), "message": visit.say(key)}, status)
    if status == 401 and visit.request.method == "GET":
        return RedirectResponse("/sign-in", 303)
    if key == "second.required" and visit.request.method == "GET":
        return RedirectResponse("/second-factor", 303)
    return visit.page("refused.html", status=status, sentence=visit.say(key))


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}"


Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Headers:
    """Puts the secure headers on every answer, errors of the framework included.

    Args:
        app: what answers.
        secure: whether browsers reach us over TLS.
    """

    def __init__(self, app: Callable[[Any, Receive, Send], Awaitable[None]], *, secure: bool = False) -> None:
        self._app = app
        self._headers: Sequence[tuple[bytes, bytes]] = [
            (name.lower().encode(), value.encode()) for name, value in (HEADERS | (OVER_TLS if secure else {})).items()
        ]

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Passes a request on."""

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in self._headers if one[0] not in present)]
            await send(message)

        await self._app(scope, receive, sending)
