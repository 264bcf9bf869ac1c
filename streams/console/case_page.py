"""Cases: what is due, what was decided by whom, notes, and the decisions that may be taken now."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast
from uuid import UUID, uuid4

from starlette.responses import Response

from streams.console.decisions import Decisions, Taken
from streams.console.follow_up import DECISIONS, CaseNow, offered, refusal
from streams.console.person_file import open_file, plain
from streams.console.reading import Fields
from streams.console.store import Writer
from streams.console.visit import Refused, Visit, Way
from streams.records.cases import Decision

STAGES = ("open", "suspected", "contacted", "referred", "legalised", "left", "cleared", "removed")
_SHORTEST_REASON = 5


def ways() -> list[Way]:
    """Returns the routes."""
    return [
        Way("/cases", _cases, "see_alerts"),
        Way("/cases/{id}", _case, "see_alerts"),
        Way("/cases/{id}/decide", _decide, "decide", ("POST",)),
        Way("/cases/{id}/note", _note, "note", ("POST",)),
    ]


def _cases(visit: Visit) -> Response:
    stage = visit.request.query_params.get("stage", "open")
    if stage not in STAGES:
        raise Refused(422, "refused.filter")
    return visit.page("cases.html", stage=stage, stages=STAGES, cases=visit.desk.reading.cases(stage, visit.oblast))


def case_of(visit: Visit) -> Fields:
    """Returns the case of the path, if the visitor may see it.

    Raises:
        Refused: there is none, or it is another oblast's: the answer does not tell which.
    """
    found = visit.desk.reading.case(visit.id_in_path(), visit.oblast)
    if found is None:
        raise Refused(404, "refused.nothing_here")
    return found


def standing(visit: Visit, case: Fields) -> tuple[CaseNow, int]:
    """Returns how a case stands, and when it was last decided on (UTC epoch ms).

    Whether the person is protected is asked of the case and, newer, of the person's own events.
    """
    theirs = [
        (row["decision"], row["officer"], plain(row["occurred_at"])) for row in visit.desk.reading.decisions(case["case_id"])
    ]
    known = {(decision, officer, at) for decision, officer, at in theirs}
    ours = [one for one in visit.desk.decisions.of_case(case["case_id"]) if one not in known]
    decided = sorted([*theirs, *ours], key=lambda one: one[2])
    protected = bool(case["protected"]) or open_file(visit.desk.reading, visit.desk.policy, case["subject"]).assessment.protected
    now = CaseNow(case["stage"], protected, case["options"], [(decision, officer) for decision, officer, _ in decided])
    return now, max((at for _, _, at in decided), default=0)


def _case(visit: Visit, *, status: int = 200, trouble: str = "", reason: str = "") -> Response:
    case = case_of(visit)
    visit.audit("see_case", str(case["case_id"]), str(case["stage"]))
    now, _ = standing(visit, case)
    account = visit.account
    waiting = {(decision, officer) for decision, officer, _ in visit.desk.decisions.of_case(case["case_id"])}
    decisions = visit.desk.reading.decisions(case["case_id"])
    waiting -= {(row["decision"], row["officer"]) for row in decisions}
    return visit.page(
        "case.html",
        status=status,
        case=case,
        protected=now.protected,
        offered=offered(now, account.officer, account.role),
        decisions=decisions,
        waiting=sorted(waiting),
        alerts=visit.desk.reading.some(case["alerts"], visit.oblast),
        versions=visit.desk.reading.case_versions(case["case_id"]),
        notes=visit.desk.store.rows(
            "SELECT officer, written_at, content FROM note WHERE case_id = ? ORDER BY written_at", case["case_id"].hex
        ),
        proceedings=visit.desk.proceedings.about("case_id", str(case["case_id"]), visit.oblast),
        names=visit.desk.officer_names(),
        trouble=trouble,
        reason=reason,
        done=visit.request.query_params.get("done", ""),
    )


def _decide(visit: Visit) -> Response:
    decision = visit.field("decision", 40)
    if decision not in DECISIONS or decision == "acknowledged":
        raise Refused(422, "refused.form")
    case = case_of(visit)
    seen = visit.desk.decisions.last_of(case["case_id"])
    now, last_at = standing(visit, case)
    account = visit.account
    why_not = refusal(cast("Decision", decision), now, account.officer, account.role)
    if why_not:
        visit.audit(f"refused_{decision}", str(case["case_id"]), why_not.removeprefix("refused."))
        raise Refused(403, why_not)
    reason = visit.field("reason")
    if len(reason) < _SHORTEST_REASON:
        return _case(visit, status=422, trouble=visit.say("case.reason_missing"), reason=reason)
    taken = Taken(cast("Decision", decision), case["subject"], case["case_id"].bytes, None, reason, last_at)
    sent = visit.desk.decisions.take(account.officer, [taken], as_seen(visit.desk.decisions, case["case_id"], seen))
    return visit.go(f"/cases/{case['case_id']}?done={'sent' if sent else 'kept'}")


def as_seen(decisions: Decisions, case_id: UUID, seen: int) -> Callable[[Writer], bool]:
    """Returns what makes sure, alone among the writers of all consoles, that nobody decided in a case since it was looked at.

    Args:
        decisions: those taken.
        case_id: the case.
        seen: what `Decisions.last_of` said before the case was looked at.

    Returns:
        Raises ``Refused`` if somebody did: what was lawful to decide then may not be so now.
    """

    def still(writer: Writer) -> bool:
        if decisions.last_in(writer, case_id) != seen:
            raise Refused(409, "refused.overtaken")
        return True

    return still


def _note(visit: Visit) -> Response:
    case = case_of(visit)
    content = visit.field("content")
    if not content:
        return _case(visit, status=422, trouble=visit.say("case.note_missing"))
    with visit.desk.store.writing() as writer:
        writer.run(
            "INSERT INTO note VALUES (?, ?, ?, ?, ?)", uuid4().hex, case["case_id"].hex, visit.account.officer, visit.now, content
        )
        visit.desk.audit.write_in(writer, visit.now, visit.account.officer, "note_written", str(case["case_id"]))
    return visit.go(f"/cases/{case['case_id']}#notes")
