"""``shekara bulletin`` on the real engine: every question is one it answers, and no small figure reaches the paper."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streams.cli import build
from streams.errors import IntegrityError, SetupError, UsageError
from streams.policy.load import load
from streams.records import Kandas, LabourContract, ProtectionStatus, Visa
from streams.report.bulletin import making
from streams.report.bulletin.period import period_of
from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
from streams.warehouse.rows import Position
from tests.contract.warehouse import RECEIVED, deliver
from tests.integration.indicator_facts import alert, case, day, fact, tick, told
from tests.unit.warehouse.made import crossing

pytestmark = pytest.mark.integration

PERIOD = period_of("2025-Q1")


def facts() -> tuple[list[object], list[object]]:
    """Returns 30 people who came and left, 4 of them for study; overstays of 12, one of them withdrawn; and what they got."""
    people: list[object] = [tick(900, 40)]
    for number in range(30):
        subject = f"p1-{number}"
        purpose = "study" if number < 4 else "work"
        citizenship = "RUS" if number < 15 else "UZB"
        people += [
            crossing(number, subject, purpose=purpose, citizenship=citizenship),
            crossing(100 + number, subject, purpose=purpose, citizenship=citizenship, day=1),
            crossing(200 + number, subject, "exit", day=5, citizenship=citizenship),
            fact(LabourContract, 300 + number, subject, 2, kind="concluded", country="KAZ", oblast="KZ-75", sector="F"),
        ]
    people += [crossing(700, "p1-citizen", citizenship="KAZ"), crossing(701, "p1-later", day=40)]
    people += [fact(Visa, 400, "p1-0", 2, kind="issued"), fact(ProtectionStatus, 401, "p1-0", 2, kind="minor")]
    people += [fact(Kandas, 500 + n, f"p1-k{n}", 2, kind="granted", family_id=bytes([n]) * 16, family_size=6) for n in range(2)]
    people += [fact(Kandas, 510, "p1-k0", 3, kind="granted", family_id=bytes(16), family_size=6)]
    decided: list[object] = [
        alert(800 + n, "overstay_visa_exempt", f"p1-{n}", stay_on=day(1), state="retracted" if n == 0 else "resolved")
        for n in range(12)
    ]
    decided += [case(850 + n, 1, "left" if n else "removed", 1, f"p1-{n}") for n in range(12)]
    return people, decided


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("bulletin")
    engine = Embedded(home / "clickhouse")
    migrate(engine)
    told(engine, *facts())  # type: ignore[arg-type]
    engine.close()
    return home


def test_people_are_counted_once_and_few_are_not_shown(home: Path) -> None:
    engine = Embedded(home / "clickhouse")
    try:
        made = making.make(engine, PERIOD, load("kz"), {})
    finally:
        engine.close()
    exact = {name: {cell: n for (cell, _), n in one.exact.items() if n} for name, one in made.releases.items()}
    assert exact["came"] == {"2025-03": 30, "*": 30}
    assert exact["left"] == {"2025-03": 30, "*": 30}
    assert exact["purpose"] == {"study": 4, "work": 26, "*": 30}
    assert exact["regime"] == {"eaeu": 15, "visa_exempt_30": 15, "*": 30}
    assert exact["oblast"] == {"KZ-75": 30, "*": 30}
    assert exact["in_time"] == {"in_time": 19, "later": 11, "*": 30}
    assert exact["titles"] == {"contract": 30, "visa": 1, "*": 31}
    assert exact["sectors"] == {"F": 30, "*": 30}
    assert exact["presumptions"] == {"withdrawn": 1, "ended": 11, "*": 12}
    assert exact["outcomes"] == {"left": 11, "removed": 1, "*": 12}
    assert exact["kandas"] == {"granted": 12, "*": 12}
    assert exact["protection"] == {"child": 1, "*": 1}
    assert made.figures["purpose"]["study"] is None
    assert made.figures["protection"]["child"] is None
    assert made.day == date(2025, 4, 10)


@pytest.mark.parametrize(("language", "form"), [("kk", "html"), ("ru", "html"), ("en", "html"), ("kk", "pdf")])
def test_the_command_writes_the_booklet_and_its_manifest(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, form: str
) -> None:
    monkeypatch.setenv("SHEKARA_HOME", str(home))
    monkeypatch.delenv("SHEKARA_CLICKHOUSE", raising=False)
    options = ["bulletin", "--period", "2025-Q1", "--lang", language, "--format", form, "--out", str(tmp_path), "--json"]
    ran = CliRunner().invoke(build(), options, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    content = (tmp_path / told["file"]).read_bytes()
    again = CliRunner().invoke(build(), options, catch_exceptions=False)
    assert json.loads(again.stdout)["sha256"] == told["sha256"], "the same data, the same bytes"
    figures = [figure for table in told["tables"].values() for figure in table["figures"].values() if figure is not None]
    assert figures
    assert min(figures) >= 10
    if form == "html":
        cells = re.findall(r'<td class="number">([^<]*)</td>', content.decode())
        assert cells
        assert all(int(re.sub(r"\D", "", cell)) >= 10 for cell in cells)
        assert f'<html lang="{language}">' in content.decode()
    kept = home / making.FOLDER / "2025-Q1.json"
    assert kept.stat().st_mode & 0o077 == 0


LATER = RECEIVED + 3_600_000


def deliver_later(home: Path) -> None:
    """Delivers, an hour later, twenty more people who came, and the exits of ten who seemed to have stayed."""
    engine = Embedded(home / "clickhouse")
    records = [crossing(1_000 + number, f"p1-more{number}", purpose="study", day=6) for number in range(20)]
    deliver(engine, [(Position("t.people", 0, 5_000 + n, LATER), record) for n, record in enumerate(records)])
    engine.close()


def run(*options: str) -> Result:
    return CliRunner().invoke(build(), ["bulletin", *options])


def test_a_booklet_is_made_again_from_its_manifest_after_more_was_received(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    engine = Embedded(home / "clickhouse")
    migrate(engine)
    told(engine, *facts())  # type: ignore[arg-type]
    engine.close()
    monkeypatch.setenv("SHEKARA_HOME", str(home))
    monkeypatch.delenv("SHEKARA_CLICKHOUSE", raising=False)
    first = json.loads(run("--period", "2025-Q1", "--lang", "en", "--out", str(tmp_path / "first"), "--json").stdout)
    first_manifest = tmp_path / "first" / f"{first['file']}.manifest.json"
    first_bytes = (tmp_path / "first" / first["file"]).read_bytes()
    deliver_later(home)
    second = json.loads(run("--period", "2025-Q1", "--lang", "en", "--out", str(tmp_path / "second"), "--json").stdout)
    second_manifest = tmp_path / "second" / f"{second['file']}.manifest.json"
    assert second["sha256"] != first["sha256"]
    assert second["tables"]["came"]["figures"] != first["tables"]["came"]["figures"]
    assert (first["first_release_of_period"], second["first_release_of_period"]) == (True, False)
    for manifest in (first_manifest, second_manifest):
        ran = run("--again", str(manifest))
        assert ran.exit_code == 0, ran.output
        assert "is the same" in ran.stdout
    # Where the records are and nothing is remembered, the first can be made as of its instant.
    (home / making.FOLDER).rename(tmp_path / "elsewhere")
    options = [
        "--period",
        "2025-Q1",
        "--lang",
        "en",
        "--as-of",
        first["records_received_until"],
        "--out",
        str(tmp_path / "third"),
    ]
    assert run(*options).exit_code == 0
    assert (tmp_path / "third" / first["file"]).read_bytes() == first_bytes
    assert run("--again", str(first_manifest)).exit_code == 0
    refused = run("--again", str(second_manifest))
    assert isinstance(refused.exception, SetupError), "what was released before it is kept where it was made"


def test_a_booklet_that_comes_out_as_another_is_said_to(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHEKARA_HOME", str(home))
    monkeypatch.delenv("SHEKARA_CLICKHOUSE", raising=False)
    made = run("--period", "2025", "--lang", "ru", "--out", str(tmp_path), "--json")
    manifest = json.loads(made.stdout)
    manifest["tables"]["came"]["figures"]["2025-03"] = 990
    manifest["sha256"] = "0" * 64
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(manifest), encoding="utf-8")
    ran = run("--again", str(forged))
    assert isinstance(ran.exception, IntegrityError)
    assert "came" in ran.exception.what
    for options, said in (
        (["--period", "2025", "--as-of", "2025-04-10T10:00"], "instant with its zone"),
        (["--period", "2025", "--as-of", "yesterday"], "expected a date"),
        (["--period", "2025-Q1", "--as-of", "2024-01-01"], "nothing had been received then"),
        (["--again", str(forged), "--period", "2025"], "from the manifest"),
        ([], "--period is missing"),
    ):
        ran = run(*options)
        assert isinstance(ran.exception, UsageError), (options, ran.output)
        assert said in ran.exception.what
