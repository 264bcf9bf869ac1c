"""``shekara export`` on the real engine: whole views, and as they were reported on a day."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streams.cli import build
from streams.errors import UsageError
from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
from streams.warehouse.rows import Position
from tests.contract.warehouse import deliver
from tests.integration.indicator_facts import alert, at, case
from tests.unit.warehouse.made import crossing

pytestmark = pytest.mark.integration


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose warehouse learnt of an exit and of a retraction on 5 March, four days late."""
    home = tmp_path / "home"
    monkeypatch.setenv("SHEKARA_HOME", str(home))
    monkeypatch.delenv("SHEKARA_CLICKHOUSE", raising=False)
    engine = Embedded(home / "clickhouse")
    migrate(engine)
    early, late = at(0), at(4)
    people: list[tuple[int, Any]] = [
        (early, crossing(1, "p1-a")),
        (early, crossing(2, "p1-b")),
        (late, crossing(3, "p1-a", "exit")),
    ]
    decided: list[tuple[int, Any]] = [
        (early, alert(1, "overstay_visa")),
        (late, alert(1, "overstay_visa", version=2, state="retracted")),
        (early, case(1, 1, "suspected", 0)),
        (late, case(1, 2, "cleared", 4, open=False)),
    ]
    deliver(engine, [(Position("t.people", 0, offset, when), one) for offset, (when, one) in enumerate(people)])
    deliver(engine, [(Position("t.outputs", 0, offset, when), one) for offset, (when, one) in enumerate(decided)])
    engine.close()
    return home


def export(out: Path, *options: str) -> list[dict[str, str]]:
    ran = CliRunner().invoke(
        build(), ["export", "--purpose", "a test", "--format", "csv", "--out", str(out), *options], catch_exceptions=False
    )
    assert ran.exit_code == 0, ran.output
    [path] = out.glob("*.csv")
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def test_a_view_is_exported_whole_with_its_manifest(home: Path, tmp_path: Path) -> None:
    rows = export(tmp_path / "out", "--table", "mart_external_balance", "--who", "aigerim")
    assert rows[0] == {
        "year": "2001",
        "arrivals": "34400",
        "departures": "104300",
        "balance": "-69900",
        "source": rows[0]["source"],
    }
    [manifest] = (tmp_path / "out").glob("*.manifest.json")
    told = json.loads(manifest.read_text("utf-8"))
    assert (told["who"], told["purpose"], told["table"], told["rows"]) == ("aigerim", "a test", "mart_external_balance", 6)
    assert json.loads((home / "exports.jsonl").read_text("utf-8"))["sha256"] == told["sha256"]


def test_as_of_a_day_answers_what_was_reported_then(home: Path, tmp_path: Path) -> None:
    now, then = tmp_path / "now", tmp_path / "then"
    assert [row["high"] for row in export(now / "stock", "--table", "mart_foreigners_present")] == ["1"]
    assert [row["high"] for row in export(then / "stock", "--table", "mart_foreigners_present", "--as-of", "2025-03-01")] == ["2"]
    assert [row["state"] for row in export(now / "alerts", "--table", "mart_alerts")] == ["retracted"]
    assert [row["state"] for row in export(then / "alerts", "--table", "mart_alerts", "--as-of", "2025-03-04")] == ["raised"]
    assert [row["state"] for row in export(then / "after", "--table", "mart_alerts", "--as-of", "2025-03-05")] == ["retracted"]


def test_every_view_can_be_asked_as_of_a_day_and_of_a_late_day_says_what_it_says_now(home: Path) -> None:
    from streams.report.as_of import CATALOGUE, Relation, as_of

    engine = Embedded(home / "clickhouse")
    try:
        relations = {
            name: Relation(name, definition, bool(received)) for name, definition, received in engine.select(CATALOGUE).rows
        }
        for name, one in relations.items():
            if one.definition:
                now = engine.select(f"SELECT * FROM {name} ORDER BY ALL").rows  # noqa: S608
                assert repr(engine.select(as_of(name, relations, engine.database, at(1000))).rows) == repr(now), name
    finally:
        engine.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--table", "mart_alert"], "Did you mean mart_alerts"),
        (["--table", "mart_alerts", "--as-of", "yesterday"], "expected a date"),
        (["--table", "mart_alerts", "--query", "SELECT 1"], "either --table or --query"),
        (["--query", "SELECT 1", "--as-of", "2025-03-01"], "go with --table"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_words(home: Path, tmp_path: Path, options: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        export(tmp_path / "out", *options)
    assert not (home / "exports.jsonl").exists()


def test_a_query_is_exported_and_only_reads(home: Path, tmp_path: Path) -> None:
    assert export(tmp_path / "out", "--query", "SELECT count() AS n FROM core_border_crossing;") == [{"n": "3"}]
