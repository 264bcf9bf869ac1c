"""Saved views: a filter with a name, for oneself or for everybody; the filter is the URL, so a view is a link with a count."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl
from uuid import uuid4

from starlette.responses import Response

from streams.console.filters import Filter, read
from streams.console.visit import Refused, Visit, Way

AT_MOST = 12
"""So many a person sees: each is counted every time the feed is opened."""


@dataclass(frozen=True, slots=True)
class SavedView:
    """A named filter.

    Attributes:
        id: random.
        author: officer's pseudonym.
        name: in the author's words.
        wanted: the filter.
        shared: whether everybody sees it.
    """

    id: str
    author: str
    name: str
    wanted: Filter
    shared: bool


def ways() -> list[Way]:
    """Returns the routes."""
    return [
        Way("/views", _save, "organise", ("POST",)),
        Way("/views/{id}/remove", _remove, "organise", ("POST",)),
    ]


def seen_by(visit: Visit) -> list[SavedView]:
    """Returns a visitor's own and the shared views; one whose filter names what the policy no longer knows is left out."""
    rows = visit.desk.store.rows(
        "SELECT id, author, name, query, shared FROM saved_view WHERE author = ? OR shared = 1 ORDER BY shared, name LIMIT ?",
        visit.account.officer,
        AT_MOST,
    )
    found = []
    for view_id, author, name, query, shared in rows:
        wanted = filter_of(str(query), visit)
        if wanted is not None:
            found.append(SavedView(str(view_id), str(author), str(name), wanted, bool(shared)))
    return found


def filter_of(query: str, visit: Visit) -> Filter | None:
    """Returns the filter of a query as it stands in a URL; none if it is none."""
    return read(dict(parse_qsl(query)), visit.desk.policy)


def _save(visit: Visit) -> Response:
    name, query = visit.field("name", 40), visit.field("back")
    wanted = filter_of(query, visit)
    if not name or wanted is None:
        raise Refused(422, "refused.form")
    officer = visit.account.officer
    wanted = wanted.but(before="")
    with visit.desk.store.writing() as writer:
        if len(writer.rows("SELECT id FROM saved_view WHERE author = ?", officer)) >= AT_MOST:
            raise Refused(422, "refused.views_full")
        view_id, shared = uuid4().hex, int(visit.field("shared", 1) == "1")
        writer.run("INSERT INTO saved_view VALUES (?, ?, ?, ?, ?, ?)", view_id, officer, name, wanted.query, shared, visit.now)
        visit.desk.audit.write_in(writer, visit.now, officer, "view_shared" if shared else "view_saved", view_id)
    return visit.go(f"/feed?{wanted.query}")


def _remove(visit: Visit) -> Response:
    view_id, officer = visit.request.path_params["id"], visit.account.officer
    with visit.desk.store.writing() as writer:
        if not writer.run("DELETE FROM saved_view WHERE id = ? AND author = ?", view_id, officer):
            raise Refused(404, "refused.nothing_here")
        visit.desk.audit.write_in(writer, visit.now, officer, "view_removed", view_id)
    return visit.go("/feed")
