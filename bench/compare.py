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

from bench.others import LeftOutError, compiled_build, kafka_streams, quix_python
from bench.stage import SOURCE, kafka, load
from bench.worker import python_path
from streams.local import admin, topics
from streams.settings import Settings
from streams.wire.topics import PEOPLE

COMPILED_SUFFIX = "-compiled"
LANES = (
    "limit",
    "ours-core",
    "ours-core-compiled",
    "ours-full",
    "ours-full-compiled",
    "faust-stock",
    "quix",
    "kafka-streams",
)
_PATIENCE_S = 600

AIMS: tuple[tuple[str, str, str, float], ...] = (
    ("ours-core", "quix", "events_per_cpu_second", 2.4),
    ("ours-core", "faust-stock", "events_per_cpu_second", 20.0),
    ("ours-core", "limit", "events_per_cpu_second", 0.7),
    ("ours-core", "kafka-streams", "events_per_cpu_second", 1.0),
    ("ours-full", "limit", "events_per_cpu_second", 0.4),
)
"""Lane (compiled, where that was measured), the lane it is compared with, by what, and how many times as much it should be."""

Command = Callable[[str], list[str]]
"""Makes the command line of one run, given the run's name."""


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Measures the wanted lanes in alternation; returns the section of the report."""
    cores = _cores(given)
    with kafka(cores) as settings:
        load(settings, events=given.events, people=given.people, partitions=given.partitions)
        commands, left_out = _commands(settings, given)
        runs: dict[str, list[dict[str, Any]]] = {lane: [] for lane in commands}
        for number in range(given.runs):
            for lane, command in commands.items():
                try:
                    found = _run(settings, given, f"{SOURCE}-{lane}-{number}", command, lane)
                except subprocess.CalledProcessError as error:
                    # What the others did must not be lost with it; a lane that never ends a run is left out below.
                    print(f"{lane:18} run {number + 1}: ended with code {error.returncode} (see above)", file=sys.stderr)
                    continue
                runs[lane].append(found)
                speed, per_cpu = found["events_per_second"], found["events_per_cpu_second"]
                print(f"{lane:18} run {number + 1}: {speed:>9,} events/s {per_cpu:>9,} per CPU-s", file=sys.stderr)
    lanes = {lane: _summary(found) for lane, found in runs.items() if found}
    left_out |= {lane: f"The {lane} lane is left out: none of its runs came to an end." for lane in runs if lane not in lanes}
    return {
        "events": given.events,
        "people": given.people,
        "partitions": given.partitions,
        "pinned_to": sorted(cores),
        "lanes": lanes,
        "left_out": left_out,
        "aims": _aims(lanes),
    }


def at_batch_sizes(given: argparse.Namespace, sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    """Runs ``ours-core`` once with each size of batch; returns the figures of each."""
    found = []
    with kafka(_cores(given)) as settings:
        load(settings, events=given.events, people=given.people, partitions=given.partitions)
        for size in sizes:
            command = _ours(settings, given, "ours-core", ["--batch-records", str(size)])
            one = _run(settings, given, f"{SOURCE}-batch-{size}", command, "ours-core-compiled")
            found.append({"batch_records": size} | one)
    return found


def under(given: argparse.Namespace, lane: str, tool: Callable[[Path], list[str]]) -> str:
    """Runs one of our lanes under a tool that writes a file; returns what it wrote.

    Args:
        given: the options.
        lane: the lane.
        tool: the beginning of the command line, given the file.
    """
    with kafka(_cores(given)) as settings:
        load(settings, events=given.events, people=given.people, partitions=given.partitions)
        out = settings.home / "profile"
        command = _ours(settings, given, lane, [])
        _run(settings, given, f"{SOURCE}-profile", lambda run: [*tool(out), *command(run)], lane)
        return out.read_text("utf-8")


def _cores(given: argparse.Namespace) -> set[int]:
    return {int(core) for core in given.cores.split(",") if core}


def _bounds(given: argparse.Namespace) -> list[str]:
    return [str(given.events), str(given.events // 10), str(given.limit_s)]


def _named(settings: Settings, given: argparse.Namespace) -> list[str]:
    events, warm_up, limit_s = _bounds(given)
    return ["--events", events, "--warm-up", warm_up, "--limit-s", limit_s, "--bootstrap", settings.kafka]


def _ours(settings: Settings, given: argparse.Namespace, lane: str, options: list[str]) -> Command:
    start = [sys.executable, "-m", "bench.lanes", lane, "--source", SOURCE, "--partitions", str(given.partitions)]
    return lambda run: [*start, *_named(settings, given), *options, "--run", run]


def _commands(settings: Settings, given: argparse.Namespace) -> tuple[dict[str, Command], dict[str, str]]:
    """Returns how each wanted lane is run, and why those that cannot be are left out."""
    from bench.lanes import border_crossing_schema

    schema = settings.home / "border_crossing.avsc"
    schema.write_text(json.dumps(border_crossing_schema()), "utf-8")
    topic = PEOPLE.name(SOURCE)

    def quix() -> Command:
        start = [str(quix_python()), "-m", "bench.quix_lane", "--topic", topic, "--schema", str(schema)]
        start += _named(settings, given)
        return lambda run: [*start, "--run", run]

    def java() -> Command:
        start = kafka_streams(settings.cache, settings.java_home)
        return lambda run: [*start, settings.kafka, topic, run, str(schema), str(settings.home / run), *_bounds(given)]

    commands: dict[str, Command] = {}
    left_out: dict[str, str] = {}
    for lane in given.lanes.split(","):
        try:
            if lane == "quix":
                commands[lane] = quix()
            elif lane == "kafka-streams":
                commands[lane] = java()
            else:
                if lane.endswith(COMPILED_SUFFIX):
                    compiled_build()
                commands[lane] = _ours(settings, given, lane.removesuffix(COMPILED_SUFFIX), [])
        except LeftOutError as why:
            print(why, file=sys.stderr)
            left_out[lane] = str(why)
    return commands, left_out


def _run(settings: Settings, given: argparse.Namespace, run: str, command: Command, lane: str) -> dict[str, Any]:
    with admin.connect(settings.kafka, settings) as client:
        topics.create(client, run, partitions=given.partitions, replication=1)
    cores = _cores(given)
    where = python_path(compiled=lane.endswith(COMPILED_SUFFIX))
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
    found: dict[str, Any] = json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1])
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
        ours = lane + COMPILED_SUFFIX if lane + COMPILED_SUFFIX in lanes else lane
        if ours in lanes and other in lanes:
            ratio = lanes[ours][figure] / lanes[other][figure]
            what = f"{ours} / {other} by {figure}"
            aims.append({"what": what, "aim": wanted, "is": round(ratio, 2), "reached": ratio >= wanted})
    return aims


def show(section: dict[str, Any]) -> None:
    """Prints the section for people."""
    for name, lane in section["lanes"].items():
        low, high = lane["events_per_second_spread"]
        per_cpu = lane["events_per_cpu_second"]
        print(f"{name:18} {lane['events_per_second']:>9,} events/s ({low:,} to {high:,}), {per_cpu:,} per CPU-s")
