"""Many alerts at once: taken, given, acknowledged, put to rest, closed; shown before it is done, undone if it was wrong.

What decides about a person is an event (ADR 0093): an acknowledgement, and what closes a case. Who has what is our own.
Nothing that leads towards removal can be done to many at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast
from uuid import UUID

from starlette.responses import Response

from streams.cases.follow import case_id_of
from streams.console import alert_lists
from streams.console.decisions import Taken
from streams.console.feed import colleagues, is_person, scope_of
from streams.console.filters import NEW, OPEN
from streams.console.follow_up import CaseNow, refusal
from streams.console.person_file import plain
from streams.console.reading import Fields
from streams.console.rights import sees_one_oblast
from streams.console.saved_views import filter_of
from streams.console.visit import Refused, Visit, Way
from streams.console.work import HELD_AT_MOST, LONGEST_SNOOZE_MS, NOT_HELD, Held
from streams.records.cases import Decision
from streams.warehouse.columns import quote

AT_ONCE = 500
ACTS = ("take", "release", "acknowledge", "assign", "snooze", "close")
AT_A_STROKE = ("take", "release", "acknowledge")
"""What is done without asking, because nothing is lost by it and it can be undone."""
CLOSINGS: tuple[Decision, ...] = ("contacted", "cleared", "legalised", "left_voluntarily")
"""What many cases may be decided to be at once: never anything that leads towards removal."""
SNOOZES: Mapping[str, int] = {"hour": 3_600_000, "shift": 8 * 3_600_000, "day": 24 * 3_600_000, "week": 7 * 24 * 3_600_000}
_SHORTEST_REASON = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """What an act would do.

    Attributes:
        act: one of `ACTS`.
        will: alerts it would be done to, with their persons' pseudonyms.
        wont: alerts it would leave alone, each with why, as a key of the texts.
    """

    act: str
    will: list[Fields]
    wont: list[tuple[Fields, str]]


def ways() -> list[Way]:
    """Returns the routes."""
    return [
        Way("/feed/work", _work, "organise", ("POST",)),
        Way("/feed/undo/{id}", _undo, "organise", ("POST",)),
    ]


def chosen(visit: Visit) -> list[Fields]:
    """Returns the alerts a form names, one by one or as everything a view shows.

    Raises:
        Refused: none or too many are named, or one is not there for the visitor: then nothing is done to any.
    """
    if visit.field("everything", 1):
        wanted = filter_of(visit.field("back"), visit)
        if wanted is None:
            raise Refused(422, "refused.filter")
        ids = set(alert_lists.ids(visit.desk.reading, wanted, scope_of(visit), limit=AT_ONCE + 1))
    else:
        try:
            ids = {UUID(str(value)) for value in visit.form.getlist("alert")}
        except ValueError:
            raise Refused(422, "refused.form") from None
    if not ids or len(ids) > AT_ONCE:
        raise Refused(422, "refused.nothing_chosen")
    found = visit.desk.reading.some(ids, visit.oblast)
    if len(found) < len(ids):
        raise Refused(404, "refused.nothing_here")
    return sorted(found, key=lambda one: str(one["alert_id"]))


def plan(act: str, found: list[Fields], decision: str = "", cases: Mapping[tuple[str, int], Fields] | None = None) -> Plan:
    """Returns what an act would do.

    Args:
        act: one of `ACTS`.
        found: the alerts chosen.
        decision: with ``close``: what their cases are decided to be.
        cases: with ``close``: the cases as they stand, by person and stay.
    """
    will: list[Fields] = []
    wont: list[tuple[Fields, str]] = []
    for row in found:
        why_not = ""
        if act == "acknowledge":
            if not is_person(row["subject"]):
                why_not = "triage.no_person"
            elif row["state"] not in NEW:
                why_not = "triage.seen_already"
        elif act == "close":
            case = (cases or {}).get((row["subject"], plain(row["stay_on"])))
            if case is None:
                why_not = "triage.no_case"
            elif decision:
                now = CaseNow(case["stage"], bool(case["protected"]), case["options"], [])
                why_not = refusal(cast("Decision", decision), now, "", "operator")
        elif act == "snooze" and row["state"] not in OPEN:
            why_not = "triage.over"
        if why_not:
            wont.append((row, why_not))
        else:
            will.append(row)
    return Plan(act, will, wont)


def _work(visit: Visit) -> Response:
    act = visit.field("do", 20)
    if act not in ACTS:
        raise Refused(422, "refused.form")
    found = chosen(visit)
    if act in AT_A_STROKE:
        return _at_a_stroke(visit, act, found)
    return {"assign": _assign, "snooze": _snooze, "close": _close}[act](visit, found)


def _at_a_stroke(visit: Visit, act: str, found: list[Fields]) -> Response:
    officer, moment = visit.account.officer, visit.desk.work.moment()
    if act == "acknowledge":
        visit.require("acknowledge")
        made = plan(act, found)
        sent = visit.desk.decisions.take(officer, [_acknowledged(visit, row) for row in made.will])
        after = {_id(row): replace(moment.of(row["alert_id"]), returned_at=0) for row in made.will}
        return _done(visit, "acknowledged", after, "sent" if sent else "kept")
    owner = officer if act == "take" else ""
    return _done(visit, "assigned", {_id(row): replace(moment.of(row["alert_id"]), owner=owner) for row in found}, "work")


def _acknowledged(visit: Visit, row: Fields) -> Taken:
    case_id = case_id_of(row["subject"], visit.desk.day_of(row["stay_on"]))
    reason = visit.field("reason") or "acknowledged"
    return Taken("acknowledged", row["subject"], case_id, row["alert_id"].bytes, reason)


def _assign(visit: Visit, found: list[Fields]) -> Response:
    who = visit.field("owner", 80)
    known = colleagues(visit)
    if not who:
        return _preview(visit, plan("assign", found), colleagues=known)
    owner = next((one for one in known if one.officer == who), None)
    if owner is None:
        raise Refused(422, "refused.form")
    if sees_one_oblast(owner.role) and any(row["oblast"] != owner.oblast for row in found):
        return _preview(visit, plan("assign", found), colleagues=known, status=422, trouble="triage.other_oblast")
    moment = visit.desk.work.moment()
    return _done(visit, "assigned", {_id(row): replace(moment.of(row["alert_id"]), owner=who) for row in found}, "work")


def _snooze(visit: Visit, found: list[Fields]) -> Response:
    made = plan("snooze", found)
    how_long, reason = visit.field("for", 10), visit.field("reason", 500)
    if how_long not in SNOOZES:
        return _preview(visit, made)
    if len(reason) < _SHORTEST_REASON:
        return _preview(visit, made, status=422, trouble="case.reason_missing")
    until = visit.now + min(SNOOZES[how_long], LONGEST_SNOOZE_MS)
    moment = visit.desk.work.moment()
    after = {_id(row): replace(moment.of(row["alert_id"]), snoozed_until_at=until) for row in made.will}
    return _done(visit, "snoozed", after, "work", reason=reason)


def cases_of(visit: Visit, found: list[Fields]) -> dict[tuple[str, int], Fields]:
    """Returns the cases of alerts' stays by person and first day of the stay."""
    pairs = sorted({(row["subject"], str(row["stay_on"])) for row in found if is_person(row["subject"])})
    if not pairs:
        return {}
    listed = ", ".join(f"({quote(subject)}, toDate32({quote(day)}))" for subject, day in pairs)
    within = f" AND oblast = {quote(visit.oblast)}" if visit.oblast else ""
    rows = visit.desk.reading.ask(f"SELECT * FROM cases_now WHERE (subject, stay_on) IN ({listed}){within}")  # noqa: S608
    return {(row["subject"], plain(row["stay_on"])): row for row in rows}


