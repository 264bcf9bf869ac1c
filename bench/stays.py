"""How recovery, memory and the sweep of a deadline grow with the number of open stays."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from typing import Any

from bench.latency import Reader
from bench.stage import DAY_MS, FIRST_MS, crossing, kafka
from bench.worker import COMPILED, running, until
from streams.local import admin, topics
from streams.records import Tick
from streams.settings import Settings
from streams.wire import avro
from streams.wire.partition import partition_of
from streams.wire.topics import PEOPLE, PEOPLE_CHANGELOG

PARTITIONS = 4
_PATIENCE_S = 280.0

MILLION = 1_000_000
AIMS: tuple[tuple[str, str, str, float], ...] = (
    ("memory", "rss_mb", "memory with 1 million open stays in memory, MB", 600),
    ("rocksdb", "present_rss_mb", "memory with 1 million open stays in RocksDB, MB", 250),
    ("rocksdb", "present_s", "restart with 1 million open stays in RocksDB, its store present, s", 10),
)
"""Store, figure, what it is, and what it should be at most."""


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Measures every number of stays with both stores; returns the section of the report."""
    compiled = (COMPILED / "stamp").exists()
    sizes = sorted({int(size) for size in given.stays.split(",") if size} | ({given.sweep} if given.sweep else set()))
    points: list[dict[str, Any]] = []
    sweep: dict[str, Any] = {}
    for size in sizes:
        with kafka(set()) as stage:
            settings = stage.model_copy(update={"namespace": f"stays-{size}"})
            _fill(settings, size)
            point: dict[str, Any] = {"stays": size, "memory": {}, "rocksdb": {}}
            point["rocksdb"] = _rocksdb(settings, compiled=compiled)
            # Last, because a sweep changes the changelog.
            point["memory"], swept = _memory(settings, size, compiled=compiled, sweeping=size == given.sweep)
            sweep = swept or sweep
            print(f"{size:,} stays: {point}", file=sys.stderr)
            points.append(point)
    return {"compiled": compiled, "points": points, "sweep": sweep, "aims": _aims(points)}


def beside(section: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """Returns a section with the sizes it measured, and those only an earlier one measured, each with its own command.

    Args:
        section: what was measured now, with its command.
        before: the section in the report, if there is one.
    """
    known = {point["stays"]: {"command": before["command"]} | point for point in before["points"]} if before else {}
    known |= {point["stays"]: {"command": section["command"]} | point for point in section["points"]}
    sweep = section["sweep"] or (before or {}).get("sweep", {})
    return section | {"points": [known[size] for size in sorted(known)], "sweep": sweep}


def _fill(settings: Settings, size: int) -> None:
    """Writes the states of so many people inside the country into the changelog, as a worker would have left them."""
    from confluent_kafka import Producer

    from streams import person
    from streams.detect.logtime import START
    from streams.person.step import Cause
    from streams.policy.load import load

    policy = load("kz")
    with admin.connect(settings.kafka, settings) as client:
        topics.create(client, settings.namespace, partitions=PARTITIONS, replication=1)
    producer = Producer({"bootstrap.servers": settings.kafka, "linger.ms": 50, "compression.type": "lz4"})
    name = PEOPLE_CHANGELOG.name(settings.namespace)
    entry = crossing(0, 1)
    state = person.take(None, entry, START, Cause(entry.event_id, entry.occurred_at), policy).state
    if state is None or state.count(entry.event_id) != 1:
        raise SystemExit("A state holds its entry's id once: the benchmark no longer knows the form of states.")
    for number in range(size):
        key = f"p1-{number:032x}".encode()
        mine = state.replace(entry.event_id, (number + 1).to_bytes(16, "big"))
        producer.produce(name, mine, key, partition_of(key, PARTITIONS))
        if number % 50_000 == 0:
            producer.flush(60)
    producer.flush(60)


def _memory(settings: Settings, size: int, *, compiled: bool, sweeping: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    with running(settings, compiled=compiled) as worker:
        until(worker.ready, "the worker has recovered", _PATIENCE_S)
        found = {"recovery_s": round(time.monotonic() - worker.started, 1), "rss_mb": worker.rss_mb, "peak_mb": worker.peak_mb}
        if not sweeping:
            return found, {}
        reader = Reader(settings, 0)
        seconds = _sweep(settings, reader)
        reader.close()
        return found, {
            "stays": size,
            "seconds": round(seconds, 1),
            "stays_per_second": round(size / seconds),
            "peak_mb": worker.peak_mb,
        }


def _sweep(settings: Settings, reader: Reader) -> float:
    """Lets the term of every stay pass with one tick a partition; returns the seconds until all is decided and written."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": settings.kafka})
    started = time.monotonic()
    for number in range(PARTITIONS):
        at_ms = FIRST_MS + 20 * DAY_MS
        tick = Tick((10**9 + number).to_bytes(16, "big"), "clock", at_ms, at_ms, "clock", 1, at_ms, ())
        producer.produce(PEOPLE.name(settings.namespace), avro.encode(tick), b"clock", number)
    producer.flush(30)
    until(lambda: reader.processed() >= PARTITIONS, "the sweep is done", _PATIENCE_S)
    return time.monotonic() - started


def _rocksdb(settings: Settings, *, compiled: bool) -> dict[str, Any]:
    """Measures the start with an empty disk and the start after that."""
    shutil.rmtree(settings.home / "worker", ignore_errors=True)
    found: dict[str, Any] = {}
    for disk in ("lost", "present"):
        with running(settings, compiled=compiled, store="rocksdb") as worker:
            until(worker.ready, "the worker has recovered", _PATIENCE_S)
            found |= {f"{disk}_s": round(time.monotonic() - worker.started, 1), f"{disk}_rss_mb": worker.rss_mb}
    return found


def _aims(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    million = next((point for point in points if point["stays"] == MILLION), None)
    if million is None:
        return []
    return [
        {"what": what, "aim": most, "is": million[store][figure], "reached": million[store][figure] <= most}
        for store, figure, what, most in AIMS
        if million[store]
    ]


def show(section: dict[str, Any]) -> None:
    """Prints the section for people."""
    for point in section["points"]:
        memory, rocks = point["memory"], point["rocksdb"]
        print(f"{point['stays']:>9,} stays in memory: ready after {memory['recovery_s']} s, {memory['rss_mb']} MB")
        if rocks:
            print(
                f"{'':9} in RocksDB: ready after {rocks['lost_s']} s (store lost) or {rocks['present_s']} s (present), "
                f"{rocks['present_rss_mb']} MB"
            )
    if section["sweep"]:
        sweep = section["sweep"]
        print(f"One day on which {sweep['stays']:,} terms end: {sweep['seconds']} s, {sweep['stays_per_second']:,} stays/s")
