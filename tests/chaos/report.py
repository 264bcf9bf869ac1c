"""The report of a long run: ``bench/chaos.json``, written scenario by scenario, and the page and picture made of it alone.

``python -m tests.chaos.report`` makes the page anew.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import subprocess
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import vl_convert as vlc

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "bench" / "chaos.json"
PAGE = ROOT / "docs" / "chaos.md"
PICTURE = ROOT / "docs" / "pictures" / "chaos-kills.svg"

_GROUPS = {
    "test_workers": "Workers",
    "test_broker": "The broker",
    "test_supervisor": "The supervisor",
    "test_sink": "ClickHouse and the sink",
    "test_disks": "Disks",
    "test_lost_topics": "Topics that lost records",
    "test_data": "Data",
    "test_simulation": "Simulated schedules",
}
"""Headings of the page by module; what is not here (the holes of stock Faust) is no fault of ours and not reported."""

_POINTS = 200
"""Points of a curve that are kept."""

Entry = dict[str, Any]


def is_reported(module: str) -> bool:
    """Returns whether the tests of a module are scenarios of the report."""
    return module in _GROUPS


def stamped(module: str, began_at: datetime, facts: Entry) -> Entry:
    """Returns an entry with what it was made by: day, commit, machine and its load.

    Args:
        module: where the scenario is.
        began_at: when it began.
        facts: what was done and what came of it.
    """
    return {
        "module": module,
        "began_at": f"{began_at:%Y-%m-%d %H:%M:%S} UTC",
        "commit": _commit(),
        "machine": _machine(),
        "load_1m": round(os.getloadavg()[0], 1),
        **facts,
    }


def keep(entries: dict[str, Entry], *, known: Collection[str] = (), path: Path = REPORT) -> dict[str, Any]:
    """Puts entries into the report, each instead of the one of its name; the others stay. Returns the report.

    Several runs may write at the same time, each its own scenarios.

    Args:
        entries: by the scenario's name.
        known: names of all scenarios there are; entries of others are dropped. Empty: nothing is dropped.
        path: the report.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        scenarios = (json.loads(text)["scenarios"] if text else {}) | entries
        report = {
            "command": "make chaos",
            "scenarios": {name: scenarios[name] for name in sorted(scenarios) if not known or name in known},
        }
        file.seek(0)
        file.truncate()
        file.write(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return report


def thinned(points: list[list[float]]) -> list[list[float]]:
    """Returns at most some 200 of the points of a curve, the first and the last among them."""
    step = max(1, len(points) // _POINTS)
    return points[:-1:step] + points[-1:]


def page(report: dict[str, Any]) -> str:
    """Returns the page."""
    scenarios: dict[str, Entry] = report["scenarios"]
    parts = [_head(scenarios)]
    for module, heading in _GROUPS.items():
        some = {name: entry for name, entry in scenarios.items() if entry["module"] == module}
        if some:
            parts.append(f"## {heading}\n\n{_table(some)}")
    if any("progress" in entry for entry in scenarios.values()):
        parts.append(f"## While workers are killed\n\n![published and accounted for](pictures/{PICTURE.name})\n\n{_CAPTION}")
    return "\n\n".join(parts) + "\n"


_INTRODUCTION = """# What happens when things break

Written by `make chaos` from [bench/chaos.json](../bench/chaos.json) and nothing else; `make chaos ARGS="-k asleep"`
runs some of it and replaces their lines. Real Apache Kafka, real ClickHouse engines, real processes ended with
SIGKILL; only the schedules at the end are simulated, to have thousands of them."""

_MEANING = """*Equal*: every alert, finding and case on the topics, each alert's last state in ClickHouse, every dossier's digest,
the ledger without a hole and every dead letter equal what the pure rules give over the raw log
([ADR 120](adr/0120-one-verdict-for-every-fault.md)), and produced = processed + dead letters; the processed are counted
from the ledger. *Held*: what the scenario's own test asserts.

A loss of power is not among the scenarios, because no test here could pass it: the one node of `shekara up`
acknowledges a record when the operating system has it in memory, so the last seconds before the power went may be
gone, of each topic by itself. [operating.md](operating.md#what-survives-what) says what is noticed and what to do
about it."""

_CAPTION = """Records published, and records the ledger accounts for (those the workers hand each other among them), while two
workers are killed at random moments (grey lines); then the rest of the feed is published and they finish. Every
record is decided once, whoever was killed over it."""


def _head(scenarios: dict[str, Entry]) -> str:
    done = Counter[str]()
    for entry in scenarios.values():
        done.update({name: count for name, count in entry.get("faults", {}).items() if isinstance(count, int)})
    failed = [name for name, entry in scenarios.items() if entry["verdict"].startswith("failed")]
    passed = f"{len(scenarios) - len(failed)} of {len(scenarios)} scenarios passed"
    kills = (
        f"In them {done['worker_kills']} kills of workers, {done['broker_kills']} of the broker, "
        f"{done['sink_kills']} of the sink, {done['supervisor_kills']} of the supervisor; "
        f"{done['rebalances']} workers came or went."
    )
    produced, alerts, dossiers = (
        f"{sum(entry.get(what, 0) for entry in scenarios.values() if entry['module'] != 'test_simulation'):,}"
        for what in ("produced", "alerts", "dossiers")
    )
    made = "; ".join({_machine_words(entry["machine"]): None for entry in scenarios.values()})
    days = ", ".join(sorted({entry["began_at"][:10] for entry in scenarios.values()}))
    commits = _counted(Counter(entry["commit"] for entry in scenarios.values()))
    return "\n\n".join(
        (
            _INTRODUCTION,
            f"**{passed}.** {'Failed: ' + ', '.join(failed) + '. ' if failed else ''}{kills} "
            f"Compared: {produced} records, {alerts} alerts, {dossiers} dossiers.",
            _MEANING,
            f"{made}; {days}, {commits}. The machine did other work besides (its load is in the report): the seconds depend on "
            "it, the verdicts do not.",
        )
    )


def _counted(commits: Counter[str]) -> str:
    if len(commits) == 1:
        return f"commit {next(iter(commits))}"
    return "commits " + ", ".join(f"{commit} ({count})" for commit, count in sorted(commits.items()))


def _machine_words(machine: dict[str, Any]) -> str:
    return "Machine: {cpus} × {cpu}, {memory_gib} GiB, {system}, Python {python}".format_map(machine)


def _table(scenarios: dict[str, Entry]) -> str:
    head = ["scenario", "faults", "produced", "processed", "dead letters", "alerts", "dossiers", "s", "verdict"]
    lines = [head, ["---", "---", *["---:"] * 6, "---"], *(_row(name, entry) for name, entry in scenarios.items())]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(name: str, entry: Entry) -> list[str]:
    title = name.removeprefix("test_").replace("_", " ").replace("[", " (").replace("]", ")")
    faults = ", ".join(_fault(key, value) for key, value in entry.get("faults", {}).items())
    figures = [
        f"{entry[key]:,}" if key in entry else "" for key in ("produced", "processed", "dead_letters", "alerts", "dossiers")
    ]
    return [title, faults, *figures, f"{entry['seconds']:,}", entry["verdict"]]


def _fault(key: str, value: float) -> str:
    if key.endswith("_s"):
        return f"{key[:-2].replace('_', ' ')} {value:g} s"
    return f"{value:,} {key.replace('_', ' ')}"


def draw(report: dict[str, Any]) -> str | None:
    """Returns the picture as SVG; none if no scenario kept a curve."""
    curves = [entry["progress"] for entry in report["scenarios"].values() if "progress" in entry]
    if not curves:
        return None
    longest = max(curves, key=lambda curve: len(curve["kills"]))
    values = [
        {"seconds": at_s, "records": count, "what": what}
        for at_s, sent, accounted in longest["points"]
        for what, count in (("published", sent), ("accounted for", accounted))
    ]
    along = {"field": "seconds", "type": "quantitative"}
    kills = {
        "data": {"values": [{"seconds": at_s} for at_s in longest["kills"]]},
        "mark": {"type": "rule", "color": "#d8d8d8"},
        "encoding": {"x": along},
    }
    curves_of = {
        "data": {"values": values},
        "mark": "line",
        "encoding": {
            "x": along,
            "y": {"field": "records", "type": "quantitative"},
            "color": {"field": "what", "title": None, "scale": {"range": ["#c46b1d", "#1f6f78"]}},
        },
    }
    chart = {
        "title": f"{len(longest['kills'])} kills of workers",
        "width": 640,
        "height": 260,
        "layer": [kills, curves_of],
    }
    return str(vlc.vegalite_to_svg(chart))


def write_page(report: dict[str, Any]) -> None:
    """Writes the page and the picture."""
    PAGE.write_text(page(report), "utf-8")
    picture = draw(report)
    if picture is not None:
        PICTURE.write_text(picture, "utf-8")


def _commit() -> str:
    """Returns the commit that runs; with "changed" behind it if the tree differs from it."""

    def git(*argv: str) -> str:
        return subprocess.run(["git", *argv], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    short = git("rev-parse", "--short", "HEAD")
    # What the report itself writes is no change of the program.
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "streams", "tests", "schemas", "requirements.lock")
    return f"{short or 'unknown'}{', changed' if changed else ''}"


def _machine() -> dict[str, Any]:
    return {
        "cpus": os.cpu_count(),
        "cpu": _first(Path("/proc/cpuinfo").read_text("utf-8").splitlines(), lambda line: line.startswith("model name")),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _first(lines: Iterable[str], wanted: Callable[[str], bool]) -> str:
    return next((line.partition(":")[2].strip() for line in lines if wanted(line)), platform.machine())


def now() -> datetime:
    """Returns the time, UTC."""
    return datetime.now(UTC)


def began(at_s: float) -> datetime:
    """Returns an instant given in seconds since the epoch, UTC."""
    return datetime.fromtimestamp(at_s, UTC)


def read() -> dict[str, Any]:
    """Returns the report as it is."""
    found: dict[str, Any] = json.loads(REPORT.read_text("utf-8"))
    return found


if __name__ == "__main__":
    write_page(read())
