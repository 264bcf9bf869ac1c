"""The console under load: ``python -m bench.console feeds`` and ``python -m bench.console check``.

``feeds``: hundreds of live feeds follow the alerts topic of a real Kafka through one console; each breaks once and resumes.
Every feed is held to the whole: nothing lost, nothing doubled. ``check``: what officers in the field wait for while the worker
is busy. Both write into a report (JSON).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from streams.clock import now_ms
from streams.console.desk import furnish
from streams.policy.load import load
from streams.settings import Settings

REPORT = Path(__file__).with_name("console.json")


def main() -> None:
    """Runs what was asked for and adds it to the report."""
    from bench.console_check import measure_check
    from bench.console_feeds import Load, measure_feeds

    parser = argparse.ArgumentParser(prog="python -m bench.console", description=__doc__)
    parser.add_argument("--report", type=Path, default=REPORT, help="JSON file the figures go to")
    parts = parser.add_subparsers(dest="part", required=True)
    feeds = parts.add_parser("feeds", help="live feeds: nothing lost, nothing doubled, delay, memory")
    feeds.add_argument("--feeds", type=int, default=200)
    feeds.add_argument("--rate", type=float, default=50.0, help="versions of alerts a second")
    feeds.add_argument("--seconds", type=float, default=300.0)
    feeds.add_argument("--stalled", type=int, default=4, help="feeds that read nothing for a fifth of the time")
    check = parts.add_parser("check", help="answers of /api/check while the stream of the stack in SHEKARA_HOME runs")
    check.add_argument("--rate", type=float, default=1000.0, help="events a second")
    check.add_argument("--checks", type=float, default=20.0, help="checks a second")
    check.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    if given.part == "feeds":
        found = measure_feeds(Load(given.feeds, given.rate, given.seconds, given.stalled))
    else:
        found = measure_check(given.rate, given.checks, given.seconds)
    known = json.loads(given.report.read_text("utf-8")) if given.report.exists() else {}
    known[given.part] = found | {"machine": machine(), "measured_on": time.strftime("%Y-%m-%d", time.gmtime())}
    given.report.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
    print(json.dumps(known[given.part], indent=1, sort_keys=True))
    sys.exit(1 if found.get("lost") or found.get("doubled") else 0)


def machine() -> dict[str, Any]:
    """Returns where it was measured."""
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system(), "load": os.getloadavg()[0]}


def quantiles(values: Collection[float]) -> dict[str, float]:
    """Returns median, 99th percentile and greatest of some milliseconds."""
    if not values:
        return {}
    ordered = sorted(values)
    median, late = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.99))
    return {"p50_ms": round(median, 2), "p99_ms": round(late, 2), "max_ms": round(ordered[-1], 2)}


def officers(settings: Settings, count: int, *, demo: bool = False) -> list[tuple[str, str]]:
    """Returns cookies and tokens of signed-in operators, made in the console's own store."""
    desk = furnish(settings, load("kz"), demo=demo)
    if not desk.accounts.all():
        desk.accounts.invite("administrator", "administrator", "", now_ms())
    found = []
    for number in range(count):
        account, _ = desk.accounts.invite(f"bench-{os.getpid()}-{number}", "operator", "", now_ms())
        token = desk.sessions.begin(account, now_ms())
        session = desk.sessions.find(token, now_ms())
        found.append((token, session.csrf if session else ""))
    desk.close()
    return found


if __name__ == "__main__":
    main()
