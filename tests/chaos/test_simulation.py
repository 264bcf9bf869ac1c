"""Thousands of schedules of crashes, zombies, lost answers and rebalances over the worker's own code, no Kafka needed."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from typing import get_args

import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from streams.runtime import checkpoint
from streams.runtime.failpoints import Point
from tests.chaos.conftest import note, tell
from tests.chaos.fake_kafka import Fate
from tests.chaos.profile import PROFILE, SEED
from tests.chaos.world import _PLACES, PARTITIONS, Worker, World

_ARMS: tuple[tuple[str, Fate], ...] = (
    *((point, "crash") for point in get_args(Point)),
    *((point, "lost_answer") for point in get_args(Point) if point != "after_apply"),
    ("init", "crash"),
    ("init", "crash_after"),
    ("init", "lost_answer"),
    ("init", "retriable"),
    ("init", "down"),
    ("produce", "crash"),
    ("commit", "crash"),
    ("commit", "crash_after"),
    ("commit", "lost_answer"),
    ("commit", "retriable"),
    ("commit", "abortable"),
    ("commit", "down"),
    ("abort", "crash"),
    ("abort", "retriable"),
    ("consume", "crash"),
    ("apply", "crash"),
)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No waiting between attempts, and no log lines: there would be a million."""
    monkeypatch.setattr(checkpoint, "_BACK_OFF_S", 0.0)
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


def _of(world: World, number: int) -> int:
    return number % len(world.awake)


