"""Signing in with a second factor, and having one: the code after the password, enrolment, recovery codes."""

from __future__ import annotations

from markupsafe import Markup
from starlette.responses import Response

from streams.console.entry import begin_session
from streams.console.second_factor import picture
from streams.console.visit import HALF_COOKIE, Refused, Visit, Way


def ways() -> list[Way]:
    """Returns the routes."""
    return [
        Way("/sign-in/code", _code_page, None),
        Way("/sign-in/code", _code, None, ("POST",)),
        Way("/second-factor", _page, "own_account", enrolling=True),
        Way("/second-factor", _confirm, "own_account", ("POST",), enrolling=True),
        Way("/second-factor/remove", _remove, "own_account", ("POST",), enrolling=True),
    ]


def _code_page(visit: Visit) -> Response:
    if not visit.desk.second.half_of(visit.request.cookies.get(HALF_COOKIE, ""), visit.now):
        return visit.go("/sign-in")
    return visit.page("code.html", trouble="")


def _code(visit: Visit) -> Response:
    token = visit.request.cookies.get(HALF_COOKIE, "")
    account_id = visit.desk.second.half_of(token, visit.now)
    account = visit.desk.accounts.one(account_id) if account_id else None
    # However they came this far: an account that rests takes no code.
    if account is None or account.disabled or visit.desk.accounts.is_locked(account.name, visit.now):
        return visit.go("/sign-in")
    if not visit.desk.second.right(account.id, visit.field("code", 32), visit.now):
        visit.desk.second.count_try(token)
        # Wrong codes lock the account as wrong passwords do.
        visit.desk.accounts.failed(account.id, visit.now)
        visit.desk.audit.write(visit.now, account.officer, "code_failed", account.id)
        return visit.page("code.html", status=403, trouble=visit.say("second.wrong"))
    visit.desk.second.end_half(token)
    visit.desk.accounts.passed(account.id)
    response = begin_session(visit, account, "sign_in_two_factors")
    response.delete_cookie(HALF_COOKIE, path="/")
    return response


def _page(visit: Visit) -> Response:
    return _show(visit)


def _show(visit: Visit, *, status: int = 200, trouble: str = "") -> Response:
    account, second = visit.account, visit.desk.second
    enrolled = second.enrolled(account.id)
    secret = "" if enrolled else second.begin(account.id)
    return visit.page(
        "second_factor.html",
        status=status,
        trouble=trouble,
        enrolled=enrolled,
        left=second.recovery_left(account.id) if enrolled else 0,
        required=second.lacks(account),
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        drawn=Markup(picture(secret, account.name)) if secret else "",  # noqa: S704  # our own drawing
        codes=[],
    )


def _confirm(visit: Visit) -> Response:
    account = visit.account
    codes = visit.desk.second.confirm(account.id, visit.field("code", 32), visit.now)
    if not codes:
        return _show(visit, status=422, trouble=visit.say("second.wrong"))
    visit.audit("second_factor_made", account.id)
    visit.desk.sessions.end_others(visit.session)
    return visit.page(
        "second_factor.html", trouble="", enrolled=True, left=len(codes), required=False, secret="", drawn="", codes=codes
    )


def _remove(visit: Visit) -> Response:
    account = visit.account
    locked = visit.desk.accounts.is_locked(account.name, visit.now)
    if locked or not visit.desk.second.right(account.id, visit.field("code", 32), visit.now):
        if not locked:
            visit.desk.accounts.failed(account.id, visit.now)
        visit.audit("code_failed", account.id)
        raise Refused(422, "second.wrong")
    visit.desk.second.forget(account.id)
    visit.audit("second_factor_removed", account.id)
    return visit.go("/second-factor")
