"""Mutes: what is expected for a while, with who said so, why, and until when. They end by themselves."""

from __future__ import annotations

from uuid import uuid4

from starlette.responses import Response

from streams.console import alert_lists
from streams.console.feed import scope_of
from streams.console.filters import FAMILIES, Filter
from streams.console.person_file import log_time
from streams.console.visit import Refused, Visit, Way
from streams.console.work import LONGEST_MUTE_MS, Mute
from streams.records import Gap

HOURS = (4, 12, 24, 72, 168, 336)
_SHORTEST_REASON = 5
_HOUR_MS = 3_600_000


def ways() -> list[Way]:
    """Returns the routes."""
    return [
        Way("/mutes", _mutes, "mute"),
        Way("/mutes", _begin, "mute", ("POST",)),
        Way("/mutes/{id}/end", _end, "mute", ("POST",)),
    ]


def _mutes(visit: Visit, *, status: int = 200, trouble: str = "", reason: str = "") -> Response:
    policy, scope = visit.desk.policy, scope_of(visit)
    shown = [one for one in scope.moment.mutes if not visit.oblast or one.oblast in ("", visit.oblast)]
    views = [Filter(rule=one.rule, oblast=one.oblast, post=one.post, state="muted") for one in shown]
    return visit.page(
        "mutes.html",
        status=status,
        mutes=list(zip(shown, alert_lists.count_each(visit.desk.reading, views, scope), views, strict=True)),
        names=visit.desk.officer_names(),
        rules=[name for name, terms in policy.at(visit.desk.today()).by_rule.items() if terms.family in FAMILIES],
        silent=_silent(visit),
        hours=HOURS,
        given=visit.form if status != 200 else visit.request.query_params,
        reason=reason,
        trouble=visit.say(trouble) if trouble else "",
    )


def _silent(visit: Visit) -> list[Gap]:
    """Returns the posts that are silent now, by the log's last tick: what a mute is most often about."""
    posts = visit.desk.policy.codes.posts
    gaps = [one for one in log_time(visit.desk.reading).gaps if one.until_at is None]
    return [one for one in gaps if not visit.oblast or (one.post in posts and posts[one.post].oblast == visit.oblast)]


def _begin(visit: Visit) -> Response:
    policy = visit.desk.policy
    rule, post, reason = visit.field("rule", 60), visit.field("post", 20), visit.field("reason", 500)
    oblast = visit.oblast or visit.field("oblast", 10)
    hours = visit.field("hours", 4)
    known = (not rule or rule in policy.rule_texts) and (not post or post in policy.codes.posts)
    if not known or (oblast and oblast not in policy.codes.oblasts) or hours not in {str(one) for one in HOURS}:
        raise Refused(422, "refused.form")
    if not rule and not post:
        return _mutes(visit, status=422, trouble="mutes.too_wide", reason=reason)
    if len(reason) < _SHORTEST_REASON:
        return _mutes(visit, status=422, trouble="case.reason_missing", reason=reason)
    until = visit.now + min(int(hours) * _HOUR_MS, LONGEST_MUTE_MS)
    visit.desk.work.mute(Mute(uuid4().hex, visit.account.officer, reason, rule, oblast, post, visit.now, until))
    return visit.go("/mutes")


def _end(visit: Visit) -> Response:
    mute_id = visit.request.path_params["id"]
    mute = next((one for one in visit.desk.work.moment().mutes if one.id == mute_id), None)
    if mute is None or (visit.oblast and mute.oblast != visit.oblast):
        raise Refused(404, "refused.nothing_here")
    visit.desk.work.unmute(mute_id, visit.account.officer, visit.now)
    return visit.go("/mutes")
