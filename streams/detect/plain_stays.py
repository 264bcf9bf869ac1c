"""Plain stays: days of entry and exit as a person writes them down, read as the crossings they stand for.

Whoever lists stays says which exit belongs to which entry; crossings do not. So stays that overlap are read as days first,
and only then as crossings: otherwise the exit of one would end the other.

**Source**: docs/rules.md, Plain stays; shared/DOMAIN.md, Counting rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from streams.detect.dossier import Dossier
from streams.policy.model import Policy
from streams.records import BorderCrossing

PlainStay = tuple[int, int | None]
"""Day of entry and day of exit, days since 1970-01-01; none: no exit."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What plain stays stand for, and where they contradict each other.

    Attributes:
        crossings: days and directions, in order.
        overlaps: pairs of entry days, the stay read and the one that shares days with it, each pair once, in order.
        unended: entry days of stays without an exit that lie within another stay, where a later entry shows that they ended.
        reversed: stays whose exit is before their entry.
    """

    crossings: tuple[tuple[int, Literal["entry", "exit"]], ...]
    overlaps: tuple[tuple[int, int], ...]
    unended: tuple[int, ...]
    reversed: tuple[tuple[int, int], ...]


def read_stays(stays: Sequence[PlainStay]) -> Reading:
    """Returns the crossings that plain stays stand for.

    Args:
        stays: in any order; the same stay may stand twice.
    """
    ended: list[tuple[int, int]] = []
    begun: set[int] = set()
    turned: list[tuple[int, int]] = []
    for first, last in dict.fromkeys(stays):
        if last is None:
            begun.add(first)
        elif last < first:
            turned.append((first, last))
        else:
            ended.append((first, last))
    joined, overlaps = _joined(sorted(ended))
    latest = max([*begun, *(first for first, _ in (*joined, *turned))], default=0)
    goes_on = False
    unended: list[int] = []
    entries: set[int] = set()
    for first in sorted(begun):
        home = _home(joined, first)
        if home is None:
            entries.add(first)
        elif latest < home[1]:
            overlaps.append((home[0], first))
            goes_on = True
        else:
            unended.append(first)
    entries |= {first for first, _ in turned if _home(joined, first) is None}
    exits = {last for _, last in turned if not any(first <= last <= end for first, end in joined)}
    # On one day: an exit nobody saw an entry for, the stays, and what goes on from there.
    ordered: list[tuple[int, int, Literal["entry", "exit"]]] = [(day, 0, "exit") for day in exits]
    for index, (first, last) in enumerate(joined):
        ordered.append((first, 1, "entry"))
        if not (goes_on and index == len(joined) - 1):
            ordered.append((last, 1, "exit"))
    ordered += [(day, 2, "entry") for day in entries]
    ordered.sort(key=lambda one: one[:2])
    return Reading(tuple([(day, direction) for day, _, direction in ordered]), tuple(overlaps), tuple(unended), tuple(turned))


def crossings_of(citizenship: str, stays: Sequence[PlainStay], policy: Policy, subject: str = "traveller") -> Dossier:
    """Returns the dossier of the crossings that plain stays stand for.

    Args:
        citizenship: ISO 3166-1 alpha-3 or an ICAO 9303 special code.
        stays: in any order.
        policy: for the country's zone.
        subject: the pseudonym to use.
    """
    facts: list[BorderCrossing] = []
    for number, (day, direction) in enumerate(read_stays(stays).crossings, 1):
        # A millisecond later each: a stay that begins on the day another ends begins after it.
        at = policy.day_end_ms(day - 1, "") + number
        facts.append(
            BorderCrossing(
                number.to_bytes(16, "big"), subject, at, at, "", 0, direction, "", citizenship, "unknown", "other", "unknown",
                None, None,
            )
        )  # fmt: skip
    return Dossier(subject, tuple(facts))


def _joined(stays: list[tuple[int, int]]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Returns stays with those made one that share more than the day on which one ends and the next begins."""
    joined: list[tuple[int, int]] = []
    overlaps: list[tuple[int, int]] = []
    for first, last in stays:
        if joined and first < joined[-1][1]:
            before_first, before_last = joined[-1]
            overlaps.append((before_first, first))
            joined[-1] = (before_first, max(before_last, last))
        else:
            joined.append((first, last))
    return joined, overlaps


def _home(joined: list[tuple[int, int]], day: int) -> tuple[int, int] | None:
    """Returns the stay a day lies in, but for its last day: what begins on that begins after it."""
    return next((stay for stay in joined if stay[0] <= day < stay[1]), None)
