"""The day ledger as a picture: presence, what made it lawful, and where nothing did, on one time line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from streams.console.person_file import PersonFile
from streams.detect.days import FAR, union
from streams.detect.ledger import NAMES
from streams.records import Gap

WIDTH = 900.0
LEFT = 150.0
LANE = 26.0
TOP = 22.0
MOST_DAYS = 400
"""So many days, at most, are drawn: up to a month before the stay, and what follows it."""
BEFORE_DAYS = 30

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Bar:
    """Days drawn in a lane.

    Attributes:
        x: left edge.
        width: width.
        kind: lawful, breach, unknown, title, mark or silence.
        first_on: first day.
        last_on: last day.
    """

    x: float
    width: float
    kind: str
    first_on: int
    last_on: int


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the picture.

    Attributes:
        name: ``presence``, ``notices``, ``silence`` or the name of a title.
        y: its top.
        bars: its days.
    """

    name: str
    y: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """What the template draws.

    Attributes:
        width: of the drawing.
        height: of the drawing.
        left: where the days begin.
        lanes: rows.
        months: where months begin: x and the day.
        deadline_x: right edge of the last lawful day; none if it is not in the picture.
        today_x: today; none if it is not in the picture.
        first_on: first day drawn.
        last_on: last day drawn.
    """

    width: float
    height: float
    left: float
    lanes: tuple[Lane, ...]
    months: tuple[tuple[float, int], ...]
    deadline_x: float | None
    today_x: float | None
    first_on: int
    last_on: int


def draw(file: PersonFile, stay_on: int, deadline_on: int, silent: Sequence[Gap] = ()) -> Picture:
    """Returns the picture of one stay.

    Args:
        file: the person's.
        stay_on: first day of the stay, days since 1970-01-01.
        deadline_on: its last lawful day, or the last day to act.
        silent: times of posts whose silence makes the conclusion uncertain.
    """
    situation = file.assessment.situation
    first = stay_on - BEFORE_DAYS
    ends = [line.last_on for line in file.lines if line.stay_on == stay_on]
    last = min(max([*ends, deadline_on, stay_on]) + 7, first + MOST_DAYS)
    day_width = (WIDTH - LEFT) / (last - first + 1)

    def bar(kind: str, start: int, end: int) -> Bar | None:
        start, end = max(start, first), min(end, last)
        if start > end:
            return None
        return Bar(round(LEFT + (start - first) * day_width, 2), round((end - start + 1) * day_width, 2), kind, start, end)

    rows: list[tuple[str, list[Bar | None]]] = [
        ("presence", [bar(line.standing, line.first_on, line.last_on) for line in file.lines])
    ]
    for kind, name in NAMES.items():
        spans = union([(one.first_on, min(one.last_on, FAR)) for one in situation.titles if one.kind == kind and one.covers])
        rows.append((name, [bar("title", start, end) for start, end in spans]))
    marks = [bar("mark", day, day) for stay in situation.presence.stays for day, _ in stay.notices]
    rows.append(("notices", marks))
    country = situation.country
    gaps = union(
        [(country.local_day(one.from_at), FAR if one.until_at is None else country.local_day(one.until_at)) for one in silent]
    )
    rows.append(("silence", [bar("silence", start, min(end, situation.today)) for start, end in gaps]))
    lanes: list[Lane] = []
    for name, bars in rows:
        shown = tuple(one for one in bars if one is not None)
        if shown or name == "presence":
            lanes.append(Lane(name, TOP + len(lanes) * LANE, shown))

    def edge(day: int) -> float | None:
        return round(LEFT + (day - first + 1) * day_width, 2) if first <= day <= last else None

    months = []
    month = (_EPOCH + timedelta(days=first)).replace(day=1)
    while (number := (month - _EPOCH).days) <= last:
        if number >= first:
            months.append((round(LEFT + (number - first) * day_width, 2), number))
        month = (month + timedelta(days=32)).replace(day=1)
    height = TOP + len(lanes) * LANE + 8
    return Picture(WIDTH, height, LEFT, tuple(lanes), tuple(months), edge(deadline_on), edge(situation.today), first, last)
