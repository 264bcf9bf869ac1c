"""Changing one's own password."""

from __future__ import annotations

from starlette.responses import Response

from streams.console.entry import take_session
from streams.console.visit import Refused, Visit, Way
from streams.errors import UsageError

_EACH_MINUTE = 10


def ways() -> list[Way]:
    """Returns the routes."""
    return [
        Way("/password", _page, "own_account"),
        Way("/password", _change, "own_account", ("POST",), each_minute=_EACH_MINUTE),
    ]


def _show(visit: Visit, *, status: int = 200, trouble: str = "", done: bool = False) -> Response:
    return visit.page("password.html", status=status, trouble=trouble, done=done)


def _page(visit: Visit) -> Response:
    return _show(visit, done=visit.request.query_params.get("done", "") == "1")


def _change(visit: Visit) -> Response:
    account = visit.account
    if not account.has_password:
        raise Refused(422, "password.elsewhere")
    old, new, again = (visit.secret(name) for name in ("old", "password", "again"))
    if new != again:
        return _show(visit, status=422, trouble=visit.say("password.differ"))
    try:
        visit.desk.accounts.change(account.id, old, new, visit.now)
    except UsageError as error:
        if error.what == "password.wrong":
            locked = visit.desk.accounts.is_locked(account.name, visit.now)
            visit.audit("password_change_locked" if locked else "password_change_failed", account.id)
        return _show(visit, status=422, trouble=visit.say(error.what))
    visit.audit("password_changed", account.id)
    # Every session of the account has ended; who knew the old password and the page's token goes on with a new one.
    response = visit.go("/password?done=1")
    take_session(visit, response, account)
    return response
