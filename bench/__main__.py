"""``python -m bench``: measures, and writes ``bench/report.json`` and the page ``docs/benchmarks.md`` with its pictures.

Each section starts an Apache Kafka of its own and can be measured alone: the others keep the figures they have in the report.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import checkpoints, compare, latency, page, profiles, stays

ROOT = Path(__file__).parents[1]

Section = tuple[Callable[[argparse.Namespace], dict[str, Any]], Callable[[dict[str, Any]], None]]
SECTIONS: dict[str, Section] = {
    "lanes": (compare.measure, compare.show),
    "latency": (latency.measure, latency.show),
    "checkpoints": (checkpoints.measure, checkpoints.show),
    "stays": (stays.measure, stays.show),
    "profile": (profiles.measure, profiles.show),
}
"""What can be measured: the measurement, and how it is shown."""


def main() -> int:
    """Runs the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"comma-separated, of {', '.join(SECTIONS)}")
    parser.add_argument("--events", type=int, default=1_000_000, help="crossings in the topic of the lanes")
    parser.add_argument("--people", type=int, help="people who cross; a fifth of the events if not given")
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--runs", type=int, default=3, help="runs of each lane, in alternation")
    parser.add_argument("--limit-s", type=float, default=15.0, help="seconds a run is measured, at most")
    parser.add_argument("--lanes", default=",".join(compare.LANES), help="comma-separated")
    last = str(max(os.sched_getaffinity(0)))
    parser.add_argument("--cores", default=last, help="cores every lane is pinned to; the broker gets the others; '' for none")
    parser.add_argument("--latency-s", type=float, default=8.0, help="seconds each rate is kept up")
    parser.add_argument("--stays", default="100000,1000000,5000000", help="numbers of open stays, comma-separated")
    parser.add_argument("--sweep", type=int, default=500_000, help="stays whose term ends on one day")
    parser.add_argument("--report", type=Path, default=ROOT / "bench" / "report.json")
    given = parser.parse_args()
    for kind, wanted, known in (("lane", given.lanes, compare.LANES), ("section", given.only, tuple(SECTIONS))):
        unknown = sorted(set(wanted.split(",")) - set(known))
        if unknown:
            parser.error(f"there is no {kind} {', '.join(unknown)}; choose of {', '.join(known)}")
    if given.people is None:
        given.people = max(1, given.events // 5)
    report = json.loads(given.report.read_text("utf-8")) if given.report.exists() else {}
    for name in given.only.split(","):
        measure, show = SECTIONS[name]
        section = measure(given)
        show(section)
        _show_aims(section)
        command = f"make bench ARGS={shlex.quote(shlex.join(sys.argv[1:]))}" if sys.argv[1:] else "make bench"
        section |= {"command": command, "machine": _machine()}
        if "points" in section:
            section = stays.beside(section, report.get("sections", {}).get(name))
        if "lanes" in section:
            report["lanes"] = section.pop("lanes")
        report.setdefault("sections", {})[name] = section
        given.report.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if given.report == ROOT / "bench" / "report.json":
        page.write(report)
    return 0


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


def _show_aims(section: dict[str, Any]) -> None:
    for aim in section["aims"]:
        word = "reached" if aim["reached"] else "missed"
        print(f"{aim['what']}: {aim['is']} (aim {aim['aim']}): {word}")
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores:
        print(f"The load was {load:.1f} on {cores} cores: something else ran; only figures per CPU-second mean much.")


if __name__ == "__main__":
    sys.exit(main())
