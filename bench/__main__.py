"""``python -m bench``: every lane on the same loaded topic of a real Kafka, in turn, each run in a process of its own."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from streams.local import admin, jars, java, topics
from streams.local.broker import Broker
from streams.records import BorderCrossing
from streams.settings import Settings
from streams.wire import avro
from streams.wire.topics import PEOPLE

ROOT = Path(__file__).parents[1]
LANES = ("limit", "ours-core", "ours-full", "faust-stock")
SOURCE = "bench"
DAY_MS = 86_400_000
FIRST_MS = 1_735_689_600_000
"""1 January 2025: the first entry."""

AIMS: tuple[tuple[str, str, str, float], ...] = (
    ("ours-core", "faust-stock", "events_per_cpu_second", 20.0),
    ("ours-core", "limit", "events_per_cpu_second", 0.7),
    ("ours-full", "limit", "events_per_cpu_second", 0.4),
)
"""Lane, the lane it is compared with, by what, and how many times as much it should be."""


def main() -> int:
    """Runs the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--people", type=int, default=40_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--runs", type=int, default=3, help="runs of each lane, in alternation")
    parser.add_argument("--limit-s", type=float, default=15.0, help="seconds a run is measured, at most")
    parser.add_argument("--lanes", default=",".join(LANES), help="comma-separated")
    parser.add_argument("--cores", default="", help="cores every lane is pinned to, e.g. 1; the broker gets the others")
    parser.add_argument("--compiled", action="store_true", help="run the lanes on build/compiled (make compiled)")
    parser.add_argument("--report", type=Path, default=ROOT / "bench" / "report.json")
    given = parser.parse_args()
    wanted = given.lanes.split(",")
    unknown = sorted(set(wanted) - set(LANES))
    if unknown:
        parser.error(f"there is no lane {', '.join(unknown)}; choose of {', '.join(LANES)}")
    if given.compiled and not (ROOT / "build" / "compiled" / "stamp").exists():
        parser.error("build/compiled is missing: run 'make compiled' first")
    cores = {int(core) for core in given.cores.split(",") if core}
    with _kafka(cores) as settings:
        _load(settings, given)
        runs: dict[str, list[dict[str, Any]]] = {lane: [] for lane in wanted}
        for number in range(given.runs):
            for lane in wanted:
                found = _run(settings, given, lane, number, cores)
                runs[lane].append(found)
                speed, per_cpu = found["events_per_second"], found["events_per_cpu_second"]
                print(f"{lane:12} run {number + 1}: {speed:>9,} events/s {per_cpu:>9,} per CPU-s", file=sys.stderr)
    report = _report(given, runs, sorted(cores))
    given.report.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    _show(report)
    return 0


@contextmanager
def _kafka(lane_cores: set[int]) -> Iterator[Settings]:
    """Starts a Kafka of its own, and gives it the cores the lanes do not have."""
    settings = Settings()
    with tempfile.TemporaryDirectory(prefix="shekara-bench-") as folder:
        home = Path(folder)
        broker = Broker(home / "broker", java=java.find(settings.java_home), classpath=jars.ensure(settings.cache))
        broker.start()
        try:
            broker.wait_ready(settings)
            others = os.sched_getaffinity(0) - lane_cores
            if lane_cores and others:
                for task in Path(f"/proc/{broker.child.pid}/task").iterdir():
                    os.sched_setaffinity(int(task.name), others)
            yield settings.model_copy(update={"kafka": broker.bootstrap, "namespace": SOURCE, "home": home})
        finally:
            broker.stop()


