"""Signing in at the organisation's own provider: away to it, and back."""

from __future__ import annotations

import structlog
from starlette.responses import RedirectResponse, Response

from streams.console.accounts import Account
from streams.console.entry import ATTEMPTS, go_on
from streams.console.id_token import NotAccepted
from streams.console.pace import Pace
from streams.console.provider import Person, Provider
from streams.console.provider_roles import Post
from streams.console.visit import PROVIDER_COOKIE, Refused, Visit, Way
from streams.errors import DependencyError

log = structlog.get_logger(__name__)

BACK = "/sign-in/provider/back"
_KEYS = {
    "state": "provider.bad_state",
    "denied": "provider.denied",
    "code": "provider.bad_state",
}
"""What a visitor is told; everything else is for whoever looks after the provider: the audit has the word."""


def ways() -> list[Way]:
    """Returns the routes."""
    pace = Pace(ATTEMPTS)

    def allowed(visit: Visit) -> Provider:
        if visit.desk.provider is None:
            raise Refused(404, "refused.nothing_here")
        if not pace.allows(visit.address, visit.now):
            raise Refused(429, "refused.too_often")
        return visit.desk.provider

    def away(visit: Visit) -> Response:
        provider = allowed(visit)
        try:
            token, url = provider.begin(visit.home_url + BACK, visit.now)
        except NotAccepted as error:
            return _refused(visit, provider, error.why)
        except DependencyError as error:
            return _unreachable(visit, error)
        response = RedirectResponse(url, 303)
        _keep(visit, response, token)
        return response

    def back(visit: Visit) -> Response:
        provider = allowed(visit)
        token = visit.request.cookies.get(PROVIDER_COOKIE, "")
        answer = dict(visit.request.query_params)
        try:
            person = provider.finish(token, answer, visit.home_url + BACK, visit.now)
        except NotAccepted as error:
            return _refused(visit, provider, error.why)
        except DependencyError as error:
            return _unreachable(visit, error)
        if isinstance(person.post, str):
            return _refused(visit, provider, person.post.removeprefix("provider."), person.post)
        account = _account(visit, person, person.post)
        if account.disabled:
            return _refused(visit, provider, "disabled", "provider.disabled")
        response = go_on(visit, account, "sign_in_provider")
        response.delete_cookie(PROVIDER_COOKIE, path="/sign-in")
        return response

    return [Way("/sign-in/provider", away, None), Way(BACK, back, None)]


def _account(visit: Visit, person: Person, post: Post) -> Account:
    """Returns the account of somebody the provider vouches for; that it was made, or its role changed, is in the audit."""
    before = visit.desk.accounts.vouched(person.issuer, person.subject)
    account = visit.desk.accounts.known_by(person.issuer, person.subject, person.name, post.role, post.oblast, at=visit.now)
    now = f"{account.role} {account.oblast}".strip()
    if before is None:
        visit.desk.audit.write(visit.now, "system", "account_made_by_provider", account.id, now)
    elif (before.role, before.oblast) != (account.role, account.oblast):
        was = f"{before.role} {before.oblast}".strip()
        visit.desk.audit.write(visit.now, "system", "account_role_changed", account.id, f"{was} → {now}")
    return account


def _keep(visit: Visit, response: Response, token: str) -> None:
    # Lax: the provider sends the browser back to us, and only such a step may bring the cookie along.
    response.set_cookie(PROVIDER_COOKIE, token, httponly=True, samesite="lax", secure=visit.desk.secure, path="/sign-in")


def _refused(visit: Visit, provider: Provider, why: str, key: str = "") -> Response:
    visit.audit("sign_in_provider_refused", "", why)
    log.warning("sign-in by the provider refused", provider=provider.host, why=why)
    sentence = visit.say(key or _KEYS.get(why, "provider.bad_answer"))
    return visit.page("sign_in.html", status=403, trouble=sentence, name="", left=False)


def _unreachable(visit: Visit, error: DependencyError) -> Response:
    log.warning("sign-in by the provider", what=error.what)
    return visit.page("sign_in.html", status=503, trouble=visit.say("provider.away"), name="", left=False)
