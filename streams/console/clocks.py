"""Clocks of the follow-up, in Kazakhstan's working days; they stand still while somebody else has to act, with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from streams.policy.calendar import WorkingDays

Standing = Literal["paused", "late", "soon", "in_time", "closed"]
PAUSE_REASONS = ("waits_for_person", "waits_for_agency", "appeal_pending", "person_unwell", "force_majeure")
"""Why a clock may stand still: others have to act, or nobody can."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Days on which a clock stood still.

    Attributes:
        from_on: first day, days since 1970-01-01.
        until_on: the day it went on; none while it stands.
        reason: one of `PAUSE_REASONS`.
        officer: who stopped it.
    """

    from_on: int
    until_on: int | None
    reason: str
    officer: str


def due_on(opened_on: int, days: int, pauses: Sequence[Pause], today: int, calendar: WorkingDays) -> int:
    """Returns the last day of a term.

    Args:
        opened_on: the day it began; it does not count, days since 1970-01-01.
        days: the term in working days.
        pauses: when the clock stood still; their working days are added, the day it went on again is not.
        today: for a clock that stands now.
        calendar: Kazakhstan's working days.

    Returns:
        Days since 1970-01-01.
    """
    stood: set[int] = set()
    for pause in pauses:
        until = today + 1 if pause.until_on is None else pause.until_on
        # The opening day does not count, so standing still on it gives nothing back; days in two pauses count once.
        stood |= set(range(max(pause.from_on, opened_on + 1), until))
    due = calendar.add(opened_on, days)
    back = sum(calendar.is_working(day) for day in stood)
    return calendar.add(due, back) if back else due


def standing(due: int, today: int, *, paused: bool, closed: bool, calendar: WorkingDays) -> Standing:
    """Returns how a clock stands: what has one working day left, or is due today, is due soon."""
    if closed:
        return "closed"
    if paused:
        return "paused"
    if due < today:
        return "late"
    return "soon" if calendar.count(today + 1, due) <= 1 else "in_time"
