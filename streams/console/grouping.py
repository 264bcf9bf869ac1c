"""The alerts of a view by what they share (employer, address, post, oblast, rule). A group can be worked on as one."""

from __future__ import annotations

from starlette.responses import Response

from streams.console import alert_lists
from streams.console.alert_lists import GROUPS, GroupBy
from streams.console.feed import scope_of, wanted_by
from streams.console.filters import Filter
from streams.console.reading import Fields
from streams.console.visit import Refused, Visit, Way


def ways() -> list[Way]:
    """Returns the routes."""
    return [Way("/feed/groups", _groups, "see_alerts")]


def narrowed(wanted: Filter, by: GroupBy, row: Fields) -> Filter:
    """Returns the view of one group."""
    if by == "employer":
        return wanted.but(same_employer=str(row["sample"]), before="")
    if by == "address":
        return wanted.but(same_address=str(row["sample"]), before="")
    return wanted.but(**{by: row["key"]}, before="")


def _groups(visit: Visit) -> Response:
    wanted = wanted_by(visit)
    by = visit.request.query_params.get("by", "employer")
    if by not in GROUPS:
        raise Refused(422, "refused.filter")
    rows = alert_lists.groups(visit.desk.reading, wanted, scope_of(visit), by)
    return visit.page(
        "groups.html",
        wanted=wanted,
        by=by,
        kinds=GROUPS,
        groups=[(row, narrowed(wanted, by, row)) for row in rows],
    )
