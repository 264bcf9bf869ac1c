"""The report of long runs: one scenario replaces its own entry, and the page says what the report says."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.chaos import report


def entry(**facts: object) -> report.Entry:
    made = report.stamped("test_workers", report.began(0), {"seconds": 1.5, "verdict": "equal", "faults": {"worker_kills": 5}})
    return made | facts


def test_a_scenario_that_runs_again_replaces_its_own_entry_only(tmp_path: Path) -> None:
    path = tmp_path / "chaos.json"
    report.keep({"test_a": entry(), "test_b": entry()}, path=path)
    report.keep({"test_b": entry(verdict="failed: 3 records differ")}, path=path)
    kept = json.loads(path.read_text("utf-8"))["scenarios"]
    assert {name: one["verdict"] for name, one in kept.items()} == {"test_a": "equal", "test_b": "failed: 3 records differ"}


def test_a_scenario_that_no_longer_exists_is_forgotten_once_all_are_known(tmp_path: Path) -> None:
    path = tmp_path / "chaos.json"
    report.keep({"test_renamed": entry()}, path=path)
    kept = report.keep({"test_a": entry()}, known={"test_a", "test_b"}, path=path)
    assert list(kept["scenarios"]) == ["test_a"]


def test_runs_that_write_at_the_same_time_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "chaos.json"
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: report.keep({f"test_{number}": entry()}, path=path), range(24)))
    assert len(json.loads(path.read_text("utf-8"))["scenarios"]) == 24


def test_the_page_counts_kills_and_names_what_failed() -> None:
    page = report.page({"scenarios": {"test_a": entry(produced=1200, alerts=3), "test_b_c[x]": entry(verdict="failed: boom")}})
    assert "**1 of 2 scenarios passed.** Failed: test_b_c[x]." in page
    assert "10 kills of workers" in page
    assert "| b c (x) | 5 worker kills |" in page


def test_a_curve_keeps_its_ends_however_long_it_is() -> None:
    points = [[float(number), number, number] for number in range(5_000)]
    kept = report.thinned(points)
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    assert len(kept) <= 202


@pytest.mark.skipif(not report.REPORT.exists(), reason="no long run has been made")
def test_the_committed_page_is_made_of_the_committed_report() -> None:
    assert report.PAGE.read_text("utf-8") == report.page(report.read()), "run: python -m tests.chaos.report"
