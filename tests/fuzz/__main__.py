"""The long profile: ``python -m tests.fuzz [MESSAGES] [SEED]``, a million messages by default.

Says by lane what became of the messages, how long the slowest took, and how much memory the process had at its most.
"""

from __future__ import annotations

import resource
import sys
import time
import warnings
from collections import Counter

from tests.fuzz.lanes import LANES
from tests.fuzz.mutate import Mutator

SLOWEST_S = 5.0
"""No message may take longer, also on a machine with other work: a hang."""

GROWTH_MB = 400
"""The process may not grow by more than this over a million messages."""


def run(messages: int, seed: int) -> dict[str, Counter[str]]:
    """Attacks every lane with its share of the messages; returns what became of them.

    Raises:
        AssertionError: something was not accounted for, took too long, or memory grew.
    """
    warnings.simplefilter("ignore")
    found: dict[str, Counter[str]] = {}
    before = _memory_mb()
    for name, (build, seeds, share) in LANES.items():
        lane, mutator, outcomes = build(), Mutator(seeds, seed), Counter[str]()
        count, slowest = max(1, round(messages * share)), 0.0
        began = time.perf_counter()
        for number in range(count):
            start = time.perf_counter()
            try:
                outcomes[lane(mutator)] += 1
            except Exception as error:
                raise AssertionError(f"{name}: message {number} of seed {seed}: {type(error).__name__}: {error}") from error
            slowest = max(slowest, time.perf_counter() - start)
        assert slowest < SLOWEST_S, f"{name}: one message took {slowest:.1f} s"
        assert sum(outcomes.values()) == count
        found[name] = outcomes
        rate = count / (time.perf_counter() - began)
        top = ", ".join(f"{outcome} {times}" for outcome, times in outcomes.most_common(5))
        sys.stdout.write(f"{name:<11} {count:>9,} messages {rate:>9,.0f}/s slowest {slowest * 1000:>6.0f} ms  {top}\n")
        sys.stdout.flush()
    grown = _memory_mb() - before
    assert grown < GROWTH_MB, f"memory grew by {grown} MB"
    sys.stdout.write(f"{sum(map(Counter.total, found.values())):,} messages, all accounted for; {grown} MB more memory at most\n")
    return found


def _memory_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
