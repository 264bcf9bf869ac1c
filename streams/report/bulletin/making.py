"""Asks the questions, remembers what was released of a period, and says with which inputs a booklet was made.

Two files say what a booklet was made of. The manifest is for everybody: questions, released figures and their check sums. The
inputs are for the agency alone: a check sum over counts of few people would let anybody find the counts by trying.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

from streams import __version__
from streams.errors import SetupError, UsageError
from streams.policy.model import Policy
from streams.report.bulletin import released
from streams.report.bulletin.booklet import Published
from streams.report.bulletin.period import Period
from streams.report.bulletin.tables import QUESTIONS
from streams.report.disclosure import ROUND_TO, THRESHOLD, Key, Release

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


def make(asker: Answering, period: Period, policy: Policy, before: Mapping[str, Release]) -> Made:
    """Asks and releases.

    Raises:
        SetupError: the warehouse holds nothing yet.
        UsageError: the period has not begun.
        ShekaraError: the warehouse did not answer.
    """
    [(newest, today)] = asker.select(_NEWEST).rows
    day = date.fromisoformat(today)
    if not newest:
        raise SetupError("The warehouse is empty: there is nothing to report.", "Start 'shekara up' or 'shekara demo' first.")
    if day < period.first:
        raise UsageError(f"--period {period.name} has not begun: the log's day is {day}.")
    counts, inputs = {}, {}
    for question in QUESTIONS:
        rows = sorted((str(cell), int(people)) for cell, people in asker.select(asked(question.sql, period)).rows)
        inputs[question.name] = _digest(rows)
        counts[question.name] = released.counted(question, rows, period, policy, day)
    releases = released.release_all(counts, before)
    return Made(released.published(releases, counts), releases, inputs, datetime.fromtimestamp(newest / 1000, UTC), day)


def asked(sql: str, period: Period) -> str:
    """Returns a question with the period's days in it."""
    return sql.format(first=period.first.isoformat(), last=period.last.isoformat())


def manifest(
    made: Made, period: Period, policy: Policy, *, language: str, form: str, name: str, content: bytes
) -> dict[str, Any]:
    """Returns what stands beside the file, for everybody."""
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


def inputs(made: Made, period: Period) -> dict[str, Any]:
    """Returns what the agency keeps: check sums of the exact answers."""
    return {
        "not_for_publication": "From a check sum over few people their number can be found by trying.",
        "period": period.name,
        "records_received_until": made.as_of.isoformat(timespec="milliseconds"),
        "answers_sha256": made.inputs,
    }


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
        loaded = json.loads(path.read_text("utf-8"))
        return {
            name: Release(name, "", _keyed(one["figures"]), {key: value or 0 for key, value in _keyed(one["exact"]).items()})
            for name, one in loaded.items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError(
            f"What was released of {period.name} before cannot be read from {path}: {error}.",
            "Restore it from a copy: without it a new release beside the old one could tell about few people.",
        ) from error


def remember(home: Path, period: Period, releases: Mapping[str, Release]) -> None:
    """Keeps what was released.

    Raises:
        SetupError: it cannot be written.
    """
    content = {
        name: {
            "figures": {cell: figure for (cell, _), figure in one.figures.items()},
            "exact": {cell: count for (cell, _), count in one.exact.items()},
        }
        for name, one in releases.items()
    }
    put_private(home / FOLDER / f"{period.name}.json", content)


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
