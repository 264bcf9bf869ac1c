"""Proceedings on pages: begun for one case or a group, worked through task by task, ended with an outcome.

An outcome that decides about persons is judged case by case by the same function as on a case's own page (ADR 0094): what a
form says changes nothing about that.
"""

from __future__ import annotations

from uuid import UUID, uuid4

from starlette.responses import Response

from streams.cases.follow import case_id_of
from streams.console.case_page import standing
from streams.console.clocks import PAUSE_REASONS
from streams.console.decisions import EmployerTaken, Taken
from streams.console.disputes import close_dispute
from streams.console.feed import colleagues, is_employer, is_person
from streams.console.filters import OPEN
from streams.console.follow_up import TOWARDS_REMOVAL, CaseNow, refusal
from streams.console.person_file import open_file, plain
from streams.console.procedures import EMPLOYER_OUTCOMES, OUTCOMES, Procedure, offered, procedures
from streams.console.proceedings import Proceeding
from streams.console.reading import Fields
from streams.console.rights import sees_one_oblast
from streams.console.triage import cases_of, chosen, last_decided
from streams.console.visit import Refused, Visit, Way
from streams.records.cases import Decision
from streams.warehouse.columns import quote

EVIDENCE = ("event", "letter", "visit", "statement", "register", "another")
_SHORTEST_REASON = 5


def ways() -> list[Way]:
    """Returns the routes."""
    return [
        Way("/proceedings", _list, "see_alerts"),
        Way("/proceedings", _begin, "proceed", ("POST",)),
        Way("/proceedings/new", _choose, "proceed", ("POST",)),
        Way("/proceedings/{id}", _one, "see_alerts"),
        Way("/proceedings/{id}/task", _task, "proceed", ("POST",)),
        Way("/proceedings/{id}/give", _give, "proceed", ("POST",)),
        Way("/proceedings/{id}/note", _note, "note", ("POST",)),
        Way("/proceedings/{id}/evidence", _evidence, "proceed", ("POST",)),
        Way("/proceedings/{id}/clock", _clock, "proceed", ("POST",)),
        Way("/proceedings/{id}/close", _close, "proceed", ("POST",)),
    ]


def _list(visit: Visit) -> Response:
    whose = visit.request.query_params.get("whose", "all")
    if whose not in ("all", "mine", "closed"):
        raise Refused(422, "refused.filter")
    kept, today = visit.desk.proceedings, visit.desk.log_day()
    owner = visit.account.officer if whose == "mine" else ""
    rows = [(one, kept.clock(one, today)) for one in kept.listed(visit.oblast, owner=owner, closed=whose == "closed")]
    if whose != "closed":
        rows.sort(key=lambda row: (row[1].standing == "paused", row[1].due_on, row[0].opened_at))
    steps = {one.id: kept.steps(one.id) for one, _ in rows}
    return visit.page("proceedings.html", rows=rows, steps=steps, whose=whose, names=visit.desk.officer_names())


def _concerned(visit: Visit) -> tuple[list[Fields], dict[tuple[str, int], Fields], list[Procedure]]:
    """Returns the alerts chosen, their cases, and the paths that may be opened for them."""
    found = chosen(visit)
    cases = cases_of(visit, found)
    options = {option for case in cases.values() for option in case["options"]}
    options |= {option for row in found for option in row["options"]}
    employers = sum(not is_person(row["subject"]) for row in found)
    people = {row["subject"] for row in found if is_person(row["subject"])}
    protected = any(case["protected"] for case in cases.values()) or any(row["family"] == "protective" for row in found)
    if len(people) == 1:  # asked of the person's own events, which are newer than the case
        protected |= open_file(visit.desk.reading, visit.desk.policy, next(iter(people))).assessment.protected
    return found, cases, offered(options=options, protected=protected, persons=len(people), employers=employers)


def _choose(visit: Visit, *, status: int = 200, trouble: str = "") -> Response:
    found, cases, paths = _concerned(visit)
    return visit.page(
        "proceeding_new.html",
        status=status,
        alerts=found,
        cases=cases,
        paths=paths,
        back=visit.field("back"),
        given=visit.field("procedure", 60),
        reason=visit.field("reason"),
        trouble=visit.say(trouble) if trouble else "",
    )


def _begin(visit: Visit) -> Response:
    found, _, paths = _concerned(visit)
    name = visit.field("procedure", 60)
    path = next((one for one in paths if one.name == name), None)
    if path is None:
        if name in procedures():
            visit.audit(f"refused_begin_{name}", str(found[0]["alert_id"]))
            raise Refused(403, "refused.not_offered")
        raise Refused(422, "refused.form")
    reason = visit.field("reason")
    if len(reason) < _SHORTEST_REASON:
        return _choose(visit, status=422, trouble="case.reason_missing")
    oblasts = {row["oblast"] for row in found}
    members = []
    for row in found:
        case_id = UUID(bytes=case_id_of(row["subject"], visit.desk.day_of(row["stay_on"]))) if is_person(row["subject"]) else ""
        members.append((str(row["alert_id"]), str(case_id)))
    made = visit.desk.proceedings.begin(
        path,
        visit.account.officer,
        visit.now,
        visit.desk.log_day(),
        oblast=oblasts.pop() if len(oblasts) == 1 else "",
        members=members,
        reason=reason,
    )
    return visit.go(f"/proceedings/{made}")


