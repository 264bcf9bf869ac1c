"""Why an alert is what it is: its versions, the events behind it with topic and offset, and what was known when.

Everything is read from the warehouse; the day ledger is computed again from the events, as they were known at a version.

**Source**: docs/rules.md; Rights baseline (every decision explained).
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from streams.detect.assess import assess
from streams.detect.dossier import Dossier
from streams.detect.ledger import ledger
from streams.detect.logtime import START, LogTime
from streams.errors import IntegrityError, UsageError
from streams.policy.model import Policy
from streams.records import INPUTS, EmployerDeclaration, PersonEvent, QuotaAllocation, Tick
from streams.report.assessment import days_of
from streams.report.log_events import NOT_YET, Delivered, Select, deliveries, heard_at, pseudonyms_of
from streams.wire.jsonform import to_json

_VERSION_COLUMNS = (
    "version", "state", "reason", "grade", "severity", "first_day_on", "last_day_on", "days", "options", "evidence", "caused_by",
    "caused_at", "decided_at", "policy_version", "article", "group", "oblast", "post", "employer", "rule", "family", "subject",
    "stay_on", "deadline_on",
)  # fmt: skip
_ENVELOPE = frozenset({"type", "event_id", "subject", "source_seq", "source", "occurred_at", "recorded_at"})
_SUBJECT = re.compile(r"[A-Za-z0-9:_-]{1,128}")


def alert_number(text: str) -> UUID:
    """Returns an alert's id.

    Raises:
        UsageError: it is none.
    """
    try:
        return UUID(text)
    except ValueError:
        raise UsageError(
            f"Expected an alert's id, 32 hexadecimal digits with or without dashes, got {text[:60]!r}.",
            "'shekara alerts list' shows the ids.",
        ) from None


def explain(number: UUID, select: Select, policy: Policy) -> dict[str, Any]:
    """Returns the explanation of an alert or finding.

    Args:
        number: its id.
        select: asks the warehouse.
        policy: the policy the ledger is computed with, and the texts are from.

    Raises:
        UsageError: there is no such alert.
    """
    versions = _versions(number, select)
    last, first = versions[-1], versions[0]
    # A version that takes an alert back rests on nothing: what the one before rested on is what a reader wants to see.
    rested_on: list[UUID] = next((version["evidence"] for version in reversed(versions) if version["evidence"]), [])
    subject = str(last["subject"])
    if not _SUBJECT.fullmatch(subject):
        raise IntegrityError("A subject in the warehouse is no pseudonym.", "Run 'shekara doctor'.")
    names = pseudonyms_of(subject, select)
    about = "subject IN ('" + "', '".join(names) + "')"
    delivered = [
        one
        for kind in INPUTS
        if issubclass(kind, PersonEvent | EmployerDeclaration | QuotaAllocation)
        for one in deliveries(kind, select, _concerns(about, subject, rested_on))
    ]
    delivered.sort(key=lambda one: (one.topic, one.partition, one.offset))
    delivered = _as_known_here(delivered, subject, heard_at(subject, select) if len(names) > 1 else {})
    causes = {version["version"]: _position(version, delivered, select) for version in versions}
    text = policy.rule_texts.get(str(last["rule"]))
    evidence = set(rested_on)
    then = causes[first["version"]]
    # What an employer's or a quota's alert rests on is other people's: no days of theirs are reckoned here.
    person = [one for one in delivered if isinstance(one.record, PersonEvent)] if subject.startswith("p") else []
    active = {fact.event_id for fact in _dossier(subject, person).active()} if person else None
    return {
        "alert_id": str(number),
        "rule": last["rule"],
        "title": None if text is None else {"kk": text[0].kk, "ru": text[0].ru, "en": text[0].en},
        "description": None if text is None else {"kk": text[1].kk, "ru": text[1].ru, "en": text[1].en},
        "subject": subject,
        "state": last["state"],
        "grade": last["grade"],
        "article": last["article"],
        "policy_version": last["policy_version"],
        "same_policy": last["policy_version"] == policy.version,
        "stay_on": _plain(last["stay_on"]),
        "deadline_on": _plain(last["deadline_on"]),
        "first_day_on": _plain(last["first_day_on"]),
        "last_day_on": _plain(last["last_day_on"]),
        "days": last["days"],
        "versions": [
            {key: _plain(version[key]) for key in _VERSION_COLUMNS[:14]}
            | {"known_events": _known(delivered, causes[version["version"]])}
            for version in versions
        ],
        "events": [_event(one, then, evidence, active) for one in delivered],
        "alerts": _alerts(evidence - {UUID(bytes=one.record.event_id) for one in delivered}, policy, select),
        "ledger_as_first_told": _ledger(subject, person, policy, then, first["decided_at"]),
        "ledger_now": _ledger(subject, person, policy, None, last["decided_at"]),
        "options": [
            {"name": name, "text": {"kk": words.kk, "ru": words.ru, "en": words.en}}
            for name in last["options"]
            if (words := policy.option_texts.get(name)) is not None
        ],
    }


def _concerns(own: str, subject: str, evidence: list[UUID]) -> str:
    """Returns the condition for the events that explain an alert: the subject's own, and what one about no person rests on."""
    if subject.startswith("p") or not evidence:
        return own
    named = ", ".join([f"toUUID('{one}')" for one in evidence])
    return f"({own} OR event_id IN ({named}))"


