"""What a list of alerts shows: read from the URL, written into the URL, so that the URL is the whole filter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from streams.policy.model import Policy
from streams.warehouse.columns import quote

if TYPE_CHECKING:
    from streams.records import Alert

OPEN = ("raised", "amended", "acknowledged")
STATES: Mapping[str, tuple[str, ...]] = {
    "new": ("raised", "amended"),
    "open": OPEN,
    "acknowledged": ("acknowledged",),
    "resolved": ("resolved",),
    "retracted": ("retracted",),
    "all": (),
}
GRADES = ("established", "presumed", "uncertain")
SEVERITIES = ("high", "medium", "low", "info")
FAMILIES = ("breach", "protective")
_CURSOR = re.compile(r"\d{1,15}\.[0-9a-f-]{36}")


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
        same_employer: id of an alert: those at the same employer (an employer's pseudonym does not belong in a URL).
        before: where the page begins: behind this ``<decided_at ms>.<alert id>``.
    """

    state: str = "open"
    rule: str = ""
    grade: str = ""
    severity: str = ""
    family: str = ""
    oblast: str = ""
    post: str = ""
    same_employer: str = ""
    before: str = ""

    @property
    def query(self) -> str:
        """Returns the query part of the URL; empty for the default view."""
        given = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}
        return urlencode(given)

    def but(self, **changes: str) -> Filter:
        """Returns the same view with some fields changed."""
        return replace(self, **changes)

    def where(self, oblast: str) -> str:
        """Returns the SQL condition; every value was checked when the filter was read.

        Args:
            oblast: the one oblast the visitor sees; empty for all.
        """
        parts = ["1"]
        if STATES[self.state]:
            parts.append(f"state IN ({', '.join(quote(one) for one in STATES[self.state])})")
        exact = ("rule", "grade", "severity", "family", "oblast", "post")
        parts += [f"{name} = {quote(getattr(self, name))}" for name in exact if getattr(self, name)]
        if oblast:
            parts.append(f"oblast = {quote(oblast)}")
        if self.same_employer:
            other = f"SELECT employer FROM alerts_now WHERE alert_id = {quote(self.same_employer)}"  # noqa: S608  # a UUID
            parts.append(f"employer <> '' AND employer IN ({other})")
        if self.before:
            at, _, alert_id = self.before.partition(".")
            parts.append(f"(toUnixTimestamp64Milli(decided_at), toString(alert_id)) < (toInt64({at}), {quote(alert_id)})")
        return " AND ".join(parts)

    def shows(self, alert: Alert) -> bool:
        """Returns whether a version that comes live belongs into this view (an employer's view is not followed live)."""
        if self.same_employer or self.before or (STATES[self.state] and alert.state not in STATES[self.state]):
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
    }
    values: dict[str, str] = {}
    for one in fields(Filter):
        value = query.get(one.name, "")
        if not value:
            continue
        if one.name in known and value not in known[one.name]:
            return None
        if one.name == "same_employer":
            try:
                value = str(UUID(value))
            except ValueError:
                return None
        if one.name == "before" and not _CURSOR.fullmatch(value):
            return None
        values[one.name] = value
    return Filter(**values)
