"""The second program stands alone, and sees every kind of difference."""

from __future__ import annotations

import ast
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.recompute.compare import differences
from tests.recompute.counts import Counts
from tests.recompute.door import Door
from tests.recompute.facts import Facts
from tests.recompute.registers import Registers

HERE = Path(__file__).parent


def test_it_imports_nothing_of_the_project() -> None:
    for path in HERE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "streams" for name in names), path.name
            assert not any(name.startswith("tests.") and not name.startswith("tests.recompute") for name in names), path.name


def crossing(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "event_id": bytes([number]) * 16,
        "subject": "p1-" + "0" * 32,
        "occurred_at": 1_000 * number,
        "recorded_at": 1_000 * number,
        "source": "post:KZ-75-A1",
        "source_seq": number,
        "direction": "entry",
        "post": "KZ-75-A1",
        "citizenship": "UZB",
        "refusal_reason": None,
    } | changes


def correction(number: int, supersedes: int, **changes: Any) -> dict[str, Any]:
    return crossing(number) | {"supersedes": bytes([supersedes]) * 16} | changes


def test_a_correction_of_a_correction_restores_the_crossing() -> None:
    facts = Facts()
    for kind, event in (
        ("correction", correction(9, supersedes=5)),
        ("border_crossing", crossing(1)),
        ("border_crossing", crossing(1)),
        ("correction", correction(5, supersedes=1)),
        ("border_crossing", crossing(2)),
        ("correction", correction(6, supersedes=2)),
        # Written down before what it names: it withdraws nothing.
        ("border_crossing", crossing(8)),
        ("correction", correction(7, supersedes=8)),
    ):
        facts.take(kind, event)
    assert {event["event_id"][0] for event in facts.crossings()} == {1, 8}


def test_local_days_and_oblasts_are_those_of_the_post() -> None:
    registers = Registers()
    # 18:30 UTC on 28 February 2024 is half past midnight in Almaty (UTC+6 until the end of that month), 23:30 in Oral.
    at_ms = 1_709_145_000_000
    assert registers.local_day(at_ms, "KZ-75-A1") == date(2024, 2, 29)
    assert registers.local_day(at_ms, "KZ-27-R1") == date(2024, 2, 28)
    # A year later both are at UTC+5.
    assert registers.local_day(at_ms + 366 * 86_400_000, "KZ-75-A1") == date(2025, 2, 28)
    assert registers.oblast_of("KZ-10-R1", date(2022, 6, 7)) == "KZ-63"
    assert registers.oblast_of("KZ-10-R1", date(2022, 6, 8)) == "KZ-10"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"post": "KZ-99-X9"}, "unknown_post"),
        ({"citizenship": "QQQ"}, "unknown_country"),
        ({"subject": "N1234567"}, "bad_subject"),
        ({"occurred_at": 10**13}, "far_future"),
        ({"direction": "refusal"}, "missing_refusal_reason"),
    ],
)
def test_the_door_refuses_what_nobody_can_use(changes: dict[str, Any], code: str | None) -> None:
    door = Door(Registers())
    assert door.refuses("people", "border_crossing", crossing(1, **changes), 1_700_000_000_000) == code


def test_an_event_on_another_topic_than_its_own_is_refused() -> None:
    assert Door(Registers()).refuses("posts", "border_crossing", crossing(1), 10**12) == "wrong_topic"


def agreeing() -> tuple[Counts, dict[str, list[tuple[Any, ...]]]]:
    """A small log, and a warehouse that says the same."""
    counts = Counts(
        produced=Counter({("people", 0): 12}),
        refused=Counter({("people", 0): 2}),
        refused_codes=Counter({"truncated": 2}),
        letters=Counter({("people", 0): 2}),
        letter_codes=Counter({"truncated": 2}),
        ledger={("people", 0): (10, 2)},
        flows={(date(2025, 1, 1), "KZ-75-A1", "KZ-75", "UZB", "entry"): (3, 2)},
        open_stays=Counter({("KZ-75", "KZ-75-A1", "UZB"): 2}),
        alerts={("overstay_visa", "breach", "KZ-75", "raised", "presumed"): (1, 1)},
        workers={("e1-1", "KZ-75", "F"): 1},
        funnel={("KZ-75", "suspected"): (1, 1, 1, 0)},
    )
    tables: dict[str, list[tuple[Any, ...]]] = {
        "dead_letters": [("truncated", 2)],
        "mart_daily_flows": [("2025-01-01", "KZ-75-A1", "KZ-75", "UZB", "entry", 3, 2)],
        "mart_open_stays": [("KZ-75", "KZ-75-A1", "UZB", 2)],
        "mart_alerts": [("overstay_visa", "breach", "KZ-75", "raised", "presumed", 1, 1)],
        "mart_unregistered_workers": [("e1-1", "KZ-75", "F", 1)],
        "mart_follow_up": [("KZ-75", "suspected", 1, 1, 1, 0), ("KZ-75", "contacted", 0, 0, 0, 0)],
        "mart_ledger": [("x.people", 0, 10, 2, True, 0)],
    }
    return counts, tables


def compared(counts: Counts, tables: dict[str, list[tuple[Any, ...]]]) -> list[str]:
    def select(query: str) -> list[tuple[Any, ...]]:
        return next(rows for name, rows in tables.items() if f"FROM {name}" in query)

    return differences(counts, select)


def test_what_agrees_has_no_differences() -> None:
    assert compared(*agreeing()) == []


@pytest.mark.parametrize("table", list(agreeing()[1]))
def test_a_row_that_is_missing_or_off_by_one_is_named(table: str) -> None:
    counts, tables = agreeing()
    row = tables[table][0]
    place = next(index for index in range(len(row) - 1, -1, -1) if type(row[index]) is int and row[index] > 0)
    tables[table][0] = (*row[:place], row[place] + 1, *row[place + 1 :])
    assert any(table in sentence for sentence in compared(counts, tables))
    counts, tables = agreeing()
    tables[table].pop(0)
    assert any(table in sentence for sentence in compared(counts, tables))


def test_a_ledger_that_forgets_a_record_is_named() -> None:
    counts, tables = agreeing()
    counts.produced["people", 0] += 1
    assert any("13 produced" in sentence for sentence in compared(counts, tables))


def test_an_unbalanced_ledger_or_a_missing_record_is_named() -> None:
    for flaw in ((False, 0), (True, 1)):
        counts, tables = agreeing()
        tables["mart_ledger"][0] = (*tables["mart_ledger"][0][:4], *flaw)
        assert any("not balanced" in sentence for sentence in compared(counts, tables))
