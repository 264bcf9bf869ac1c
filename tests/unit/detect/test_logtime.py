"""The log's time only goes forward."""

from __future__ import annotations

from streams.detect.logtime import START, LogTime
from streams.records import Gap, Tick
from tests.unit.detect.facts import number


def _tick(at: int, through: int, gaps: tuple[Gap, ...] = ()) -> Tick:
    return Tick(number(1), "clock", at, at, "clock", 1, through, gaps)


def test_an_older_tick_changes_nothing() -> None:
    time = START.after(_tick(10, 5))
    assert time.after(_tick(9, 8)) is time


def test_coverage_never_goes_back_but_gaps_are_those_of_the_last_tick() -> None:
    gap = Gap("KZ-75-A1", 1, None)
    assert START.after(_tick(10, 8, (gap,))).after(_tick(11, 6)) == LogTime(11, 8, ())
