"""``python -m tests.recompute HOME``: recomputes the counts of a running stack from its log, and names every difference."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.recompute.ask import over_http
from tests.recompute.compare import differences
from tests.recompute.counts import recompute


def main(home: str) -> int:
    """Returns 0 if everything adds up, 1 if not."""
    stack = json.loads((Path(home) / "run" / "stack.json").read_text("utf-8"))
    counts = recompute(stack["kafka"], stack["namespace"])
    found = differences(counts, over_http(stack["sql_url"], Path(stack["token_file"])))
    for sentence in found:
        sys.stdout.write(f"{sentence}\n")
    produced, refused = sum(counts.produced.values()), sum(counts.refused.values())
    sys.stdout.write(f"{produced} produced, {refused} refused, {len(counts.alert_states)} alerts, {len(found)} differences\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else "usage: python -m tests.recompute HOME")