def crossing(number: int, people: int) -> BorderCrossing:
    """Returns the event of a number: everyone enters, leaves after four weeks, comes again after ten.

    A person's events lie as far apart as there are people, so a batch changes about as many dossiers as it has events: the
    hard case for state.
    """
    person, turn = number % people, number // people
    at_ms = FIRST_MS + (turn // 2 * 70 + turn % 2 * 28) * DAY_MS + person * 60_000 % DAY_MS
    return BorderCrossing(
        event_id=(number + 1).to_bytes(16, "big"),
        subject=f"p1-{person:032x}",
        occurred_at=at_ms,
        recorded_at=at_ms,
        source="post:KZ-75-A1",
        source_seq=number + 1,
        direction="exit" if turn % 2 else "entry",
        post="KZ-75-A1",
        citizenship="UZB",
        purpose="private",
        document="passport",
        transport="air",
        visa_id=None,
        refusal_reason=None,
    )


def _load(settings: Settings, given: argparse.Namespace) -> None:
    from confluent_kafka import Producer

    with admin.connect(settings.kafka, settings) as client:
        topics.create(client, SOURCE, partitions=given.partitions, replication=1)
    producer = Producer(
        {"bootstrap.servers": settings.kafka, "partitioner": "murmur2_random", "linger.ms": 50, "compression.type": "lz4"}
    )
    name = PEOPLE.name(SOURCE)
    for number in range(given.events):
        event = crossing(number, given.people)
        producer.produce(name, avro.encode(event), event.subject.encode())
        if number % 10_000 == 0:
            producer.flush(60)
    if producer.flush(60):
        raise SystemExit("Kafka did not take the events")
    print(f"loaded {given.events:,} events of {given.people:,} people", file=sys.stderr)


def _run(settings: Settings, given: argparse.Namespace, lane: str, number: int, cores: set[int]) -> dict[str, Any]:
    run = f"{SOURCE}-{lane}-{number}"
    with admin.connect(settings.kafka, settings) as client:
        topics.create(client, run, partitions=given.partitions, replication=1)
    argv = [sys.executable, "-m", "bench.lanes", lane, "--bootstrap", settings.kafka, "--source", SOURCE, "--run", run]
    argv += ["--partitions", str(given.partitions), "--events", str(given.events)]
    argv += ["--warm-up", str(given.events // 10), "--limit-s", str(given.limit_s)]
    where = f"{ROOT / 'build' / 'compiled'}{os.pathsep}{ROOT}" if given.compiled else str(ROOT)
    done = subprocess.run(
        argv,
        cwd=settings.home,
        env=os.environ | {"PYTHONPATH": where, "SHEKARA_HOME": str(settings.home)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=600,
        preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _report(given: argparse.Namespace, runs: dict[str, list[dict[str, Any]]], cores: Sequence[int]) -> dict[str, Any]:
    lanes: dict[str, dict[str, Any]] = {}
    for lane, found in runs.items():
        lanes[lane] = {}
        for figure in ("events_per_second", "events_per_cpu_second"):
            values = [one[figure] for one in found]
            lanes[lane] |= {figure: round(median(values)), f"{figure}_spread": [min(values), max(values)]}
        lanes[lane]["runs"] = found
    aims = []
    for lane, other, figure, wanted in AIMS:
        if lane in lanes and other in lanes:
            ratio = lanes[lane][figure] / lanes[other][figure]
            aims.append(
                {"lane": lane, "against": other, "by": figure, "aim": wanted, "is": round(ratio, 2), "reached": ratio >= wanted}
            )
    return {
        "machine": _machine(),
        "events": given.events,
        "people": given.people,
        "partitions": given.partitions,
        "compiled": given.compiled,
        "pinned_to": list(cores),
        "lanes": lanes,
        "aims": aims,
    }


def _machine() -> dict[str, Any]:
    model = ""
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_at_end": round(os.getloadavg()[0], 1),
    }


def _show(report: dict[str, Any]) -> None:
    for name, lane in report["lanes"].items():
        low, high = lane["events_per_second_spread"]
        per_cpu = lane["events_per_cpu_second"]
        print(f"{name:12} {lane['events_per_second']:>9,} events/s ({low:,} to {high:,}), {per_cpu:,} per CPU-s")
    for aim in report["aims"]:
        word = "reached" if aim["reached"] else "missed"
        print(f"{aim['lane']} / {aim['against']} by {aim['by']}: {aim['is']} (aim {aim['aim']}): {word}")
    load, cores = report["machine"]["load_at_end"], report["machine"]["cores"]
    if load > cores:
        print(f"The load was {load} on {cores} cores: something else ran; only figures per CPU-second mean much.")


if __name__ == "__main__":
    sys.exit(main())
