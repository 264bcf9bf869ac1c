"""An analyst's tools on the real engine: the notebook runs against the endpoint, the page of the first hour answers as it says.

``python -m tests.integration.test_analysts`` draws the page's pictures anew, from the same facts.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from streams.policy.load import load
from streams.simulate import Simulation
from streams.simulate.draft import Corrupt
from streams.warehouse.embedded import Embedded
from streams.warehouse.endpoint import Endpoint, application, token_in
from streams.warehouse.migrate import migrate
from streams.warehouse.readonly import Reader
from tests.contract.warehouse import deliver, deliveries
from tests.integration.indicator_facts import alert, day, tick
from tests.integration.test_tutorials import consoles_of
from tests.unit.warehouse.made import crossing

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "notebooks" / "first-look.ipynb"
PAGE = ROOT / "docs" / "tutorials" / "analysts-first-hour.md"
PICTURES = ("analyst-balance.svg", "analyst-arrivals.svg", "analyst-stock.svg")


def fill(home: Path) -> None:
    """Fills a home's warehouse with a month of a small country, and with overstays of every grade."""
    engine = Embedded(home / "clickhouse")
    try:
        migrate(engine)
        sent = Simulation(300, 30, 7, policy=load("kz")).arrivals(lambda _: None)
        deliver(engine, deliveries(one.message for one in sent if not isinstance(one.message, Corrupt)))
        some = [crossing(9_000 + number, f"p1-{number}", post=post) for number, post in enumerate(POSTS)]
        deliver(engine, deliveries([*some, tick(8_999, 100)], topic="t.more"))
        grades = ["established", "presumed", "uncertain"]
        decided = [
            alert(number, "overstay_visa_exempt", f"p1-{number}", oblast=post[:5], grade=grades[number % 3], first_day_on=day(31))
            for number, post in enumerate(POSTS)
        ]
        decided[0] = alert(0, "overstay_visa_exempt", "p1-0", oblast="KZ-75", state="retracted", reason="exit_seen")
        deliver(engine, deliveries(decided, topic="t.outputs"))
    finally:
        engine.close()


POSTS = ["KZ-75-A1", "KZ-75-A1", "KZ-71-A1", "KZ-61-R1", "KZ-61-R1", "KZ-61-R1"]


@contextmanager
def served(home: Path) -> Iterator[str]:
    """Serves a home's warehouse; gives the address."""
    engine = Embedded(home / "clickhouse")
    reader = Reader(engine)
    endpoint = Endpoint(application(reader, token_in(home / "run" / "sql.token"), lambda: ""), 0)
    try:
        yield endpoint.url
    finally:
        endpoint.close()
        reader.close()
        engine.close()


def kept() -> Any:
    """Returns the notebook as it lies in the repository."""
    return nbformat.reads(NOTEBOOK.read_text("utf-8"), as_version=4)  # type: ignore[no-untyped-call]


def run_notebook(home: Path, pictures: Path) -> Any:
    """Runs the notebook as an analyst would; returns it with its outputs."""
    notebook = kept()
    with served(home) as url:
        environment = os.environ | {"SHEKARA_SQL_URL": url, "SHEKARA_HOME": str(home), "SHEKARA_PICTURES": str(pictures)}
        NotebookClient(notebook, timeout=300, kernel_name="python3").execute(env=environment)
    return notebook


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("analyst")
    fill(home)
    return home


def test_the_notebook_runs_from_its_first_cell_to_its_last_and_draws_its_pictures(home: Path, tmp_path: Path) -> None:
    told = run_notebook(home, tmp_path)
    assert {path.name for path in tmp_path.glob("*.svg")} == set(PICTURES)
    for name in PICTURES:
        assert "<svg" in (tmp_path / name).read_text("utf-8")
    shown = [cell for cell in told.cells if cell.cell_type == "code" and cell.outputs]
    assert len(shown) >= 6
    assert not any(output.output_type == "error" for cell in shown for output in cell.outputs)


def test_the_notebook_is_kept_without_outputs() -> None:
    for cell in kept().cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def test_the_first_hour_answers_what_the_page_shows(home: Path, tmp_path: Path) -> None:
    page = PAGE.read_text("utf-8")
    commands = consoles_of(page)
    assert len(commands) >= 6
    for command, shown in commands:
        ran = subprocess.run(
            ["bash", "-c", command.replace("shekara ", f"{sys.executable} -m streams ")],
            cwd=tmp_path,
            env=os.environ | {"SHEKARA_HOME": str(home), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, f"{command}: {ran.stderr}"
        wanted = [line.rstrip() for line in shown.splitlines()]
        if wanted and wanted[-1] != "…":
            assert [line.rstrip() for line in ran.stdout.splitlines()] == wanted, command
        elif wanted:
            assert [line.rstrip() for line in ran.stdout.splitlines()][: len(wanted) - 1] == wanted[:-1], command
    [manifest] = tmp_path.glob("files/*.json")
    told = json.loads(manifest.read_text("utf-8"))
    assert told["purpose"] == "yearbook 2025"
    with next(tmp_path.glob("files/*.csv")).open(encoding="utf-8") as file:
        assert next(csv.DictReader(file))["balance"] == "-69900"
    for picture in ("../pictures/warehouse-questions.svg", *(f"../pictures/{name}" for name in PICTURES)):
        if picture in page:
            assert (PAGE.parent / picture).exists(), picture
    assert all(f"../pictures/{name}" in page for name in PICTURES)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        fill(Path(made))
        run_notebook(Path(made), ROOT / "docs" / "pictures")
