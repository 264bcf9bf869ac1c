"""A day at a post without a link whose machine dies every few minutes, lived through by real processes; then the link is back."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from streams.clock import monotonic_s
from streams.records import BorderCrossing
from streams.settings import Settings
from streams.wire import avro
from streams.wire.topics import PEOPLE
from tests.integration.border_post import crossing
from tests.integration.test_publisher import everything

PER_SECOND = 2
AT_ONCE = 20
"""Crossings in one write to disk: a day is recorded as fast as the disk takes it, not in a day."""


@dataclass(frozen=True, slots=True)
class Day:
    """What came of it.

    Attributes:
        events: recorded at the post.
        kills: times its process was killed (SIGKILL) while it recorded.
        recording_s: recording them took, the starts of a new process after each kill included.
        spool_bytes: size of the spool's files before the link came back.
        drain_s: from the start of the process that has a link to its end, with everything in Kafka.
        messages: that lie in Kafka.
    """

    events: int
    kills: int
    recording_s: float
    spool_bytes: int
    drain_s: float
    messages: int


def live_through(
    settings: Settings,
    folder: Path,
    *,
    hours: float,
    kill_minutes: tuple[int, int],
    tell: Callable[[int, int], None] = lambda _, __: None,
) -> Day:
    """Records the crossings of some hours without a link, killing the process; then lets it drain, and checks what arrived.

    Args:
        settings: address and namespace of a Kafka with our topics, four partitions.
        folder: for the spool.
        hours: simulated, two crossings a second.
        kill_minutes: simulated minutes between kills, from and to.
        tell: told crossings recorded and kills so far, after each kill.

    Raises:
        AssertionError: something was lost, came twice, or in another order.
    """
    count, chance = round(hours * 3600 * PER_SECOND), random.Random(24)
    spool, said, kills, began_s = folder / "spool.db", 0, 0, monotonic_s()
    while said < count:
        wanted = said + 60 * PER_SECOND * chance.randint(*kill_minutes)
        said = _record(_post(settings.model_copy(update={"kafka": "127.0.0.1:1"}), spool, count), said, min(count, wanted))
        kills += 1
        tell(said, kills)
    recording_s = monotonic_s() - began_s
    size = sum(path.stat().st_size for path in folder.glob("spool.db*"))
    began_s = monotonic_s()
    post = _post(settings, spool, count)
    assert post.stdout is not None
    assert "drained" in post.stdout.read()
    assert post.wait(60) == 0
    post.stdout.close()
    drain_s = monotonic_s() - began_s
    return Day(count, kills, recording_s, size, drain_s, _arrived(settings, count))


def first_arrivals(settings: Settings) -> tuple[dict[bytes, BorderCrossing], int]:
    """Returns the crossings in the order of their first arrival, and how many messages there are."""
    found: dict[bytes, BorderCrossing] = {}
    messages = sorted(everything(settings, PEOPLE, 4), key=lambda message: (message.partition(), message.offset()))
    for message in messages:
        record = avro.decode(message.value())
        assert isinstance(record, BorderCrossing)
        found.setdefault(record.event_id, record)
    return found, len(messages)


def _post(settings: Settings, spool: Path, count: int) -> subprocess.Popen[str]:
    environment = os.environ | {"SHEKARA_KAFKA": settings.kafka, "SHEKARA_NAMESPACE": settings.namespace}
    arguments = [str(spool), str(spool.with_name("keys")), str(count), str(AT_ONCE)]
    command = [sys.executable, "-m", "tests.integration.border_post", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def _record(post: subprocess.Popen[str], said: int, wanted: int) -> int:
    """Lets a post record until it has said a number, kills it, and returns the last number it said."""
    assert post.stdout is not None
    for line in post.stdout:
        said = int(line)
        if said >= wanted:
            break
    post.kill()
    said = max([said, *(int(number) for number in post.stdout.read().split("\n")[:-1] if number.isdecimal())])
    assert post.wait(30) == -9, "it ended by itself"
    post.stdout.close()
    return said


def _arrived(settings: Settings, count: int) -> int:
    found, messages = first_arrivals(settings)
    assert found.keys() == {crossing(number).event_id for number in range(1, count + 1)}
    assert sorted(one.source_seq for one in found.values()) == list(range(1, count + 1))
    orders: dict[str, list[int]] = {}
    for one in found.values():
        orders.setdefault(one.subject, []).append(one.source_seq)
    assert all(order == sorted(order) for order in orders.values())
    assert messages == count, "without a failure while sending, nothing is sent twice"
    return messages
