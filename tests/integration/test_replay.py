"""History decided again on a real Kafka: no difference under the policy in force; live topics are only read."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from streams.cli.replay_run import Replay
from streams.local import admin, topics
from streams.policy.load import load
from streams.settings import Settings
from streams.wire import avro
from streams.wire.topics import TOPICS
from tests.conftest import Kafka
from tests.integration.rig import ROOT, Log, Process, crossing, person, until

pytestmark = pytest.mark.integration

PEOPLE = 30
DAY_MS = 86_400_000
SHIPPED = ROOT / "streams" / "policy" / "kz"


@pytest.fixture(scope="module")
def live(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Log]:
    """A namespace whose history a worker has decided: everybody stayed between 20 and 49 days, nobody was notified of."""
    settings = kafka.settings(partitions=2)
    log = Log(settings)
    for number in range(PEOPLE):
        subject = person(number)
        entry = crossing(2 * number, subject)
        leaves = dataclasses.replace(
            crossing(2 * number + 1, subject, at_ms=entry.occurred_at + (20 + number) * DAY_MS), direction="exit"
        )
        for event in (entry, leaves):
            log.put(avro.encode(event), subject.encode())
    log.flush()
    env = {"SHEKARA_KAFKA": settings.kafka, "SHEKARA_NAMESPACE": settings.namespace, "SHEKARA_HOME": str(settings.home)}
    worker = Process(["-m", "streams", "worker", "--ticks", "log"], tmp_path_factory.mktemp("worker") / "log", env)
    try:
        until(lambda: log.done() == 2 * PEOPLE, "all is decided")
    finally:
        worker.kill()
    return settings, log


def replayed(settings: Settings, *options: str) -> dict[str, Any]:
    """Runs the command; returns its JSON."""
    env = {"SHEKARA_KAFKA": settings.kafka, "SHEKARA_NAMESPACE": settings.namespace, "SHEKARA_HOME": str(settings.home)}
    argv = [sys.executable, "-m", "streams", "replay", "--from", "2020-01-01", "--json", *options]
    done = subprocess.run(argv, cwd=ROOT, env=os.environ | env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def ends(settings: Settings) -> dict[Any, int]:
    """Returns where every live topic ends."""
    with admin.connect(settings.kafka, settings) as client:
        return topics.ends(client, [topic.name(settings.namespace) for topic in TOPICS])


def left_of(settings: Settings, namespace: str) -> list[str]:
    """Returns the topics a namespace has."""
    with admin.connect(settings.kafka, settings) as client:
        return sorted(topics.partition_counts(client, [topic.name(namespace) for topic in TOPICS]))


def test_the_policy_in_force_concludes_what_stands_and_live_topics_are_only_read(live: tuple[Settings, Log]) -> None:
    settings, log = live
    before = ends(settings)
    found = replayed(settings)
    assert found["differences"] == []
    assert found["offsets"] == 2 * PEOPLE
    standing = Counter(rule for _, rule in {(one.alert_id, one.rule) for one in log.alerts()})
    assert standing["overstay_visa_exempt"] > 0
    assert {rule: found["by_rule"][rule]["same"] for rule in standing} == standing
    assert ends(settings) == before
    until(lambda: left_of(settings, found["namespace"]) == [], "the replay's topics are gone")


def test_another_policy_is_compared_and_an_interrupted_replay_goes_on(live: tuple[Settings, Log], tmp_path: Path) -> None:
    settings, _ = live
    shutil.copytree(SHIPPED, tmp_path / "kz")
    file = tmp_path / "kz" / "stay.yaml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("days_per_entry: 30", "days_per_entry: 40"), "utf-8")
    changed = load(str(tmp_path / "kz"))
    small = settings.model_copy(update={"batch_records": 7})

    def stop_after_some(done: int, total: int) -> None:
        if done > total // 3:
            raise KeyboardInterrupt

    with Replay(small, changed) as run, pytest.raises(KeyboardInterrupt):
        run.run(stop_after_some)
    assert left_of(settings, run.namespace)
    with Replay(small, changed) as again:
        again.run(lambda _done, _total: None)
        assert 0 < again.offsets_now < again.offsets
        resumed = again.compare(0)
    assert "overstay_visa_exempt" in {one.rule for one in resumed.differences}
    assert {one.change for one in resumed.differences if one.rule == "overstay_visa_exempt"} == {"gone", "added"}
    # Begun anew, it says the same; and it leaves nothing behind.
    found = replayed(settings, "--policy", str(tmp_path / "kz"), "--restart")
    assert [one["alert_id"] for one in found["differences"]] == [one.alert_id.hex() for one in resumed.differences]
    assert found["offsets_now"] == found["offsets"] == 2 * PEOPLE
    until(lambda: left_of(settings, again.namespace) == [], "the replay's topics are gone")
