"""Publishing systems: whose numbers have holes, who says things twice, who is late, and what each says it has sent."""

from __future__ import annotations

from starlette.responses import Response

from streams.console.reading import Fields, Reading
from streams.console.visit import Refused, Visit, Way
from streams.decode.envelope import is_source
from streams.warehouse.columns import quote
from streams.warehouse.source_watch import QUERY

SHOWN = 50
"""Holes and statements of one source, the latest."""

STATED_DAYS = 62


def ways() -> list[Way]:
    """Returns the routes."""
    return [Way("/sources", _sources, "see_overview")]


def _sources(visit: Visit) -> Response:
    reading = visit.desk.reading
    source = visit.request.query_params.get("source", "")
    if not source:
        rows = [row for row in all_sources(reading) if _may_see(visit, row["source"])]
        return visit.page("sources.html", rows=rows, post_of=_post)
    if not is_source(source) or not _may_see(visit, source):
        raise Refused(404, "refused.nothing_here")
    return visit.page(
        "source.html",
        source=source,
        counts=counts(reading, source),
        holes=holes(reading, source),
        statements=statements(reading, source),
        post=visit.desk.policy.codes.posts.get(_post(source)),
    )


def _post(source: str) -> str:
    """Returns the code of the post a source speaks for; empty if it is no post's."""
    kind, _, rest = source.partition(":")
    return rest.partition(":")[0] if kind == "post" else ""


def _may_see(visit: Visit, source: str) -> bool:
    """Returns whether a visitor may know of a source: an oblast operator of the oblast's own posts."""
    post = visit.desk.policy.codes.posts.get(_post(source))
    return not visit.oblast or (post is not None and post.oblast == visit.oblast)


def all_sources(reading: Reading) -> list[Fields]:
    """Returns what the metrics say of every source, as it is now, those with most missing first."""
    return reading.ask(QUERY)


def counts(reading: Reading, source: str) -> Fields | None:
    """Returns messages, events, repeats and shared numbers of a source; none if nothing of it is here."""
    rows = reading.ask(f"SELECT * FROM mart_repeats_by_publisher WHERE source = {quote(source)}")  # noqa: S608
    return rows[0] if rows else None


def holes(reading: Reading, source: str) -> list[Fields]:
    """Returns the holes in a source's numbers, the latest first."""
    return reading.ask(
        f"SELECT * FROM mart_sequence_gaps WHERE source = {quote(source)} ORDER BY first_missing DESC LIMIT {SHOWN}"  # noqa: S608
    )


def statements(reading: Reading, source: str) -> list[Fields]:
    """Returns what a source says it sent, day by day, and what is here of it, the latest first."""
    return reading.ask(
        f"SELECT * FROM mart_reconciliation WHERE source = {quote(source)} "  # noqa: S608
        f"AND day_on >= subtractDays((SELECT today FROM core_clock), {STATED_DAYS}) ORDER BY day_on DESC LIMIT {SHOWN}"
    )
