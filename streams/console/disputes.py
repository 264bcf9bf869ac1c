"""The traveller's side: whoever disagrees with a record is heard. An officer writes it down; the presumption rests at once.

The opening leaves as a `dispute` event: the stream withdraws the alert and protects the person until it is decided. The decision
is a supervisor's who has not decided in the case before; it leaves as an event too (docs/rules.md, Disputes; ADR 0097).
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID, uuid4

from starlette.responses import Response

from streams.cases.follow import case_id_of
from streams.console.alert_page import about, alert_of
from streams.console.decisions import Disputed
from streams.console.feed import is_person
from streams.console.person_file import open_file
from streams.console.procedures import procedures
from streams.console.proceedings import Proceeding
from streams.console.reading import Fields
from streams.console.visit import Refused, Visit, Way

CHANNELS = ("counter", "letter", "representative", "telephone")
_SHORTEST_REASON = 5


def ways() -> list[Way]:
    """Returns the routes."""
    return [
        Way("/alerts/{id}/dispute", _form, "record_dispute"),
        Way("/alerts/{id}/dispute", _open, "record_dispute", ("POST",)),
    ]


def _personal(visit: Visit) -> Fields:
    alert = alert_of(visit)
    if not is_person(alert["subject"]):
        raise Refused(404, "refused.nothing_here")
    return alert


def _form(visit: Visit, *, status: int = 200, trouble: str = "") -> Response:
    alert = _personal(visit)
    file = open_file(visit.desk.reading, visit.desk.policy, alert["subject"])
    evidence = {one.bytes for one in alert["evidence"]}
    return visit.page(
        "dispute.html",
        status=status,
        alert=alert,
        about=about(visit, alert),
        events=[one for one in file.events if one.event.event_id in evidence],
        channels=CHANNELS,
        statement=visit.field("statement", 1000),
        running=running(visit, alert),
        trouble=visit.say(trouble) if trouble else "",
    )


def running(visit: Visit, alert: Fields) -> Proceeding | None:
    """Returns the dispute about an alert that is being decided; none if there is none."""
    found = visit.desk.proceedings.about("alert_id", str(alert["alert_id"]), visit.oblast)
    return next((one for one in found if one.dispute_id and not one.closed_at), None)


def _open(visit: Visit) -> Response:
    alert = _personal(visit)
    known = running(visit, alert)
    if known is not None:
        return visit.go(f"/proceedings/{known.id}")
    statement, channel = visit.field("statement", 1000), visit.field("channel", 20)
    if channel not in CHANNELS:
        raise Refused(422, "refused.form")
    if len(statement) < _SHORTEST_REASON:
        return _form(visit, status=422, trouble="dispute.statement_missing")
    event_id = _event_in_doubt(visit, alert)
    dispute_id = uuid4()
    case_id = case_id_of(alert["subject"], visit.desk.day_of(alert["stay_on"]))
    officer = visit.account.officer
    proceeding = visit.desk.proceedings.begin(
        procedures()["dispute"],
        officer,
        visit.now,
        visit.desk.log_day(),
        oblast=alert["oblast"],
        members=[(str(alert["alert_id"]), str(UUID(bytes=case_id)))],
        reason=statement,
        dispute_id=dispute_id.hex,
    )
    visit.desk.proceedings.add_evidence(
        proceeding, "statement", visit.say(f"channel.{channel}"), statement, officer=officer, at=visit.now
    )
    opened = Disputed("opened", alert["subject"], case_id, dispute_id.bytes, alert["alert_id"].bytes, event_id, statement)
    sent = visit.desk.decisions.dispute(officer, opened)
    return visit.go(f"/proceedings/{proceeding}?done={'sent' if sent else 'kept'}")


def _event_in_doubt(visit: Visit, alert: Fields) -> bytes | None:
    """Returns the event the person doubts; none for the alert as a whole.

    Raises:
        Refused: the alert does not rest on it.
    """
    named = visit.field("event", 36)
    if not named:
        return None
    for one in alert["evidence"]:
        if str(one) == named:
            return bytes(one.bytes)
    raise Refused(422, "refused.form")


def close_dispute(visit: Visit, proceeding: Proceeding, outcome: str, reason: str) -> bool:
    """Decides a dispute.

    Args:
        visit: whose decision it is.
        proceeding: the dispute's.
        outcome: upheld or rejected.
        reason: in the officer's words.

    Returns:
        Whether Kafka has it already.

    Raises:
        Refused: the officer may not, or has decided or acknowledged in this case: nobody judges their own decision.
    """
    visit.require("decide_dispute")
    officer = visit.account.officer
    alert_id, case_id = visit.desk.proceedings.members(proceeding.id)[0]
    case = UUID(case_id)
    theirs = {row["officer"] for row in visit.desk.reading.decisions(case)}
    theirs |= {one for _, one, _ in visit.desk.decisions.of_case(case)}
    if officer in theirs:
        visit.audit(f"refused_{outcome}", proceeding.id, "own_decision")
        raise Refused(403, "refused.own_decision")
    alert = visit.desk.reading.alert(UUID(alert_id), visit.oblast)
    if alert is None:
        raise Refused(404, "refused.nothing_here")
    dispute_id = bytes.fromhex(proceeding.dispute_id)
    opening = visit.desk.decisions.opening(case, dispute_id)
    kind: Literal["upheld", "rejected"] = "upheld" if outcome == "upheld" else "rejected"
    closing = visit.desk.proceedings.closing(proceeding, outcome, reason, officer=officer, at=visit.now, on=visit.desk.log_day())
    event_id, opened_at = (opening.disputed_event, opening.occurred_at) if opening else (None, 0)
    decided = Disputed(kind, alert["subject"], case.bytes, dispute_id, alert["alert_id"].bytes, event_id, reason, opened_at)
    return visit.desk.decisions.dispute(officer, decided, closing)
