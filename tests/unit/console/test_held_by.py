"""What docs/console.md says is held by a test is: every test it names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_test_the_security_table_names_is_there() -> None:
    page = (ROOT / "docs" / "console.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    sources = [*(ROOT / "tests" / "unit" / "console").glob("*.py"), *(ROOT / "tests" / "browser").glob("*.py")]
    there = set(re.findall(r"def (test_\w+)", "\n".join(path.read_text(encoding="utf-8") for path in sources)))
    assert len(named) > 20
    assert named - there == set()
    files = set(re.findall(r"`(tests/[\w/]+\.py)`", page))
    assert {name for name in files if not (ROOT / name).exists()} == set()
