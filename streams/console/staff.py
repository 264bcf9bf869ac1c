"""Accounts for the administrator, the audit for the auditor."""

from __future__ import annotations

import re

from starlette.responses import Response

from streams.console.accounts import Account
from streams.console.rights import ROLES
from streams.console.visit import Refused, Visit, Way
from streams.errors import IntegrityError, UsageError

_NUMBER = re.compile(r"[0-9]{1,9}")


def ways() -> list[Way]:
    """Returns the routes."""
    return [
        Way("/accounts", _accounts, "manage_accounts"),
        Way("/accounts", _invite, "manage_accounts", ("POST",)),
        Way("/accounts/{id}/link", _link, "manage_accounts", ("POST",)),
        Way("/accounts/{id}/disable", _disable, "manage_accounts", ("POST",)),
        Way("/accounts/{id}/enable", _enable, "manage_accounts", ("POST",)),
        Way("/audit", _audit, "see_audit"),
    ]


def _show(visit: Visit, *, status: int = 200, trouble: str = "", link: str = "", link_for: str = "") -> Response:
    return visit.page(
        "accounts.html",
        status=status,
        accounts=visit.desk.accounts.all(),
        roles=ROLES,
        oblasts=visit.desk.policy.codes.oblasts.values(),
        trouble=trouble,
        link=link,
        link_for=link_for,
    )


def _accounts(visit: Visit) -> Response:
    return _show(visit)


def _invite(visit: Visit) -> Response:
    oblast = visit.field("oblast", 10)
    if oblast and oblast not in visit.desk.policy.codes.oblasts:
        return _show(visit, status=422, trouble=visit.say("account.bad_role"))
    try:
        account, token = visit.desk.accounts.invite(visit.field("name", 64), visit.field("role", 32), oblast, visit.now)
    except UsageError as error:
        return _show(visit, status=422, trouble=visit.say(error.what))
    visit.audit("account_made", account.id, f"{account.role} {account.oblast}".strip())
    return _show(visit, link=_url(visit, token), link_for=account.name)


def _link(visit: Visit) -> Response:
    account = _someone_else(visit)
    if account.issuer:
        raise Refused(422, "refused.provider_account")
    token = visit.desk.accounts.invite_again(account.id, visit.now)
    visit.desk.second.forget(account.id)
    visit.audit("account_link_made", account.id)
    return _show(visit, link=_url(visit, token), link_for=account.name)


def _disable(visit: Visit) -> Response:
    account = _someone_else(visit)
    visit.desk.accounts.disable(account.id, disabled=True)
    visit.audit("account_disabled", account.id)
    return visit.go("/accounts")


def _enable(visit: Visit) -> Response:
    account = _someone_else(visit)
    visit.desk.accounts.disable(account.id, disabled=False)
    visit.audit("account_enabled", account.id)
    return visit.go("/accounts")


def _someone_else(visit: Visit) -> Account:
    """Returns the account of the path; nobody locks themselves out."""
    account = visit.desk.accounts.one(visit.request.path_params["id"])
    if account is None:
        raise Refused(404, "refused.nothing_here")
    if account.id == visit.account.id:
        raise Refused(422, "refused.own_account")
    return account


def _url(visit: Visit, token: str) -> str:
    return f"{visit.home_url}/setup?token={token}"


def _audit(visit: Visit) -> Response:
    before = visit.request.query_params.get("before", "0")
    if not _NUMBER.fullmatch(before):
        raise Refused(422, "refused.form")
    trouble = ""
    verified = 0
    try:
        verified = visit.desk.audit.verify()
    except IntegrityError as error:
        trouble = error.what
    visit.audit("see_audit")
    return visit.page("audit.html", lines=visit.desk.audit.lines(before=int(before)), trouble=trouble, verified=verified)
