"""A worker on a real broker: stopped and rebalanced; every event counts once. What breaks it is in tests/chaos."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.conftest import Kafka
from tests.integration.rig import Log, ask, assert_exactly_once, until, workers

pytestmark = pytest.mark.integration


def test_every_event_counts_once_and_a_restart_finds_its_state(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=2)
    log = Log(settings)
    log.crossings(500)
    with workers(settings, tmp_path) as start:
        first = start()
        until(lambda: log.done() == 500, "all are processed")
        first.popen.send_signal(signal.SIGTERM)
        assert first.wait(20) == 0
        log.crossings(300, seed=2)
        second = start()
        until(lambda: log.done() == 800, "the rest is processed")
        second.ready()
        lag = 'shekara_lag_records{partition="0",topic="'
        until(lambda: lag in ask(f"{second.url()}/metrics")[1], "how far it is behind is told, some seconds later")
    assert_exactly_once(log, 800)


def test_two_workers_share_the_partitions_and_either_can_leave(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=4)
    log = Log(settings)
    with workers(settings, tmp_path) as start:
        first = start("--batch", "20")
        first.ready()
        log.crossings(400)
        second = start("--batch", "20")
        second.ready()
        log.crossings(400, seed=2)
        first.popen.send_signal(signal.SIGTERM)
        log.crossings(400, seed=3)
        assert first.wait(20) == 0
        until(lambda: log.done() == 1200, "all are processed")
    assert_exactly_once(log, 1200)
