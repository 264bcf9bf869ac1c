"""A value of the policy is read by a rule, or docs/policy.md says why none reads it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from streams.policy.kinds import PARAMETERS

ROOT = Path(__file__).parents[3]
ROOMS_THAT_DECIDE = ("detect", "cases", "alerts", "person", "labour", "employer")


def read_by_rules() -> set[str]:
    """Returns every attribute the rooms that decide read of anything."""
    found: set[str] = set()
    for room in ROOMS_THAT_DECIDE:
        for path in (ROOT / "streams" / room).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return found


def explained() -> dict[str, str]:
    """Returns the values docs/policy.md lists as read by no rule, each with the reason."""
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    section = page.split("## Values no rule reads", 1)[1].split("\n## ", 1)[0]
    found: dict[str, str] = {}
    for line in section.splitlines():
        if line.startswith("| `"):
            names, reason = line.strip("| ").split(" | ", 1)
            found |= dict.fromkeys(re.findall(r"`([a-z_]+)`", names), reason)
    return found


def test_every_value_no_rule_reads_is_listed_with_the_reason_and_no_other() -> None:
    assert set(PARAMETERS) - read_by_rules() == set(explained())
    assert all(len(reason) > 30 for reason in explained().values())
