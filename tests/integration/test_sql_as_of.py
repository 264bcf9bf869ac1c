"""``shekara sql --as-of``: what did we report on 1 March? On the real engine, by the command."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from streams.cli import build
from streams.errors import UsageError
from streams.records import IdentityLink
from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
from streams.warehouse.rows import Position
from tests.contract.warehouse import deliver
from tests.integration.indicator_facts import alert, at, fact
from tests.unit.warehouse.made import correction, crossing

pytestmark = pytest.mark.integration

LAST_OF_1_MARCH = at(0) + 12 * 3_600_000 - 1
"""23:59:59.999 in Kazakhstan, UTC epoch ms: noon and twelve hours, less a millisecond."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two entered on 1 March; on the 3rd an exit of the first is told, on the 5th that it was not hers, on the 7th who is who."""
    home = tmp_path_factory.mktemp("as-of") / "home"
    engine = Embedded(home / "clickhouse")
    migrate(engine)
    known: list[tuple[int, Any]] = [
        (at(0), crossing(1, "p1-a")),
        (LAST_OF_1_MARCH, crossing(2, "p1-b", citizenship="KGZ")),
        (LAST_OF_1_MARCH + 1, crossing(3, "p1-c", citizenship="TJK")),
        (at(2), crossing(4, "p1-a", "exit", 1)),
        (at(4), correction(10, 4, "p1-a", recorded_at=at(4))),
        (at(6), fact(IdentityLink, 20, "p1-a", 6, other_subject="p1-b", link_id=bytes(16))),
    ]
    decided: list[tuple[int, Any]] = [
        (at(0), alert(1, "overstay_visa")),
        (at(2), alert(1, "overstay_visa", version=2, state="retracted", reason="exit_seen")),
        (at(4), alert(1, "overstay_visa", version=3, state="raised", reason="correction")),
    ]
    deliver(engine, [(Position("t.people", 0, offset, when), one) for offset, (when, one) in enumerate(known)])
    deliver(engine, [(Position("t.outputs", 0, offset, when), one) for offset, (when, one) in enumerate(decided)])
    engine.close()
    return home


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHEKARA_HOME", str(home))
    monkeypatch.delenv("SHEKARA_CLICKHOUSE", raising=False)


def run(*arguments: str, told: str = "") -> Result:
    return CliRunner().invoke(build(), ["sql", *arguments], input=told, catch_exceptions=False)


def rows(*arguments: str) -> list[dict[str, Any]]:
    ran = run(*arguments, "--json")
    assert ran.exit_code == 0, ran.output
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found


@pytest.mark.parametrize(
    ("day", "present"),
    [("2025-02-28", 0), ("2025-03-01", 2), ("2025-03-02", 3), ("2025-03-03", 2), ("2025-03-05", 3), ("2025-03-07", 2)],
)
def test_the_stock_is_what_we_said_then(day: str, present: int) -> None:
    """On the last day a link makes two of the three one person."""
    assert sum(row["high"] for row in rows("--as-of", day, "mart_foreigners_present")) == present


@pytest.mark.parametrize(("day", "state"), [("2025-03-01", "raised"), ("2025-03-03", "retracted"), ("2025-03-05", "raised")])
def test_an_alert_has_the_state_it_had_then(day: str, state: str) -> None:
    assert [row["state"] for row in rows("--as-of", day, "alerts_now")] == [state]
    assert [(row["state"], row["alerts"]) for row in rows("--as-of", day, "mart_alerts")] == [(state, 1)]


def test_a_day_ends_at_midnight_in_kazakhstan(home: Path) -> None:
    """19:00 UTC: the last millisecond of the day is in, the first of the next is not."""
    assert {row["citizenship"] for row in rows("--as-of", "2025-03-01", "core_border_crossing")} == {"UZB", "KGZ"}
    assert {row["citizenship"] for row in rows("--as-of", "2025-03-02", "raw_border_crossing")} == {"UZB", "KGZ", "TJK"}


def test_of_a_day_after_everything_it_says_what_it_says_now() -> None:
    for view in (
        "mart_foreigners_present",
        "mart_daily_flows",
        "mart_alerts",
        "core_same_person",
        "mart_completeness_by_publisher",
    ):
        assert rows("--as-of", "2030-01-01", view) == rows(f"SELECT * FROM {view} ORDER BY ALL")  # noqa: S608


def test_several_views_from_a_pipe_are_each_asked_as_of_that_day(tmp_path: Path) -> None:
    ran = run("--as-of", "2025-03-01", "--csv", told="mart_foreigners_present; mart_alerts;")
    assert ran.exit_code == 0, ran.output
    assert ran.stdout.count("high") == 1
    assert "retracted" not in ran.stdout
    file = tmp_path / "questions.sql"
    file.write_text("-- the stock\nmart_foreigners_present;\n")
    [row] = csv.DictReader(run("--as-of", "2025-03-01", "--csv", "--file", str(file)).stdout.splitlines())
    assert row["high"] == "2"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--as-of", "1 March", "mart_alerts"), "expected a date"),
        (("--as-of", "2025-03-01", "mart_alert"), "Did you mean mart_alerts"),
        (("--as-of", "2025-03-01", "counts"), "holds what counts now"),
        (("--as-of", "2025-03-01", "numbers_seen"), "holds what counts now"),
        (("--as-of", "2025-03-01", "SELECT 1"), "no such table or view"),
    ],
)
def test_what_cannot_be_asked_so_is_refused_in_words(arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        run(*arguments)
