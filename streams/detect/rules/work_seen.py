"""Work that an inspector saw or a contract tells of, day by day, and the permits and contracts there are for it.

What is wrong with a day's work is for one module a rule to say (`streams.detect.rules.work` lists them): each is shown a
`WorkDays`.

**Source**: docs/rules.md, Work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from streams.detect import titles
from streams.detect.days import FAR, Span, first_from, intersect, subtract, union
from streams.detect.finding import Found
from streams.detect.situation import Segment, Situation
from streams.detect.stays import Stay
from streams.detect.titles import Title
from streams.records import Inspection, LabourContract, WorkPermit

ANY_DEADLINE: Final = 0
"""Of wrong days whose finding's deadline is the day before they begin."""

Wrong = tuple[int, Span]
"""Wrong days, behind the deadline that tells their finding from another of the same rule and stay."""

Cure = tuple[int, str]
"""The first day on which nothing is wrong any more, and by what."""


class Work:
    """Work seen by an inspector on one day (a sighting), or told by a contract for many (an episode).

    Attributes:
        days: days of presence on which the work was done.
        employer: the employer; none if nobody knows.
        oblast: where.
        sector: section letter; empty if not known.
        record: the inspection or the contract.
        sighted: whether an inspector saw it.
    """

    __slots__ = ("days", "employer", "oblast", "record", "sector", "sighted")

    def __init__(self, days: list[Span], record: Inspection | LabourContract) -> None:
        self.days = days
        self.employer = record.employer
        self.oblast = record.oblast
        self.sector = record.sector or ""
        self.record = record
        self.sighted = isinstance(record, Inspection)


class WorkDays:
    """Days of one work on which one set of the policy's values holds, less those of people who may work as they like.

    Attributes:
        situation: what is known.
        stay: the stay the work was done in.
        segment: the policy's values and the group on these days.
        work: the work.
        days: the days.
        asks_permit: whether the group needs a permit at all.
        unpermitted: of the days, those on which the group needs a permit and none covers.
        permitted: of the days, those some work permit covers.
        for_employer: of these, those a permit that names the employer covers.
        in_place: of these, those such a permit covers for the oblast.
        placed: the permits that do.
    """

    __slots__ = (
        "asks_permit", "days", "for_employer", "in_place", "permitted", "placed", "segment", "situation", "stay", "unpermitted",
        "work",
    )  # fmt: skip

    def __init__(
        self, situation: Situation, stay: Stay, segment: Segment, work: Work, *, days: list[Span], fitting: list[Title]
    ) -> None:
        self.situation = situation
        self.stay = stay
        self.segment = segment
        self.work = work
        self.days = days
        self.asks_permit = segment.group not in segment.rules.permit_free_groups
        self.placed: list[Title] = []
        self.unpermitted: list[Span] = []
        self.permitted: list[Span] = []
        self.for_employer: list[Span] = []
        self.in_place: list[Span] = []
        if self.asks_permit:
            self.placed = [one for one in fitting if _is_for_place(one, work, segment)]
            permits = spans(situation.permits)
            self.unpermitted = subtract(days, permits)
            self.permitted = intersect(days, permits)
            self.for_employer = intersect(self.permitted, spans(fitting))
            self.in_place = intersect(self.for_employer, spans(self.placed))


class WorkRule(NamedTuple):
    """One rule about work.

    Attributes:
        name: its name.
        wrong: says which of some days are wrong.
        cure: says when a finding ends but for the exit; none if nothing ends it.
    """

    name: str
    wrong: Callable[[WorkDays], list[Wrong]]
    cure: Callable[[Situation, Stay, Found, Work], Cure | None]


def works_of(situation: Situation, stay: Stay) -> list[Work]:
    """Returns the work known of a stay."""
    found = [Work([(day, day)], one) for day, one in stay.seen if one.kind == "worker_found"]
    for contract in situation.contracts:
        days = intersect([(contract.first_on, contract.last_on)], [(stay.stay_on, stay.last_on)])
        if days:
            assert isinstance(contract.record, LabourContract)  # noqa: S101 - for the type checker
            found.append(Work(days, contract.record))
    return found


def days_by_segment(situation: Situation, stay: Stay, work: Work, free: list[Span]) -> list[WorkDays]:
    """Returns the days of one work that have to be judged.

    Args:
        situation: what is known.
        stay: the stay the work was done in.
        work: the work.
        free: days on which the person may work as citizens do (`free_days`).
    """
    fitting = fitting_permits(situation, work)
    found: list[WorkDays] = []
    for segment in situation.segments(stay):
        days = subtract(intersect(work.days, [(segment.first_on, segment.last_on)]), free)
        if days:
            found.append(WorkDays(situation, stay, segment, work, days=days, fitting=fitting))
    return found


def free_days(situation: Situation) -> list[Span]:
    """Returns the days on which the person needs no permit: permanent resident, recognised refugee, citizen."""
    return spans(
        [
            title
            for title in situation.titles
            if title.kind == titles.CITIZENSHIP or (title.strong and title.kind in (titles.RESIDENCE, titles.PROTECTION))
        ]
    )


def fitting_permits(situation: Situation, work: Work) -> list[Title]:
    """Returns the permits that allow work for the employer, wherever."""
    found: list[Title] = []
    for title in situation.permits:
        permit = title.record
        assert isinstance(permit, WorkPermit)  # noqa: S101 - for the type checker
        if work.employer is None or permit.employer == work.employer or permit.permit_type == "self_employment":
            found.append(title)
    return found


def cured_by_permit(situation: Situation, stay: Stay, found: Found, work: Work) -> Cure | None:
    """Returns the first later day that a permit covers which fits employer and oblast."""
    first = found.first_day_on
    segment = Segment(first, FAR, situation.policy.at(first), stay.group)
    fitting = [one for one in fitting_permits(situation, work) if _is_for_place(one, work, segment)]
    day = first_from(spans(fitting), first + 1)
    return None if day is None else (day, "permit_found")


def spans(some: list[Title]) -> list[Span]:
    """Returns the days some titles cover."""
    if len(some) == 1 and some[0].first_on <= some[0].last_on:
        return [(some[0].first_on, some[0].last_on)]  # what nearly everybody has
    return union([(one.first_on, one.last_on) for one in some])


def _is_for_place(title: Title, work: Work, segment: Segment) -> bool:
    assert isinstance(title.record, WorkPermit)  # noqa: S101 - for the type checker
    return not segment.rules.permit_single_oblast or title.record.oblast == work.oblast
