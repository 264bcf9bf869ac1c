"""A variable that will not do is one sentence that names it, never a traceback, never the value."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("name", "value"), [("SHEKARA_PARTITIONS", "s3cret"), ("SHEKARA_STORE", "s3cret"), ("SHEKARA_METRICS_PORT", "70000")]
)
def test_a_variable_that_will_not_do_is_named_without_its_value(name: str, value: str) -> None:
    command = [sys.executable, "-m", "streams", "topics"]
    done = subprocess.run(command, env=os.environ | {name: value}, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3
    assert done.stderr.startswith(f"shekara: {name}: ")
    assert "Traceback" not in done.stderr
    assert value not in done.stderr
