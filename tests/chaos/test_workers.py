"""Workers killed, put to sleep, moved about: what is left equals the pure core over the log."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path
from typing import get_args

import psutil
import pytest

from streams.runtime.failpoints import Point
from tests.chaos.conftest import Judge, tell
from tests.chaos.crew import crew_of
from tests.chaos.feed import Feed
from tests.chaos.profile import PROFILE, SEED
from tests.conftest import Kafka
from tests.integration.rig import Process, until

pytestmark = pytest.mark.integration


def test_a_kill_at_every_step_of_the_checkpoint(kafka: Kafka, tmp_path: Path, judged: Judge) -> None:
    settings = kafka.settings(partitions=2)
    feed = Feed(settings, seed=SEED)
    points: tuple[Point, ...] = get_args(Point)
    with crew_of(settings, tmp_path) as crew:
        for point in points:
            feed.send(350)
            killed = crew.start("one", "--failpoint", f"{point}:3", "--batch", "20", "--name", "one")
            assert killed.wait() == -signal.SIGKILL, killed.log.read_text(encoding="utf-8")
        feed.everything()
        crew.start("one", "--batch", "70", "--name", "one")
        crew.finish(feed)
    judged(settings, worker_kills=len(points))


@pytest.mark.timeout(120 + 15 * PROFILE.kills)
@pytest.mark.parametrize("store", PROFILE.stores)
def test_kills_at_random(kafka: Kafka, tmp_path: Path, judged: Judge, monkeypatch: pytest.MonkeyPatch, store: str) -> None:
    monkeypatch.setenv("SHEKARA_STORE", store)
    monkeypatch.setenv("SHEKARA_HOME", str(tmp_path / "home"))
    settings = kafka.settings(partitions=3)
    kills = PROFILE.kills if store == PROFILE.stores[0] else PROFILE.kills // 4
    feed = Feed(settings, people=20 * kills + 100, seed=SEED, doubled=0.1)
    dice = random.Random(SEED)
    names = ("one", "two")
    with crew_of(settings, tmp_path) as crew:
        for name in names:
            crew.start(name, "--name", name, "--batch", "20")
        for name in names:
            crew[name].ready()
        crew.sample(feed)
        for kill in range(kills):
            feed.send(60)
            name = dice.choice(names)
            if dice.random() < 0.7:  # most die at work, the others while they start
                until(lambda name=name: crew.is_ready(name), f"{name} is ready")  # type: ignore[misc]
            time.sleep(dice.uniform(0, 1.5))  # not a wait for something: the moment of the kill is the experiment
            crew.kill(name)
            crew.sample(feed)
            crew.start(name, "--name", name, "--batch", str(dice.choice((5, 20, 200))))
            crew.tend()
            if kill % 10 == 9:
                tell(f"{kill + 1} of {kills} kills; {crew.account.done()} of {feed.sent} records accounted for")
        feed.everything()
        crew.finish(feed, 240)
        restarts, curve = crew.restarts, crew.curve()
    judged(settings, progress=curve, worker_kills=kills, restarts=restarts)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("point", PROFILE.sleeps)
def test_a_worker_that_fell_asleep_in_a_checkpoint_is_fenced_or_harmless(
    kafka: Kafka, tmp_path: Path, judged: Judge, point: Point
) -> None:
    settings = kafka.settings(partitions=2)
    feed = Feed(settings, seed=SEED)
    with crew_of(settings, tmp_path) as crew:
        feed.send(700)
        sleeper = crew.start("sleeper", "--failpoint", f"{point}:4:stop", "--batch", "20", again=("--batch", "20"))
        until(lambda: psutil.Process(sleeper.popen.pid).status() == psutil.STATUS_STOPPED, "it fell asleep")
        asleep_s = time.monotonic()
        crew.start("awake", "--batch", "40")
        crew.finish(feed)
        feed.send(300)
        tell(f"asleep in {point}")
        time.sleep(max(0.0, PROFILE.asleep_s - (time.monotonic() - asleep_s)))
        sleeper.popen.send_signal(signal.SIGCONT)
        asleep_s = time.monotonic() - asleep_s
        feed.everything()
        crew.finish(feed)
        restarts = crew.restarts
    judged(settings, asleep_s=round(asleep_s), restarts=restarts)


@pytest.mark.timeout(120 + 3 * PROFILE.rebalances * PROFILE.rebalance_every_s)
def test_workers_that_come_with_empty_disks_and_go(
    kafka: Kafka, tmp_path: Path, judged: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHEKARA_STORE", "rocksdb")
    settings = kafka.settings(partitions=4)
    feed = Feed(settings, people=40 * PROFILE.rebalances + 200, seed=SEED)
    with crew_of(settings, tmp_path) as crew:

        def join(number: int) -> Process:
            monkeypatch.setenv("SHEKARA_HOME", str(tmp_path / f"machine-{number}"))
            return crew.start(str(number), "--batch", "30")

        join(0).ready()
        for number in range(PROFILE.rebalances):
            feed.send(150)
            comer = join(number + 1)
            time.sleep(PROFILE.rebalance_every_s)  # not a wait for something: the pace of the experiment
            leaver = crew.dismiss(str(number))
            leaver.popen.send_signal(signal.SIGTERM)
            comer.ready()
            assert leaver.wait(20) == 0, leaver.log.read_text(encoding="utf-8")
            tell(f"{number + 1} of {PROFILE.rebalances} came and went; {crew.account.done()} of {feed.sent} accounted for")
        feed.everything()
        crew.finish(feed, 240)
    judged(settings, rebalances=2 * PROFILE.rebalances, empty_disks=PROFILE.rebalances + 1)
