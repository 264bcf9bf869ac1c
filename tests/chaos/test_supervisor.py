"""The supervisor of a whole stack killed at once while it works: nothing is left running, nothing is lost, all goes on."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.local.stack import Stack, find_stack
from streams.settings import Settings
from tests.chaos.conftest import Judge, tell
from tests.chaos.crew import records_of
from tests.chaos.feed import Account, Feed
from tests.chaos.profile import LONG_ONLY, SEED
from tests.integration.rig import until
from tests.integration.test_local_supervisor import assert_nothing_left, everything, listening
from tests.recompute.ask import over_http

pytestmark = [pytest.mark.integration, LONG_ONLY, pytest.mark.timeout(600)]

KILLS = 3


@contextmanager
def up(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], Stack]]:
    """Runs `shekara up` until it serves; kills it at the end if it still runs."""
    env = os.environ | {"SHEKARA_HOME": str(home), "SHEKARA_PARTITIONS": "2", "SHEKARA_SINK_BATCH_S": "0.2"}
    log = home.parent / f"up-{time.monotonic_ns()}.log"
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "streams", "up", "--ticks", "log"], env=env, stdout=file, stderr=file)
    try:
        until(lambda: "Stop with Ctrl-C" in log.read_text() or process.poll() is not None, "the stack serves", 150)
        assert process.poll() is None, log.read_text()
        yield process, find_stack(Settings(home=home))
    finally:
        process.kill()
        process.wait()


def test_the_supervisor_is_killed_while_the_stack_works(tmp_path: Path, judged: Judge) -> None:
    home = tmp_path / "home"
    home.mkdir()
    settings = Settings(home=home).model_copy(update={"partitions": 2})
    dice = random.Random(SEED)
    feed: Feed | None = None
    for kill in range(KILLS):
        with up(home) as (process, stack):
            settings = settings.model_copy(update={"kafka": stack.kafka, "namespace": stack.namespace})
            feed = feed or Feed(settings, seed=SEED)
            feed.send(400)
            time.sleep(dice.uniform(0, 0.5))  # not a wait for something: the moment of the kill is the experiment
            pids, used = everything(stack), listening(everything(stack))
            process.kill()
            process.wait()
            assert_nothing_left(pids, used, Settings(home=home))
            tell(f"{kill + 1} of {KILLS} kills of the supervisor")
    assert feed is not None
    with up(home) as (_, stack):
        feed.everything()
        account = Account(settings)
        until(lambda: account.done() >= records_of(settings), "every record is accounted for", 120)
        sent = records_of(settings)
        account.close()
        assert stack.token_file
        select = over_http(stack.sql_url, Path(stack.token_file))

        def delivered() -> bool:
            [(lines,)] = select("SELECT sum(processed + dead_letters) FROM batches FINAL")
            return bool(lines == sent)

        until(delivered, "the warehouse has it all", 60)
        judged(settings, select=select, supervisor_kills=KILLS)
