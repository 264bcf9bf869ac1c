"""A day without a link, two crossings a second, the machine killed every few minutes: everything arrives, once, in order.

The day is simulated: its crossings are recorded as fast as the disk takes them. The short profile is an hour;
``SHEKARA_SPOOL_DAY=1`` makes it 24 (172 800 crossings) and says how long the draining took.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import Kafka
from tests.integration.border_post import crossing
from tests.integration.test_spool_forwarding import first_arrivals

pytestmark = pytest.mark.integration

PER_SECOND = 2
LONG = bool(os.environ.get("SHEKARA_SPOOL_DAY"))
HOURS = 24 if LONG else 1
COUNT = HOURS * 3600 * PER_SECOND
MINUTES_BETWEEN_KILLS = (3, 9) if LONG else (15, 25)


def post(environment: dict[str, str], spool: Path, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.integration.border_post", str(spool), str(spool.with_name("keys")), str(count), "20"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.timeout(3600 if LONG else 280)
def test_a_day_without_a_link_and_a_machine_that_dies_lose_and_disorder_nothing(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings()
    spool, chance, said, kills = tmp_path / "spool.db", random.Random(24), 0, 0
    away = os.environ | {"SHEKARA_KAFKA": "127.0.0.1:1", "SHEKARA_NAMESPACE": settings.namespace}
    while said < COUNT:
        wanted = min(COUNT, said + 60 * PER_SECOND * chance.randint(*MINUTES_BETWEEN_KILLS))
        running = post(away, spool, COUNT)
        assert running.stdout is not None
        for line in running.stdout:
            said = int(line)
            if said >= wanted:
                break
        running.kill()
        said = max([said, *(int(number) for number in running.stdout.read().split() if number.isdecimal())])
        running.wait()
        running.stdout.close()
        kills += 1
    began = time.monotonic()
    running = post(away | {"SHEKARA_KAFKA": settings.kafka}, spool, COUNT)
    assert running.stdout is not None
    assert "drained" in running.stdout.read()
    assert running.wait(60) == 0
    running.stdout.close()
    took = time.monotonic() - began
    sys.stdout.write(f"{COUNT:,} events after {kills} kills drained in {took:.1f} s, {COUNT / took:,.0f}/s, start included\n")
    found, messages = first_arrivals(settings)
    assert {one.event_id for one in found.values()} == {crossing(number).event_id for number in range(1, COUNT + 1)}
    assert sorted(one.source_seq for one in found.values()) == list(range(1, COUNT + 1))
    orders: dict[str, list[int]] = {}
    for one in found.values():
        orders.setdefault(one.subject, []).append(one.source_seq)
    assert all(order == sorted(order) for order in orders.values())
    assert messages == COUNT, "without a failure while sending, nothing is sent twice"
