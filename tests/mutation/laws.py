"""The laws mutants have to break: the tables, lives and lists of stays, with what the oracle says of them worked out once.

Not collected by `make test`, where each of these laws has a test of its own that draws afresh. A mutant must not pay for the
oracle: what it says does not depend on `detect`, so it is worked out before the first mutant and kept.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from streams.detect.calculator import calculate
from streams.detect.dossier import Dossier
from streams.detect.plain_stays import crossings_of
from streams.policy.model import Policy
from tests.oracle.calculator import Calculator
from tests.oracle.judge import Verdict, judge
from tests.oracle.time import date_of
from tests.policy.table import cases, events_of, read_case
from tests.policy.test_tables import test_the_system_says_what_the_table_says as compare_table_case
from tests.property.lives import SUBJECT, Life, lives, short_lives
from tests.property.test_calculator_agreement import STAYS, dated, numbers
from tests.property.test_oracle_agreement import SHORT_STAY, clock_of, differences, policy, story, stream

T = TypeVar("T")

LIVES, LISTS = 300, 150


def drawn(strategy: st.SearchStrategy[T], count: int) -> list[T]:
    """Returns values of a strategy, the same ones every time."""
    found: list[T] = []

    @settings(
        max_examples=count, derandomize=True, database=None, phases=[Phase.generate], deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def draw(value: T) -> None:
        found.append(value)

    draw()
    return found


def kept(what: str, work_out: Callable[[], T]) -> T:
    """Returns what was worked out once: from the file in the folder ``SHEKARA_MUTATION_KEPT`` names, if it is there."""
    folder = os.environ.get("SHEKARA_MUTATION_KEPT")
    if folder is None:
        return work_out()
    file = Path(folder) / f"{what}.pickle"
    if not file.exists():
        file.write_bytes(pickle.dumps(work_out()))
    found: T = pickle.loads(file.read_bytes())  # noqa: S301 - our own file
    return found


@cache
def judged() -> list[tuple[Life, str, Verdict]]:
    """Returns lives, the policy each is judged under, and what the oracle says."""
    return kept("lives", _judged)


def _judged() -> list[tuple[Life, str, Verdict]]:
    names = st.sampled_from(["kz", "kz", "kz", "kz", *SHORT_STAY])
    return [
        (life, name, judge(life.events, policy(name), *clock_of(life)))
        for life, name in drawn(st.tuples(lives() | short_lives(), names), LIVES)
    ]


Question = tuple[Any, str, int, int | None, str, dict[str, object]]
"""A life or a list of stays, the policy, the day, the entry and the citizenship asked for, and what the oracle answers."""


@cache
def reckoned() -> list[Question]:
    """Returns questions and the oracle's answers."""
    return kept("answers", _reckoned)


def _reckoned() -> list[Question]:
    found: list[Question] = []
    names = st.sampled_from(["kz", *SHORT_STAY])
    ahead = st.none() | st.integers(-30, 200)
    citizenships = st.sampled_from(["UZB", "RUS", "IND", "CHN", "IRQ", "KAZ", "XXX"])
    lists = drawn(st.tuples(STAYS, citizenships, names, st.integers(19_590, 20_400), ahead), LISTS)
    for stays, citizenship, name, on, later in lists:
        row: dict[str, Any] = {
            "name": "drawn", "policy": name, "citizenship": citizenship, "on": date_of(on), "expected": {}, "source": "",
            "reasoning": "", "stays": [(date_of(first), dated(last)) for first, last in stays],
        }  # fmt: skip
        entry = None if later is None else on + later
        said = numbers(Calculator(events_of(read_case(row, "drawn")), policy(name), on, citizenship).answer(entry))
        found.append((stays, name, on, entry, citizenship, said))
    for life, name, on, later in drawn(st.tuples(lives(), names, st.integers(19_590, 20_000), ahead), LISTS // 3):
        entry = None if later is None else on + later
        said = numbers(Calculator(life.events, policy(name), on, "UZB").answer(entry))
        found.append((life, name, on, entry, "UZB", said))
    return found


def _dossier(about: Any, citizenship: str, rules: Policy) -> Dossier:
    if not isinstance(about, Life):
        return crossings_of(citizenship, about, rules)
    dossier = Dossier(SUBJECT)
    for event in about.events:
        dossier = dossier.add(event)
    return dossier


@cache
def table() -> list[Any]:
    """Returns the cases of the tables."""
    return [case for _, case in cases()]


def every_case_of_the_tables() -> None:
    for case in table():
        compare_table_case(case)


def every_life() -> None:
    for life, name, verdict in judged():
        faults = differences(stream(life.log, policy(name)), verdict)
        assert not faults, story(life, faults)


def every_number_of_the_calculator() -> None:
    for about, name, on, entry, citizenship, said in reckoned():
        rules = policy(name)
        got = calculate(_dossier(about, citizenship, rules), rules, on, entry=entry, citizenship=citizenship)
        assert numbers(got) == said, date_of(on)


EVERY = (every_life, every_number_of_the_calculator, every_case_of_the_tables)
"""All of them, the fast first."""
