"""What a replay concludes, beside what stands: by alert id, because the same facts give the same id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from streams.records import Alert, Finding

Change = Literal["same", "added", "gone", "changed"]
Version = Alert | Finding

COMPARED = ("state", "grade", "severity", "first_day_on", "last_day_on", "days", "options")
"""Fields in which a difference counts; which policy and which record caused a version does not."""


@dataclass(slots=True)
class Difference:
    """One conclusion on which the replay and what stands differ.

    Attributes:
        alert_id: its id.
        rule: its rule.
        change: ``added`` (only the replay concludes it), ``gone`` (only what stands does), ``changed``.
        before: the last version that stands; none if none does.
        after: the last version of the replay; none if there is none.
        fields: of a changed one, in which fields.
    """

    alert_id: bytes
    rule: str
    change: Change
    before: Version | None
    after: Version | None
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Comparison:
    """What came of comparing.

    Attributes:
        by_rule: by rule, how many conclusions are the same, added, gone, changed.
        differences: those that are not the same, by rule and id.
    """

    by_rule: dict[str, Counter[Change]] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)


def latest(versions: Iterable[Version]) -> dict[bytes, Version]:
    """Returns the last version of each conclusion, in whichever order the versions come."""
    found: dict[bytes, Version] = {}
    for one in versions:
        known = found.get(one.alert_id)
        if known is None or known.version < one.version:
            found[one.alert_id] = one
    return found


def compare(live: dict[bytes, Version], shadow: dict[bytes, Version], from_on: int) -> Comparison:
    """Compares what stands with what a replay concludes.

    Args:
        live: last versions as they stand.
        shadow: last versions of the replay.
        from_on: what ended before this day is left out; days since 1970-01-01.

    Returns:
        The comparison. What is retracted does not stand.
    """
    found = Comparison()
    for number in live.keys() | shadow.keys():
        before, after = _standing(live.get(number), from_on), _standing(shadow.get(number), from_on)
        one = before or after
        if one is None:
            continue
        fields: tuple[str, ...] = ()
        change: Change = "same"
        if before is None:
            change = "added"
        elif after is None:
            change = "gone"
        else:
            fields = tuple(name for name in COMPARED if getattr(before, name) != getattr(after, name))
            change = "changed" if fields else "same"
        found.by_rule.setdefault(one.rule, Counter())[change] += 1
        if change != "same":
            found.differences.append(Difference(number, one.rule, change, before, after, fields))
    found.differences.sort(key=lambda difference: (difference.rule, difference.alert_id))
    return found


def _standing(version: Version | None, from_on: int) -> Version | None:
    if version is None or version.state == "retracted":
        return None
    return None if version.last_day_on is not None and version.last_day_on < from_on else version
