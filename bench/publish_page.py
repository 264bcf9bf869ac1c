"""The page of the publishing benchmark, from the report alone."""

from __future__ import annotations

from typing import Any

_LANES = {
    "bare": "kafka-python alone, same encoding and options",
    "sdk": "SDK (`Publisher`)",
    "sdk_signing": "SDK, signing every event",
}


def page(report: dict[str, Any]) -> str:
    """Returns docs/publishing-speed.md."""
    lines = ["# How fast events are published", "", "Written by `make bench-publish` from `bench/publish.json`; do not edit.", ""]
    if "speed" in report:
        lines += _speed(report["speed"])
    if "day" in report:
        lines += _day(report["day"])
    return "\n".join(lines)


def _where(section: dict[str, Any]) -> str:
    box = section["machine"]
    busy = " Other work ran at the same time: figures by the clock say less than those by CPU-second." if _busy(box) else ""
    return (
        f"`{section['command']}` on {box['cpu']}, {box['cores']} cores, {box['memory_gb']} GB, load {box['load_at_end']} at the "
        f"end.{busy}"
    )


def _busy(box: dict[str, Any]) -> bool:
    return bool(box["load_at_end"] > box["cores"] + 1)


def _speed(section: dict[str, Any]) -> list[str]:
    lanes, signatures, spool, gateway = section["lanes"], section["signatures"], section["spool"], section["gateway"]
    lines = [
        "## An event on each way",
        "",
        f"{_where(section)} Crossings of 95 bytes, acks=all, {section['events']:,} a run, {section['runs']} runs of each in "
        "alternation: median, and in brackets the least and the most. What is measured has one core; the broker, and whoever "
        "calls the gateway, have the other.",
        "",
        "| way | events/s | events a CPU-second of the publishing process | of the bare client, by CPU |",
        "|---|---:|---:|---:|",
    ]
    for name, words in _LANES.items():
        lane = lanes[name]
        share = "" if name == "bare" else f"{_percent(lane['share_of_bare'])}"
        lines.append(f"| {words} | {_rate(lane['events_per_s'])} | {_rate(lane['events_per_cpu_s'])} | {share} |")
    for media, words in (("application/json", "JSON"), ("avro/binary", "Avro")):
        one = gateway[media]
        lines.append(
            f"| gateway, {words}, a thousand a request | {_rate(one['events_per_s'])} | {_rate(one['events_per_cpu_s'])} | |"
        )
    for name, words in (("put", "spool, put by thousands, on disk and encrypted"), ("drain", "spool, drained")):
        lines.append(f"| {words} | {_rate(spool[name]['events_per_s'])} | {_rate(spool[name]['events_per_cpu_s'])} | |")
    sdk, both = lanes["sdk"]["share_of_bare"]["median"], signatures["sign_us"] + signatures["check_us"]
    slowest = min(gateway[media]["events_per_cpu_s"]["median"] for media in ("application/json", "avro/binary"))
    lines += [
        "",
        "| aim | is | |",
        "|---|---:|---|",
        f"| SDK at least 60 % of the bare client by CPU, same encoding | {sdk:.0%} | {_word(sdk >= 0.6)} |",
        f"| gateway at least 5,000 events for each second of one core | {slowest:,.0f} | {_word(slowest >= 5000)} |",
        f"| a signature under 5 µs an event, made and checked | {both:.1f} µs | {_word(both < 5)} |",
        "",
        f"A signature costs {signatures['sign_us']:.1f} µs an event to make and {signatures['check_us']:.1f} µs to check, on top "
        f"of {signatures['decode_us']:.1f} µs to decode and check the event ({signatures['events_a_signature']} events a "
        f"signature; the least CPU time of {signatures['repeats']} repeats with and without, in alternation). "
        f"The gateway held {gateway['rss_mb']} MB. An event takes {spool['bytes_an_event']} bytes in the spool.",
        "",
    ]
    if sdk > 1:
        lines += [
            "The SDK can be cheaper than the client it sits on because it remembers in which partition a person lies, where "
            "kafka-python hashes the key in Python for every record. Here every person crosses twice.",
            "",
        ]
    return lines


def _day(section: dict[str, Any]) -> list[str]:
    often = " to ".join(map(str, section["kill_minutes"]))
    rate = f"{section['drained_per_s']:,} events/s"
    return [
        f"## {section['hours']:g} hours without a link",
        "",
        f"{_where(section)} {section['events']:,} crossings, two a simulated second, recorded by a process that was killed "
        f"(SIGKILL) {section['kills']} times, every {often} simulated minutes.",
        "",
        "| | |",
        "|---|---:|",
        f"| events recorded | {section['events']:,} |",
        f"| killed | {section['kills']} times |",
        f"| recording, each new process's start included | {section['recording_s']:,.0f} s |",
        f"| spool on disk when the link came back | {section['spool_bytes'] / 1e6:.0f} MB |",
        f"| **time to drain**, the process's start included | **{section['drain_s']:.1f} s** ({rate}) |",
        f"| messages in Kafka | {section['messages']:,} |",
        "",
        "Every event arrived once, each person's in order: the run fails otherwise.",
        "",
    ]


def _rate(found: dict[str, float]) -> str:
    return f"{found['median']:,.0f} ({found['least']:,.0f}–{found['most']:,.0f})"


def _percent(found: dict[str, float]) -> str:
    return f"{found['median']:.0%} ({found['least']:.0%}–{found['most']:.0%})"


def _word(reached: bool) -> str:
    return "reached" if reached else "missed"
