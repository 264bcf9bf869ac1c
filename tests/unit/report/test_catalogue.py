"""The catalogue of indicators: complete, its pages written from it, every indicator tested with figures made by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streams.errors import SetupError
from streams.records import INPUTS, OUTPUTS
from streams.report.catalogue import DIRECTORY, THEMES, Indicator, indicators
from streams.report.indicator_pages import pages
from streams.warehouse.migrate import read

ROOT = Path(__file__).parents[3]
CATALOGUE = indicators()
SQL = "\n".join(statement for migration in read() for statement in migration.statements)
VIEWS = set(re.findall(r"CREATE OR REPLACE VIEW (\w+)", SQL))
TESTS = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests" / "integration").glob("test_indicators*.py"))


def test_there_are_at_least_forty_indicators_each_in_a_view_of_its_own() -> None:
    assert len(CATALOGUE) >= 40
    assert len({one.view for one in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize("one", CATALOGUE, ids=lambda one: one.name)
def test_every_indicator_has_a_view_words_and_a_test(one: Indicator) -> None:
    assert one.view in VIEWS
    for words in (one.title, one.definition, one.numerator, one.unit, one.owner):
        assert words.strip()
    known = {kind.NAME for kind in (*INPUTS, *OUTPUTS)}
    assert set(one.source_events) <= known
    assert f'"{one.view}"' in TESTS, f"{one.view}: no test with figures made by hand"


def test_every_mart_is_an_indicator_or_said_not_to_be() -> None:
    not_indicators = {"mart_open_stays", "mart_alerts", "mart_concept_figures"}
    assert {view for view in VIEWS if view.startswith("mart_")} - not_indicators == {one.view for one in CATALOGUE}


def test_the_pages_are_those_written_from_the_catalogue() -> None:
    directory = ROOT / "docs" / "indicators"
    there = {path.name: path.read_text("utf-8") for path in directory.glob("*.md")}
    assert there == pages(CATALOGUE), "run: python -m streams.report.indicator_pages docs/indicators"


def test_an_entry_without_a_caveat_field_is_refused_by_name(tmp_path: Path) -> None:
    for theme in THEMES:
        (tmp_path / f"{theme}.yaml").write_text((DIRECTORY / f"{theme}.yaml").read_text("utf-8"), "utf-8")
    (tmp_path / "kandas.yaml").write_text("- {name: half, view: mart_half}\n")
    with pytest.raises(SetupError, match=r"kandas.yaml: half: missing .*'caveats'"):
        indicators(tmp_path)


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    for theme in THEMES:
        (tmp_path / f"{theme}.yaml").write_text((DIRECTORY / "kandas.yaml").read_text("utf-8"), "utf-8")
    with pytest.raises(SetupError, match="is there twice"):
        indicators(tmp_path)
