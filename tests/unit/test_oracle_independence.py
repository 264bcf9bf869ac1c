"""The oracle shares no code with what it judges: an import would make the comparison worthless."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ORACLE = Path(__file__).parents[1] / "oracle"
ALLOWED = ("streams.records", "streams.policy.model", "tests.oracle")


@pytest.mark.parametrize("path", sorted(ORACLE.glob("*.py")), ids=lambda path: path.name)
def test_the_oracle_imports_records_and_policy_values_only(path: Path) -> None:
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.append(node.module or "")
    foreign = [name for name in names if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith(ALLOWED)]
    assert foreign == []


def test_of_a_policy_the_oracle_uses_plain_values_and_no_method() -> None:
    methods = {
        "zone_of",
        "local_day",
        "day_end_ms",
        "at",
        "group_of",
        "changes",
        "allowance",
        "quota",
        "add",
        "is_working",
        "oblast_on",
    }
    for path in ORACLE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in methods:
                owner = ast.unparse(node.func.value)
                assert "policy" not in owner.split(".")[-2:], f"{path.name}: {ast.unparse(node)}"