def proceeding_of(visit: Visit) -> Proceeding:
    """Returns the proceeding of the path, if the visitor may see it.

    Raises:
        Refused: there is none, or it is not only of their oblast: the answer does not tell which.
    """
    found = visit.desk.proceedings.one(visit.id_in_path().hex, visit.oblast)
    if found is None:
        raise Refused(404, "refused.nothing_here")
    return found


def _one(visit: Visit, *, status: int = 200, trouble: str = "", reason: str = "") -> Response:
    proceeding = proceeding_of(visit)
    visit.audit("see_proceeding", proceeding.id, proceeding.procedure.name)
    kept, today = visit.desk.proceedings, visit.desk.log_day()
    members = kept.members(proceeding.id)
    cases = _cases(visit, proceeding)
    protected = any(case["protected"] for case in cases)
    outcomes = [one for one in proceeding.procedure.outcomes if not (protected and OUTCOMES[one] in TOWARDS_REMOVAL)]
    return visit.page(
        "proceeding.html",
        status=status,
        proceeding=proceeding,
        clock=kept.clock(proceeding, today),
        pauses=kept.pauses(proceeding.id),
        steps=[(one, kept.step_due(proceeding, one.days, today)) for one in kept.steps(proceeding.id)],
        tasks={one.name: one.title for one in proceeding.procedure.tasks},
        evidence=kept.evidence(proceeding.id),
        alerts=visit.desk.reading.some([UUID(alert_id) for alert_id, _ in members], visit.oblast),
        cases=cases,
        protected=protected,
        outcomes=outcomes,
        may_close=not proceeding.dispute_id or visit.may("decide_dispute"),
        notes=visit.desk.store.rows(
            "SELECT officer, written_at, content FROM note WHERE case_id = ? ORDER BY written_at", proceeding.id
        ),
        today=today,
        names=visit.desk.officer_names(),
        colleagues=[one for one in colleagues(visit) if not sees_one_oblast(one.role) or one.oblast == proceeding.oblast],
        pause_reasons=PAUSE_REASONS,
        evidence_kinds=EVIDENCE,
        trouble=visit.say(trouble) if trouble else "",
        reason=reason,
        done=visit.request.query_params.get("done", ""),
    )


def _cases(visit: Visit, proceeding: Proceeding) -> list[Fields]:
    ids = sorted({case_id for _, case_id in visit.desk.proceedings.members(proceeding.id) if case_id})
    if not ids:
        return []
    listed = ", ".join(quote(one) for one in ids)
    within = f" AND oblast = {quote(visit.oblast)}" if visit.oblast else ""
    return visit.desk.reading.ask(
        f"SELECT * FROM cases_now WHERE case_id IN ({listed}){within} ORDER BY toString(case_id)"  # noqa: S608  # our own ids
    )


def _running(visit: Visit) -> Proceeding:
    """Returns the proceeding of the path, if it has not ended.

    Raises:
        Refused: it has.
    """
    proceeding = proceeding_of(visit)
    if proceeding.closed_at:
        raise Refused(422, "refused.proceeding_over")
    return proceeding


def _task(visit: Visit) -> Response:
    proceeding = _running(visit)
    title, step = visit.field("title", 200), visit.field("step", 32)
    if step:
        done = visit.field("done", 1) == "1"
        visit.desk.proceedings.finish(proceeding.id, step, visit.account.officer, visit.now, done=done)
    elif title:
        days = visit.field("days", 3)
        if not days.isdecimal() or not 0 < int(days) <= proceeding.days:
            return _one(visit, status=422, trouble="proceeding.bad_days")
        visit.desk.proceedings.add_task(proceeding.id, title, int(days), visit.account.officer, visit.now)
    else:
        return _one(visit, status=422, trouble="proceeding.task_missing")
    return visit.go(f"/proceedings/{proceeding.id}#tasks")


def _give(visit: Visit) -> Response:
    proceeding = _running(visit)
    owner = next((one for one in colleagues(visit) if one.officer == visit.field("owner", 80)), None)
    if owner is None or (sees_one_oblast(owner.role) and owner.oblast != proceeding.oblast):
        raise Refused(422, "triage.other_oblast" if owner else "refused.form")
    visit.desk.proceedings.give(proceeding.id, owner.officer, visit.account.officer, visit.now)
    return visit.go(f"/proceedings/{proceeding.id}")


def _note(visit: Visit) -> Response:
    proceeding = proceeding_of(visit)
    content = visit.field("content")
    if not content:
        return _one(visit, status=422, trouble="case.note_missing")
    with visit.desk.store.writing() as writer:
        writer.run(
            "INSERT INTO note VALUES (?, ?, ?, ?, ?)", uuid4().hex, proceeding.id, visit.account.officer, visit.now, content
        )
        visit.desk.audit.write_in(writer, visit.now, visit.account.officer, "note_written", proceeding.id)
    return visit.go(f"/proceedings/{proceeding.id}#notes")


