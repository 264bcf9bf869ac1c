"""The booklet for the public: nothing about few people, complete in three languages, the same bytes for the same figures."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from string import Formatter
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.errors import SetupError, UsageError
from streams.policy.load import load
from streams.report.bulletin import making, released
from streams.report.bulletin.booklet import compose, of_hundred
from streams.report.bulletin.html import html
from streams.report.bulletin.pdf import pdf
from streams.report.bulletin.period import period_of
from streams.report.bulletin.tables import QUESTIONS
from streams.report.bulletin.words import LANGUAGES, Words, catalogue
from streams.report.disclosure import ROUND_TO, THRESHOLD, TOTAL, Release, interval

POLICY = load("kz")
PERIOD = period_of("2026-Q3")
AFTER = date(2026, 10, 2)
AS_OF = datetime(2026, 10, 2, 3, tzinfo=UTC)


def answered(**more: int) -> dict[str, dict[str, int]]:
    """Returns counts of every table: all people of a table in its first cells, ``more`` for single cells (``table__cell``)."""
    counts = {}
    for question in QUESTIONS:
        cells = released.counted(question, [], PERIOD, POLICY, AFTER)
        counts[question.name] = {cell: 40 * (number + 1) for number, cell in enumerate(cells)}
    for name, people in more.items():
        table, _, cell = name.partition("__")
        counts[table][cell] = people
    return counts


def figures(counts: dict[str, dict[str, int]], before: dict[str, Release] | None = None) -> dict[str, Any]:
    return released.published(released.release_all(counts, before or {}), counts)


def booklet(language: str, counts: dict[str, dict[str, int]], day: date = AFTER) -> Any:
    return compose(figures(counts), PERIOD, Words(language), POLICY, as_of=AS_OF, day=day, invented=True)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_has_its_days(text: str, first: date, last: date) -> None:
    assert (period_of(text).first, period_of(text).last) == (first, last)


@pytest.mark.parametrize("text", ["", "2026-Q5", "2026-13", "26", "2026-07-01", "0001", "2026-q3"])
def test_what_is_no_period_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match="2026-Q3"):
        period_of(text)


def test_every_language_says_the_same_and_leaves_nothing_out() -> None:
    for language in LANGUAGES:
        assert set(catalogue(language)) == set(catalogue("en"))
        for key, text in catalogue(language).items():
            places = {name for _, name, _, _ in Formatter().parse(text) if name}
            assert places == {name for _, name, _, _ in Formatter().parse(catalogue("en")[key]) if name}, (language, key)
            assert text.strip()
            if language != "en":
                assert text != catalogue("en")[key], (language, key)
                assert re.search(r"[а-яәғқңөұүһі]", text, re.IGNORECASE), (language, key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_table_has_its_words_in_every_language_shown_or_not(language: str) -> None:
    for counts in (answered(), {name: dict.fromkeys(cells, 3) for name, cells in answered().items()}):
        made = booklet(language, counts)
        assert [section.name for section in made.sections] == [question.name for question in QUESTIONS]
        assert all(section.title and section.definition and section.silent and section.lines for section in made.sections)
        assert len(made.facts) == 7
        assert made.invented
    assert made.glance == (), "figures that may not be shown are no headlines either"
    assert len(booklet(language, answered(), PERIOD.last - timedelta(days=1)).how) == len(made.how) + 1


def test_nothing_is_counted_by_nationality() -> None:
    cells = {cell for question in QUESTIONS for cell in released.counted(question, [], PERIOD, POLICY, AFTER)}
    assert not cells & set(POLICY.codes.countries)


def test_an_answer_falls_into_the_cells_there_are() -> None:
    by_name = {question.name: question for question in QUESTIONS}
    regime = released.counted(by_name["regime"], [("KGZ", 7), ("RUS", 5), ("UZB", 3), ("XQX", 2)], PERIOD, POLICY, AFTER)
    assert (regime["eaeu"], regime["visa_exempt_30"]) == (12, 3)
    assert sum(regime.values()) == 17
    assert "kaz" not in regime
    purpose = released.counted(by_name["purpose"], [("work", 4), ("a new one", 2)], PERIOD, POLICY, AFTER)
    assert (purpose["work"], purpose["unknown"]) == (4, 2)
    assert list(released.counted(by_name["came"], [], PERIOD, POLICY, date(2026, 8, 3))) == ["2026-07", "2026-08"]


CELLS = {
    question.name: st.fixed_dictionaries(
        {cell: st.integers(0, 60) for cell in released.counted(question, [], PERIOD, POLICY, AFTER)}
    )
    for question in QUESTIONS
    if question.of != "oblasts"
}


@settings(max_examples=25, deadline=None)
@given(counts=st.fixed_dictionaries(CELLS))
def test_no_cell_under_ten_is_shown_nor_can_be_computed(counts: dict[str, dict[str, int]]) -> None:
    full = {**answered(), **counts}
    made = released.release_all(full, {})
    for name, table in released.published(made, full).items():
        hidden = {(cell, "") for cell, figure in table.items() if figure is None}
        for cell, figure in table.items():
            exact = full[name][cell] if cell != TOTAL else sum(full[name].values())
            if exact < THRESHOLD:
                assert figure is None
                low, high = interval(made[name].exact, hidden, (cell, ""))
                assert high is None or high - low >= THRESHOLD
            if figure is not None:
                assert figure >= THRESHOLD
                assert figure % ROUND_TO == 0


def test_a_total_hidden_in_one_table_cannot_be_read_from_another_of_the_same_people() -> None:
    few = {"purpose": {"work": 4}, "regime": {"eaeu": 2, "visa_required": 2}}
    counts = answered()
    for name, cells in few.items():
        counts[name] = dict.fromkeys(counts[name], 0) | cells
    made = figures(counts)
    assert made["oblast"][TOTAL] is None


def test_a_second_edition_says_nothing_more_about_few_people() -> None:
    first = answered(outcomes__removed=4)
    before = released.release_all(first, {})
    later = answered(outcomes__removed=14, outcomes__legalised=first["outcomes"]["legalised"] + 6)
    again = figures(later, before)["outcomes"]
    assert again["removed"] is None, "what was hidden stays hidden"
    assert again["legalised"] == figures(first)["outcomes"]["legalised"], "a figure moves only with ten people"


@pytest.mark.parametrize(
    ("part", "whole", "share"), [(195, 200, 97), (10, None, None), (None, 20, None), (5, 0, None), (25, 20, 100)]
)
def test_shares_come_from_published_figures(part: int | None, whole: int | None, share: int | None) -> None:
    assert of_hundred(part, whole) == share


def test_the_same_figures_give_the_same_bytes_and_nothing_is_fetched() -> None:
    say = Words("kk")
    whole = booklet("kk", answered())
    text = html(whole, say)
    assert not re.search(rb"<script|\bsrc=|@import|<link|url\((?!#)", text)
    assert text.count(b"<svg") == text.count(b"<table>") == len(QUESTIONS)
    short = replace(whole, sections=whole.sections[:2])
    again = replace(booklet("kk", answered()), sections=whole.sections[:2])
    assert html(short, say) == html(again, say)
    made = pdf(short, say, dated=AS_OF)
    assert made.startswith(b"%PDF")
    assert made == pdf(again, say, dated=AS_OF)


class Asked:
    """Answers as the warehouse would: the newest record, then nobody in any table."""

    def __init__(self, today: str = "2026-10-02") -> None:
        self.questions: list[str] = []
        self._today = today

    def select(self, sql: str) -> Any:
        self.questions.append(sql)
        newest = "core_clock" in sql and "merge(" in sql
        return SimpleNamespace(rows=[(round(AS_OF.timestamp() * 1000), self._today)] if newest else [])


def test_the_manifest_tells_the_public_nothing_that_could_be_tried() -> None:
    made = making.make(Asked(), PERIOD, POLICY, {})
    told = making.manifest(made, PERIOD, POLICY, language="kk", form="html", name="b.html", content=b"x", first=True)
    assert told["policy"] == POLICY.version
    assert "2026-07-01" in told["tables"]["came"]["question"]
    text = json.dumps(told)
    assert all(digest not in text for digest in made.inputs.values())
    assert set(making.inputs(made, PERIOD, {})["answers_sha256"]) == {question.name for question in QUESTIONS}


def test_a_period_that_has_not_begun_is_refused() -> None:
    with pytest.raises(UsageError, match="has not begun"):
        making.make(Asked("2026-06-30"), PERIOD, POLICY, {})


def test_what_was_released_is_remembered_for_its_owner_alone(tmp_path: Path) -> None:
    made = released.release_all(answered(), {})
    making.remember(tmp_path, PERIOD, made)
    file = tmp_path / making.FOLDER / "2026-Q3.json"
    assert file.stat().st_mode & 0o077 == 0
    read = making.remembered(tmp_path, PERIOD)
    assert {name: (dict(one.figures), dict(one.exact)) for name, one in read.items()} == {
        name: (dict(one.figures), dict(one.exact)) for name, one in made.items()
    }
    file.write_text("{")
    with pytest.raises(SetupError, match="Restore"):
        making.remembered(tmp_path, PERIOD)