def _close(visit: Visit, found: list[Fields]) -> Response:
    visit.require("decide")
    decision = visit.field("decision", 40)
    if decision and decision not in CLOSINGS:
        visit.audit("refused_bulk", decision[:40])
        raise Refused(403, "refused.not_in_bulk")
    cases = cases_of(visit, found)
    made = plan("close", found, decision, cases)
    reason = visit.field("reason")
    if not decision or visit.field("step", 10) != "do":
        return _preview(visit, made, cases=len({_case_of(row, cases)["case_id"] for row in made.will}))
    if len(reason) < _SHORTEST_REASON:
        return _preview(visit, made, status=422, trouble="case.reason_missing")
    if not made.will:
        return _preview(visit, made, status=422, trouble="triage.nothing_to_do")
    theirs = {str(case["case_id"]): case for case in (_case_of(row, cases) for row in made.will)}
    last = last_decided(visit, list(theirs))
    taken = [
        Taken(decision, case["subject"], case["case_id"].bytes, None, reason, last.get(case_id, ("", "", 0))[2])
        for case_id, case in sorted(theirs.items())
    ]
    sent = visit.desk.decisions.take(visit.account.officer, taken)
    after = {_id(row): NOT_HELD for row in made.will}
    return _done(visit, "closed", after, "sent" if sent else "kept", reason=reason, cases=sorted(theirs))


