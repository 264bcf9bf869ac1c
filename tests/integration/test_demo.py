"""The demo, end to end, on real Kafka and the real ClickHouse engine: same seed, same alerts, and every record accounted for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

KEYS = {
    *("produced", "processed", "dead_letters", "alerts", "rows", "seconds", "events_per_second"),
    *("peak_rss_mb", "p50_alert_latency_ms", "p99_alert_latency_ms", "this_run"),
}
SIZE = ("--people", "400", "--days", "12", "--seed", "7", "--live-s", "1")
ALERTS = "SELECT hex(alert_id) AS id, argMax(state, version) AS now, max(version) AS latest FROM alerts GROUP BY id ORDER BY id"


def shekara(home: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streams", *arguments],
        env={**os.environ, "SHEKARA_HOME": str(home), **env},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def demo(home: Path, *more: str) -> dict[str, Any]:
    result = shekara(home, "demo", *SIZE, "--until-done", "--json", *more)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 1, "all but the JSON object goes to stderr"
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def alerts(home: Path) -> list[dict[str, Any]]:
    """The alerts as the warehouse holds them, asked while nothing runs."""
    result = shekara(home, "sql", "--json", ALERTS)
    assert result.returncode == 0, result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def assert_it_adds_up(result: dict[str, Any]) -> None:
    assert set(result) == KEYS
    assert result["produced"] == result["processed"] + result["dead_letters"]
    here = result["this_run"]
    assert here["produced"] == here["processed"] + here["dead_letters"]
    assert result["rows"]["dead_letters"] == result["dead_letters"] > 0, "the simulation injects corrupt messages"
    assert result["rows"]["alerts"] >= sum(sum(states.values()) for states in result["alerts"].values()) > 0
    assert set(result["peak_rss_mb"]) == {"broker", "worker", "warehouse", "demo", "together"}
    assert set(result["seconds"]) == {"start", "publish", "catch_up", "live", "settle", "total"}
    assert result["events_per_second"] > 0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "home"


@pytest.fixture(scope="module")
def first(home: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first run in this home, and the alerts it left in the warehouse."""
    return demo(home), alerts(home)


def test_every_record_of_a_first_run_is_accounted_for(home: Path, first: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    result, left = first
    assert_it_adds_up(result)
    assert result["this_run"]["produced"] == result["produced"]
    assert result["p50_alert_latency_ms"] <= result["p99_alert_latency_ms"]
    assert result["peak_rss_mb"]["together"] < 2500
    assert len(left) == sum(sum(states.values()) for states in result["alerts"].values())
    assert not (home / "run" / "stack.json").exists()


def test_the_same_seed_on_top_of_itself_changes_no_alert(home: Path, first: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    result, left = first
    second = demo(home)
    assert_it_adds_up(second)
    assert second["this_run"]["told_on"] == 0, "a link that is known makes no state tell another anything"
    assert second["produced"] == 2 * result["produced"] - result["this_run"]["told_on"]
    assert second["alerts"] == result["alerts"]
    assert second["this_run"]["new_alerts"] == 0
    assert second["p50_alert_latency_ms"] is None
    assert alerts(home) == left


def test_invented_people_are_not_mixed_with_records_that_no_demo_has_written(
    home: Path, first: tuple[dict[str, Any], list[dict[str, Any]]]
) -> None:
    assert first
    (home / "simulated").rename(home / "not-simulated")
    result = shekara(home, "demo", *SIZE, "--until-done")
    (home / "not-simulated").rename(home / "simulated")
    assert result.returncode == 2, result.stderr
    assert "no demo has written" in result.stderr
    assert "--home" in result.stderr


def test_the_same_seed_afresh_gives_the_same_alerts(home: Path, first: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    result, left = first
    fresh = demo(home, "--fresh")
    assert_it_adds_up(fresh)
    assert fresh["produced"] == result["produced"]
    assert fresh["alerts"] == result["alerts"]
    assert alerts(home) == left


def test_fresh_never_touches_somebodys_own_kafka(tmp_path: Path) -> None:
    result = shekara(tmp_path / "home", "demo", "--fresh", "--until-done", SHEKARA_KAFKA="127.0.0.1:1")
    assert result.returncode == 2
    assert "names one of your own" in result.stderr
