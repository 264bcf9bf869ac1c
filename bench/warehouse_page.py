"""The page of the warehouse's benchmark and its pictures, from the report alone."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import altair
import vl_convert

PICTURE = "pictures/warehouse-questions.svg"


def machine() -> dict[str, Any]:
    """Returns what it ran on."""
    model = [
        line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines() if "model name" in line
    ]
    return {
        "cpu": model[0] if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "load_at_end": round(os.getloadavg()[0], 1),
    }


def picture(report: dict[str, Any]) -> str:
    """Returns the time of each question over the number of crossings, as SVG."""
    values = [
        {"crossings": size["crossings"], "question": one["question"], "p95": one["p95_ms"]}
        for size in report["sizes"]
        for one in size["questions"]
    ]
    lines = (
        altair.Chart(altair.Data(values=values))
        .mark_line(point=True)
        .encode(
            x=altair.X(
                "crossings:Q", scale=altair.Scale(type="log"), title="crossings in the warehouse", axis=altair.Axis(format="~s")
            ),
            y=altair.Y("p95:Q", scale=altair.Scale(type="log"), title="p95, ms"),
            color=altair.Color("question:N", title=None, legend=altair.Legend(labelLimit=400)),
        )
    )
    aim = altair.Chart(altair.Data(values=[{"y": report["aim_ms"]}])).mark_rule(strokeDash=[4, 4]).encode(y="y:Q")
    return str(vl_convert.vegalite_to_svg((lines + aim).properties(width=520, height=320).to_dict()))


def write_page(report: dict[str, Any], docs: Path) -> None:
    """Writes docs/warehouse-speed.md and its picture."""
    (docs / PICTURE).write_text(picture(report), "utf-8")
    sizes, box, sink = report["sizes"], report["machine"], report["sink"]
    head = " | ".join(f"{size['crossings']:,}" for size in sizes)
    rule = "|".join("---:" for _ in sizes)
    lines = [
        "# How fast the warehouse is",
        "",
        "Written by `make bench-warehouse` from `bench/warehouse.json`; do not edit. "
        f"Measured on {box['cpu']}, {box['cores']} cores, {box['memory_gb']} GB, load {box['load_at_end']} at the end; "
        "the embedded engine, two threads a query, the limits of the SQL endpoint."
        + (
            " The load was above the number of cores: other work ran at the same time, and every time below is longer for it."
            if box["load_at_end"] > box["cores"]
            else ""
        ),
        "",
        "## The twelve questions asked most",
        "",
        "The crossings are made by the engine and are the same every time: ten a person, and two alerts for a hundred of them, "
        "half of them open. A country has fewer open alerts for its crossings: questions about alerts are asked of a hard case.",
        "",
        f"95th percentile in ms of repeated runs, warm; the aim is {report['aim_ms']} ms. Crossings in the warehouse:",
        "",
        f"| question | {head} |",
        f"|---|{rule}|",
    ]
    for number, question in enumerate(sizes[0]["questions"]):
        lines.append(
            f"| {question['question']} | " + " | ".join(f"{size['questions'][number]['p95_ms']:,.0f}" for size in sizes) + " |"
        )
    asked = [(kind, number) for kind in ("questions", "seldom") for number in range(len(sizes[0].get(kind, ())))]
    if all("cpu_ms" in size[kind][number] for size in sizes for kind, number in asked):
        said = (
            "What a question costs whatever else runs: CPU time of the whole engine, median in ms. "
            "The last six once scanned every fact; `whose records withdrew alerts` still does."
        )
        lines += ["", said, ""]
        lines += [f"| question | {head} |", f"|---|{rule}|"]
        for kind, number in asked:
            told = (f"{size[kind][number]['cpu_ms']:,.0f}" for size in sizes)
            lines.append(f"| {sizes[0][kind][number]['question']} | " + " | ".join(told) + " |")
    lines += ["", f"![p95 of each question by the number of crossings]({PICTURE})", "", "## Counting and disk", ""]
    lines += [f"| | {head} |", f"|---|{rule}|"]
    for words, value in (
        ("making the facts in the engine, s", lambda size: f"{size['made_s']:,.0f}"),
        ("counting all people once, s", lambda size: f"{size['counted_s']:,.0f}"),
        ("load of the machine at its end (5 minutes; two of it ours)", lambda size: f"{size['load']}"),
        ("10,000 crossings delivered again: counting, s", lambda size: f"{next(iter(size['late'].values()))['s']}"),
        ("1,000 new crossings: counting, s", lambda size: f"{list(size['late'].values())[1]['s']}"),
        ("bytes per crossing, the raw event", lambda size: f"{size['bytes_per_event']}"),
        ("bytes per crossing, everything that goes with it", lambda size: f"{size['bytes_per_crossing']}"),
        ("disk, GB", lambda size: f"{sum(table['bytes'] for table in size['tables'].values()) / 1e9:.2f}"),
    ):
        lines.append(f"| {words} | " + " | ".join(value(size) for size in sizes) + " |")
    if any("recomputed" in size for size in sizes):
        size = next(size for size in sizes if "recomputed" in size)
        lines += ["", f"## The same answers, recomputed from every fact ({size['crossings']:,} crossings)", ""]
        lines += ["Each was compared and was equal.", "", "| mart | from counts, s | recomputed, s |", "|---|---:|---:|"]
        lines += [f"| `{name}` | {one['s']} | {one['recomputed_s']} |" for name, one in size["recomputed"].items()]
    lines += [
        "",
        "## The sink",
        "",
        f"{sink['rows']:,} crossings in blocks of {sink['batch']:,}, the same engine, lanes in turn:",
        "",
    ]
    lines += ["| lane | rows/s | rows per CPU-second |", "|---|---:|---:|"]
    lines += [f"| {lane} | {one['rows_per_s']:,} | {one['rows_per_cpu_s']:,} |" for lane, one in sink["lanes"].items()]
    lines += [
        "",
        "The sink begins with the messages as Kafka gives them: it decodes Avro, works out local day and oblast, makes blocks, "
        "inserts and commits. The bare driver begins with rows of UUIDs, dates and datetimes that somebody has made already. "
        f"By CPU the sink is at {sink['sink_to_bare_driver_by_cpu']:.2f} of the bare driver (aim 0.80), and at "
        f"{sink['sink_to_ready_blocks_by_cpu']:.2f} of inserting blocks that lie ready.",
        "",
    ]
    (docs / "warehouse-speed.md").write_text("\n".join(lines), "utf-8")
