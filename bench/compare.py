"""Lanes side by side: each on the same loaded topic, in turn, each run in a process of its own, pinned to the same core."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from bench.others import LeftOutError, kafka_streams, quix_python
from bench.stage import SOURCE, kafka, load
from streams.local import admin, topics
from streams.settings import Settings
from streams.wire.topics import PEOPLE

ROOT = Path(__file__).parents[1]
LANES = ("limit", "ours-core", "ours-full", "faust-stock", "quix", "kafka-streams")
_PATIENCE_S = 600

AIMS: tuple[tuple[str, str, str, float], ...] = (
    ("ours-core", "quix", "events_per_cpu_second", 2.4),
    ("ours-core", "faust-stock", "events_per_cpu_second", 20.0),
    ("ours-core", "limit", "events_per_cpu_second", 0.7),
    ("ours-core", "kafka-streams", "events_per_cpu_second", 1.0),
    ("ours-full", "limit", "events_per_cpu_second", 0.4),
)
"""Lane, the lane it is compared with, by what, and how many times as much it should be."""

Command = Callable[[str], list[str]]
"""Makes the command line of one run, given the run's name."""


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Measures the wanted lanes in alternation; returns the section of the report."""
    cores = {int(core) for core in given.cores.split(",") if core}
    with kafka(cores) as settings:
        load(settings, events=given.events, people=given.people, partitions=given.partitions)
        commands, left_out = _commands(settings, given)
        runs: dict[str, list[dict[str, Any]]] = {lane: [] for lane in commands}
        for number in range(given.runs):
            for lane, command in commands.items():
                found = _run(settings, given, f"{SOURCE}-{lane}-{number}", command, cores)
                runs[lane].append(found)
                speed, per_cpu = found["events_per_second"], found["events_per_cpu_second"]
                print(f"{lane:14} run {number + 1}: {speed:>9,} events/s {per_cpu:>9,} per CPU-s", file=sys.stderr)
    lanes = {lane: _summary(found) for lane, found in runs.items()}
    return {
        "events": given.events,
        "people": given.people,
        "partitions": given.partitions,
        "compiled": given.compiled,
        "pinned_to": sorted(cores),
        "lanes": lanes,
        "left_out": left_out,
        "aims": _aims(lanes),
    }


def _commands(settings: Settings, given: argparse.Namespace) -> tuple[dict[str, Command], dict[str, str]]:
    """Returns how each wanted lane is run, and why those that cannot be are left out."""
    from bench.lanes import border_crossing_schema

    schema = settings.home / "border_crossing.avsc"
    schema.write_text(json.dumps(border_crossing_schema()), "utf-8")
    topic = PEOPLE.name(SOURCE)
    bounds = [str(given.events), str(given.events // 10), str(given.limit_s)]
    named = ["--events", bounds[0], "--warm-up", bounds[1], "--limit-s", bounds[2], "--bootstrap", settings.kafka]

    def ours(lane: str) -> Command:
        start = [sys.executable, "-m", "bench.lanes", lane, "--source", SOURCE, "--partitions", str(given.partitions), *named]
        return lambda run: [*start, "--run", run]

    def quix() -> Command:
        start = [str(quix_python()), "-m", "bench.quix_lane", "--topic", topic, "--schema", str(schema), *named]
        return lambda run: [*start, "--run", run]

    def java() -> Command:
        start = kafka_streams(settings.cache, settings.java_home)
        return lambda run: [*start, settings.kafka, topic, run, str(schema), str(settings.home / run), *bounds]

    commands: dict[str, Command] = {}
    left_out: dict[str, str] = {}
    for lane in given.lanes.split(","):
        try:
            commands[lane] = quix() if lane == "quix" else java() if lane == "kafka-streams" else ours(lane)
        except LeftOutError as why:
            print(why, file=sys.stderr)
            left_out[lane] = str(why)
    return commands, left_out


def _run(settings: Settings, given: argparse.Namespace, run: str, command: Command, cores: set[int]) -> dict[str, Any]:
    with admin.connect(settings.kafka, settings) as client:
        topics.create(client, run, partitions=given.partitions, replication=1)
    where = f"{ROOT / 'build' / 'compiled'}{os.pathsep}{ROOT}" if given.compiled else str(ROOT)
    done = subprocess.run(
        command(run),
        cwd=settings.home,
        env=os.environ | {"PYTHONPATH": where, "SHEKARA_HOME": str(settings.home)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=_PATIENCE_S,
        preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    lane: dict[str, Any] = {}
    for figure in ("events_per_second", "events_per_cpu_second"):
        values = [one[figure] for one in runs]
        lane |= {figure: round(median(values)), f"{figure}_spread": [min(values), max(values)]}
    return lane | {"peak_rss_mb": max(one["peak_rss_mb"] for one in runs), "runs": runs}


def _aims(lanes: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    aims = []
    for lane, other, figure, wanted in AIMS:
        if lane in lanes and other in lanes:
            ratio = lanes[lane][figure] / lanes[other][figure]
            what = f"{lane} / {other} by {figure}"
            aims.append({"what": what, "aim": wanted, "is": round(ratio, 2), "reached": ratio >= wanted})
    return aims


def show(section: dict[str, Any]) -> None:
    """Prints the section for people."""
    for name, lane in section["lanes"].items():
        low, high = lane["events_per_second_spread"]
        per_cpu = lane["events_per_cpu_second"]
        print(f"{name:14} {lane['events_per_second']:>9,} events/s ({low:,} to {high:,}), {per_cpu:,} per CPU-s")
