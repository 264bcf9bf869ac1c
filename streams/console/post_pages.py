"""Border posts: which are silent, and of one its flow, how late its records come, gaps and outages."""

from __future__ import annotations

from starlette.responses import Response

from streams.console import bars, figures
from streams.console.visit import Refused, Visit, Way


def ways() -> list[Way]:
    """Returns the routes."""
    return [Way("/posts", _posts, "see_overview"), Way("/posts/{code}", _post, "see_overview")]


def _posts(visit: Visit) -> Response:
    rows = figures.posts(visit.desk.reading, visit.oblast)
    return visit.page("posts.html", rows=rows, silent_hours=figures.SILENT_HOURS)


def _post(visit: Visit) -> Response:
    code = visit.request.path_params["code"]
    known = visit.desk.policy.codes.posts.get(code)
    # The codes are the policy's: whoever asks for another one asks for nothing.
    if known is None or (visit.oblast and known.oblast != visit.oblast):
        raise Refused(404, "refused.nothing_here")
    reading = visit.desk.reading
    flows = figures.post_flows(reading, code)
    covered = [row for row in figures.posts(reading, known.oblast) if row["post"] == code]
    return visit.page(
        "post.html",
        code=code,
        post=known,
        flows=flows,
        drawn=bars.bars(flows),
        width=bars.WIDTH,
        height=bars.HEIGHT,
        covered=covered[0] if covered else None,
        silent_hours=figures.SILENT_HOURS,
        lateness=figures.post_lateness(reading, code),
        outages=figures.post_outages(reading, code),
    )
