"""The page a reader sees: `docs/benchmarks.md` and its pictures, made of `bench/report.json` and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import vl_convert as vlc

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
PICTURES = ROOT / "docs" / "pictures"
REMARKS = Path(__file__).with_name("remarks.md")
"""What was found out and tried, by hand; the figures above it are not."""


def write(report: dict[str, Any]) -> None:
    """Writes the page and its pictures."""
    sections = report.get("sections", {})
    parts = [_head(report), _aims(sections)]
    if "lanes" in report:
        parts.append(_lanes(report["lanes"], sections["lanes"]))
    for name, told in (("latency", _latency), ("stays", _stays), ("checkpoints", _checkpoints), ("profile", _profile)):
        if name in sections:
            parts.append(told(sections[name]))
    parts.append(REMARKS.read_text("utf-8"))
    PAGE.write_text("\n\n".join(part.strip() for part in parts) + "\n", "utf-8")


def _head(report: dict[str, Any]) -> str:
    machine = next(iter(report["sections"].values()))["machine"]
    return f"""# Benchmarks

Written by `make bench` from `bench/report.json`; every section names its command. Machine: {machine["cpu"]},
{machine["cores"]} cores, {machine["memory_gb"]} GB, Python {machine["python"]}, {machine["system"]}. Where the load (in the
report) was above the cores, only figures per CPU-second mean much."""


def _table(head: list[str], rows: list[list[Any]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _aims(sections: dict[str, Any]) -> str:
    rows = [
        [aim["what"], aim["aim"], aim["is"], "reached" if aim["reached"] else "**missed**"]
        for section in sections.values()
        for aim in section["aims"]
    ]
    return "## Aims\n\n" + _table(["what", "aim", "is", ""], rows)


def _lanes(lanes: dict[str, Any], section: dict[str, Any]) -> str:
    rows = [
        [
            f"`{name}`",
            lane["events_per_second"],
            lane["events_per_cpu_second"],
            " to ".join(_cell(one) for one in lane["events_per_cpu_second_spread"]),
            lane["peak_rss_mb"],
        ]
        for name, lane in lanes.items()
    ]
    data = [{"lane": name, "events per CPU-second": lane["events_per_cpu_second"]} for name, lane in lanes.items()]
    bars = (
        alt.Chart(alt.Data(values=data))
        .mark_bar()
        .encode(
            x=alt.X("events per CPU-second:Q"),
            y=alt.Y("lane:N", sort="-x", title=None),
            color=alt.condition("indexof(datum.lane, 'ours') == 0", alt.value("#1f6f78"), alt.value("#b8b8b8")),
        )
    )
    _draw("bench-lanes", bars.properties(width=520, title="Events per CPU-second, the same topic and core"))
    left = "".join(f"\n\n{why}" for why in section["left_out"].values())
    return f"""## Lanes

`{section["command"]}`: {section["events"]:,} crossings of {section["people"]:,} people, {section["partitions"]} partitions, each
lane in its own process on core {", ".join(map(str, section["pinned_to"])) or "any"}, in alternation, after a warm-up; medians.
`limit` reads and decodes only; `ours-core`, `faust-stock`, `quix` and `kafka-streams` decode, put a keyed dossier and write
its changelog; `ours-full` decides every rule. *compiled*: `make compiled`.

{_table(["lane", "events/s", "per CPU-second", "spread", "peak MB"], rows)}{left}

![Events per CPU-second by lane](pictures/bench-lanes.svg)"""


def _latency(section: dict[str, Any]) -> str:
    rows = [[one["events_per_second"], one["p50_ms"], one["p99_ms"], one["max_ms"]] for one in section["rates"]]
    data = [
        {"events/s": one["events_per_second"], "quantile": name, "ms": max(one[f"{name}_ms"], 1)}
        for one in section["rates"]
        for name in ("p50", "p99")
    ]
    lines = (
        alt.Chart(alt.Data(values=data))
        .mark_line(point=True)
        .encode(
            x=alt.X("events/s:Q", scale=alt.Scale(type="log")),
            y=alt.Y("ms:Q", scale=alt.Scale(type="log")),
            color=alt.Color("quantile:N", scale=alt.Scale(range=["#1f6f78", "#c2571a"])),
        )
    )
    _draw("bench-latency", lines.properties(width=420, title="From event to alert"))
    return f"""## From event to alert

