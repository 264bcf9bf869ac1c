"""A filter as a condition the warehouse understands. Every value was checked when the filter was read, and is quoted here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from streams.console.filters import STATES, Filter
from streams.console.store import Store
from streams.console.work import ANSWER_HOURS, REST_HOURS, SOON_SHARE, Moment, Mute
from streams.policy.codes import Text
from streams.policy.model import Policy
from streams.warehouse.columns import quote

_SETTLED = "'legalised', 'left', 'cleared', 'referred', 'removed'"
_HOUR_MS = 3_600_000

RECEIVED = "toUnixTimestamp64Milli(received_at)"
URGENCY = "multiIf(severity = 'high', 0, severity = 'medium', 1, severity = 'low', 2, 3)"


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom a question is asked.

    Attributes:
        oblast: the one oblast the visitor sees; empty for all.
        moment: how the work stands.
        policy: titles and places, in which words are looked for.
        store: notes, in which words are looked for.
    """

    oblast: str
    moment: Moment
    policy: Policy
    store: Store

    @property
    def within(self) -> str:
        """Returns the condition every question of a visitor carries; empty if the whole country is theirs."""
        return f" AND oblast = {quote(self.oblast)}" if self.oblast else ""


def condition(wanted: Filter, scope: Scope) -> str:
    """Returns the SQL condition of a view over ``alerts_now``."""
    moment = scope.moment
    parts = ["1"]
    if STATES[wanted.state]:
        parts.append(f"state IN ({_list(STATES[wanted.state])})")
    exact = ("rule", "grade", "severity", "family", "oblast", "post")
    parts += [f"{name} = {quote(getattr(wanted, name))}" for name in exact if getattr(wanted, name)]
    if scope.oblast:
        parts.append(f"oblast = {quote(scope.oblast)}")
    snoozed = [key for key, one in moment.held.items() if one.snoozed_until_at > moment.at]
    if wanted.state == "snoozed":
        parts.append(_among(snoozed))
    if wanted.state == "muted":
        parts.append(_muted(moment.mutes))
    if wanted.state == "queue":
        parts += _queue(moment, snoozed)
    if wanted.sla:
        parts.append(_sla(wanted.sla, moment.at))
    if wanted.owner:
        parts.append(_owner(wanted.owner, moment))
    parts += [_pivot(name, alert_id, scope) for name, alert_id in wanted.pivots]
    if wanted.text:
        parts += [_word(word, scope) for word in wanted.text.split()]
    if wanted.before:
        at, _, alert_id = wanted.before.partition(".")
        parts.append(f"(toUnixTimestamp64Milli(decided_at), toString(alert_id)) < (toInt64({at}), {quote(alert_id)})")
    return " AND ".join(f"({part})" for part in parts)


def _queue(moment: Moment, snoozed: list[str]) -> list[str]:
    """Returns what an alert in the queue is not: at rest, muted, seen a moment ago, of a case that is settled or worked on."""
    returned = [key for key, one in moment.held.items() if one.returned_at]
    rest = _hours(REST_HOURS)
    worked_on = "SELECT subject, stay_on FROM cases_now WHERE stage <> 'suspected'"
    settled = f"SELECT subject, stay_on FROM cases_now WHERE stage IN ({_SETTLED})"  # noqa: S608
    parts = [
        f"(state <> 'acknowledged') OR {_among(returned)} OR "
        f"({RECEIVED} + {rest} < {moment.at} AND (subject, stay_on) NOT IN ({worked_on}))",
        f"(subject, stay_on) NOT IN ({settled})",
        # What was decided about an employer's alert holds for the version the officer saw.
        "(alert_id, version) NOT IN (SELECT alert_id, alert_version FROM core_employer_decision)",
    ]
    if snoozed:
        parts.append(f"NOT {_among(snoozed)}")
    if moment.mutes:
        parts.append(f"NOT ({_muted(moment.mutes)})")
    return parts


def _hours(by_severity: object) -> str:
    hours = dict(by_severity)  # type: ignore[call-overload]
    cases = ", ".join(f"severity = {quote(name)}, {count * _HOUR_MS}" for name, count in hours.items())
    return f"multiIf({cases}, {24 * _HOUR_MS})"


