"""What is left of visits so old that their records may no longer be kept: their days, and whose allowance they used.

No event id, no instant, no post: about four bytes a visit, where the records took a hundred.

**Source**: docs/rules.md, Folding; ADR 0073; shared/DOMAIN.md, Rights baseline 7 (retention).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streams.detect.packing import Strings, put_int, put_uint, take_int, take_uint
from streams.records import BorderCrossing, Inspection, PersonEvent, StayRegistration


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit of which nothing was ever found, and nothing will be.

    Attributes:
        stay_on: day of entry, days since 1970-01-01.
        last_on: day of exit.
        citizenship: shown at entry; says whose allowance it used, by the policy's groups.
    """

    stay_on: int
    last_on: int
    citizenship: str


@dataclass(frozen=True, slots=True)
class Folded:
    """The visits that were folded, and how far.

    Attributes:
        line_ms: the last exit of them, UTC epoch ms.
        visits: by entry.
    """

    line_ms: int
    visits: tuple[Visit, ...]

    def put(self, out: bytearray, strings: Strings) -> None:
        """Appends it, as `take_folded` reads it."""
        put_int(out, self.line_ms)
        put_uint(out, len(self.visits))
        before = 0
        for visit in self.visits:
            put_int(out, visit.stay_on - before)
            put_int(out, visit.last_on - visit.stay_on)
            put_uint(out, strings.code(visit.citizenship))
            before = visit.last_on


def take_folded(data: bytes, at: int, strings: Strings) -> tuple[Folded, int]:
    """Reads what `Folded.put` wrote; returns it and the position behind it."""
    line_ms, at = take_int(data, at)
    count, at = take_uint(data, at)
    visits: list[Visit] = []
    before = 0
    for _ in range(count):
        gap, at = take_int(data, at)
        length, at = take_int(data, at)
        code, at = take_uint(data, at)
        visits.append(Visit(before + gap, before + gap + length, strings.text(code)))
        before = visits[-1].last_on
    return Folded(line_ms, tuple(visits)), at


def can_fold(fact: PersonEvent) -> bool:
    """Returns whether a fact is of those that fold with their visit: it gives no title, and accuses nobody of work."""
    if isinstance(fact, StayRegistration):
        return fact.kind != "extension"
    if isinstance(fact, Inspection):
        return fact.kind == "in_country_check"
    return isinstance(fact, BorderCrossing) and fact.direction != "refusal"


def comes_too_late(fact: PersonEvent, folded: Folded, kept: Sequence[PersonEvent]) -> bool:
    """Returns whether a fact is about a time that was folded: it changes nothing any more.

    Args:
        fact: a fact that came.
        folded: what was folded.
        kept: the facts there are, in order; what belongs into a stay that was kept is not too late.
    """
    at = fact.occurred_at
    if at > folded.line_ms or not can_fold(fact):
        return False
    begun: int | None = None
    for one in kept:
        if isinstance(one, BorderCrossing) and one.direction != "refusal":
            if begun is not None and begun <= at <= one.occurred_at:
                return False
            begun = one.occurred_at if one.direction == "entry" else None
            if at < one.occurred_at:
                return True
    return begun is None
