"""The broker killed in every step of a checkpoint, out of reach, and slow: what is left equals the pure core over the log."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psutil
import pytest

from streams.local import admin, jars, java, topics
from streams.local.broker import Broker
from streams.runtime.failpoints import Point
from streams.settings import Settings
from tests.chaos.conftest import Judge, tell
from tests.chaos.crew import crew_of
from tests.chaos.feed import Feed
from tests.chaos.profile import LONG_ONLY, PROFILE, SEED
from tests.chaos.proxy import Proxy
from tests.integration.rig import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(420)]


@dataclass
class Remote:
    """A broker of our own, reached through a link that can be broken."""

    broker: Broker
    link: Proxy
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def settings(self) -> Settings:
        """Returns settings of a fresh namespace with its topics."""
        values = {"kafka": self.link.address, "namespace": f"remote{next(self._numbers)}", "partitions": 2}
        settings = Settings().model_copy(update=values)
        with admin.connect(settings.kafka, settings) as client:
            topics.create(client, settings.namespace, partitions=2, replication=1)
        return settings

    def die_and_rise(self) -> None:
        """Kills the broker at once and starts it again on its data."""
        os.kill(self.broker.child.pid, signal.SIGKILL)
        until(lambda: not self.broker.child.running, "the broker is dead")
        self.broker.start()
        self.broker.wait_ready(Settings())


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    settings = Settings()
    found: list[Broker] = []
    link = Proxy(lambda: int(found[0].bootstrap.rpartition(":")[2]))
    broker = Broker(
        tmp_path_factory.mktemp("remote") / "broker",
        java=java.find(settings.java_home),
        classpath=jars.ensure(settings.cache),
        advertised=link.address,
    )
    found.append(broker)
    broker.start()
    try:
        broker.wait_ready(settings)
        yield Remote(broker, link)
    finally:
        link.close()
        broker.stop()


@pytest.mark.parametrize("point", PROFILE.broker_deaths)
def test_the_broker_is_killed_in_a_step_of_a_checkpoint(remote: Remote, tmp_path: Path, judged: Judge, point: Point) -> None:
    settings = remote.settings()
    feed = Feed(settings, seed=SEED)
    feed.send(700)
    with crew_of(settings, tmp_path) as crew:
        worker = crew.start("one", "--failpoint", f"{point}:5:stop", "--batch", "20", again=("--batch", "20"))
        until(lambda: psutil.Process(worker.popen.pid).status() == psutil.STATUS_STOPPED, "the worker is at the step")
        remote.die_and_rise()
        worker.popen.send_signal(signal.SIGCONT)
        feed.everything()
        crew.finish(feed)
        restarts = crew.restarts
    judged(settings, broker_kills=1, restarts=restarts)


def test_the_broker_cannot_be_reached_for_a_while(remote: Remote, tmp_path: Path, judged: Judge) -> None:
    settings = remote.settings()
    feed = Feed(settings, seed=SEED)
    feed.send(1_200)
    with crew_of(settings, tmp_path) as crew:
        crew.start("one", "--batch", "10")
        crew.until_done(200)
        remote.link.cut()
        tell("the broker is out of reach")
        time.sleep(PROFILE.away_s)  # not a wait for something: how long it is away is the experiment
        remote.link.mend()
        feed.everything()
        crew.finish(feed)
        restarts = crew.restarts
    judged(settings, away_s=PROFILE.away_s, restarts=restarts)


@LONG_ONLY
def test_the_broker_takes_requests_and_does_not_answer_for_a_while(remote: Remote, tmp_path: Path, judged: Judge) -> None:
    settings = remote.settings()
    feed = Feed(settings, seed=SEED)
    feed.send(1_200)
    with crew_of(settings, tmp_path) as crew:
        crew.start("one", "--batch", "10")
        crew.until_done(200)
        remote.link.hangs = True
        tell("the broker does not answer")
        time.sleep(PROFILE.away_s)  # not a wait for something: how long it hangs is the experiment
        remote.link.mend()
        feed.everything()
        crew.finish(feed)
        restarts = crew.restarts
    judged(settings, hanging_s=PROFILE.away_s, restarts=restarts)


@LONG_ONLY
def test_the_broker_is_slow(remote: Remote, tmp_path: Path, judged: Judge) -> None:
    settings = remote.settings()
    feed = Feed(settings, seed=SEED)
    feed.everything()
    remote.link.delay_s, remote.link.bytes_per_s = 0.01, 400_000
    with crew_of(settings, tmp_path) as crew:
        crew.start("one", "--batch", "200")
        crew.finish(feed)
        remote.link.mend()
    judged(settings, delay_ms=10, kilobytes_per_s=400)
