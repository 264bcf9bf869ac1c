"""One alert: why it fired, on what it rests, what was known when, and what can lawfully be done, help first."""

from __future__ import annotations

from dataclasses import fields
from typing import Any
from uuid import UUID

from starlette.responses import Response

from streams.cases.follow import case_id_of
from streams.console.feed import is_person
from streams.console.live import write_position
from streams.console.person_file import Logged, PersonFile, open_file, plain
from streams.console.picture import draw
from streams.console.reading import Fields
from streams.console.related import related_to
from streams.console.visit import Refused, Visit, Way
from streams.records import Gap
from streams.records.envelope import PersonEvent
from streams.vault import Masked

_ENVELOPE = frozenset(one.name for one in fields(PersonEvent))


def ways() -> list[Way]:
    """Returns the routes."""
    return [
        Way("/alerts/{id}", _alert, "see_alerts"),
        Way("/alerts/{id}/person", _ask_why, "see_person"),
        Way("/alerts/{id}/person", _person, "see_person", ("POST",)),
    ]


def alert_of(visit: Visit) -> Fields:
    """Returns the alert of the path, if the visitor may see it.

    Raises:
        Refused: there is none, or it is another oblast's: the answer does not tell which.
    """
    found = visit.desk.reading.alert(visit.id_in_path(), visit.oblast)
    if found is None:
        raise Refused(404, "refused.nothing_here")
    return found


def _alert(visit: Visit) -> Response:
    position = visit.desk.reading.positions()  # before the alert: what is missing in it comes live
    now = alert_of(visit)
    visit.audit("see_alert", str(now["alert_id"]), f"{now['rule']} {now['state']}")
    versions = visit.desk.reading.versions(now["alert_id"])
    alert, known_at = _as_known(visit, now, versions)
    file = open_file(visit.desk.reading, visit.desk.policy, alert["subject"], known_at)
    personal = is_person(alert["subject"])
    stay_on, deadline_on = plain(alert["stay_on"]), plain(alert["deadline_on"])
    evidence = {one.bytes for one in alert["evidence"]}
    case_id = UUID(bytes=case_id_of(alert["subject"], stay_on))
    silent = _silent(file, alert)
    return visit.page(
        "alert.html",
        alert=alert,
        now=now,
        known_at=known_at,
        position=write_position(position),
        about=about(visit, alert),
        personal=personal,
        picture=draw(file, stay_on, deadline_on, silent) if personal else None,
        lines=[line for line in file.lines if line.stay_on == stay_on],
        evidence=[one for one in file.events if one.event.event_id in evidence],
        silent=silent,
        versions=versions,
        case=visit.desk.reading.case(case_id, visit.oblast),
        decided=[] if personal else visit.desk.reading.employer_decisions("alert_id", str(alert["alert_id"])),
        protected=file.assessment.protected,
        details=details,
        related=related_to(visit, now),
        proceedings=visit.desk.proceedings.about("alert_id", str(alert["alert_id"]), visit.oblast),
        held=visit.desk.work.moment().of(alert["alert_id"]),
        names=visit.desk.officer_names(),
    )


def _as_known(visit: Visit, now: Fields, versions: list[Fields]) -> tuple[Fields, int | None]:
    """Returns the version the address asks for and when the broker received it; what holds now if it asks for none.

    Raises:
        Refused: there is no such version.
    """
    wanted = visit.request.query_params.get("known", "")
    if not wanted:
        return now, None
    for one in versions:
        if str(one["version"]) == wanted:
            return one, plain(one["received_at"])
    raise Refused(404, "refused.nothing_here")


def about(visit: Visit, alert: Fields) -> str:
    """Returns what the rule says in a sentence, for what is established; otherwise that silence is not proof."""
    silence = "" if alert["grade"] == "established" else visit.say("alert.no_exit_about")
    if silence and alert["rule"].startswith("overstay"):
        return silence
    texts = visit.desk.policy.rule_texts.get(alert["rule"])
    return f"{visit.say.of(texts[1]) if texts else ''} {silence}".strip()


def _silent(file: PersonFile, alert: Fields) -> list[Gap]:
    """Returns the times of posts whose silence makes the grade uncertain: those between the last sign and the deadline."""
    if alert["grade"] != "uncertain":
        return []
    seen = [
        one.event.occurred_at
        for one in file.events
        if one.event.event_id in {each.bytes for each in alert["evidence"]}
        and one.event.NAME in ("border_crossing", "inspection")
    ]
    since = max(seen, default=0)
    until = file.assessment.situation.country.day_end_ms(plain(alert["deadline_on"]))
    return [gap for gap in file.time.gaps if gap.from_at < until and (gap.until_at is None or gap.until_at > since)]


def details(logged: Logged) -> list[tuple[str, Any]]:
    """Returns an event's own fields that hold something; ids as they are in the log's JSON form."""
    found = []
    for one in fields(logged.event):
        value = getattr(logged.event, one.name)
        if one.name in _ENVELOPE or value in (None, "", ()):
            continue
        found.append((one.name, str(UUID(bytes=value)) if isinstance(value, bytes) else value))
    return found


def _ask_why(visit: Visit) -> Response:
    return visit.page("person_why.html", alert=_personal(visit), trouble="")


def _personal(visit: Visit) -> Fields:
    """Returns the alert of the path if it is about a person.

    Raises:
        Refused: it is not, or is not there.
    """
    alert = alert_of(visit)
    if not is_person(alert["subject"]):
        raise Refused(404, "refused.nothing_here")
    return alert


def _person(visit: Visit) -> Response:
    alert = _personal(visit)
    reason = visit.field("reason", 500)
    if len(reason) < 5:
        return visit.page("person_why.html", status=422, alert=alert, trouble=visit.say("person.reason_missing"))
    visit.audit("see_person", str(alert["alert_id"]), reason)
    file = open_file(visit.desk.reading, visit.desk.policy, alert["subject"])
    return visit.page("person.html", alert=alert, file=file, details=details, documents=_documents(visit, alert, reason))


def _documents(visit: Visit, alert: Fields, reason: str) -> list[Masked]:
    """Returns the documents of a person that are kept, masked; every look is a line of the audit with its reason."""
    vault, officer, about = visit.desk.vault, visit.account.officer, str(alert["alert_id"])
    if vault is None:
        return []
    shown = [
        vault.reveal(subject, reason, officer=officer, about=about)
        for subject in visit.desk.reading.pseudonyms_of(alert["subject"])
    ]
    return [one for one in shown if one is not None]
