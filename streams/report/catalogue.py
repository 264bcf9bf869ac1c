"""The catalogue of indicators: what each one is, in which view it stands, and who answers for it.

**Source**: the Concept of migration policy for 2007-2015 asks for indicators for monitoring and evaluating migration; its
annex is lost, so they are defined here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from streams.errors import SetupError

DIRECTORY = Path(__file__).with_name("indicators")

THEMES: Mapping[str, str] = {
    "flows": "Flows and migration balance",
    "stays": "Stays and the stock of foreigners",
    "overstays": "Overstays and reminders",
    "labour": "Labour and quotas",
    "kandas": "Kandas (ethnic returnees)",
    "protection": "Asylum and protection",
    "follow_up": "Follow-up",
    "quality": "Data quality",
    "comparability": "Comparability with the EU's statistics",
}
"""Titles of the themes, one file each, in the order of the index."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator.

    Attributes:
        name: unique, snake case.
        view: the ClickHouse view that holds it.
        title: a few words.
        definition: what it is, in one sentence.
        numerator: what is counted.
        denominator: what it is divided by; none where it is a count.
        unit: unit of the figures.
        source_events: event types it is computed from.
        caveats: what must be known before it is quoted.
        owner: who answers for it.
        theme: key of ``THEMES``.
    """

    name: str
    view: str
    title: str
    definition: str
    numerator: str
    denominator: str | None
    unit: str
    source_events: tuple[str, ...]
    caveats: str
    owner: str
    theme: str


def indicators(directory: Path = DIRECTORY) -> tuple[Indicator, ...]:
    """Reads the catalogue, in the order of the themes.

    Raises:
        SetupError: a file is missing, or an entry lacks a field, has one too many or a name twice.
    """
    found: dict[str, Indicator] = {}
    for theme in THEMES:
        path = directory / f"{theme}.yaml"
        try:
            entries: Any = yaml.safe_load(path.read_text("utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise SetupError(f"{path}: the indicators cannot be read: {error}.") from error
        for entry in entries:
            one = _indicator(path, theme, entry)
            if one.name in found:
                raise SetupError(f"{path}: {one.name} is there twice; names are unique over all files.")
            found[one.name] = one
    return tuple(found.values())


def _indicator(path: Path, theme: str, entry: Any) -> Indicator:
    wanted = {field.name for field in fields(Indicator)} - {"theme"}
    there = set(entry) if isinstance(entry, dict) else set()
    if there != wanted:
        name = entry.get("name", "?") if isinstance(entry, dict) else entry
        raise SetupError(f"{path}: {name}: missing {sorted(wanted - there)}, unknown {sorted(there - wanted)}.")
    return Indicator(**{**entry, "source_events": tuple(entry["source_events"])}, theme=theme)
