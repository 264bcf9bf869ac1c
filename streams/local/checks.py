"""What ``shekara doctor`` looks at on this machine and at Kafka: each check says how it is and what to do."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from streams.clock import now_ms
from streams.errors import ShekaraError
from streams.local import admin, jars, java, lock, ports, stack, topics
from streams.settings import Settings
from streams.wire import connection
from streams.wire.topics import TOPICS

State = Literal["ok", "warn", "fail"]

_DISK_FAIL_BYTES = 500_000_000
_DISK_WARN_BYTES = 5_000_000_000
_CLOCK_WARN_MS = 1_000
_CLOCK_FAIL_MS = 60_000
"""The decoder turns away events from the far future; a clock a minute off makes deadlines and latencies meaningless."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's answer.

    Attributes:
        name: what was looked at.
        state: ok, warn or fail.
        what: what was found.
        next_step: what to do about it; empty when nothing has to be done.
    """

    name: str
    state: State
    what: str
    next_step: str = ""


def failed(name: str, error: ShekaraError, state: State = "fail") -> Check:
    """Returns the line for an error that one of our parts raised."""
    return Check(name, state, error.what, error.next_step)


def machine(settings: Settings, running: stack.Stack | None) -> Iterator[Check]:
    """Looks at Python, the directories, the disk, Java, the jars and the ports.

    Args:
        settings: of this command.
        running: the stack in this home; none if none runs.
    """
    yield python(sys.version_info[:3])
    yield directory("data directory", settings.home.absolute(), "SHEKARA_HOME")
    yield directory("downloads", settings.cache.absolute(), "SHEKARA_CACHE")
    yield disk(settings.home.absolute())
    if settings.kafka:
        return
    try:
        found = java.find(settings.java_home)
        yield Check("Java", "ok", f"version {found.major} from {found.origin} ({found.program})")
    except ShekaraError as error:
        yield failed("Java", error)
    yield broker_files(settings)
    yield kept_ports(settings, running)


def python(version: tuple[int, ...]) -> Check:
    """Looks at the version of Python."""
    said = ".".join(map(str, version))
    if version < (3, 11):
        return Check(
            "Python", "fail", f"version {said}; 3.11 or newer is needed", "Install a newer Python and run 'make install'."
        )
    return Check("Python", "ok", f"version {said} ({sys.executable})")


def directory(name: str, path: Path, variable: str) -> Check:
    """Looks whether a directory can be written, or made."""
    nearest = path
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        return Check(name, "fail", f"{nearest} is not a directory", f"Move it away, or set {variable} to another place.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        return Check(
            name, "fail", f"{nearest} cannot be written", f"Give it the right owner, or set {variable} to another place."
        )
    if nearest == path and path.stat().st_mode & 0o002:
        return Check(name, "warn", f"{path} can be written by everybody", f"chmod o-w {path}")
    return Check(name, "ok", f"{path}{'' if nearest == path else ' (will be created)'}")


def disk(path: Path) -> Check:
    """Looks at the space left for the data."""
    nearest = path
    while not nearest.exists():
        nearest = nearest.parent
    free = shutil.disk_usage(nearest).free
    said = f"{free / 1e9:.1f} GB free at {path}"
    if free < _DISK_FAIL_BYTES:
        return Check("disk", "fail", said, "Make room: the broker stops when the disk is full (nothing stored is lost).")
    if free < _DISK_WARN_BYTES:
        return Check("disk", "warn", said, "A year of the whole country takes about 10 GB; make room in time.")
    return Check("disk", "ok", said)


def broker_files(settings: Settings) -> Check:
    """Looks whether the embedded broker's jars are there, whole and genuine."""
    ours = lock.read()
    absent = jars.missing(settings.cache, ours)
    if absent:
        return Check(
            "broker files",
            "warn",
            f"{len(absent)} of {len(ours.jars)} files of Apache Kafka {ours.version} are not in {settings.cache} yet",
            "'shekara up' fetches them (it needs the network once).",
        )
    try:
        for jar in ours.jars:
            jars.verify(jars.folder(settings.cache, ours) / jar.file, jar)
    except ShekaraError as error:
        return failed("broker files", error)
    return Check("broker files", "ok", f"Apache Kafka {ours.version}, {len(ours.jars)} files, checksums right")


