"""The alert rules: lawful, about metrics that exist, and each fires when it should."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

import streams.metrics  # noqa: F401 - declares every metric

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
CASES = Path(__file__).with_name("alerts.promtool.yml")


def _rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def _promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("no promtool on this machine (Debian: apt-get install prometheus)")
    return subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)


def test_prometheus_takes_the_rules() -> None:
    done = _promtool("check", "rules", str(RULES))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_fires_for_what_it_is_there_for_and_none_on_a_quiet_day() -> None:
    done = _promtool("test", "rules", str(CASES))
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_rule_is_without_a_case_in_which_it_fires() -> None:
    fired = set(re.findall(r'alertname="(\w+)"', CASES.read_text("utf-8")))
    assert {rule["alert"] for rule in _rules()} == fired


def test_rules_ask_only_for_metrics_and_labels_that_exist() -> None:
    known = {name for collector in list(REGISTRY._collector_to_names.values()) for name in collector}
    asked = {name for rule in _rules() for name in re.findall(r"\bshekara_\w+", rule["expr"])}
    assert asked
    assert asked - known == set()


def test_every_rule_says_what_happened_and_what_to_do() -> None:
    for rule in _rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}, rule["alert"]
        assert rule["annotations"]["summary"].endswith("."), rule["alert"]
        assert rule["annotations"]["action"], rule["alert"]