def _case_of(row: Fields, cases: Mapping[tuple[str, int], Fields]) -> Fields:
    return cases[row["subject"], plain(row["stay_on"])]


def last_decided(visit: Visit, case_ids: list[str]) -> dict[str, tuple[str, str, int]]:
    """Returns what was decided last on cases, by case id: decision, officer, when (UTC epoch ms); ours on their way included."""
    found: dict[str, tuple[str, str, int]] = {}
    if not case_ids:
        return found
    listed = ", ".join(quote(one) for one in case_ids)
    rows = visit.desk.reading.ask(
        f"SELECT case_id, decision, officer, occurred_at FROM core_case_decision WHERE case_id IN ({listed}) "  # noqa: S608
        "AND decision <> 'acknowledged' ORDER BY occurred_at, toString(event_id)"
    )
    for row in rows:
        found[str(row["case_id"])] = (row["decision"], row["officer"], plain(row["occurred_at"]))
    for case_id in case_ids:
        for ours in visit.desk.decisions.of_case(UUID(case_id)):
            if ours[0] != "acknowledged" and ours[2] > found.get(case_id, ("", "", 0))[2]:
                found[case_id] = ours
    return found


def _preview(visit: Visit, made: Plan, *, status: int = 200, trouble: str = "", **values: object) -> Response:
    rules: dict[tuple[str, str], int] = {}
    for row in made.will:
        rules[row["rule"], row["grade"]] = rules.get((row["rule"], row["grade"]), 0) + 1
    wont: dict[str, int] = {}
    for _, why_not in made.wont:
        wont[why_not] = wont.get(why_not, 0) + 1
    given = {"colleagues": [], "cases": 0} | values
    return visit.page(
        "bulk.html",
        status=status,
        plan=made,
        rules=sorted(rules.items(), key=lambda one: -one[1]),
        wont=sorted(wont.items()),
        protected=sum(row["family"] == "protective" for row in made.will),
        chosen=[*(_id(row) for row in made.will), *(_id(row) for row, _ in made.wont)],
        closings=CLOSINGS,
        snoozes=SNOOZES,
        decision=visit.field("decision", 40),
        reason=visit.field("reason"),
        back=visit.field("back"),
        trouble=visit.say(trouble) if trouble else "",
        **given,
    )


def _done(
    visit: Visit, kind: str, after: Mapping[str, Held], done: str, *, reason: str = "", cases: list[str] | None = None
) -> Response:
    held = visit.desk.work.moment().held
    if len(held.keys() | {key for key, one in after.items() if one != NOT_HELD}) > HELD_AT_MOST:
        raise Refused(422, "refused.too_much_held")
    if after:
        visit.desk.work.do(visit.account.officer, kind, visit.now, after, reason=reason, cases=cases or ())
        visit.desk.tell_feeds()
    return back_to(visit, done)


def back_to(visit: Visit, done: str) -> Response:
    """Sends the browser back to the view the form came from."""
    wanted = filter_of(visit.field("back"), visit)
    query = wanted.query if wanted is not None else ""
    return visit.go(f"/feed?{query}&done={done}" if query else f"/feed?done={done}")


def _undo(visit: Visit) -> Response:
    deed = visit.desk.work.deed(visit.request.path_params["id"])
    last = visit.desk.work.last_deed(visit.account.officer, visit.now)
    if deed is None or deed.officer != visit.account.officer:
        raise Refused(404, "refused.nothing_here")
    if last is None or deed.id != last.id:
        raise Refused(422, "refused.too_late_to_undo")
    sent = True
    if deed.cases:
        sent = _reopen(visit, list(deed.cases))
    visit.desk.work.undo(deed, visit.now)
    visit.desk.tell_feeds()
    return back_to(visit, "undone" if sent else "kept")


def _reopen(visit: Visit, case_ids: list[str]) -> bool:
    """Opens cases again on which nobody has decided since: what was sent stays in the log, and this behind it."""
    last = last_decided(visit, case_ids)
    listed = ", ".join(quote(one) for one in case_ids)
    rows = visit.desk.reading.ask(f"SELECT * FROM cases_now WHERE case_id IN ({listed})")  # noqa: S608  # ours
    taken = []
    for case in rows:
        decision, officer, at = last.get(str(case["case_id"]), ("", "", 0))
        if officer == visit.account.officer and decision in CLOSINGS:
            taken.append(Taken("reopened", case["subject"], case["case_id"].bytes, None, visit.say("triage.undone_reason"), at))
    return visit.desk.decisions.take(visit.account.officer, taken) if taken else True


def _id(row: Fields) -> str:
    return str(row["alert_id"])