def _evidence(visit: Visit) -> Response:
    proceeding = _running(visit)
    kind, reference, content = visit.field("kind", 20), visit.field("reference", 200), visit.field("content", 1000)
    if kind not in EVIDENCE:
        raise Refused(422, "refused.form")
    if not reference:
        return _one(visit, status=422, trouble="proceeding.reference_missing")
    visit.desk.proceedings.add_evidence(proceeding.id, kind, reference, content, officer=visit.account.officer, at=visit.now)
    return visit.go(f"/proceedings/{proceeding.id}#evidence")


def _clock(visit: Visit) -> Response:
    proceeding = _running(visit)
    reason, officer, today = visit.field("reason", 40), visit.account.officer, visit.desk.log_day()
    if visit.field("go", 1) == "1":
        visit.desk.proceedings.start_clock(proceeding.id, officer, visit.now, today)
    elif reason in PAUSE_REASONS:
        visit.desk.proceedings.stop_clock(proceeding.id, reason, officer, visit.now, today)
    else:
        raise Refused(422, "refused.form")
    return visit.go(f"/proceedings/{proceeding.id}")


def _close(visit: Visit) -> Response:
    proceeding = _running(visit)
    outcome, reason = visit.field("outcome", 40), visit.field("reason")
    if outcome not in proceeding.procedure.outcomes:
        return _one(visit, status=422, trouble="proceeding.outcome_missing", reason=reason)
    if len(reason) < _SHORTEST_REASON:
        return _one(visit, status=422, trouble="case.reason_missing", reason=reason)
    if proceeding.dispute_id:
        sent = close_dispute(visit, proceeding, outcome, reason)
        return visit.go(f"/proceedings/{proceeding.id}?done={'sent' if sent else 'kept'}")
    taken: list[Taken | EmployerTaken] = [*_outcomes(visit, proceeding, outcome, reason)]
    taken += _of_employers(visit, proceeding, outcome, reason)
    officer, today = visit.account.officer, visit.desk.log_day()
    closing = visit.desk.proceedings.closing(proceeding, outcome, reason, officer=officer, at=visit.now, on=today)
    if taken:
        sent = visit.desk.decisions.take(officer, taken, closing)
        return visit.go(f"/proceedings/{proceeding.id}?done={'sent' if sent else 'kept'}")
    visit.desk.proceedings.close(closing)
    return visit.go(f"/proceedings/{proceeding.id}?done=closed")


def _outcomes(visit: Visit, proceeding: Proceeding, outcome: str, reason: str) -> list[Taken]:
    """Returns the decisions an outcome sends: for every case in which it may be taken and is not so already.

    Raises:
        Refused: a case does not allow it: then nothing is decided for any.
    """
    decision: Decision | None = OUTCOMES[outcome]
    cases = _cases(visit, proceeding)
    if outcome == "referred" and any(case["stage"] not in ("referred", "removed") for case in cases):
        raise Refused(422, "refused.not_referred")
    if decision is None:
        return []
    last = last_decided(visit, [str(case["case_id"]) for case in cases])
    account, taken = visit.account, []
    for case in cases:
        if not case["open"]:
            continue  # the facts or somebody else settled it
        now, at = CaseNow(case["stage"], bool(case["protected"]), case["options"], []), 0
        if decision in TOWARDS_REMOVAL:  # only these ask for the person's own events, newer than the case
            now, at = standing(visit, case)
        why_not = refusal(decision, now, account.officer, account.role)
        if why_not:
            visit.audit(f"refused_{decision}", str(case["case_id"]), why_not.removeprefix("refused."))
            raise Refused(403, why_not)
        behind = max(at, last.get(str(case["case_id"]), ("", "", 0))[2])
        taken.append(Taken(decision, case["subject"], case["case_id"].bytes, None, reason, behind))
    return taken


def _of_employers(visit: Visit, proceeding: Proceeding, outcome: str, reason: str) -> list[EmployerTaken]:
    """Returns the decisions an outcome sends about employers: for every alert of theirs that is still open."""
    decision = EMPLOYER_OUTCOMES.get(outcome)
    ids = [UUID(alert_id) for alert_id, case_id in visit.desk.proceedings.members(proceeding.id) if not case_id]
    if decision is None or not ids:
        return []
    taken = []
    for alert in visit.desk.reading.some(ids, visit.oblast):
        if not is_employer(alert["subject"]) or alert["state"] not in OPEN:
            continue  # a quota line's, or the facts settled it
        before = visit.desk.reading.employer_decisions("alert_id", str(alert["alert_id"]))
        behind = max((plain(one["occurred_at"]) for one in before), default=0)
        taken.append(EmployerTaken(decision, alert["subject"], alert["alert_id"].bytes, alert["version"], reason, behind))
    return taken
