"""Whatever ends a stack, nothing of it is left: no process, no port, and its data are found again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import TopicPartition

from streams.errors import SetupError
from streams.local import admin, ports, topics
from streams.local.stack import Stack, find_stack, stack_file
from streams.settings import Settings

pytestmark = pytest.mark.integration

STACK = Path(__file__).with_name("small_stack.py")
STOPPED_WITHIN_S = 10.0
READY_WITHIN_S = 90.0


class Running:
    """A stack under test and how to look at it."""

    def __init__(self, home: Path, *kinds: str, **env: str) -> None:
        self.settings = Settings(home=home)
        self.errors = home.parent / f"{home.name}-{time.monotonic_ns()}.stderr"
        environment = {**os.environ, "SHEKARA_HOME": str(home), "PYTHONPATH": str(Path.cwd()), **env}
        with self.errors.open("wb") as file:
            self.process = subprocess.Popen([sys.executable, STACK, *kinds], env=environment, stderr=file, stdout=file)

    def said(self) -> str:
        return self.errors.read_text()

    def ready(self) -> Stack:
        until(lambda: "ready\n" in self.said() or self.process.poll() is not None, READY_WITHIN_S)
        assert self.process.poll() is None, self.said()
        return find_stack(self.settings)

    def ended(self) -> int:
        return self.process.wait(timeout=STOPPED_WITHIN_S)


def until(true: Callable[[], bool], limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {limit_s} s")
        time.sleep(0.05)


def listening(pids: list[int]) -> list[int]:
    found = []
    for pid in pids:
        found += [one.laddr.port for one in psutil.Process(pid).net_connections("tcp") if one.status == psutil.CONN_LISTEN]
    return found


def everything(stack: Stack) -> list[int]:
    """Every process of a stack, the children's children too."""
    found = [process.pid for process in stack.processes.values()]
    return found + [child.pid for pid in list(found) for child in psutil.Process(pid).children(recursive=True)]


def assert_nothing_left(pids: list[int], used: list[int], settings: Settings) -> None:
    until(lambda: not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids), STOPPED_WITHIN_S)
    assert used, "the stack listened on nothing: the test would see nothing"
    until(lambda: all(ports.is_free(port) for port in used), STOPPED_WITHIN_S)
    with pytest.raises(SetupError, match="No stack runs"):
        find_stack(settings)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    begun: list[Running] = []

    def begin(*kinds: str, home: str = "home", **env: str) -> Running:
        begun.append(Running(tmp_path / home, *kinds, **env))
        return begun[-1]

    yield begin
    for one in begun:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def write(stack: Stack, value: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=stack.kafka, acks="all")
    producer.send(f"{stack.namespace}.people", value=value, partition=0).get(timeout=20)
    producer.close()


def read(stack: Stack) -> list[bytes]:
    place = TopicPartition(f"{stack.namespace}.people", 0)
    consumer = KafkaConsumer(bootstrap_servers=stack.kafka, auto_offset_reset="earliest")
    consumer.assign([place])
    consumer.seek_to_beginning(place)
    wanted = consumer.end_offsets([place])[place]
    found: list[bytes] = []
    deadline = time.monotonic() + 20
    while len(found) < wanted and time.monotonic() < deadline:
        found += [record.value for batch in consumer.poll(500).values() for record in batch]
    consumer.close()
    return found


def create_topics(running: Running, stack: Stack) -> None:
    with admin.connect(stack.kafka, running.settings) as client:
        topics.create(client, stack.namespace, partitions=2, replication=1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything_and_a_second_start_finds_its_data_and_ports_again(
    start: Callable[..., Running], number: signal.Signals
) -> None:
    first = start()
    stack = first.ready()
    assert set(stack.processes) == {"broker", "warehouse", "worker"}
    assert stack_file(first.settings).stat().st_mode & 0o777 == 0o600
    create_topics(first, stack)
    write(stack, b"before")
    pids, used = everything(stack), listening(everything(stack))
    first.process.send_signal(number)
    assert first.ended() == 128 + number
    assert_nothing_left(pids, used, first.settings)

    second = start()
    again = second.ready()
    assert again.kafka == stack.kafka
    assert read(again) == [b"before"]


def test_after_kill_9_of_the_supervisor_nothing_is_left_and_acknowledged_data_are_found(start: Callable[..., Running]) -> None:
    first = start()
    stack = first.ready()
    create_topics(first, stack)
    write(stack, b"acknowledged")
    pids, used = everything(stack), listening(everything(stack))
    first.process.kill()
    first.process.wait()
    assert_nothing_left(pids, used, first.settings)
    assert read(start().ready()) == [b"acknowledged"]


@pytest.mark.parametrize("victim", ["broker", "worker"])
def test_kill_9_of_a_child_stops_everything_and_says_which_it_was(start: Callable[..., Running], victim: str) -> None:
    running = start()
    stack = running.ready()
    pids, used = everything(stack), listening(everything(stack))
    os.kill(stack.processes[victim].pid, signal.SIGKILL)
    assert running.ended() == 1
    assert f"shekara: {victim} ended unexpectedly (killed by SIGKILL)" in running.said()
    assert "Traceback" not in running.said()
    assert_nothing_left(pids, used, running.settings)


def test_a_child_that_hears_nothing_is_killed_with_its_own_children_in_time(start: Callable[..., Running]) -> None:
    running = start("no-broker", "stubborn", SHEKARA_KAFKA="127.0.0.1:1")
    stack = running.ready()
    pids, used = everything(stack), listening(everything(stack))
    assert len(pids) == 4, "three services and the stubborn one's child"
    running.process.terminate()
    assert running.ended() == 128 + signal.SIGTERM
    assert "Had to be killed because they did not end in time: stubborn" in running.said()
    assert_nothing_left(pids, used, running.settings)


def test_a_child_that_fails_at_its_start_is_quoted_with_its_next_step(start: Callable[..., Running]) -> None:
    running = start("no-broker", "fails", SHEKARA_KAFKA="127.0.0.1:1")
    assert running.ended() == 1
    assert "fails ended unexpectedly (exit code 3): The moon is missing. Wait for the night." in running.said()
    assert "Traceback" not in running.said()


def test_a_second_start_in_the_same_home_is_refused_and_the_first_goes_on(start: Callable[..., Running]) -> None:
    first = start("no-broker", SHEKARA_KAFKA="127.0.0.1:1")
    stack = first.ready()
    second = start("no-broker", SHEKARA_KAFKA="127.0.0.1:1")
    assert second.ended() == 3
    assert f"A stack already runs in {first.settings.home} (process {first.process.pid})" in second.said()
    assert find_stack(first.settings) == stack


def test_two_homes_run_side_by_side(start: Callable[..., Running]) -> None:
    one, other = start(home="one"), start(home="other")
    first, second = one.ready(), other.ready()
    assert first.kafka != second.kafka
    create_topics(one, first)
    write(first, b"one")
    create_topics(other, second)
    assert read(second) == []


def test_what_runs_is_described_for_clients(start: Callable[..., Running]) -> None:
    running = start("no-broker", SHEKARA_KAFKA="127.0.0.1:1")
    stack = running.ready()
    content = json.loads(stack_file(running.settings).read_text())
    assert content["kafka"] == "127.0.0.1:1"
    assert content["supervisor"] == running.process.pid
    assert stack.processes["worker"].url.startswith("http://127.0.0.1:")
