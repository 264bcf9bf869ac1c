"""The long profile: ``python -m tests.fuzz [MESSAGES] [SEED] [--page FILE]``, a million messages by default.

Says by lane what became of the messages, how long the slowest took, and how much memory the process had; ``--page`` writes it
down for people (docs/fuzzing.md).
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sys
import time
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.lanes import LANES
from tests.fuzz.mutate import Mutator

SLOWEST_S = 5.0
"""No message may take longer, also on a machine with other work: a hang."""

GROWTH_MB = 64
"""After a tenth of its messages a lane may not grow by more: what is remembered has a bound, and it is small."""

PEAK_MB = 400
"""The process may at no moment have more than this above what it began with: nor may one message blow up."""


@dataclass(frozen=True, slots=True)
class Fared:
    """How one lane fared.

    Attributes:
        outcomes: what became of its messages.
        seconds: it took.
        slowest_s: the slowest message.
        warm_mb: memory after a tenth of its messages.
        end_mb: memory at its end.
    """

    outcomes: Counter[str]
    seconds: float
    slowest_s: float
    warm_mb: int
    end_mb: int

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.outcomes.total() / self.seconds


def run(messages: int, seed: int) -> dict[str, Fared]:
    """Attacks every lane with its share of the messages; returns how each fared.

    Raises:
        AssertionError: something was not accounted for, took too long, or memory grew.
    """
    warnings.simplefilter("ignore")
    found: dict[str, Fared] = {}
    began_mb = _peak_mb()
    for name in LANES:
        fared = found[name] = _attack(name, messages, seed)
        top = ", ".join(f"{outcome} {times}" for outcome, times in fared.outcomes.most_common(5))
        sys.stdout.write(
            f"{name:<11} {fared.outcomes.total():>9,} messages {fared.rate:>9,.0f}/s slowest {fared.slowest_s * 1000:>6.0f} ms "
            f"{fared.warm_mb:>4} → {fared.end_mb} MB  {top}\n"
        )
        sys.stdout.flush()
    grown = _peak_mb() - began_mb
    assert grown < PEAK_MB, f"the process had {grown} MB more than at its beginning"
    total = sum(fared.outcomes.total() for fared in found.values())
    sys.stdout.write(f"{total:,} messages, all accounted for; {grown} MB more memory at most\n")
    return found


def _attack(name: str, messages: int, seed: int) -> Fared:
    build, seeds, share = LANES[name]
    lane, mutator, outcomes = build(), Mutator(seeds, seed), Counter[str]()
    count, slowest, warm_mb = max(1, round(messages * share)), 0.0, 0
    began = time.perf_counter()
    for number in range(count):
        start = time.perf_counter()
        try:
            outcomes[lane(mutator)] += 1
        except Exception as error:
            raise AssertionError(f"{name}: message {number} of seed {seed}: {type(error).__name__}: {error}") from error
        slowest = max(slowest, time.perf_counter() - start)
        if number == count // 10:
            warm_mb = _now_mb()
    fared = Fared(outcomes, time.perf_counter() - began, slowest, warm_mb, _now_mb())
    assert slowest < SLOWEST_S, f"{name}: one message took {slowest:.1f} s"
    assert outcomes.total() == count
    assert fared.end_mb - warm_mb < GROWTH_MB, f"{name}: memory grew from {warm_mb} to {fared.end_mb} MB"
    return fared


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _now_mb() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() // 2**20


def page(found: dict[str, Fared], seed: int) -> str:
    """Returns what came of a run as a page."""
    total = sum(fared.outcomes.total() for fared in found.values())
    about = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in about if line.startswith("model name")), platform.machine())
    lines = [
        "# What fuzzing found last",
        "",
        f'Written by `make fuzz ARGS="--page docs/fuzzing.md"`; do not edit. {total:,} broken messages in one run (seed {seed}) '
        f"on {model}, {os.cpu_count()} cores, Python {platform.python_version()}: no crash, no hang, all accounted for. "
        "The run fails when a message raises, has no outcome or takes longer than "
        f"{SLOWEST_S:g} s, when a lane's memory grows by {GROWTH_MB} MB after the first tenth of its messages, or the process "
        f"ever has {PEAK_MB} MB more than at its beginning (it had {_peak_mb()} MB at most).",
        "",
        "| lane | messages | a second | slowest, ms | memory after a tenth, MB | at the end, MB | what became of them |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for name, fared in found.items():
        top = ", ".join(f"{outcome} {times:,}" for outcome, times in fared.outcomes.most_common(6))
        more = len(fared.outcomes) - 6
        rest = f", and {more} other outcomes" if more > 0 else ""
        figures = (
            f"{fared.outcomes.total():,} | {fared.rate:,.0f} | {fared.slowest_s * 1000:,.0f} | {fared.warm_mb} | {fared.end_mb}"
        )
        lines.append(f"| {name} | {figures} | {top}{rest} |")
    lines += [
        "",
        "`door` is the worker's decoder with its dead letters, `signatures` the header of signed events, `gateway` the bodies of "
        "all media types, the others are the importers' formats. What they begin with and what must hold of each message is in "
        "`tests/fuzz/lanes.py`, how they are broken in `tests/fuzz/mutate.py`. `make fuzz` then attacks the gateway's HTTP with "
        "2,000 requests for each operation of its own OpenAPI (schemathesis), over a real Kafka.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Runs the long profile."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("messages", type=int, nargs="?", default=1_000_000)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    parser.add_argument("--page", type=Path, help="write what came of it to this file")
    given = parser.parse_args()
    found = run(given.messages, given.seed)
    if given.page is not None:
        given.page.write_text(page(found, given.seed), "utf-8")


if __name__ == "__main__":
    main()