def _sla(sla: str, at: int) -> str:
    hours = _hours(ANSWER_HOURS)
    late = f"{RECEIVED} + {hours} < {at}"
    soon = f"{RECEIVED} + {SOON_SHARE} * {hours} < {at}"
    waits = "state IN ('raised', 'amended')"
    return {
        "late": f"{waits} AND {late}",
        "soon": f"{waits} AND {soon} AND NOT ({late})",
        "in_time": f"NOT ({waits}) OR NOT ({soon})",
    }[sla]


def _owner(owner: str, moment: Moment) -> str:
    if owner == "none":
        owned = [key for key, one in moment.held.items() if one.owner]
        return f"NOT {_among(owned)}"
    wanted = moment.officer if owner == "me" else owner
    return _among([key for key, one in moment.held.items() if one.owner == wanted])


def _muted(mutes: Iterable[Mute]) -> str:
    found = []
    for mute in mutes:
        named = (("rule", mute.rule), ("oblast", mute.oblast), ("post", mute.post))
        found.append(" AND ".join(f"{name} = {quote(value)}" for name, value in named if value) or "1")
    return f"family <> 'protective' AND ({' OR '.join(f'({one})' for one in found)})" if found else "0"


def _pivot(name: str, alert_id: str, scope: Scope) -> str:
    """Returns who shares something with an alert; the alert itself must be one the visitor may see."""
    about = f"FROM alerts_now WHERE alert_id = {quote(alert_id)}{scope.within}"
    if name == "same_person":
        return f"subject IN (SELECT subject {about})"
    if name == "same_address":
        notified = "FROM core_stay_registration WHERE"
        keys = f"SELECT address_key {notified} address_key IS NOT NULL AND subject IN (SELECT subject {about})"
        return f"subject IN (SELECT subject {notified} address_key IN ({keys}))"
    employers = f"SELECT if(employer <> '', employer, subject) {about} AND (employer <> '' OR startsWith(subject, 'e'))"
    return f"employer IN ({employers}) OR subject IN ({employers})"


def _word(word: str, scope: Scope) -> str:
    """Returns the condition that a word stands somewhere an officer would look for it."""
    policy = scope.policy
    lowered = word.lower()

    def says(text: Text | None) -> bool:
        return text is not None and any(lowered in one.lower() for one in (text.kk, text.ru, text.en))

    rules = [name for name, texts in policy.rule_texts.items() if lowered in name or says(texts[0])]
    oblasts = [code for code, one in policy.codes.oblasts.items() if says(one.name)]
    posts = [code for code, one in policy.codes.posts.items() if says(one.name)]
    # SQLite knows the case of ASCII letters only.
    spelled = [f"%{one}%" for one in (word, lowered, word.capitalize())]
    notes = "SELECT case_id FROM note WHERE content LIKE ? OR content LIKE ? OR content LIKE ? LIMIT 1000"
    noted = [str(row[0]) for row in scope.store.rows(notes, *spelled)]
    cases = ", ".join(quote(one) for one in noted) or "''"
    asked = quote(word)
    reasons = f"SELECT case_id FROM core_case_decision WHERE positionCaseInsensitiveUTF8(reason, {asked}) > 0"  # noqa: S608
    through = (
        f"SELECT subject, stay_on FROM cases_now WHERE case_id IN ({reasons}) "  # noqa: S608
        f"OR lower(replaceAll(toString(case_id), '-', '')) IN ({cases})"
    )
    parts = [f"positionCaseInsensitiveUTF8(article, {asked}) > 0", f"(subject, stay_on) IN ({through})"]
    parts += [f"{name} IN ({_list(found)})" for name, found in (("rule", rules), ("oblast", oblasts), ("post", posts)) if found]
    return " OR ".join(parts)


def _among(alert_ids: Iterable[str]) -> str:
    listed = _list(alert_ids)
    return f"alert_id IN ({listed})" if listed else "0"


def _list(values: Iterable[str]) -> str:
    return ", ".join(quote(one) for one in values)
