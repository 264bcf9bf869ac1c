"""The warehouse measured: questions at three sizes, our sink against the bare driver, bytes on disk. ``make bench-warehouse``."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench import warehouse_facts as facts
from bench.warehouse_page import machine, write_page
from bench.warehouse_questions import QUESTIONS, SELDOM
from bench.warehouse_sink import rates
from streams.errors import ShekaraError
from streams.warehouse import counts
from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
from streams.warehouse.readonly import Reader

ROOT = Path(__file__).parents[1]
AIM_MS = 200
MERGES_S = 120.0
"""Seconds the engine may have to merge what was loaded before it is asked."""


def main() -> int:
    """Runs the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make bench-warehouse", description=__doc__)
    parser.add_argument("--crossings", default="1000000,10000000,100000000", help="sizes, comma-separated")
    parser.add_argument("--asked", type=int, default=20, help="times each question is asked")
    parser.add_argument("--disk-gb", type=float, default=20.0, help="stop before a size that would need more")
    parser.add_argument(
        "--recompute", action="store_true", help="compare every mart that reads counts with its recomputation, too"
    )
    parser.add_argument("--report", type=Path, default=ROOT / "bench" / "warehouse.json")
    parser.add_argument("--keep", type=Path, help="keep the warehouses in this directory, or ask those that are there")
    parser.add_argument("--page-only", action="store_true", help="write the page from the report there is")
    given = parser.parse_args()
    if given.page_only:
        write_page(json.loads(given.report.read_text("utf-8")), ROOT / "docs")
        return 0
    sizes: list[dict[str, Any]] = []
    for crossings in (int(size) // 40 * 40 for size in given.crossings.split(",")):
        if sizes and sizes[-1]["bytes_per_crossing"] * 1.3 * crossings > given.disk_gb * 1e9:
            print(f"{crossings:,} crossings would need more than {given.disk_gb} GB: left out", file=sys.stderr)
            break
        sizes.append(_size(crossings, given))
        _keep(given.report, {"sizes": sizes})
    report = _keep(given.report, {"sizes": sizes, "sink": rates(), "machine": machine(), "aim_ms": AIM_MS})
    write_page(report, ROOT / "docs")
    return 0


def _keep(path: Path, report: dict[str, Any]) -> dict[str, Any]:
    path.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    return report


def _size(crossings: int, given: argparse.Namespace) -> dict[str, Any]:
    home = given.keep / str(crossings) if given.keep else Path(tempfile.mkdtemp(prefix="bench-warehouse-"))
    # One process holds several engines one after the other, not at once: each size has its own.
    engine = Embedded(home / "clickhouse", settings={"max_threads": 2, "max_memory_usage": 6_000_000_000})
    made = home / "made.json"
    try:
        if not made.exists():
            _keep(made, _make(engine, crossings, home / "progress.json"))
        found: dict[str, Any] = json.loads(made.read_text("utf-8"))
        return found | _answer(engine, given)
    finally:
        engine.close()
        if not given.keep:
            shutil.rmtree(home)


def _make(engine: Embedded, crossings: int, progress: Path) -> dict[str, Any]:
    """Fills a warehouse, counts, and says how long that took and how large it is.

    Args:
        engine: where.
        crossings: how many.
        progress: file that says how far it got, so that it goes on there when it was broken off.
    """
    migrate(engine)
    done = json.loads(progress.read_text("utf-8")) if progress.exists() else {"statements": 0, "s": 0.0}
    for number, statement in enumerate(facts.statements(crossings)):
        if number < done["statements"]:
            continue  # made before this was broken off; what was half made is made again and replaces itself
        begun = time.perf_counter()
        engine.command(statement)
        done = {"statements": number + 1, "s": done["s"] + time.perf_counter() - begun}
        progress.write_text(json.dumps(done), "utf-8")
        print(f"\r{crossings:,} crossings: statement {number + 1}, {done['s']:.0f} s", end="", file=sys.stderr)
    made_s = done["s"]
    begun = time.perf_counter()
    people = counts.bring_up_to_date(engine, facts.reached(crossings))
    counted_s = time.perf_counter() - begun
    print(f"\n{people:,} people counted in {counted_s:.0f} s", file=sys.stderr)
    _merged(engine)
    found: dict[str, Any] = {
        "crossings": crossings,
        "made_s": round(made_s, 1),
        "counted_people": people,
        "counted_s": round(counted_s, 1),
        "load": round(os.getloadavg()[1], 1),
        "tables": _on_disk(engine),
    }
    found["bytes_per_crossing"] = round(sum(table["bytes"] for table in found["tables"].values()) / crossings, 1)
    raw = found["tables"]["raw_border_crossing"]
    found["bytes_per_event"] = round(raw["bytes"] / raw["rows"], 1)
    found["late"] = _late(engine, crossings)
    return found


def _answer(engine: Embedded, given: argparse.Namespace) -> dict[str, Any]:
    """Asks the questions."""
    reader = Reader(engine)
    try:
        found: dict[str, Any] = {"questions": [_ask(reader, words, query, given.asked) for words, query in QUESTIONS]}
        found["seldom"] = [_ask(reader, words, query, min(given.asked, 5)) for words, query in SELDOM]
    finally:
        reader.close()
    if given.recompute:
        found["recomputed"] = _recomputed(engine)
    return found


def _merged(engine: Embedded) -> None:
    """Waits until the engine has merged what it wants to merge."""
    deadline = time.monotonic() + MERGES_S
    while time.monotonic() < deadline and engine.select("SELECT count() FROM system.merges").rows != [(0,)]:
        time.sleep(1.0)


def _on_disk(engine: Embedded) -> dict[str, dict[str, int]]:
    rows = engine.select(
        "SELECT table, sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() "
        "GROUP BY table HAVING sum(rows) > 1000 ORDER BY table"
    ).rows
    return {str(table): {"rows": int(held), "bytes": int(size)} for table, held, size in rows}


def _late(engine: Embedded, crossings: int) -> dict[str, Any]:
    """Measures what one batch costs that repeats old crossings, and one that is new, while everything else stands."""
    total = "SELECT sum(crossings), sum(persons) FROM mart_daily_flows"
    before = engine.select(total).rows
    end, begin = crossings * 3 // facts.PARTITIONS + 1, crossings // 8
    timed = {}
    for words, ids, offset, rows in (
        ("the same 10,000 crossings again at new offsets", "event_id", end, 10_000),
        ("1,000 new crossings", "generateUUIDv4()", end + 20_000, 1_000),
    ):
        engine.command(
            f"INSERT INTO raw_border_crossing SELECT * REPLACE ({ids} AS event_id, 0 AS partition, "  # noqa: S608  # numbers
            f"toInt64({offset} + rowNumberInAllBlocks()) AS offset) FROM (SELECT * FROM raw_border_crossing "
            f"WHERE topic = '{facts.TOPIC}' AND partition = 1 AND offset >= {begin} AND offset < {begin + rows} "
            # What was a dead letter where it stood first is a fact where it is accepted: no repeat.
            "AND (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters))"
        )
        begun = time.perf_counter()
        people = counts.bring_up_to_date(engine, {(facts.TOPIC, 0): offset + rows})
        timed[words] = {"people": people, "s": round(time.perf_counter() - begun, 2)}
        if ids == "event_id" and engine.select(total).rows != before:
            raise SystemExit("crossings delivered again changed a mart: this must never be")
    return timed


def _ask(reader: Reader, words: str, query: str, times: int) -> dict[str, Any]:
    taken = []
    worked = []
    rows = 0
    for turn in count():
        begun, cpu = time.perf_counter(), time.process_time()
        try:
            rows = reader.answer(query, "TabSeparated").count(b"\n")
        except ShekaraError as error:
            print(f"  {words:<52} {error.what}", file=sys.stderr)
            return {"question": words, "refused": error.what}
        taken.append((time.perf_counter() - begun) * 1000)
        worked.append((time.process_time() - cpu) * 1000)
        if turn >= times or sum(taken) > 60_000:
            break
    warm = taken[1:] or taken
    p95 = quantiles(warm, n=20, method="inclusive")[-1] if len(warm) > 1 else warm[0]
    print(f"  {words:<52} median {median(warm):>8.0f} ms  p95 {p95:>8.0f} ms  first {taken[0]:>8.0f} ms", file=sys.stderr)
    return {
        "question": words,
        "rows": rows,
        "median_ms": round(median(warm), 1),
        "cpu_ms": round(median(worked[1:] or worked), 1),
        "p95_ms": round(p95, 1),
        "first_ms": round(taken[0], 1),
    }


def _recomputed(engine: Embedded) -> dict[str, Any]:
    """Compares what the marts say with what they must say, and how long that takes."""
    names = engine.select(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'recomputed_') ORDER BY name"
    ).rows
    found = {}
    for (slow,) in names:
        fast = str(slow).removeprefix("recomputed_")
        taken = []
        sums = []
        for name in (fast, slow):
            begun = time.perf_counter()
            sums.append(engine.select(f"SELECT count(), sum(cityHash64(*)) FROM {name}").rows)  # noqa: S608  # the engine's names
            taken.append(round(time.perf_counter() - begun, 2))
        if sums[0] != sums[1]:
            raise SystemExit(f"{fast} says something else than {slow}")
        found[fast] = {"s": taken[0], "recomputed_s": taken[1]}
        print(f"  {fast}: equal; {taken[0]} s, recomputed {taken[1]} s", file=sys.stderr)
    return found


if __name__ == "__main__":
    sys.exit(main())
