"""Asks the questions, remembers what was released of a period, and says with which inputs a booklet was made.

Two files say what a booklet was made of. The manifest is for everybody: questions, released figures and their check sums. The
inputs are for the agency alone: a check sum over counts of few people would let anybody find the counts by trying.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

from streams import __version__
from streams.errors import SetupError, UsageError
from streams.policy.model import Policy
from streams.report import as_of
from streams.report.bulletin import released
from streams.report.bulletin.booklet import Published
from streams.report.bulletin.period import Period
from streams.report.bulletin.tables import QUESTIONS
from streams.report.disclosure import ROUND_TO, THRESHOLD, Key, Release
from streams.report.publication import Shown

FOLDER = "bulletins"
"""In the home: what was released, with the counts behind it. Only its owner can read it."""

_NEWEST = (
    "SELECT toUnixTimestamp64Milli(max(received_at)), (SELECT toString(today) FROM core_clock) "
    "FROM merge(currentDatabase(), '^(raw_|alerts$|cases$)')"
)


class Answering(Protocol):
    """Answers a query; `streams.warehouse.ask.Asker` does."""

    def select(self, sql: str) -> Any:
        """Returns an answer with ``rows``."""


@dataclass(frozen=True, slots=True)
class Made:
    """What booklets of a period are made from.

    Attributes:
        figures: what may be printed, by question.
        releases: the same with the counts behind it; not for publication.
        inputs: SHA-256 of every answer; not for publication.
        as_of: when the newest record counted was received.
        day: the log's day: how far the figures go.
    """

    figures: Mapping[str, Published]
    releases: Mapping[str, Release]
    inputs: Mapping[str, str]
    as_of: datetime
    day: date


def make(asker: Answering, period: Period, policy: Policy, before: Mapping[str, Release], *, until_ms: int | None = None) -> Made:
    """Asks and releases.

    Args:
        asker: the warehouse.
        period: of what.
        policy: names of rows.
        before: what was released of the period before.
        until_ms: only what was received before this instant counts, UTC epoch ms; none: everything.

    Raises:
        SetupError: the warehouse holds nothing yet.
        UsageError: the period has not begun.
        ShekaraError: the warehouse did not answer.
    """
    then = _then(asker, until_ms)
    [(newest, today)] = asker.select(then(_NEWEST if until_ms is None else f"{_NEWEST} WHERE {as_of.cut(until_ms)}")).rows
    day = date.fromisoformat(today)
    if not newest:
        if until_ms is not None:
            raise UsageError("--as-of: nothing had been received then.")
        raise SetupError("The warehouse is empty: there is nothing to report.", "Start 'shekara up' or 'shekara demo' first.")
    if day < period.first:
        raise UsageError(f"--period {period.name} has not begun: the log's day is {day}.")
    counts, inputs = {}, {}
    for question in QUESTIONS:
        rows = sorted((str(cell), int(people)) for cell, people in asker.select(then(asked(question.sql, period))).rows)
        inputs[question.name] = _digest(rows)
        counts[question.name] = released.counted(question, rows, period, policy, day)
    releases = released.release_all(counts, before)
    return Made(released.published(releases, counts), releases, inputs, datetime.fromtimestamp(newest / 1000, UTC), day)


def _then(asker: Answering, until_ms: int | None) -> Callable[[str], str]:
    """Returns what makes of a question the same question of then."""
    if until_ms is None:
        return lambda sql: sql
    relations = {
        name: as_of.Relation(name, definition, bool(received))
        for name, definition, received in asker.select(as_of.CATALOGUE).rows
    }
    [(database,)] = asker.select("SELECT currentDatabase()").rows
    return lambda sql: as_of.query_as_of(sql, relations, str(database), until_ms)


def asked(sql: str, period: Period) -> str:
    """Returns a question with the period's days in it."""
    return sql.format(first=period.first.isoformat(), last=period.last.isoformat())


def manifest(
    made: Made, period: Period, policy: Policy, *, language: str, form: str, name: str, content: bytes, first: bool
) -> dict[str, Any]:
    """Returns what stands beside the file, for everybody.

    ``first_release_of_period``: nothing released before had a say; who has the records can make it again from this alone.
    """
    return {
        "file": name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "format": form,
        "language": language,
        "period": period.name,
        "first_day": period.first.isoformat(),
        "last_day": period.last.isoformat(),
        "records_received_until": made.as_of.isoformat(timespec="milliseconds"),
        "first_release_of_period": first,
        "log_day": made.day.isoformat(),
        "policy": policy.version,
        "shekara": __version__,
        "disclosure": {"threshold": THRESHOLD, "round_to": ROUND_TO, "unit": "persons"},
        "tables": {
            question.name: {
                "question": asked(question.sql, period),
                "question_sha256": hashlib.sha256(asked(question.sql, period).encode()).hexdigest(),
                "figures": made.figures[question.name],
                "figures_sha256": _digest(made.figures[question.name]),
            }
            for question in QUESTIONS
        },
    }


