"""The laws mutants have to break: tables, lives, lists of stays, workforces and declarations, with the oracle's word on them.

Not collected by `make test`, where each of these laws has a test of its own that draws afresh. A mutant must not pay for the
oracle: what it says does not depend on `detect`, so it is worked out before the first mutant and kept. A law is cut into
cases, so that the case that killed one mutant of a function can be the first asked of the next.
"""

from __future__ import annotations

import os
import pickle
import random
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from streams.detect.calculator import calculate
from streams.detect.dossier import Dossier
from streams.detect.plain_stays import crossings_of
from streams.policy.model import Policy
from streams.records import EmployerDeclaration
from tests.oracle.calculator import Calculator
from tests.oracle.country import Concluded
from tests.oracle.judge import Verdict, judge
from tests.oracle.labour import judge_labour
from tests.oracle.time import date_of
from tests.policy import labour_table
from tests.policy.table import cases, events_of, read_case
from tests.policy.test_labour_tables import clock_of as clock_of_labour
from tests.policy.test_labour_tables import compare as compare_labour
from tests.policy.test_labour_tables import said_by_the_lane
from tests.policy.test_tables import test_the_system_says_what_the_table_says as compare_table_case
from tests.property import labour_stream, test_employer, test_folding, test_labour
from tests.property.declarations import declarations
from tests.property.lives import SUBJECT, Life, lives, short_lives
from tests.property.test_calculator_agreement import STAYS, dated, numbers
from tests.property.test_oracle_agreement import SHORT_STAY, clock_of, differences, ledger_differences, policy, story, stream
from tests.property.workforces import Workforce, small, workforces

T = TypeVar("T")

LIVES, LISTS, TRAVELLERS, WORKFORCES, EMPLOYERS = 300, 60, 80, 150, 60

Check = tuple[str, Callable[[], None]]
"""A name, the same in every process, and what fails where a mutant was noticed."""


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
def travelled() -> list[tuple[list[Any], str, set[int], list[Any]]]:
    """Returns lives in which visits fold, under which policy, which of them do, and what is told where nothing folds."""
    return kept("travels", _travelled)


def _travelled() -> list[tuple[list[Any], str, set[int], list[Any]]]:
    found: list[tuple[list[Any], str, set[int], list[Any]]] = []
    names = st.sampled_from(test_folding.POLICIES)
    for old, new, name in drawn(st.tuples(test_folding.travels(), lives() | short_lives(), names), TRAVELLERS):
        log, between_on = test_folding.years_apart(old, new)
        gone = test_folding.folded_stays(test_folding.told(log, test_folding.policy(name))[1])
        if all(stay_on < between_on for stay_on in gone):
            plain, _ = test_folding.told_without_folding(log, test_folding.policy(name))
            found.append((log, name, gone, test_folding.without(plain, gone)))
    return found


def of_a_traveller(log: list[Any], name: str, gone: set[int], plain: list[Any]) -> None:
    versions, states = test_folding.told(log, test_folding.policy(name))
    assert test_folding.folded_stays(states) == gone
    assert test_folding.without(versions, gone) == plain


@cache
def employed() -> list[tuple[Workforce, dict[bytes, Concluded]]]:
    """Returns workforces, and what the oracle says of their employers and quotas."""
    return kept("workforces", _employed)


def _employed() -> list[tuple[Workforce, dict[bytes, Concluded]]]:
    found: list[tuple[Workforce, dict[bytes, Concluded]]] = []
    for force in drawn(workforces(), WORKFORCES):
        events = [event for one in force.people.values() for event in one]
        found.append((force, judge_labour(events, force.declarations, force.allocations, small(), force.now_ms)))
    return found


@cache
def labour_cases() -> list[tuple[str, labour_table.LabourCase, dict[bytes, Concluded]]]:
    """Returns the cases of the tables about employers and quotas, with the oracle's conclusions."""
    return kept("labour-cases", _labour_cases)


def _labour_cases() -> list[tuple[str, labour_table.LabourCase, dict[bytes, Concluded]]]:
    found: list[tuple[str, labour_table.LabourCase, dict[bytes, Concluded]]] = []
    for name, case in labour_table.cases():
        facts = labour_table.facts_of(case)
        events = [event for events in facts.people.values() for event in events]
        rules, now_ms = labour_table.policy_of(case), clock_of_labour(case)
        found.append((name, case, judge_labour(events, facts.declarations, facts.allocations, rules, now_ms)))
    return found


@cache
def declared() -> list[list[EmployerDeclaration]]:
    """Returns sets of declarations of one employer."""
    return drawn(declarations(), EMPLOYERS)


def of_a_life(life: Life, name: str, verdict: Verdict) -> None:
    faults = differences(stream(life.log, policy(name)), verdict) + ledger_differences(life, policy(name), verdict)
    assert not faults, story(life, faults)


def of_a_number(question: Question) -> None:
    about, name, on, entry, citizenship, said = question
    rules = policy(name)
    got = calculate(_dossier(about, citizenship, rules), rules, on, entry=entry, citizenship=citizenship)
    assert numbers(got) == said, date_of(on)


def of_a_workforce(number: int, force: Workforce, expected: dict[bytes, Concluded]) -> None:
    faults = labour_stream.differences(test_labour.run(force, random.Random(number)), expected)
    assert not faults, test_labour.story(force, faults)


def of_a_labour_case(case: labour_table.LabourCase, expected: dict[bytes, Concluded]) -> None:
    facts, rules, now_ms = labour_table.facts_of(case), labour_table.policy_of(case), clock_of_labour(case)
    ticks = [labour_stream.tick(now_ms)]
    book = labour_stream.lived(facts.people, [facts.declarations, facts.allocations], ticks, rules, dice=random.Random(1))
    assert labour_stream.differences(book, expected) == []
    compare_labour(case.expected, said_by_the_lane(book))


def of_declarations(facts: list[EmployerDeclaration]) -> None:
    _, told = test_employer.lived(facts)
    assert test_employer.holds(told) == test_employer.by_hand(facts)


def of_people() -> list[Check]:
    """Returns the cases about one person each, the fast and telling first."""
    found: list[Check] = [(f"table {name}", partial(compare_table_case, case)) for name, case in cases()]
    found += [(f"life {number}", partial(of_a_life, *one)) for number, one in enumerate(judged())]
    found += [(f"traveller {number}", partial(of_a_traveller, *one)) for number, one in enumerate(travelled())]
    found += [(f"number {number}", partial(of_a_number, one)) for number, one in enumerate(reckoned())]
    return found


def of_workers() -> list[Check]:
    """Returns the cases about employers, their workers and quotas."""
    found: list[Check] = [(f"labour {name}", partial(of_a_labour_case, case, said)) for name, case, said in labour_cases()]
    found += [(f"declarations {number}", partial(of_declarations, one)) for number, one in enumerate(declared())]
    found += [(f"workforce {number}", partial(of_a_workforce, number, *one)) for number, one in enumerate(employed())]
    return found
