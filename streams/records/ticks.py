"""Time, written into the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from streams.records.envelope import Record, SubjectKind


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which a post may have seen people whose records have not come.

    Attributes:
        post: the post's code.
        from_at: first instant not covered, UTC epoch ms.
        until_at: first instant covered again; none while it lasts.
    """

    post: str
    from_at: int
    until_at: int | None


@dataclass(frozen=True, slots=True)
class Tick(Record):
    """Says what time it is, and how far every post's records are complete; sent to every partition of the person log.

    Attributes:
        occurred_at: the time, UTC epoch ms; the log's clock never goes back.
        complete_through_at: every active post's crossings before this instant have been published, but for ``gaps``.
        gaps: the times not covered before ``complete_through_at``, and what lasts.
    """

    NAME: ClassVar[str] = "tick"
    SUBJECT: ClassVar[SubjectKind] = "clock"

    complete_through_at: int
    gaps: tuple[Gap, ...]
