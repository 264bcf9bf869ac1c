"""What a list of alerts shows: read from the URL, written into the URL, so that the URL is the whole filter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from streams.console.work import Moment
from streams.policy.model import Policy

if TYPE_CHECKING:
    from streams.records import Alert

OPEN = ("raised", "amended", "acknowledged")
NEW = ("raised", "amended")
STATES: Mapping[str, tuple[str, ...]] = {
    "queue": OPEN,
    "new": NEW,
    "open": OPEN,
    "acknowledged": ("acknowledged",),
    "snoozed": OPEN,
    "muted": OPEN,
    "resolved": ("resolved",),
    "retracted": ("retracted",),
    "expired": ("expired",),
    "all": (),
}
"""Of each state a view may have the states of alerts; ``queue`` is what waits for somebody: neither resting nor muted nor seen
a moment ago nor settled."""
GRADES = ("established", "presumed", "uncertain")
SEVERITIES = ("high", "medium", "low", "info")
FAMILIES = ("breach", "protective")
SLAS = ("late", "soon", "in_time")
ORDERS = ("newest", "urgent")
_CURSOR = re.compile(r"\d{1,15}\.[0-9a-f-]{36}")
_OWNER = re.compile(r"me|none|o\d{1,3}-[0-9a-f]{8,64}")
_TEXT = re.compile(r"[^\W\d_](?:[^\W_]|[ .,-]){0,59}")
_KEY = re.compile(r"\d{5}|[pe]\d+-")
"""What looks like a document's number or a pseudonym does not belong in an address."""

_PIVOTS = ("same_employer", "same_person", "same_address")


@dataclass(frozen=True, slots=True)
class Filter:
    """One view of the feed; an empty field filters nothing.

    Attributes:
        state: a key of `STATES`.
        rule: name of a rule.
        grade: evidence grade.
        severity: severity.
        family: breach or protective.
        oblast: ISO 3166-2:KZ.
        post: border post.
        sla: whether somebody should have looked by now: a key of `SLAS`.
        owner: ``me``, ``none`` or an officer's pseudonym.
        text: words that stand in the rule, the article, the place, a decision's reason or a note.
        same_employer: id of an alert: those at the same employer (an employer's pseudonym does not belong in a URL).
        same_person: id of an alert: those of the same person.
        same_address: id of an alert: those of people notified at the same address.
        order: ``newest`` or ``urgent``: by severity, then by what is due first.
        before: where the page begins: behind this ``<decided_at ms>.<alert id>``.
    """

    state: str = "queue"
    rule: str = ""
    grade: str = ""
    severity: str = ""
    family: str = ""
    oblast: str = ""
    post: str = ""
    sla: str = ""
    owner: str = ""
    text: str = ""
    same_employer: str = ""
    same_person: str = ""
    same_address: str = ""
    order: str = "newest"
    before: str = ""

    @property
    def query(self) -> str:
        """Returns the query part of the URL; empty for the default view."""
        given = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}
        return urlencode(given)

    @property
    def pivots(self) -> list[tuple[str, str]]:
        """Returns what the view turns around: names and values of ``same_…`` fields that are set."""
        return [(name, getattr(self, name)) for name in _PIVOTS if getattr(self, name)]

    def but(self, **changes: str) -> Filter:
        """Returns the same view with some fields changed."""
        return replace(self, **changes)

    def shows(self, alert: Alert, moment: Moment) -> bool:
        """Returns whether a version that comes live belongs into this view.

        What turns around an employer, a person, an address or words is not followed live: its rows change, none are added.
        """
        if self.before or self.pivots or self.text or self.sla in ("late", "soon") or self.order != "newest":
            return False
        if STATES[self.state] and alert.state not in STATES[self.state]:
            return False
        held = moment.of(UUID(bytes=alert.alert_id))
        muted = any(one.covers(alert.family, alert.rule, alert.oblast, alert.post) for one in moment.mutes)
        snoozed = held.snoozed_until_at > moment.at
        if (self.state == "snoozed" and not snoozed) or (self.state == "muted" and not muted):
            return False
        if self.state == "queue" and (alert.state not in NEW or muted or snoozed):
            return False
        if self.owner and held.owner != {"none": "", "me": moment.officer}.get(self.owner, self.owner):
            return False
        names = ("rule", "grade", "severity", "family", "oblast", "post")
        return all(not getattr(self, name) or getattr(self, name) == getattr(alert, name) for name in names)


def read(query: Mapping[str, str], policy: Policy) -> Filter | None:
    """Returns the filter of a URL; none if a value is none of those there are.

    Args:
        query: the URL's parameters; unknown names are ignored.
        policy: knows rules, oblasts and posts.
    """
    known: dict[str, Any] = {
        "state": STATES,
        "rule": policy.rule_texts,
        "grade": GRADES,
        "severity": SEVERITIES,
        "family": FAMILIES,
        "oblast": policy.codes.oblasts,
        "post": policy.codes.posts,
        "sla": SLAS,
        "order": ORDERS,
    }
    shapes = {"before": _CURSOR, "owner": _OWNER, "text": _TEXT}
    values: dict[str, str] = {}
    for one in fields(Filter):
        value = query.get(one.name, "")
        if one.name == "text":
            value = value.strip()
        if not value:
            continue
        if one.name in known and value not in known[one.name]:
            return None
        if one.name in shapes and not shapes[one.name].fullmatch(value):
            return None
        if one.name == "text" and _KEY.search(value):
            return None
        if one.name in _PIVOTS:
            try:
                value = str(UUID(value))
            except ValueError:
                return None
        values[one.name] = value
    return Filter(**values)
