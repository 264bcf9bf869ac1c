"""What was published, figure by figure: noted in the home first, then in ``published_figures``, the memory of disclosure control.

A running stack's endpoint only reads, so nobody writes there from outside: whoever publishes notes it in a file of the home, and
the process that owns the warehouse takes the file in. Taken in twice is taken in once: a figure's key is its table, its release
and its cell.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams.errors import SetupError
from streams.warehouse.block import Block
from streams.warehouse.columns import INSTANT, WORD, Column
from streams.warehouse.engine import Engine

JOURNAL = "published.jsonl"
"""In the home: one line a release, figures only; the counts behind them are nowhere."""

NEWEST = """
SELECT name, row, `column`, figure FROM published_figures
ORDER BY name, row, `column`, released_at DESC LIMIT 1 BY name, row, `column`
"""
"""Asks for what stands published: the newest figure of every cell."""

_COLUMNS = (
    Column("name", WORD, ""),
    Column("released_at", INSTANT, ""),
    Column("row", "String", ""),
    Column("column", "String", ""),
    Column("figure", "Nullable(Int64)", ""),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One published cell.

    Attributes:
        name: of the table.
        row: value of the first dimension; ``*`` is the total.
        column: value of the second; empty where there is one dimension.
        figure: rounded; none: suppressed.
    """

    name: str
    row: str
    column: str
    figure: int | None


def note(home: Path, figures: Sequence[Figure], released_at: int) -> None:
    """Notes a release in the home; when it returns it is on disk.

    Args:
        home: the home.
        figures: of one or more tables.
        released_at: UTC epoch ms.

    Raises:
        SetupError: it cannot be written: then nothing may be published.
    """
    line = {"released_at": released_at, "figures": [[one.name, one.row, one.column, one.figure] for one in figures]}
    path = home / JOURNAL
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SetupError(
            f"What is published cannot be noted in {path}: {error.strerror or error}.", "Nothing was published."
        ) from error


def noted(home: Path) -> list[tuple[int, list[Figure]]]:
    """Returns the releases noted in a home, in their order: when, and the figures.

    Raises:
        SetupError: the journal cannot be read: publishing without it could tell about few people.
    """
    path = home / JOURNAL
    if not path.exists():
        return []
    try:
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        return [(int(line["released_at"]), [Figure(*one) for one in line["figures"]]) for line in lines]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError(
            f"What was published before cannot be read from {path}: {error}.",
            "Restore it from a copy: without it a new table beside an old one could tell about few people.",
        ) from error


def standing(rows: Iterable[tuple[str, str, str, int | None]], home: Path) -> list[Figure]:
    """Returns what stands published: what the warehouse says, and over it what is noted here and may not be there yet.

    Args:
        rows: the answer to ``NEWEST``.
        home: the home.
    """
    found = {(str(name), str(row), str(column)): figure for name, row, column, figure in rows}
    for _, figures in noted(home):
        found.update({(one.name, one.row, one.column): one.figure for one in figures})
    return [Figure(*cell, None if figure is None else int(figure)) for cell, figure in found.items()]


def take_in(engine: Engine, home: Path) -> int:
    """Puts the releases noted in a home into ``published_figures``, those that are not there yet.

    Returns:
        The number of releases taken in.

    Raises:
        SetupError: the journal cannot be read.
        RefusedError, DependencyError: the warehouse did not take them.
    """
    releases = noted(home)
    if not releases:
        return 0
    there = {
        int(at) for (at,) in engine.select("SELECT DISTINCT toUnixTimestamp64Milli(released_at) FROM published_figures").rows
    }
    new = [(at, figures) for at, figures in releases if at not in there]
    for at, figures in new:
        data: list[list[Any]] = [
            [one.name for one in figures],
            [at] * len(figures),
            [one.row for one in figures],
            [one.column for one in figures],
            [one.figure for one in figures],
        ]
        engine.insert("published_figures", Block(_COLUMNS, data))
    return len(new)


class Intake:
    """Takes a home's journal in whenever it has grown; a look costs one ``stat``.

    Args:
        home: the home.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._size = -1

    def look(self, engine: Engine) -> None:
        """Takes in what is new; raises as ``take_in``."""
        path = self._home / JOURNAL
        size = path.stat().st_size if path.exists() else 0
        if size != self._size:
            take_in(engine, self._home)
            self._size = size
