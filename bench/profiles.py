"""Where the time goes: our lanes under py-spy, counting only what holds the interpreter's lock."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from bench import compare

LANES = ("ours-core", "ours-full")
_SHOWN = 25
_RATE_HZ = 200


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Profiles the interpreted lanes; returns the section of the report."""
    spy = Path(sys.executable).with_name("py-spy")
    options = ["record", "--rate", str(_RATE_HZ), "--format", "raw", "--gil"]
    found = {}
    for lane in LANES:
        stacks = compare.under(given, lane, lambda out: [str(spy), *options, "--output", str(out), "--"])
        found[lane] = _summary(stacks)
    return {"events": given.events, "by": "py-spy, samples that hold the interpreter's lock", "profiles": found, "aims": []}


def _summary(stacks: str) -> dict[str, Any]:
    """Returns the share of each function, by itself and with what it calls; start-up is left out."""
    itself: Counter[str] = Counter()
    within: Counter[str] = Counter()
    total = 0
    for line in stacks.splitlines():
        path, _, samples = line.rpartition(" ")
        frames = [_function(frame) for frame in path.split(";")]
        if not path or "_find_and_load (<frozen importlib._bootstrap>)" in frames:
            continue
        total += int(samples)
        itself[frames[-1]] += int(samples)
        for frame in set(frames):
            within[frame] += int(samples)
    shares = [
        {name: round(count / max(total, 1), 3) for name, count in counts.most_common(_SHOWN)} for counts in (itself, within)
    ]
    return {"samples": total, "itself": shares[0], "with_what_it_calls": shares[1]}


def _function(frame: str) -> str:
    """Returns a frame without its line number."""
    name, colon, number = frame.rpartition(":")
    return f"{name})" if colon and number.rstrip(")").isdigit() else frame


def show(section: dict[str, Any]) -> None:
    """Prints the section for people."""
    for lane, profile in section["profiles"].items():
        print(f"{lane}:")
        for name, share in list(profile["itself"].items())[:10]:
            print(f"  {share:6.1%} {name}")
