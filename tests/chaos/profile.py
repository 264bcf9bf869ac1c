"""How long and how often: the short profile runs in ``make test``, the long one as ``make chaos``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import get_args

import pytest

from streams.runtime.failpoints import Point


@dataclass(frozen=True, slots=True)
class Profile:
    """The size of every scenario.

    Attributes:
        name: ``short`` or ``long``.
        kills: workers killed at random moments.
        stores: where the killed workers keep their state; a quarter of the kills each but for the first.
        asleep_s: how long a worker sleeps at most before it is woken.
        sleeps: at which steps of a checkpoint a worker falls asleep.
        broker_deaths: at which steps of a checkpoint the broker is killed.
        away_s: how long the broker, and ClickHouse, cannot be reached.
        rebalances: workers that join and leave.
        rebalance_every_s: seconds between.
        sink_kills: kills of the sink between an insert and its commit.
        schedules: examples of the simulation.
    """

    name: str
    kills: int
    stores: tuple[str, ...]
    asleep_s: float
    sleeps: tuple[Point, ...]
    broker_deaths: tuple[Point, ...]
    away_s: float
    rebalances: int
    rebalance_every_s: float
    sink_kills: int
    schedules: int


_POINTS: tuple[Point, ...] = get_args(Point)

SHORT = Profile(
    name="short",
    kills=3,
    stores=("rocksdb",),
    asleep_s=0.0,
    sleeps=("after_produce",),
    broker_deaths=("after_produce",),
    away_s=3.0,
    rebalances=2,
    rebalance_every_s=1.0,
    sink_kills=2,
    schedules=150,
)

LONG = Profile(
    name="long",
    kills=200,
    stores=("memory", "rocksdb"),
    asleep_s=90.0,
    sleeps=_POINTS,
    broker_deaths=_POINTS,
    away_s=60.0,
    rebalances=40,
    rebalance_every_s=15.0,
    sink_kills=10,
    schedules=10_000,
)

PROFILE = LONG if os.environ.get("SHEKARA_CHAOS") == "long" else SHORT

SEED = int(os.environ.get("SHEKARA_CHAOS_SEED", "20"))
"""Of everything that is left to chance; what the operating system schedules is not."""

LONG_ONLY = pytest.mark.skipif(PROFILE.name != "long", reason="make chaos runs it")
