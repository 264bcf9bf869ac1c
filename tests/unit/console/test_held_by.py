"""What docs/asvs.md says is held by a test is: every test it names is there, and nothing is said to be held by none."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def rows(page: str) -> list[list[str]]:
    """Returns the cells of the first table's rows that name a requirement."""
    table = page.partition("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| ")]
    return [row for row in cells if re.match(r"\d", row[0])]


def test_every_test_the_security_table_names_is_there() -> None:
    found = rows((ROOT / "docs" / "asvs.md").read_text(encoding="utf-8"))
    assert len(found) > 40
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)", "\n".join(sources)))
    for requirement, how, held_by in found:
        named = set(re.findall(r"`(test_\w+)`", held_by))
        assert how, requirement
        assert named, f"{requirement} is said to be held by nothing"
        assert named - there == set(), requirement


def test_no_requirement_is_both_met_and_not() -> None:
    page = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
    not_met = re.findall(r"^\| (\d+\.\d+(?:\.\d+)?) \|", page.partition("## Not met")[2], re.MULTILINE)
    met = {one for row in rows(page) for one in re.findall(r"\d+\.\d+\.\d+", row[0])}
    assert set(not_met) & met == set()
