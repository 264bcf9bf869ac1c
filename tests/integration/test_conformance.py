"""The conformance kit with a Kafka of its own and real publishers: ours conforms, one that changes a word does not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

# Publishes the facts but calls every purpose work: what a careless mapping does.
CARELESS = """
import subprocess, sys
facts = open(sys.argv[1]).read().replace('"tourism"', '"work"')
path = sys.argv[1] + '.changed'
open(path, 'w').write(facts)
sys.exit(subprocess.run([sys.executable, '-m', 'streams', 'publish', '--format', 'jsonl', path]).returncode)
"""


def run(tmp_path: Path, name: str, command: list[str]) -> tuple[int, Path, str]:
    config, report = tmp_path / f"{name}.yaml", tmp_path / f"{name}.json"
    lines = {"source": "post:KZ-61-R1", "post": "KZ-61-R1", "command": command, "offline_s": 3, "give_up_s": 90}
    config.write_text(json.dumps(lines))
    arguments = ["conformance", "--source", str(config), "--report", str(report), "--key", str(tmp_path / "kit.key")]
    done = subprocess.run([sys.executable, "-m", "streams", *arguments], capture_output=True, text=True, timeout=280, check=False)
    return done.returncode, report, done.stderr


@pytest.mark.timeout(300)
def test_our_own_publisher_conforms_also_after_a_day_without_kafka_and_the_report_is_signed(tmp_path: Path) -> None:
    code, path, said = run(tmp_path, "ours", [sys.executable, "-m", "streams", "publish", "{facts}"])
    assert path.exists(), said
    report = json.loads(path.read_text())
    assert {one["name"]: (one["state"], one["faults"]) for one in report["scenarios"]} == {
        one["name"]: ("passed", []) for one in report["scenarios"]
    }, said
    assert code == 0
    verify = [sys.executable, "-m", "streams", "conformance", "--verify", str(path), "--public", report["kit_key"]]
    assert subprocess.run(verify, capture_output=True, timeout=60, check=False).returncode == 0
    path.write_text(path.read_text().replace('"conforms": true', '"conforms": false'))
    assert subprocess.run(verify, capture_output=True, timeout=60, check=False).returncode == 5


@pytest.mark.timeout(300)
def test_a_publisher_that_changes_a_word_does_not_conform_and_is_told_which(tmp_path: Path) -> None:
    script = tmp_path / "careless.py"
    script.write_text(CARELESS)
    code, path, said = run(tmp_path, "careless", [sys.executable, str(script), "{facts}"])
    assert code == 1, said
    [entry] = [one for one in json.loads(path.read_text())["scenarios"] if one["name"] == "entry"]
    assert entry["state"] == "failed"
    assert any("purpose differs" in fault for fault in entry["faults"])
