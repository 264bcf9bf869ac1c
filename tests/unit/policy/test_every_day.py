"""On every day there is exactly one value of everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.policy.kinds import PARAMETERS
from streams.policy.load import load
from streams.policy.model import Policy, Rules
from tests.unit.policy.conftest import SHIPPED, day

FIRST, LAST = day("2007-01-01"), day("2030-12-31")


def _written(directory: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every dated list of a policy, read without our loader."""
    for file in sorted(directory.glob("*.yaml")):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        for name, parameter in content.get("parameters", {}).items():
            yield name, parameter["values"]
        for name, parameter in content.get("allowances", {}).items():
            yield f"allowance.{name}", parameter["values"]
        for name, group in content.get("groups", {}).items():
            if "members" in group:
                yield f"group.{name}", group["members"]
        for name, rule in content.get("rules", {}).items():
            for aspect in ("severity", "article", "options"):
                yield f"rule.{name}.{aspect}", rule[aspect]


@pytest.mark.parametrize("name", ["kz", "rolling-90-180"])
def test_every_parameter_resolves_to_exactly_one_value_on_every_day(name: str) -> None:
    policy = load(name)
    written = dict(_written(SHIPPED / name))
    assert set(written) == set(policy.parameters)
    for parameter, values in written.items():
        starts = [(value["from"] - date(1970, 1, 1)).days for value in values]
        ends = [*(start - 1 for start in starts[1:]), LAST]
        covered = [0] * (LAST - FIRST + 1)
        for value, start, end in zip(values, starts, ends, strict=True):
            for one in range(max(start, FIRST), min(end, LAST) + 1):
                covered[one - FIRST] += 1
                held = policy.parameters[parameter].on(one)
                assert (held.from_on, held.source, held.confidence) == (start, value["source"], value["confidence"])
        assert set(covered) == {1}, f"{parameter} does not have exactly one value on every day"


def test_the_rules_of_a_day_are_the_values_of_that_day(kz: Policy) -> None:
    for one in range(FIRST, LAST + 1):
        rules = kz.at(one)
        assert rules.from_on <= one
        assert rules.until_on is None or one <= rules.until_on
        for name in PARAMETERS:
            assert getattr(rules, name) == kz.parameters[name].on(one).value, name
        for name, parameter in kz.parameters.items():
            kind, _, rest = name.partition(".")
            value = parameter.on(one).value
            if kind == "allowance":
                assert rules.allowance(rest) == value
            elif kind == "rule":
                rule, _, aspect = rest.partition(".")
                assert getattr(rules.by_rule[rule], aspect) == value


def test_one_unbroken_period_is_one_object(kz: Policy) -> None:
    rules = kz.at(day("2024-06-01"))
    assert kz.at(day("2024-06-02")) is rules
    for before, after in zip(kz.rules, kz.rules[1:], strict=False):
        assert before.until_on == after.from_on - 1
    assert kz.rules[-1].until_on is None


def test_a_day_before_the_policy_is_answered_with_its_first_values(kz: Policy) -> None:
    assert kz.at(day("1990-01-01")) is kz.rules[0]
    assert kz.parameters["notification_days"].on(day("1990-01-01")).value == 5
    assert kz.group_of("RUS", day("1990-01-01")) == "visa_exempt_90"


def test_every_country_is_in_exactly_one_group_on_every_day(kz: Policy) -> None:
    groups = {name.partition(".")[2]: parameter for name, parameter in kz.parameters.items() if name.startswith("group.")}
    days = sorted({period.from_on for parameter in groups.values() for period in parameter.periods})
    for one in sorted({FIRST, LAST, *days, *(start - 1 for start in days), *(start + 1 for start in days)}):
        members: dict[str, list[str]] = {code: [] for code in kz.codes.countries}
        for group, parameter in groups.items():
            value = parameter.on(one).value
            assert isinstance(value, frozenset)
            for code in value:
                members[code].append(group)
        for code, found in members.items():
            assert len(found) <= 1, (code, found)
            assert kz.group_of(code, one) == (found[0] if found else "visa_required")


def test_every_parameter_is_a_field_of_the_rules_and_back() -> None:
    assembled = {"from_on", "until_on", "allowances", "by_rule", "quotas"}
    assert {field.name for field in fields(Rules)} - assembled == set(PARAMETERS)


def test_every_group_a_parameter_names_has_a_title_in_three_languages(kz: Policy) -> None:
    for code in kz.codes.countries:
        assert kz.group_of(code, FIRST) in kz.group_texts
    for text in kz.group_texts.values():
        assert text.kk
        assert text.ru
        assert text.en
