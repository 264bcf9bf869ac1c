"""Simulated time passes no faster than asked."""

from __future__ import annotations

import pytest

from streams import clock
from streams.errors import UsageError
from streams.simulate import Pace
from streams.simulate.draft import DAY_MS, HOUR_MS


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that the test moves."""
    hands = [100.0]
    monkeypatch.setattr(clock, "monotonic_s", lambda: hands[0])
    return hands


def test_as_fast_as_it_goes_never_waits(now: list[float]) -> None:
    assert Pace(0, 10 * DAY_MS).wait_s(9 * DAY_MS) == 0.0


def test_a_speed_is_simulated_seconds_in_one_real_second(now: list[float]) -> None:
    pace = Pace(0, 10 * DAY_MS, speed=3_600)
    assert pace.wait_s(2 * HOUR_MS) == pytest.approx(2.0)
    now[0] += 1.5
    assert pace.wait_s(2 * HOUR_MS) == pytest.approx(0.5)
    now[0] += 5
    assert pace.wait_s(2 * HOUR_MS) == 0.0


def test_only_the_last_day_is_live_and_counts_from_when_it_begins(now: list[float]) -> None:
    pace = Pace(0, 10 * DAY_MS, live_last_s=24.0)
    assert pace.wait_s(9 * DAY_MS - 1) == 0.0
    now[0] += 1_000
    assert pace.wait_s(9 * DAY_MS) == 0.0
    assert pace.wait_s(9 * DAY_MS + 6 * HOUR_MS) == pytest.approx(6.0)
    now[0] += 24
    assert pace.wait_s(10 * DAY_MS) == pytest.approx(0.0)


def test_a_speed_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError):
        Pace(0, DAY_MS, speed=0)
