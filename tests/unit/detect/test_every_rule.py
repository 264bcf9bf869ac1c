"""Every rule the task lists is there: named on the rules page, in one module, with a law or a clause of the Concept."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from streams.alerts.known import RULES
from streams.policy.load import load
from streams.policy.model import Policy

ROOT = Path(__file__).parents[3]
DETECT = ROOT / "streams" / "detect"
NORM = re.compile(
    r"Concept of migration policy 2007.2015|Law on |Law No\. |Labour Code \(No\. |\(Order No\. |\(Government resolution No\. "
    r"|Treaty on the Eurasian Economic Union, Art\. "
)


@cache
def table() -> dict[str, str]:
    """Returns the module of each rule, as docs/rules.md says."""
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    lines = page.split("## Where each rule is", 1)[1].split("\n## ", 1)[0].splitlines()
    rows = [re.findall(r"`([^`]+)`", line) for line in lines if line.startswith("| `")]
    return {rule: row[-1] for row in rows for rule in row[:-1]}


@cache
def kz() -> Policy:
    return load("kz")


@cache
def constants(path: Path) -> frozenset[object]:
    """Returns the texts a module gives a name at its top level."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant)
    )


def test_the_page_lists_every_rule_that_can_be_concluded() -> None:
    assert sorted(table()) == sorted(RULES) == sorted(kz().at(20_000).by_rule)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_in_the_module_the_page_names_and_in_no_other(rule: str) -> None:
    named = [path.relative_to(ROOT).as_posix() for path in sorted(DETECT.rglob("*.py")) if rule in constants(path)]
    assert named == [table()[rule]]


ONE_QUESTION = (
    {"overstay_visa_exempt", "overstay_visa", "overstay_permit", "overstay_protection_refused", "title_unknown"},
    {"entry_without_exit", "exit_without_entry"},
    {"quota_exhausted", "quota_forecast"},
)
"""Rules that are answers to one question: which title ran out, which crossing is missing, whether a quota is used up and when."""


def test_every_other_rule_has_a_module_of_its_own() -> None:
    by_module: dict[str, set[str]] = {}
    for rule, module in table().items():
        by_module.setdefault(module, set()).add(rule)
    assert [rules for rules in by_module.values() if len(rules) > 1] == list(ONE_QUESTION)


@pytest.mark.parametrize("rule", RULES)
def test_its_module_says_from_which_law_or_clause_it_is(rule: str) -> None:
    docstring = ast.get_docstring(ast.parse((ROOT / table()[rule]).read_text(encoding="utf-8"))) or ""
    source = docstring.partition("**Source**: docs/rules.md, ")[2]
    assert NORM.search(" ".join(source.split())), source


@pytest.mark.parametrize("rule", RULES)
def test_its_findings_carry_a_law_or_clause_whatever_the_day(rule: str) -> None:
    articles = {rules.by_rule[rule].article for rules in kz().rules}
    assert not [article for article in articles if not NORM.search(article)]
