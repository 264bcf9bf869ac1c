"""docs/metrics.md is what streams/metrics.py says. ``python -m tests.contract.test_metrics_page`` writes it anew."""

from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from streams import metrics

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "metrics.md"
HEAD = "| metric | kind | labels | meaning | when it moves |\n|---|---|---|---|---|\n"


def _next_moves() -> dict[str, str]:
    """Returns by variable the text below its declaration, which Python itself does not keep."""
    body = ast.parse((ROOT / "streams" / "metrics.py").read_text("utf-8")).body
    moves = {}
    for declared, following in pairwise(body):
        if isinstance(declared, ast.Assign) and isinstance(declared.targets[0], ast.Name):
            text = following.value if isinstance(following, ast.Expr) else None
            moves[declared.targets[0].id] = text.value if isinstance(text, ast.Constant) and isinstance(text.value, str) else ""
    return moves


def _declared() -> dict[str, MetricWrapperBase]:
    return {name: metric for name, metric in vars(metrics).items() if isinstance(metric, MetricWrapperBase)}


def table() -> str:
    """Returns the page's table."""
    moves, rows = _next_moves(), []
    for variable, metric in _declared().items():
        kind = next(kind.__name__.lower() for kind in (Counter, Gauge, Histogram) if isinstance(metric, kind))
        name = metric._name + ("_total" if kind == "counter" else "")
        labels = ", ".join(f"`{label}`" for label in metric._labelnames)
        move = " ".join(moves[variable].split())
        rows.append(f"| `{name}` | {kind} | {labels} | {metric._documentation} | {move} |\n")
    return HEAD + "".join(rows)


def test_the_page_lists_every_metric_as_it_is_declared() -> None:
    assert table() in PAGE.read_text("utf-8"), "run: python -m tests.contract.test_metrics_page"


def test_every_metric_says_what_to_do_when_it_moves() -> None:
    moves = _next_moves()
    assert [variable for variable in _declared() if not moves[variable]] == []


def test_no_metric_has_a_label_that_could_name_a_person() -> None:
    allowed = {"topic", "partition", "code", "error", "rule", "state", "stage", "table", "outcome", "status", "source"}
    used = {label for metric in _declared().values() for label in metric._labelnames}
    assert used - allowed == set(), "a new label: make sure it holds nothing about a person, then allow it here"


if __name__ == "__main__":
    before, _, behind = PAGE.read_text("utf-8").partition(HEAD)
    rest = [line for line in behind.splitlines(keepends=True) if not line.startswith("|")]
    PAGE.write_text(before + table() + "".join(rest), "utf-8")