class Schedules(RuleBasedStateMachine):
    """Any order of what can happen; in the end everything must be there once."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @initialize(on_disk=st.booleans())
    def begin(self, on_disk: bool) -> None:
        self.world.join(on_disk=on_disk)
        self.world.publish(0, 5)
        self.world.publish(1, 5)
        self.world.rebalance()

    @rule(partition=st.integers(0, PARTITIONS - 1), records=st.integers(1, 12), hole=st.booleans())
    def publish(self, partition: int, records: int, hole: bool) -> None:
        self.world.publish(partition, records, hole=hole)

    @rule(worker=st.integers(0, 3), offsets=st.integers(1, 15), lost=st.sampled_from((False, False, False, True)))
    def deliver(self, worker: int, offsets: int, lost: bool) -> None:
        if self.world.workers:
            chosen = self.world.workers[worker % len(self.world.workers)]
            for place in list(chosen.positions):
                chosen.deliver(place, offsets, lost=lost)

    @rule(worker=st.integers(0, 3), pieces=st.integers(1, 9))
    def work(self, worker: int, pieces: int) -> None:
        if self.world.awake:
            self.world.awake[_of(self.world, worker)].work(pieces)

    @rule()
    def commit(self) -> None:
        for worker in self.world.awake:
            worker.commit()

    @rule(turn=st.integers(0, 1))
    def rebalance(self, turn: int) -> None:
        self.world.rebalance(turn)

    @rule(on_disk=st.booleans())
    def join(self, on_disk: bool) -> None:
        if len(self.world.awake) < 3:
            self.world.join(on_disk=on_disk)

    @rule(worker=st.integers(0, 3))
    def fall_asleep(self, worker: int) -> None:
        if self.world.awake:
            self.world.awake[_of(self.world, worker)].asleep = True

    @rule(worker=st.integers(0, 9))
    def wake(self, worker: int) -> None:
        asleep = [one for one in self.world.workers if one.asleep and not one.gone]
        if asleep:
            asleep[worker % len(asleep)].asleep = False

    @rule(worker=st.integers(0, 3), loss=st.integers(0, 3))
    def kill(self, worker: int, loss: int) -> None:
        if self.world.awake:
            self.world.bury(self.world.awake[_of(self.world, worker)], loss)

    @rule(worker=st.integers(0, 3))
    def leave(self, worker: int) -> None:
        if self.world.awake:
            self.world.leave(self.world.awake[_of(self.world, worker)])

    @rule(worker=st.integers(0, 3), arm=st.sampled_from(_ARMS), after=st.integers(0, 2))
    def arm(self, worker: int, arm: tuple[str, Fate], after: int) -> None:
        if self.world.awake:
            self.world.awake[_of(self.world, worker)].armed[arm[0]] = (after, arm[1])

    @rule(partition=st.integers(0, PARTITIONS - 1))
    def damage(self, partition: int) -> None:
        self.world.disks[partition].damaged = bool(self.world.disks[partition].history)

    @invariant()
    def nothing_is_acknowledged_before_it_is_committed(self) -> None:
        self.world.check_always()

    def teardown(self) -> None:
        try:
            self.world.settle()
        finally:
            self.world.close()


def test_any_schedule_of_faults_counts_every_record_once() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Schedules,
        settings=settings(
            max_examples=max(100, PROFILE.schedules // 10),
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def _play(seed: int) -> World:
    """Plays one schedule, everything in it decided by the seed."""
    dice = random.Random(seed)
    world = World()
    world.join(on_disk=dice.random() < 0.5)
    world.rebalance()

    def anybody() -> Worker:
        return dice.choice(world.awake) if world.awake else world.join(on_disk=dice.random() < 0.5)

    def commit() -> None:
        for worker in world.awake:
            worker.commit()

    def damage() -> None:
        disk = dice.choice(world.disks)
        disk.damaged = bool(disk.history)

    def deliver() -> None:
        worker = dice.choice(world.workers)
        for place in list(worker.positions):
            worker.deliver(place, dice.randint(1, 15), lost=dice.random() < 0.05)

    def arm() -> None:
        what, fate = dice.choice(_ARMS)
        anybody().armed[what] = (dice.randint(0, 2), fate)

    def wake() -> None:
        for worker in world.workers:
            worker.asleep = False

    everything: list[tuple[int, Callable[[], object]]] = [
        (6, lambda: world.publish(dice.randrange(PARTITIONS), dice.randint(1, 12), hole=dice.random() < 0.3)),
        (12, deliver),
        (16, lambda: anybody().work(dice.randint(1, 9))),
        (4, commit),
        (4, lambda: world.rebalance(dice.randint(0, 1))),
        (1, lambda: world.join(on_disk=dice.random() < 0.5) if len(world.awake) < 3 else None),
        (1, lambda: setattr(anybody(), "asleep", True)),
        (1, wake),
        (1, lambda: world.bury(anybody(), dice.randint(0, 3))),
        (1, lambda: world.leave(anybody())),
        (5, arm),
        (1, damage),
    ]
    weights = [weight for weight, _ in everything]
    for _ in range(dice.randint(15, 60)):
        dice.choices(everything, weights)[0][1]()
        world.check_always()
    world.settle()
    world.close()
    return world


@pytest.mark.timeout(60 + PROFILE.schedules)
def test_thousands_of_seeded_schedules_count_every_record_once() -> None:
    began_s = time.monotonic()
    crashes = records = 0
    for number in range(PROFILE.schedules):
        seed = SEED * 1_000_000 + number
        try:
            world = _play(seed)
        except BaseException as error:
            raise AssertionError(f"schedule {seed} fails; play it again with _play({seed})") from error
        crashes += world.crashes
        records += sum(len(world.kafka.logs[place]) for place in _PLACES)
        if number % 2_000 == 1_999:
            tell(f"{number + 1} of {PROFILE.schedules} schedules, {crashes} crashes")
    assert crashes > PROFILE.schedules, "fewer crashes than schedules: the schedules test too little"
    seconds = time.monotonic() - began_s
    note(
        "test_thousands_of_seeded_schedules_count_every_record_once",
        faults={
            "schedules": PROFILE.schedules,
            "schedules_a_minute": round(60 * PROFILE.schedules / seconds),
            "simulated_crashes": crashes,
        },
        produced=records,
        verdict="equal",
    )
