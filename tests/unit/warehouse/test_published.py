"""The journal of what was published: noted before anything is out, read back whole, refused when it cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.errors import SetupError
from streams.warehouse.published import JOURNAL, Figure, note, noted, standing

ONE = [Figure("mart_alerts oblast:alerts", "KZ-75", "", 100), Figure("mart_alerts oblast:alerts", "*", "", None)]


def test_what_is_noted_is_read_back_in_its_order(tmp_path: Path) -> None:
    home = tmp_path / "home"
    note(home, ONE, 1)
    note(home, ONE[:1], 2)
    assert noted(home) == [(1, ONE), (2, ONE[:1])]
    assert (home / JOURNAL).stat().st_mode & 0o077 == 0


def test_nothing_noted_is_nothing_published(tmp_path: Path) -> None:
    assert noted(tmp_path) == []


def test_a_journal_that_cannot_be_read_stops_publishing(tmp_path: Path) -> None:
    note(tmp_path, ONE, 1)
    with (tmp_path / JOURNAL).open("a", encoding="utf-8") as file:
        file.write('{"released_at": 2, "fig')
    with pytest.raises(SetupError, match="could tell about few people"):
        noted(tmp_path)


def test_a_home_that_cannot_be_written_stops_publishing(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(SetupError, match="cannot be noted"):
        note(tmp_path / "home", ONE, 1)


def test_the_journal_stands_over_what_the_warehouse_has_not_taken_in(tmp_path: Path) -> None:
    note(tmp_path, [Figure("t a:n", "x", "", 20)], 2)
    rows = [("t a:n", "x", "", 10), ("t a:n", "y", "", None)]
    assert sorted(standing(rows, tmp_path), key=lambda one: one.row) == [
        Figure("t a:n", "x", "", 20),
        Figure("t a:n", "y", "", None),
    ]