`{section["command"]}`: exits at a steady rate for {section["seconds"]:g} s, each of which raises an alert; from the broker's
timestamp of the event to the alert in a reader's hands; broker, publisher, worker and reader share the cores.

{_table(["events/s", "p50 ms", "p99 ms", "latest ms"], rows)}

![Latency by rate](pictures/bench-latency.svg)"""


def _stays(section: dict[str, Any]) -> str:
    head = ["open stays", "memory: ready s", "MB", "RocksDB, store lost: s", "MB", "store present: s", "MB"]
    rows, data = [], []
    for point in section["points"]:
        memory, rocks = point["memory"], point["rocksdb"]
        other = [rocks.get(name, "") for name in ("lost_s", "lost_rss_mb", "present_s", "present_rss_mb")]
        rows.append([f"{point['stays']:,}", memory["recovery_s"], memory["rss_mb"], *other])
        for name, seconds, rss in (
            ("memory", memory.get("recovery_s"), memory.get("rss_mb")),
            ("RocksDB, store lost", rocks.get("lost_s"), rocks.get("lost_rss_mb")),
            ("RocksDB, store present", rocks.get("present_s"), rocks.get("present_rss_mb")),
        ):
            if seconds:
                data.append({"open stays": point["stays"], "store": name, "seconds": seconds, "MB": rss})
    base = (
        alt.Chart(alt.Data(values=data))
        .mark_line(point=True)
        .encode(
            x=alt.X("open stays:Q", scale=alt.Scale(type="log")),
            color=alt.Color("store:N", scale=alt.Scale(range=["#1f6f78", "#c2571a", "#7a5195"])),
        )
    )
    log = alt.Scale(type="log")
    both = [base.encode(y=alt.Y(f"{what}:Q", scale=log)).properties(width=280) for what in ("seconds", "MB")]
    _draw("bench-growth", alt.hconcat(*both, title="How a restart and its memory grow"))
    sweep = section["sweep"]
    swept = (
        f"\n\nA day on which {sweep['stays']:,} terms end: one tick, {sweep['seconds']} s, "
        f"{sweep['stays_per_second']:,} stays/s, at most {sweep['peak_mb']:,} MB."
        if sweep
        else ""
    )
    commands = "`, `".join(dict.fromkeys(point["command"] for point in section["points"]))
    return f"""## Open stays: restart, memory, growth

`{commands}` (each size as last measured): states of people inside the country in the changelog;
from the start of `shekara worker` (Python's own start included) until it is ready.

{_table(head, rows)}{swept}

![Growth, log-log](pictures/bench-growth.svg)"""


def _checkpoints(section: dict[str, Any]) -> str:
    rows = [
        [one["batch_records"], one["events_per_cpu_second"], one.get("decide_ms", ""), one.get("checkpoint_ms", "")]
        for one in section["batches"]
    ]
    return f"""## What a checkpoint costs

`{section["command"]}`: `ours-core` in batches of at most so many records; milliseconds a batch took to be decided, and to be
written, committed and applied.

{_table(["records", "events per CPU-second", "deciding ms", "checkpoint ms"], rows)}"""


def _profile(section: dict[str, Any]) -> str:
    parts = [f"## Where the time goes\n\n`{section['command']}`, {section['by']}; shares of samples, functions by themselves."]
    for lane, profile in section["profiles"].items():
        rows = [[f"`{name}`", f"{share:.1%}"] for name, share in list(profile["itself"].items())[:12]]
        parts.append(f"### {lane}\n\n{_table(['function', 'share'], rows)}")
    return "\n\n".join(parts)


def _draw(name: str, chart: Any) -> None:
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / f"{name}.svg").write_text(vlc.vegalite_to_svg(chart.to_dict()), "utf-8")
