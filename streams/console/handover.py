"""The shift's hand-over: what waits, who has what, what rests or is muted and until when, what was decided; one page to print."""

from __future__ import annotations

from uuid import uuid4

from starlette.responses import Response

from streams.console import alert_lists
from streams.console.feed import BUILT_IN, scope_of
from streams.console.filters import Filter
from streams.console.proceedings import Clock, Proceeding
from streams.console.visit import Refused, Visit, Way

SHIFTS = (8, 12, 24)
_HOUR_MS = 3_600_000
NOTE_OF = "handover:"
"""Notes to the next shift are kept with the other notes, under this and the oblast they belong to."""


def ways() -> list[Way]:
    """Returns the routes."""
    return [
        Way("/handover", _handover, "see_alerts"),
        Way("/handover", _note, "note", ("POST",)),
    ]


def _handover(visit: Visit) -> Response:
    hours = visit.request.query_params.get("hours", "12")
    if hours not in {str(one) for one in SHIFTS}:
        raise Refused(422, "refused.filter")
    since = visit.now - int(hours) * _HOUR_MS
    scope, desk, names = scope_of(visit), visit.desk, visit.desk.officer_names()
    views = {name: view for name, view in BUILT_IN.items() if name != "mine"}
    owners = sorted({one.owner for one in scope.moment.held.values() if one.owner}, key=lambda one: names.get(one, one))
    owned = [Filter(state="open", owner=one) for one in owners]
    each = alert_lists.count_each(desk.reading, [*views.values(), *owned], scope)
    return visit.page(
        "handover.html",
        hours=int(hours),
        shifts=SHIFTS,
        since=since,
        views=list(zip(views.items(), each, strict=False)),
        owners=[
            (names.get(one, one[:8]), view, count)
            for one, view, count in zip(owners, owned, each[len(views) :], strict=True)
            if count
        ],
        urgent=alert_lists.rows(desk.reading, Filter(order="urgent"), scope, limit=0)[:20],
        snoozed=_waking(visit, scope.moment.at),
        proceedings=_due(visit),
        mutes=[one for one in scope.moment.mutes if not visit.oblast or one.oblast in ("", visit.oblast)],
        decided=[] if visit.oblast else _decided(visit, since),
        notes=desk.store.rows(
            "SELECT officer, written_at, content FROM note WHERE case_id = ? AND written_at >= ? ORDER BY written_at DESC",
            NOTE_OF + visit.oblast,
            since,
        ),
        names=names,
        moment=scope.moment,
    )


def _due(visit: Visit) -> list[tuple[Proceeding, Clock]]:
    """Returns the proceedings that are late or due soon, the most urgent first."""
    kept, today = visit.desk.proceedings, visit.desk.log_day()
    rows = [(one, kept.clock(one, today)) for one in kept.listed(visit.oblast)]
    return sorted((row for row in rows if row[1].standing in ("late", "soon")), key=lambda row: row[1].due_on)[:30]


def _waking(visit: Visit, at: int) -> int:
    """Returns how many alerts at rest come back within the next shift."""
    soon = [one for one in visit.desk.work.moment().held.values() if at < one.snoozed_until_at <= at + 12 * _HOUR_MS]
    return len(soon)


def _decided(visit: Visit, since: int) -> list[tuple[str, int]]:
    """Returns how many decisions of each kind this console took since an instant; the kind as a key of the texts."""
    rows = visit.desk.store.rows(
        "SELECT decision, count(*) FROM decision WHERE taken_at >= ? GROUP BY decision ORDER BY count(*) DESC, decision", since
    )
    return [(words_of(str(decision)), int(count)) for decision, count in rows]


def words_of(decision: str) -> str:
    """Returns the key of the words for what a decision is kept under; an employer's is named like the outcome it is."""
    return f"outcome.{decision.removeprefix('employer_')}" if decision.startswith("employer_") else f"decision.{decision}"


def _note(visit: Visit) -> Response:
    content = visit.field("content")
    if not content:
        raise Refused(422, "case.note_missing")
    with visit.desk.store.writing() as writer:
        note_id, officer = uuid4().hex, visit.account.officer
        writer.run("INSERT INTO note VALUES (?, ?, ?, ?, ?)", note_id, NOTE_OF + visit.oblast, officer, visit.now, content)
        visit.desk.audit.write_in(writer, visit.now, officer, "handover_note_written", note_id)
    return visit.go("/handover#notes")
