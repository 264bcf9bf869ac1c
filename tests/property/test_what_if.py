"""What-if counts what an independent count counts: the oracle's verdicts of a simulated country under both policies."""

from __future__ import annotations

import shutil
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from streams.detect.dossier import Dossier
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import PersonEvent
from streams.report.what_if import compare
from streams.simulate import Rates, Simulation
from tests.oracle.calculator import end_of_day, known_by
from tests.oracle.judge import judge
from tests.oracle.time import Calendar

SHIPPED = Path(__file__).parents[2] / "streams" / "policy" / "kz"
PEOPLE, DAYS, SEED = 300, 75, 11

CHANGES = {
    "registration took five days, not three": (
        "registration.yaml",
        "{from: 2020-01-11, value: 3, ",
        "{from: 2020-01-11, value: 5, ",
    ),
    "an entry allowed twenty days, not thirty": ("stay.yaml", "days_per_entry: 30", "days_per_entry: 20"),
    "citizens of the Union had thirty days in any half year": (
        "stay.yaml",
        "{days_per_entry: null, days_in_window: 90, window_days: 180, anchor: rolling}",
        "{days_per_entry: null, days_in_window: 30, window_days: 180, anchor: rolling}",
    ),
}


@cache
def country() -> dict[str, list[PersonEvent]]:
    people: dict[str, list[PersonEvent]] = {}
    for message in Simulation(PEOPLE, DAYS, SEED, rates=Rates(corrupt=0), policy=load("kz")).events():
        if isinstance(message, PersonEvent):
            people.setdefault(message.subject, []).append(message)
    return people


def found(events: list[PersonEvent], policy: Policy, first: int, last: int) -> dict[tuple[str, int, int], tuple[int, int | None]]:
    """Returns first and last day of what the oracle concludes within some days, by rule, stay and number within them."""
    calendar = Calendar(policy)
    verdict = judge(known_by(events, calendar, last), policy, end_of_day(calendar, last))
    spans = sorted(
        (one.rule, one.stay_on, one.first_day_on, one.last_day_on)
        for one in verdict.conclusions.values()
        if one.family != "reminder" and one.first_day_on <= last and (one.last_day_on is None or one.last_day_on >= first)
    )
    numbers: Counter[tuple[str, int]] = Counter()
    by_place: dict[tuple[str, int, int], tuple[int, int | None]] = {}
    for rule, stay_on, begins, ends in spans:
        by_place[rule, stay_on, numbers[rule, stay_on]] = (begins, ends)
        numbers[rule, stay_on] += 1
    return by_place


@pytest.mark.parametrize("change", CHANGES)
def test_what_if_counts_what_the_oracle_counts(change: str, tmp_path: Path) -> None:
    file, old, new = CHANGES[change]
    directory = Path(shutil.copytree(SHIPPED, tmp_path / "kz"))
    text = (directory / file).read_text(encoding="utf-8")
    assert old in text, f"{file} says {old!r} no more"
    (directory / file).write_text(text.replace(old, new), encoding="utf-8")
    before, after = load("kz"), load(directory)
    calendar = Calendar(before)
    days = sorted(calendar.local_day(event.occurred_at) for events in country().values() for event in events)
    first, last = days[len(days) // 3], days[-1]
    dossiers = []
    changed = 0
    counted: dict[str, Counter[str]] = {}
    for subject, events in country().items():
        dossier = Dossier(subject)
        for event in events:
            dossier = dossier.add(event)
        dossiers.append(dossier)
        was, would = found(events, before, first, last), found(events, after, first, last)
        for place in was.keys() | would.keys():
            kind = "newly" if place not in was else "no_longer" if place not in would else "same"
            kind = "changed" if kind == "same" and was[place] != would[place] else kind
            counted.setdefault(place[0], Counter())[kind] += 1
        changed += was != would
    outcome = compare(dossiers, before, after, (first, last))
    assert (outcome.people, outcome.people_changed) == (len(country()), changed)
    assert outcome.by_rule == counted
    assert changed > 0
