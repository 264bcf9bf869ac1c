"""A table that breaks the format is refused with the case and the field, so that a person without Python can mend it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.policy.table import Loader, TableError, read_case, rows_of
from tests.policy.test_tables import differences

GOOD: dict[str, Any] = yaml.load(
    """
name: a case
policy: rolling-90-180
citizenship: UZB
stays: [[2024-01-01, 2024-01-02]]
on: 2024-01-02
expected: {days_used: 2}
source: here
reasoning: two days
""",
    Loader,  # noqa: S506 - a safe loader
)


def test_on_is_a_word_and_no_is_a_country() -> None:
    assert "on" in GOOD
    assert yaml.load("[NO, on, yes, true]", Loader) == ["NO", "on", "yes", True]  # noqa: S506
    assert read_case(GOOD, "x").expected.days_used == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"expected": {"days_usd": 2}}, "expected.days_usd: is not known; expected one of days_used, days_remaining"),
        (
            {"expected": {"findings": [{"rule": "x", "state": "open", "dayz": 1}]}},
            "dayz: is not known; expected one of rule, state",
        ),
        ({"citizen": "UZB"}, "citizen: is not known; expected one of name, policy, citizenship"),
        ({"gaps": [{"post": "KZ-75-A1", "since": "2024-01-01"}]}, "since: is not known; expected one of post, from"),
        ({"on": "tomorrow"}, "on:"),
        ({"source": None}, "source"),
        ({"stays": None}, "either 'stays' or 'events'"),
        ({"citizenship": None}, "citizenship"),
        ({"stays": None, "events": [{"arrival": {"at": "2024-01-01"}}]}, "expected one of entry, exit"),
        ({"stays": None, "events": [{"entry": {"post": "KZ-75-A1"}}]}, "expected 'at'"),
        ({"stays": None, "events": [{"entry": {"at": "2024-01-01T10:00", "colour": "red"}}]}, "colour"),
        ({"stays": None, "events": [{"visa": {"at": "2024-01-01T10:00"}}]}, "valid_from_on"),
        ({"expected": {"findings": [{"rule": "overstay_visa", "state": "maybe"}]}}, "state"),
    ],
)
def test_a_fault_is_named_with_its_case(change: dict[str, Any], words: str) -> None:
    with pytest.raises(TableError) as refusal:
        read_case({key: value for key, value in (GOOD | change).items() if value is not None}, "short_stays.yaml, case 7")
    assert str(refusal.value).startswith("short_stays.yaml, case 7 (a case): ")
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- name: a\n  on: 2024-02-30\n", "mine.yaml, line 2: 2024-02-30 is no day of the calendar."),
        ("- name: a\n  name: b\n", "mine.yaml, line 1: name stands twice in one mapping."),
        ("- name: [a\n- name: b\n", "mine.yaml, line 2: expected YAML, got: "),
        ("name: a\n", "mine.yaml: expected a list of cases"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_file_and_line(text: str, words: str, tmp_path: Path) -> None:
    table = tmp_path / "mine.yaml"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(TableError) as refusal:
        rows_of(table)
    assert str(refusal.value).startswith(words)


def test_a_case_that_comes_out_otherwise_is_told_in_sentences() -> None:
    case = read_case(GOOD | {"expected": {"days_used": 3, "protected": True, "cases": {date(2024, 1, 1): "suspected"}}}, "x")
    assert differences(case, {"days_used": 2}, [], {}, protected=False) == [
        "days_used: the table says 3, it came out as 2",
        "the case of the stay from 2024-01-01: the table says suspected, it came out as none",
        "protected: the table says true, it came out as false",
    ]
    found = {
        "rule": "overstay_visa", "family": "breach", "deadline": date(2024, 1, 1), "first_day": date(2024, 1, 2), "days": 1,
        "state": "open",
    }  # fmt: skip
    wanted = {"findings": [{"rule": "overstay_visa", "state": "open", "days": 2}]}
    assert differences(read_case(GOOD | {"expected": wanted}, "x"), {}, [found], {}, protected=False) == [
        "overstay_visa, deadline 2024-01-01: days: the table says 2, it came out as 1"
    ]
    assert differences(read_case(GOOD | {"expected": {"findings": []}}, "x"), {}, [found], {}, protected=False) == [
        "findings: the table says none, it came out as overstay_visa"
    ]


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(TableError, match="name stands twice"):
        yaml.load("name: a\nname: b\n", Loader)  # noqa: S506
