"""Signing in and out, choosing a password by a one-time link, choosing the language."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import Response

from streams.console.accounts import Account
from streams.console.pace import Pace
from streams.console.texts import VOICES
from streams.console.visit import HALF_COOKIE, LANGUAGE_COOKIE, SESSION_COOKIE, Refused, Visit, Way
from streams.errors import UsageError

ATTEMPTS = 30
"""Sign-ins tried from one address in a minute."""
_YEAR_S = 365 * 86_400


def ways() -> list[Way]:
    """Returns the routes."""
    pace = Pace(ATTEMPTS)

    def sign_in_page(visit: Visit) -> Response:
        left = visit.request.query_params.get("left", "") == "1"
        return visit.go("/") if visit.session else visit.page("sign_in.html", trouble="", name="", left=left)

    def sign_in(visit: Visit) -> Response:
        if not pace.allows(visit.address, visit.now):
            raise Refused(429, "refused.too_often")
        name = visit.field("name", 64)
        try:
            account = visit.desk.accounts.let_in(name, visit.secret("password"), visit.now)
        except UsageError as error:
            locked = visit.desk.accounts.is_locked(name, visit.now)
            # Whose account is tried is told; a name that is none may be a password in the wrong field.
            known = visit.desk.accounts.named(name)
            visit.audit("sign_in_locked" if locked else "sign_in_failed", known.id if known else "")
            return visit.page("sign_in.html", status=403, trouble=visit.say(error.what), name=name, left=False)
        return go_on(visit, account, "sign_in")

    return [
        Way("/", _home, "own_account"),
        Way("/sign-in", sign_in_page, None),
        Way("/sign-in", sign_in, None, ("POST",)),
        Way("/sign-out", _sign_out, "own_account", ("POST",), enrolling=True),
        Way("/setup", _setup_page, None),
        Way("/setup", _setup, None, ("POST",)),
        Way("/language", _language, None, ("POST",)),
    ]


def go_on(visit: Visit, account: Account, how: str) -> Response:
    """Sends who has proved who they are to their desk, or to the second factor if they have one.

    Args:
        visit: the request.
        account: whose password was right, or whom the sign-in provider vouches for.
        how: for the audit.
    """
    if not visit.desk.second.enrolled(account.id):
        return begin_session(visit, account, how)
    response = visit.go("/sign-in/code")
    half = visit.desk.second.half(account.id, visit.now)
    response.set_cookie(HALF_COOKIE, half, httponly=True, samesite="lax", secure=visit.desk.secure, path="/")
    return response


def begin_session(visit: Visit, account: Account, how: str) -> Response:
    """Ends the session there was, begins a new one, and sends the browser to its desk.

    Args:
        visit: the request.
        account: who has proved who they are.
        how: for the audit.
    """
    visit.desk.audit.write(visit.now, account.officer, how, account.id)
    response = visit.go("/")
    take_session(visit, response, account)
    return response


def take_session(visit: Visit, response: Response, account: Account) -> None:
    """Puts a new session of an account in the place of the one there was."""
    if visit.session is not None:
        visit.desk.sessions.end(visit.session.digest)
    token = visit.desk.sessions.begin(account, visit.now)
    response.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="lax", secure=visit.desk.secure, path="/")


def _home(visit: Visit) -> Response:
    return visit.page("home.html")


def _sign_out(visit: Visit) -> Response:
    if visit.session is not None:
        visit.desk.sessions.end(visit.session.digest)
        visit.audit("sign_out", visit.session.account.id)
    # Who came in by the provider is still signed in there: the page offers to end that too.
    elsewhere = visit.session is not None and visit.session.account.issuer
    response = visit.go("/sign-in?left=1" if elsewhere else "/sign-in")
    response.delete_cookie(SESSION_COOKIE, path="/")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _setup_page(visit: Visit) -> Response:
    token = visit.request.query_params.get("token", "")
    account = visit.desk.accounts.invited(token, visit.now)
    if account is None:
        raise Refused(404, "setup.bad_link")
    return visit.page("setup.html", trouble="", token=token, name=account.name)


def _setup(visit: Visit) -> Response:
    token = visit.field("token", 100)
    account = visit.desk.accounts.invited(token, visit.now)
    if account is None:
        raise Refused(404, "setup.bad_link")
    password = visit.secret("password")
    trouble = ""
    if password != visit.secret("again"):
        trouble = "password.differ"
    else:
        try:
            visit.desk.accounts.accept(token, password, visit.now)
        except UsageError as error:
            trouble = error.what
    if trouble:
        return visit.page("setup.html", status=422, trouble=visit.say(trouble), token=token, name=account.name)
    visit.desk.audit.write(visit.now, account.officer, "password_set", account.id)
    return visit.go("/sign-in")


def _language(visit: Visit) -> Response:
    language = visit.field("language", 2)
    if language not in VOICES:
        raise Refused(422, "refused.form")
    back = urlsplit(visit.field("back"))
    path = back.path if back.path.startswith("/") and not back.path.startswith(("//", "/\\")) and not back.netloc else "/"
    response = visit.go(f"{path}?{back.query}" if back.query else path)
    response.set_cookie(
        LANGUAGE_COOKIE, language, max_age=_YEAR_S, httponly=True, samesite="lax", secure=visit.desk.secure, path="/"
    )
    return response