def kept_ports(settings: Settings, running: stack.Stack | None) -> Check:
    """Looks whether the ports of this data directory are free for the next start."""
    if running is not None and running.supervisor:
        return Check("ports", "ok", "in use by the running stack")
    try:
        for path, names in (
            (settings.home.absolute() / "kafka" / "ports.json", ("broker", "controller")),
            (stack.run_folder(settings) / "ports.json", ("sql",)),
        ):
            if path.exists():
                ports.keep(path, names)
    except ShekaraError as error:
        return failed("ports", error)
    return Check("ports", "ok", "free")


def kafka(running: stack.Stack, settings: Settings) -> Iterator[Check]:
    """Looks at Kafka: whether it answers, its topics, its clock, and how far our readers are.

    Args:
        running: where it is.
        settings: with which it is reached.
    """
    try:
        with admin.connect(running.kafka, settings) as client:
            brokers = len(client.describe_cluster()["brokers"])
            yield Check("Kafka", "ok", f"{running.kafka}, {brokers} broker{'' if brokers == 1 else 's'}")
            yield topics_there(client, settings)
            yield clock(client, settings)
            yield lag(client, settings)
    except ShekaraError as error:
        yield failed("Kafka", error)


def topics_there(client: KafkaAdminClient, settings: Settings) -> Check:
    """Looks whether every topic is there with the right partitions."""
    wanted = {topic.name(settings.namespace): settings.partitions if topic.partitioned else 1 for topic in TOPICS}
    found = topics.partition_counts(client, wanted)
    absent = [name for name in wanted if name not in found]
    if absent:
        return Check("topics", "fail", f"missing: {', '.join(absent)}", "Create them with 'shekara init'.")
    other = [f"{name} has {found[name]} partitions, expected {count}" for name, count in wanted.items() if found[name] != count]
    if other:
        return Check(
            "topics", "fail", "; ".join(other), "Set SHEKARA_PARTITIONS as the topics are, or use another SHEKARA_NAMESPACE."
        )
    return Check("topics", "ok", f"all {len(wanted)} of {settings.namespace}, {settings.partitions} partitions of the person log")


def clock(client: KafkaAdminClient, settings: Settings) -> Check:
    """Compares our clock with the broker's: a message to a topic of the moment comes back with the broker's time on it."""
    name = f"{settings.namespace}.doctor-{uuid4().hex[:8]}"
    settings_of_topic = {"num_partitions": 1, "configs": {"message.timestamp.type": "LogAppendTime"}}
    try:
        client.create_topics({name: settings_of_topic}, wait_for_metadata=True)
        try:
            before_ms, came_ms, after_ms = _stamped(name, settings)
        finally:
            client.delete_topics([name])
    except KafkaError as error:
        return Check(
            "clock",
            "warn",
            f"the broker's clock could not be read ({type(error).__name__})",
            "It needs the right to create, write and delete a topic; compare the clocks by hand (both should follow NTP).",
        )
    # The broker read its clock somewhere between the two.
    off_ms = max(before_ms - came_ms, came_ms - after_ms, 0)
    said = f"{off_ms} ms from the broker's" if off_ms else f"agrees with the broker's to {after_ms - before_ms} ms"
    state: State = "fail" if off_ms > _CLOCK_FAIL_MS else "warn" if off_ms > _CLOCK_WARN_MS else "ok"
    return Check("clock", state, said, "" if state == "ok" else "Let both machines follow NTP.")


def _stamped(topic: str, settings: Settings) -> tuple[int, int, int]:
    """Sends one message; returns our time before, the broker's, and ours after."""
    options: dict[str, Any] = connection.kafka_python(settings)
    producer = KafkaProducer(**options, acks="all")
    try:
        producer.partitions_for(topic)  # what takes time the first time
        before_ms = now_ms()
        came = producer.send(topic, b"", partition=0).get(timeout=10)
        return before_ms, int(came.timestamp), now_ms()
    finally:
        producer.close(timeout=5)


def lag(client: KafkaAdminClient, settings: Settings) -> Check:
    """Looks how much our consumer groups have yet to read."""
    behind: dict[str, int] = {}
    for state in topics.survey(client, settings.namespace):
        for group, count in state.lag.items():
            behind[group] = behind.get(group, 0) + count
    if not behind:
        return Check("consumers", "warn", "no worker or warehouse has read anything yet", "Start them: 'shekara up'.")
    said = ", ".join(f"{group}: {count:,} to read" for group, count in behind.items())
    return Check("consumers", "ok", said)
