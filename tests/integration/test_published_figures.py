"""What commands publish is noted, in the warehouse too, and decides what may be published next: on the real engine."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import build
from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
from streams.warehouse.published import JOURNAL, Intake
from tests.contract.warehouse import deliver, deliveries
from tests.integration.indicator_facts import alert, tick
from tests.unit.warehouse.made import crossing

pytestmark = pytest.mark.integration

NUMBERS = {"KZ-75": 40, "KZ-71": 30, "KZ-61": 12, "KZ-23": 3}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose warehouse has alerts in four oblasts, few in one."""
    home = tmp_path / "home"
    monkeypatch.setenv("SHEKARA_HOME", str(home))
    monkeypatch.delenv("SHEKARA_CLICKHOUSE", raising=False)
    engine = Embedded(home / "clickhouse")
    migrate(engine)
    found = [alert(number, "overstay_visa", f"p1-{number}", oblast=oblast) for number, oblast in enumerate(_spread(NUMBERS))]
    deliver(engine, deliveries(found, topic="t.outputs"))
    engine.close()
    return home


def _spread(numbers: dict[str, int]) -> list[str]:
    return [oblast for oblast, count in numbers.items() for _ in range(count)]


def more(home: Path, first: int, oblast: str, count: int) -> None:
    engine = Embedded(home / "clickhouse")
    found = [alert(number, "overstay_visa", f"p1-{number}", oblast=oblast) for number in range(first, first + count)]
    deliver(engine, deliveries(found, topic="t.outputs", first=first))
    engine.close()


def publish(out: Path, by: str) -> dict[tuple[str, str], str]:
    ran = CliRunner().invoke(
        build(),
        ["export", "--purpose", "a test", "--format", "csv", "--out", str(out), "--table", "mart_alerts", "--public", by],
        catch_exceptions=False,
    )
    assert ran.exit_code == 0, ran.output
    [path] = out.glob("*.csv")
    return {(row["row"], row["column"]): row["figure"] for row in csv.DictReader(path.read_text("utf-8").splitlines())}


def figures(home: Path, name: str) -> list[tuple[object, ...]]:
    engine = Embedded(home / "clickhouse")
    try:
        return engine.select(
            f"SELECT released_at, row, `column`, figure FROM published_figures FINAL WHERE name = '{name}' ORDER BY ALL"  # noqa: S608
        ).rows
    finally:
        engine.close()


def test_an_export_for_publication_is_a_release_in_the_warehouse(home: Path, tmp_path: Path) -> None:
    told = publish(tmp_path / "one", "oblast:alerts")
    assert told == {("KZ-75", ""): "40", ("KZ-71", ""): "30", ("KZ-61", ""): "", ("KZ-23", ""): "", ("*", ""): "85"}
    held = figures(home, "mart_alerts oblast:alerts")
    assert [(row, column, figure) for _, row, column, figure in held] == [
        ("*", "", 85),
        ("KZ-23", "", None),
        ("KZ-61", "", None),
        ("KZ-71", "", 30),
        ("KZ-75", "", 40),
    ]
    assert len({at for at, *_ in held}) == 1, "one release"


def test_a_second_release_tells_nothing_of_one_more_person_and_never_what_was_suppressed(home: Path, tmp_path: Path) -> None:
    publish(tmp_path / "one", "oblast:alerts")
    more(home, 1000, "KZ-75", 4)
    more(home, 2000, "KZ-23", 40)
    more(home, 3000, "KZ-71", 20)
    told = publish(tmp_path / "two", "oblast:alerts")
    assert told["KZ-75", ""] == "40", "four more people show in no figure"
    assert told["KZ-23", ""] == "", "43 people now, and still what it was is not told"
    assert told["KZ-71", ""] == "50"
    by_state = publish(tmp_path / "three", "state,oblast:alerts")
    assert by_state["*", "KZ-23"] == "", "another table of the same people does not tell it either"
    assert len({at for at, *_ in figures(home, "mart_alerts oblast:alerts")}) == 2, "history is kept"


def test_a_home_without_the_journal_still_knows_what_the_warehouse_knows(home: Path, tmp_path: Path) -> None:
    publish(tmp_path / "one", "oblast:alerts")
    (home / JOURNAL).unlink()
    more(home, 2000, "KZ-23", 40)
    assert publish(tmp_path / "two", "oblast:alerts")["KZ-23", ""] == ""


def test_the_process_that_owns_the_warehouse_takes_the_journal_in_once(home: Path, tmp_path: Path) -> None:
    publish(tmp_path / "one", "oblast:alerts")
    engine = Embedded(home / "clickhouse")
    try:
        engine.command("TRUNCATE TABLE published_figures")
        intake = Intake(home)
        for _ in range(3):
            intake.look(engine)
            assert engine.select("SELECT count() FROM published_figures").rows == [(5,)]
        Intake(home).look(engine)
        assert engine.select("SELECT count() FROM published_figures").rows == [(5,)]
    finally:
        engine.close()


def test_a_bulletin_is_a_release_too_and_its_figures_hold_in_another_home(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Embedded(home / "clickhouse")
    deliver(engine, deliveries([tick(900, 40), *(crossing(number, f"p1-{number}") for number in range(40))]))
    engine.close()

    def bulletin(out: str) -> None:
        ran = CliRunner().invoke(
            build(), ["bulletin", "--period", "2025-Q1", "--lang", "en", "--out", str(tmp_path / out)], catch_exceptions=False
        )
        assert ran.exit_code == 0, ran.output

    bulletin("one")
    name = "bulletin 2025-Q1 came"
    march = [figure for _, row, _, figure in figures(home, name) if row == "2025-03"]
    assert march == [40]
    for path in (home / "bulletins").iterdir():
        path.unlink()
    (home / JOURNAL).unlink()
    engine = Embedded(home / "clickhouse")
    deliver(engine, deliveries([crossing(number, f"p1-{number}") for number in range(40, 46)], first=100))
    engine.close()
    bulletin("two")
    march = [figure for _, row, _, figure in figures(home, name) if row == "2025-03"]
    assert march == [40, 40], "six more people show in no figure"
