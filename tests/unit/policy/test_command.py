"""`shekara policy`: what people see."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from streams import cli
from streams.errors import PolicyError
from streams.policy.kinds import PARAMETERS

Edit = Callable[[str, str, str], Path]


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.build(), ["policy", *words])


def shown(*words: str) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_show_gives_value_unit_since_source_and_confidence() -> None:
    found = shown("show", "kz", "--on", "2019-06-01", "--only", "notification_days")
    assert found["policy"] == "kz"
    assert re.fullmatch(r"kz-[0-9a-f]{8}", found["version"])
    assert found["on"] == "2019-06-01"
    (row,) = found["parameters"]
    assert row["value"] == 5
    assert row["unit"] == "days of notification_unit"
    assert (row["since"], row["until"]) == ("2007-01-01", "2020-01-10")
    assert row["confidence"] == "high"
    assert "5 calendar days" in row["source"]
    assert set(row["description"]) == {"kk", "ru", "en"}


def test_show_has_every_parameter_and_the_quotas_in_force() -> None:
    found = shown("show", "--on", "2023-06-01")
    assert set(PARAMETERS) <= {row["name"] for row in found["parameters"]}
    assert {(line["category"], line["persons"]) for line in found["quotas"] if line["quota"] == "labour"} >= {
        (None, 22200),
        ("1", 949),
    }
    assert {line["unit"] for line in found["quotas"]} == {"persons"}
    assert all(line["description"].keys() == {"kk", "ru", "en"} and line["source"] for line in found["quotas"])


def test_show_is_of_today_unless_a_day_is_given() -> None:
    before = datetime.now(UTC).date().isoformat()
    on = shown("show", "--only", "fines")["on"]
    assert before <= on <= datetime.now(UTC).date().isoformat()


def test_show_can_tell_the_whole_history() -> None:
    found = shown("show", "--only", "notification_unit", "--history")
    assert [(row["since"], row["until"], row["value"]) for row in found["parameters"]] == [
        ("2007-01-01", "2020-01-10", "calendar"),
        ("2020-01-11", None, "working"),
    ]


def test_show_prints_a_table_people_can_read() -> None:
    result = run("show", "kz", "--on", "2023-06-01", "--only", "allowance.eaeu")
    assert result.exit_code == 0
    for word in (
        "allowance.eaeu",
        "days_in_window 90",
        "window_days 180",
        "rolling",
        "2023-01-27",
        "high",
        "legal advice",
    ):
        assert word in " ".join(result.stdout.split()), word
    assert "quota" not in result.stdout
    assert "949" in run("show", "--on", "2023-06-01", "--only", "quota").stdout
    assert "No parameter's name contains 'nothing-like-it'" in run("show", "--only", "nothing-like-it").stdout


def test_a_day_that_is_no_day_is_refused() -> None:
    result = run("show", "--on", "yesterday")
    assert result.exit_code == 2
    assert "expected a date like 2024-03-01" in " ".join(result.output.split())


def test_a_policy_that_is_not_there_is_refused() -> None:
    result = run("show", "nowhere")
    assert isinstance(result.exception, PolicyError)
    assert result.exception.exit_code == 2


def test_check_is_content_with_what_is_shipped() -> None:
    for name in ("kz", "rolling-90-180"):
        result = run("check", name)
        assert result.exit_code == 0
        assert "no fault" in result.stdout
        assert shown("check", name) == {"policy": name, "ok": True, "faults": []}


def test_check_reports_every_fault_and_exits_2(edit: Edit) -> None:
    edit("groups.yaml", "value: [KAZ]", "value: [KZH]")
    directory = edit("registration.yaml", "value: working", "value: wroking")
    result = run("check", str(directory))
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    assert re.match(r"mine/groups\.yaml:\d+: expected one of the known countries, got the text 'KZH'", lines[0])
    assert re.match(
        r"mine/registration\.yaml:\d+: expected one of: calendar, working, got the text 'wroking'; did you mean 'working'\?",
        lines[1],
    )
    assert "2 faults" in result.stderr
    result = run("check", str(directory), "--json")
    assert result.exit_code == 2
    found = json.loads(result.stdout)
    assert found["ok"] is False
    assert [fault["file"] for fault in found["faults"]] == ["mine/groups.yaml", "mine/registration.yaml"]
    assert all(fault["line"] > 1 for fault in found["faults"])


def test_check_reports_every_fault_of_one_parameter_too(edit: Edit) -> None:
    edit("registration.yaml", 'en: "Term to notify of an arrival (to register)"', "de: x")
    edit("registration.yaml", "unit: days of notification_unit", "unit: days")
    first = '{from: 2007-01-01, value: 5, source: "Registration within 5 calendar days of entry'
    directory = edit("registration.yaml", first, '{from: 2007-01-01, value: five, confidence: sure, source: ""} # ')
    lines = run("check", str(directory)).stdout.splitlines()
    assert {line.partition(": expected ")[2].partition(",")[0] for line in lines} == {
        "one of the keys kk", "the key 'en'", "the unit 'days of notification_unit'", "a source", "a whole number from 0 to 366",
        "one of: high",
    }  # fmt: skip


def test_diff_tells_what_changes_and_when(edit: Edit) -> None:
    directory = edit("registration.yaml", "from: 2020-01-11, value: 3", "from: 2020-02-01, value: 3")
    found = shown("diff", "kz", str(directory))
    assert found["differences"] == [
        {"parameter": "notification_days", "from": "2020-01-11", "until": "2020-01-31", "before": 3, "after": 5}
    ]
    assert found["a"].startswith("kz-")
    assert found["b"].startswith("mine-")
    assert shown("diff", "kz", str(directory), "--on", "2020-01-31")["differences"] == found["differences"]
    assert shown("diff", "kz", str(directory), "--on", "2020-02-01")["differences"] == []
    assert shown("diff", "kz", str(directory), "--on", "2020-01-10")["differences"] == []
    table = run("diff", "kz", str(directory))
    assert table.exit_code == 0
    assert "2020-01-31" in table.stdout


def test_diff_of_the_same_says_so() -> None:
    assert "decide the same" in run("diff", "kz", "kz").stdout


def test_diff_of_long_lists_shows_only_what_differs(edit: Edit) -> None:
    directory = edit(
        "groups.yaml", "MLT, MYS, NLD, NOR, NZL, POL, PRT, ROU, SGP, SRB", "MLT, MYS, NLD, NOR, POL, PRT, ROU, SGP, SRB"
    )
    result = run("diff", "kz", str(directory))
    assert "only here: NZL" in result.stdout
    assert "only here: none" in result.stdout


@pytest.mark.parametrize("command", ["show", "check", "diff"])
def test_help_answers(command: str) -> None:
    assert run(command, "--help").exit_code == 0
