"""A table that breaks the format is refused with the case and the field, so that a person without Python can mend it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.policy.table import Loader, TableError, read_case

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
        ({"expected": {"days_usd": 2}}, "expected.days_usd"),
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


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(TableError, match="name stands twice"):
        yaml.load("name: a\nname: b\n", Loader)  # noqa: S506
