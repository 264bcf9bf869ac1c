"""What a checkpoint costs: the same work in batches of several sizes, and how long deciding and writing took in each."""

from __future__ import annotations

import argparse
from typing import Any

from bench import compare

SIZES = (50, 500, 2_000, 8_000)


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Measures ``ours-core`` with several sizes of batch; returns the section of the report."""
    found = compare.at_batch_sizes(given, SIZES)
    return {"events": given.events, "batches": found, "aims": []}


def show(section: dict[str, Any]) -> None:
    """Prints the section for people."""
    for one in section["batches"]:
        print(
            f"batches of {one['batch_records']:>5}: {one['events_per_cpu_second']:>8,} events per CPU-s, "
            f"{one['checkpoint_ms']} ms a checkpoint"
        )
