"""The feed: what came, the newest first. What comes while it is open: `streams.console.live_feed`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from starlette.responses import HTMLResponse, Response

from streams.console import alert_lists, saved_views
from streams.console.accounts import Account
from streams.console.conditions import Scope
from streams.console.filters import FAMILIES, GRADES, ORDERS, SEVERITIES, SLAS, STATES, Filter, read
from streams.console.live import write_position
from streams.console.person_file import plain
from streams.console.reading import PAGE
from streams.console.rights import may
from streams.console.visit import Refused, Visit, Way
from streams.console.work import Moment
from streams.records import Alert

BUILT_IN = {
    "queue": Filter(),
    "late": Filter(sla="late"),
    "mine": Filter(state="open", owner="me"),
    "protective": Filter(state="open", family="protective"),
    "snoozed": Filter(state="snoozed"),
    "open": Filter(state="open"),
}
"""Views everybody has."""


def ways() -> list[Way]:
    """Returns the routes."""
    return [
        Way("/feed", _feed, "see_alerts"),
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


def scope_of(visit: Visit) -> Scope:
    """Returns for whom a list is asked."""
    return Scope(visit.oblast, visit.desk.work.moment(visit.account.officer), visit.desk.policy, visit.desk.store)


def colleagues(visit: Visit) -> list[Account]:
    """Returns who may have alerts: everybody who works on them; an oblast operator knows the colleagues of the same oblast."""
    found = [one for one in visit.desk.accounts.all() if not one.disabled and may(one.role, "organise")]
    return [one for one in found if not visit.oblast or one.oblast in ("", visit.oblast)]


def _feed(visit: Visit) -> Response:
    wanted = wanted_by(visit)
    reading, scope = visit.desk.reading, scope_of(visit)
    _forget_what_is_over(visit, scope.moment)
    # Before the list: what the list does not have yet comes live, what it has twice is recognised by its version.
    position = reading.positions()
    number = visit.desk.work.number
    rows = alert_lists.rows(reading, wanted, scope, limit=PAGE + 1)
    paged = wanted.order == "newest" and len(rows) > PAGE
    policy = visit.desk.policy
    views = saved_views.seen_by(visit)
    standing = list(BUILT_IN.values())
    each = alert_lists.count_each(reading, [*standing, *(one.wanted for one in views)], scope)
    return visit.page(
        "feed.html",
        wanted=wanted,
        rows=rows[:PAGE] if paged else rows,
        older=f"{rows[PAGE - 1]['decided_ms']}.{rows[PAGE - 1]['alert_id']}" if paged else "",
        counts=alert_lists.counts(reading, wanted, scope),
        built_in=list(zip(BUILT_IN, standing, each, strict=False)),
        views=list(zip(views, each[len(standing) :], strict=True)),
        colleagues=colleagues(visit),
        position=write_position(position),
        number=number,
        moment=scope.moment,
        names=visit.desk.officer_names(),
        deed=visit.desk.work.last_deed(visit.account.officer, visit.now),
        states=list(STATES),
        grades=GRADES,
        severities=SEVERITIES,
        families=FAMILIES,
        slas=SLAS,
        orders=ORDERS,
        rules=[name for name, terms in policy.at(visit.desk.today()).by_rule.items() if terms.family in FAMILIES],
        done=visit.request.query_params.get("done", ""),
    )


def _forget_what_is_over(visit: Visit, moment: Moment) -> None:
    """Lets go, now and then, of the work on alerts that ended by themselves: nobody has to hold them any more."""
    if moment.held and visit.desk.work.may_look_again(visit.now):
        visit.desk.work.forget(alert_lists.over(visit.desk.reading, list(moment.held)))


def _row(visit: Visit) -> Response:
    found = visit.desk.reading.some([visit.id_in_path()], visit.oblast)
    if not found:
        raise Refused(404, "refused.nothing_here")
    found[0] |= {"personal": is_person(found[0]["subject"]), "received_ms": plain(found[0]["received_at"])}
    return HTMLResponse(draw(visit, found[0]))


def draw(visit: Visit, row: dict[str, Any]) -> str:
    """Returns a row of the feed as HTML, with whoever has the alert."""
    moment = visit.desk.work.moment()
    names = visit.desk.officer_names() if moment.of(row["alert_id"]).owner else {}
    template = visit.desk.pages.get_template("feed_row.html")
    return template.render(row=row, say=visit.say, desk=visit.desk, moment=moment, names=names)


def row_of(alert: Alert) -> dict[str, Any]:
    """Returns a version as the warehouse would show it in a row."""
    names = ("version", "rule", "family", "state", "grade", "severity", "stay_on", "deadline_on", "first_day_on", "last_day_on")
    row = {name: getattr(alert, name) for name in (*names, "days", "group", "oblast", "post", "reason", "decided_at")}
    return row | {
        "alert_id": UUID(bytes=alert.alert_id),
        "personal": is_person(alert.subject),
        "decided_ms": alert.decided_at,
    }


def is_person(subject: str) -> bool:
    """Returns whether a pseudonym is a person's: others have no case."""
    return subject.startswith("p")


def is_employer(subject: str) -> bool:
    """Returns whether a pseudonym is an employer's; a quota line is neither a person nor an employer."""
    return subject.startswith("e")
