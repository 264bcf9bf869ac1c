"""Every query of the book and of the dashboards is answered by the real engine, with data in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.warehouse.embedded import Embedded
from streams.warehouse.readonly import Reader
from streams.warehouse.sql import split
from tests.integration.indicator_facts import told
from tests.integration.test_indicators_flows import MOVES, STOCK
from tests.integration.test_indicators_labour import FAMILIES, PERMITS, PROCEDURES, QUOTAS, WORK
from tests.integration.test_indicators_quality import CASES

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
BOOK = sorted((ROOT / "docs" / "queries").glob("*.sql"))
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
PANELS = [
    (path.stem, panel["title"], target["rawSql"])
    for path in DASHBOARDS
    for panel in json.loads(path.read_text("utf-8"))["panels"]
    for target in panel.get("targets", ())
    if "rawSql" in target
]


@pytest.fixture(scope="module")
def reader(migrated: Embedded) -> Iterator[Reader]:
    told(migrated, [*MOVES, *PERMITS, *QUOTAS])
    told(migrated, [*FAMILIES, *PROCEDURES])
    told(migrated, *STOCK)
    told(migrated, [], [*WORK, *CASES])
    reader = Reader(migrated)
    yield reader
    reader.close()


def answer(reader: Reader, sql: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(reader.answer(sql, "JSON"))["data"]
    return rows


@pytest.mark.parametrize("path", BOOK, ids=lambda path: path.stem)
def test_every_query_of_the_book_is_one_question_and_is_answered(reader: Reader, path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith("-- ")
    [statement] = split(text)
    answer(reader, statement)


def test_the_index_of_the_book_names_every_query() -> None:
    index = (ROOT / "docs" / "queries" / "README.md").read_text("utf-8")
    assert set(re.findall(r"\((\w+\.sql)\)", index)) == {path.name for path in BOOK}


def test_the_book_answers_the_concepts_balance(reader: Reader) -> None:
    [statement] = split((ROOT / "docs" / "queries" / "external_balance_by_year.sql").read_text("utf-8"))
    assert {row["year"]: int(row["concept"]) for row in answer(reader, statement)}[2006] == 33_500


@pytest.mark.parametrize(("dashboard", "title", "sql"), PANELS, ids=[f"{name}: {title}" for name, title, _ in PANELS])
def test_every_panel_of_every_dashboard_is_answered(reader: Reader, dashboard: str, title: str, sql: str) -> None:
    assert "$" not in sql, "no macro of a plug-in: the query runs anywhere"
    answer(reader, sql)


def test_the_dashboards_are_there_and_say_what_they_show() -> None:
    assert {path.stem for path in DASHBOARDS} >= {
        "overview",
        "flows",
        "overstays",
        "labour-and-quotas",
        "follow-up",
        "data-quality",
        "pipeline",
    }
    for path in DASHBOARDS:
        board = json.loads(path.read_text("utf-8"))
        assert board["uid"] == f"shekara-{path.stem}"
        numbers = [panel["id"] for panel in board["panels"]]
        assert len(numbers) == len(set(numbers))
        assert all(panel["title"] and panel["description"] for panel in board["panels"])


def test_every_metric_a_panel_draws_is_one_we_have() -> None:
    from prometheus_client import REGISTRY

    import streams.metrics  # noqa: F401  # registers every metric

    known = {family.name for family in REGISTRY.collect()}
    drawn = {
        name
        for path in DASHBOARDS
        for panel in json.loads(path.read_text("utf-8"))["panels"]
        for target in panel.get("targets", ())
        for name in re.findall(r"shekara_\w+", target.get("expr", ""))
    }
    assert drawn
    assert {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in drawn} <= known
