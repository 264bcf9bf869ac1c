"""``python -m bench.publish``: how fast events are published; writes ``bench/publish.json`` and ``docs/publishing-speed.md``.

``speed``: the SDK against the bare client below it, in alternation, on one core, the broker on the others; what signatures cost;
the gateway as a process of its own on that core; the spool. ``day``: 24 simulated hours without a link, the publisher killed
every few minutes, then drained. Each keeps the other's figures in the report.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import publish_page, publish_speed, stage
from bench.warehouse_page import machine
from streams.local import admin, topics
from tests.integration.spool_day import live_through

ROOT = Path(__file__).parents[1]


def speed(given: argparse.Namespace) -> dict[str, Any]:
    """Measures what an event costs on each way."""
    core = {int(given.core)}
    with stage.kafka(core) as settings:
        with admin.connect(settings.kafka, settings) as client:
            topics.create(client, settings.namespace, partitions=4, replication=1)
        os.sched_setaffinity(0, core)
        section = publish_speed.clients(settings, given.events, given.runs)
        section |= {"signatures": publish_speed.signatures(settings.home)}
        section |= {"spool": publish_speed.spool(settings, given.events, given.runs)}
        # The caller leaves the core to the gateway.
        os.sched_setaffinity(0, set(range(os.cpu_count() or 1)) - core or core)
        section |= {"gateway": publish_speed.gateway(settings, core, given.events, given.runs)}
    return section | {"core": given.core, "events": given.events, "runs": given.runs}


def day(given: argparse.Namespace) -> dict[str, Any]:
    """Lives through a day without a link."""

    def tell(said: int, kills: int) -> None:
        print(f"\r{said:,} events recorded, killed {kills} times", end="", file=sys.stderr)

    kill_minutes = tuple(int(one) for one in given.kill_minutes.split(","))
    with stage.kafka(set()) as settings, tempfile.TemporaryDirectory(prefix="shekara-day-") as folder:
        with admin.connect(settings.kafka, settings) as client:
            topics.create(client, settings.namespace, partitions=4, replication=1)
        found = live_through(settings, Path(folder), hours=given.hours, kill_minutes=kill_minutes, tell=tell)  # type: ignore[arg-type]
    print(file=sys.stderr)
    rate = round(found.events / found.drain_s)
    return {"hours": given.hours, "kill_minutes": list(kill_minutes)} | asdict(found) | {"drained_per_s": rate}


SECTIONS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {"speed": speed, "day": day}


def main() -> int:
    """Measures one section; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make bench-publish", description=__doc__)
    parser.add_argument("section", nargs="?", choices=tuple(SECTIONS), default="speed")
    parser.add_argument("--events", type=int, default=30_000, help="crossings of each run")
    parser.add_argument("--runs", type=int, default=7, help="runs of each lane, in alternation")
    parser.add_argument("--core", default=str(max(os.sched_getaffinity(0))), help="core of what is measured")
    parser.add_argument("--hours", type=float, default=24.0, help="of the day, two crossings a second")
    parser.add_argument("--kill-minutes", default="3,9", help="simulated minutes between kills, from and to")
    parser.add_argument("--report", type=Path, default=ROOT / "bench" / "publish.json")
    given = parser.parse_args()
    report = json.loads(given.report.read_text("utf-8")) if given.report.exists() else {}
    arguments = f' ARGS="{" ".join(sys.argv[1:])}"' if sys.argv[1:] else ""
    section = SECTIONS[given.section](given)
    report[given.section] = section | {"command": f"make bench-publish{arguments}", "machine": machine()}
    given.report.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")
    if given.report == ROOT / "bench" / "publish.json":
        (ROOT / "docs" / "publishing-speed.md").write_text(publish_page.page(report), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
