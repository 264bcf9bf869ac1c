"""Workers killed at random and put to sleep past their session, while events keep coming: every event counts once."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from streams.errors import FencedError
from tests.conftest import Kafka
from tests.integration.rig import Log, assert_exactly_once, until, workers

pytestmark = pytest.mark.integration

KILLS = int(os.environ.get("SHEKARA_CHAOS_KILLS", "3"))
"""Kills of the short profile; `make chaos` raises it."""


@pytest.mark.timeout(60 + 30 * KILLS)
def test_workers_killed_at_random_lose_and_double_nothing(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=3)
    log = Log(settings)
    dice = random.Random(20)
    events = 0
    with workers(settings, tmp_path) as start:
        for kill in range(KILLS):
            worker = start("--batch", "10")
            worker.ready()
            log.crossings(200, seed=kill)
            events += 200
            time.sleep(dice.uniform(0, 0.5))  # not a wait for something: the moment of the kill is the experiment
            worker.popen.send_signal(signal.SIGKILL)
            worker.wait()
        start()
        until(lambda: log.done() == events, "all are processed")
    assert_exactly_once(log, events)


def test_a_worker_that_slept_past_its_session_writes_nothing_more(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=1)
    log = Log(settings)
    with workers(settings, tmp_path) as start:
        sleeper = start("--batch", "5")
        sleeper.ready()
        log.crossings(100)
        until(lambda: log.done() >= 20, "it has begun")
        sleeper.popen.send_signal(signal.SIGSTOP)
        second = start()
        until(lambda: log.done() == 100, "another has taken over")
        second.ready()
        log.crossings(100, seed=2)
        sleeper.popen.send_signal(signal.SIGCONT)
        until(lambda: log.done() == 200, "all are processed")
        # It either finds itself fenced and stops, or joins again without having written.
        assert sleeper.popen.poll() in (None, FencedError.exit_code)
        log.crossings(50, seed=3)
        until(lambda: log.done() == 250, "work goes on")
    assert_exactly_once(log, 250)