def _alerts(behind: set[UUID], policy: Policy, select: Select) -> list[dict[str, Any]]:
    """Returns the alerts an alert rests on (an employer's, on its workers'), as they stand, the earliest first day first."""
    if not behind:
        return []
    columns = ("alert_id", "rule", "subject", "state", "grade", "first_day_on", "last_day_on")
    named = ", ".join([f"toUUID('{one}')" for one in sorted(behind)])
    rows = select(
        f"SELECT {', '.join(columns)} FROM alerts FINAL WHERE alert_id IN ({named}) "  # noqa: S608  # ids are UUIDs
        "ORDER BY first_day_on, subject, alert_id, version DESC LIMIT 1 BY alert_id"
    )
    found = [{name: _plain(value) for name, value in zip(columns, row, strict=True)} for row in rows]
    for one in found:
        words = policy.rule_texts.get(one["rule"])
        one["title"] = None if words is None else {"kk": words[0].kk, "ru": words[0].ru, "en": words[0].en}
    return found


def _versions(number: UUID, select: Select) -> list[dict[str, Any]]:
    for table in ("alerts", "findings"):
        columns = ", ".join(f"`{name}`" for name in _VERSION_COLUMNS)
        rows = select(f"SELECT {columns} FROM {table} FINAL WHERE alert_id = toUUID('{number}') ORDER BY version")  # noqa: S608
        if rows:
            return [dict(zip(_VERSION_COLUMNS, row, strict=True)) for row in rows]
    raise UsageError(f"The warehouse holds no alert {number}.", "'shekara alerts list --state all' shows the ids there are.")


def _position(version: dict[str, Any], delivered: list[Delivered], select: Select) -> tuple[str, int, int] | None:
    """Returns where in the log the event stands that caused a version; none if the warehouse does not hold it."""
    cause = version["caused_by"]
    for one in delivered:
        if one.record.event_id == cause.bytes:
            return one.topic, one.partition, one.offset
    partitions = {(one.topic, one.partition) for one in delivered if isinstance(one.record, PersonEvent)}
    rows = select(f"SELECT topic, partition, offset FROM raw_{Tick.NAME} FINAL WHERE event_id = toUUID('{cause}')")  # noqa: S608
    return next(((topic, partition, offset) for topic, partition, offset in rows if (topic, partition) in partitions), None)


def _as_known_here(delivered: list[Delivered], subject: str, heard: dict[bytes, tuple[str, int, int]]) -> list[Delivered]:
    """Returns events of all of a person's pseudonyms as events of the one that answers, each with when that one knew it."""
    return [
        one
        if one.record.subject == subject
        else replace(one, record=replace(one.record, subject=subject), known_at=heard.get(one.record.event_id, NOT_YET))
        for one in delivered
    ]


def _is_known(one: Delivered, until: tuple[str, int, int] | None) -> bool:
    place = one.known_at or (one.topic, one.partition, one.offset)
    return until is None or (place[:2] == until[:2] and place[2] <= until[2])


def _known(delivered: list[Delivered], until: tuple[str, int, int] | None) -> int:
    return len({one.record.event_id for one in delivered if _is_known(one, until)})


def _dossier(subject: str, delivered: list[Delivered]) -> Dossier:
    dossier = Dossier(subject)
    for one in delivered:
        if isinstance(one.record, PersonEvent):
            dossier = dossier.add(one.record)
    return dossier


def _ledger(
    subject: str, person: list[Delivered], policy: Policy, until: tuple[str, int, int] | None, decided_at: datetime
) -> list[dict[str, Any]]:
    known = [one for one in person if _is_known(one, until)]
    if not known:
        return []
    time: LogTime = replace(START, now_ms=int(decided_at.timestamp() * 1000))
    return days_of(ledger(assess(_dossier(subject, known), policy, time).situation))


def _event(one: Delivered, first: tuple[str, int, int] | None, evidence: set[UUID], active: set[bytes] | None) -> dict[str, Any]:
    row = to_json(one.record)
    return {
        "event_id": row["event_id"],
        "type": row["type"],
        "occurred_at": row["occurred_at"],
        "recorded_at": row["recorded_at"],
        "received_at": _plain(one.received_at),
        "source": row["source"],
        "topic": one.topic,
        "partition": one.partition,
        "offset": one.offset,
        "known_when_first_told": _is_known(one, first),
        "is_evidence": UUID(bytes=one.record.event_id) in evidence,
        "withdrawn": active is not None and isinstance(one.record, PersonEvent) and one.record.event_id not in active,
        "says": {key: value for key, value in row.items() if key not in _ENVELOPE and value is not None},
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
