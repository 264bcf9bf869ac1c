"""The day ledger: every day of every stay, run by run, with what made it lawful or that nothing did.

**Source**: docs/rules.md, Stays and Titles: what an officer, a lawyer or the person reads to check a finding by hand.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

from streams.detect import titles as title_kinds
from streams.detect.days import Span, has, intersect, subtract, union
from streams.detect.situation import Situation
from streams.detect.stays import Stay

Standing = Literal["lawful", "no_title_known", "unknown"]

NAMES: dict[int, str] = {
    title_kinds.RESIDENCE: "residence",
    title_kinds.VISA: "visa",
    title_kinds.WORK_PERMIT: "work_permit",
    title_kinds.CONTRACT: "contract",
    title_kinds.EXTENSION: "extension",
    title_kinds.PROTECTION: "protection",
    title_kinds.CITIZENSHIP: "citizenship",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A run of days of one stay that share their standing and their titles.

    Attributes:
        stay_on: key of the stay.
        first_on: first day.
        last_on: last day.
        standing: lawful; no_title_known (whether that is a breach is for the finding to say: our data may lack the title);
            unknown (an exit was not seen: neither presence nor absence).
        titles: what makes the days lawful, in the order of docs/rules.md; ``allowance`` last.
    """

    stay_on: int
    first_on: int
    last_on: int
    standing: Standing
    titles: tuple[str, ...]


def ledger(situation: Situation) -> list[Line]:
    """Returns the ledger of all stays up to today, by stay and day."""
    found = [line for stay in situation.presence.folded for line in _of_stay(situation, stay, stay.last_on)]
    stays = situation.presence.stays
    for index, stay in enumerate(stays):
        last = min(stay.last_on, stay.today)
        found += _of_stay(situation, stay, last)
        if stay.exit is None and not stay.is_open and index + 1 < len(stays):
            until = stays[index + 1].stay_on - 1
            if until > last:
                found.append(Line(stay.stay_on, last + 1, until, "unknown", ()))
    if situation.presence.folded:
        found.sort(key=lambda line: (line.stay_on, line.first_on))
    return found


def _of_stay(situation: Situation, stay: Stay, last: int) -> list[Line]:
    present = [(stay.stay_on, last)]
    by_title = _titles(situation, stay)
    breaches = intersect(situation.breaches(stay), present)
    allowed = subtract(subtract(present, situation.titled(stay)), breaches)
    edges = {stay.stay_on, last + 1}
    for days in (*by_title.values(), breaches, allowed):
        for first, end in intersect(days, present):
            edges |= {first, end + 1}
    ordered = sorted(edges)
    found: list[Line] = []
    for first, following in itertools.pairwise(ordered):
        names = [name for name, days in by_title.items() if has(days, first)]
        if has(allowed, first):
            names.append("allowance")
        standing: Standing = "no_title_known" if has(breaches, first) else "lawful"
        found.append(Line(stay.stay_on, first, following - 1, standing, tuple(names)))
    return found


def _titles(situation: Situation, stay: Stay) -> dict[str, list[Span]]:
    if stay.of_citizen:
        return {"citizenship": [(stay.stay_on, stay.last_on)]}
    found: dict[str, list[Span]] = {}
    for kind, name in NAMES.items():
        spans: list[Span] = []
        if kind == title_kinds.VISA:
            for _, days in situation.visa_days(stay):
                spans += days
        else:
            for title in situation.titles:
                if title.kind == kind:
                    spans += situation.covered(stay, title)
        if spans:
            found[name] = union(spans)
    return found