def inputs(made: Made, period: Period, before: Mapping[str, Release]) -> dict[str, Any]:
    """Returns what the agency keeps: check sums of the exact answers, and what was released before."""
    return {
        "not_for_publication": "From a check sum over few people their number can be found by trying.",
        "period": period.name,
        "records_received_until": made.as_of.isoformat(timespec="milliseconds"),
        "answers_sha256": made.inputs,
        "released_before": _written(before),
    }


def kept_inputs(home: Path, file: str, sha256: str) -> Path:
    """Returns where the inputs of one booklet are kept: a second edition of the same name does not replace them."""
    return home / FOLDER / f"{file}.{sha256[:16]}.inputs.json"


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()).hexdigest()


def remembered(home: Path, period: Period) -> dict[str, Release]:
    """Returns what was released of a period before; empty if nothing was.

    Raises:
        SetupError: the file is there and cannot be read: publishing again without it could tell about few people.
    """
    path = home / FOLDER / f"{period.name}.json"
    if not path.exists():
        return {}
    try:
        return _read(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError(
            f"What was released of {period.name} before cannot be read from {path}: {error}.",
            "Restore it from a copy: without it a new release beside the old one could tell about few people.",
        ) from error


def released_before(home: Path, told: Mapping[str, Any]) -> dict[str, Release]:
    """Returns what had been released of a period before a booklet was made.

    Args:
        home: where that is kept.
        told: the booklet's manifest.

    Raises:
        SetupError: something had been, and what is not kept here.
    """
    if told["first_release_of_period"]:
        return {}
    path = kept_inputs(home, told["file"], told["sha256"])
    try:
        return _read(json.loads(path.read_text("utf-8"))["released_before"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SetupError(
            f"What had been released of {told['period']} before this booklet cannot be read from {path}: {error}.",
            "A later release can only be made again where the home it was made in is.",
        ) from error


def _read(content: Mapping[str, Any]) -> dict[str, Release]:
    return {
        name: Release(name, "", _keyed(one["figures"]), {key: value or 0 for key, value in _keyed(one["exact"]).items()})
        for name, one in content.items()
    }


def _written(releases: Mapping[str, Release]) -> dict[str, Any]:
    return {
        name: {
            "figures": {cell: figure for (cell, _), figure in one.figures.items()},
            "exact": {cell: count for (cell, _), count in one.exact.items()},
        }
        for name, one in releases.items()
    }


def named(made: Made, period: Period) -> list[tuple[str, str, str, int | None]]:
    """Returns every cell of a booklet as ``published_figures`` holds it: table, row, no column, figure."""
    return [
        (f"bulletin {period.name} {name}", cell, "", figure)
        for name, table in made.figures.items()
        for cell, figure in table.items()
    ]


def known(standing: Iterable[Shown], period: Period) -> dict[str, Release]:
    """Returns what was released of a period before, from another home: the figures without the counts behind them.

    Args:
        standing: what stands published, of any table.
        period: the period.
    """
    found: dict[str, dict[Key, int | None]] = {}
    for one in standing:
        table, _, name = one.name.rpartition(" ")
        if table == f"bulletin {period.name}":
            found.setdefault(name, {})[one.row, one.column] = one.figure
    return {
        name: Release(name, "", figures, {key: figure or 0 for key, figure in figures.items()}) for name, figures in found.items()
    }


def remember(home: Path, period: Period, releases: Mapping[str, Release]) -> None:
    """Keeps what was released.

    Raises:
        SetupError: it cannot be written.
    """
    put_private(home / FOLDER / f"{period.name}.json", _written(releases))


def put_private(path: Path, content: Any) -> None:
    """Writes JSON only its owner can read, whole or not at all.

    Raises:
        SetupError: it cannot be written.
    """
    half = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
        half.replace(path)
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror or error}.") from error


def _keyed(cells: Mapping[str, int | None]) -> dict[Key, int | None]:
    return {(cell, ""): value for cell, value in cells.items()}
