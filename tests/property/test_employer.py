"""Laws of one employer's step: what holds in the end depends on what was declared, not on when we heard of it."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from itertools import groupby
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.employer import take
from streams.employer.state import unpack
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import Alert, EmployerDeclaration
from tests.property.declarations import EMPLOYER, declarations, declared

QUICK = settings(max_examples=max(settings().max_examples // 2, 1), deadline=None, suppress_health_check=list(HealthCheck))
OPEN = ("raised", "amended", "acknowledged")


@cache
def kz() -> Policy:
    return load("kz")


def lived(facts: list[EmployerDeclaration]) -> tuple[bytes, list[Alert]]:
    state: bytes | None = None
    told: list[Alert] = []
    for fact in facts:
        step = take(state, fact, 7, kz())
        assert step.findings == ()
        told += step.alerts
        state = step.state or state
    assert state is not None
    return state, told


def holds(told: list[Alert]) -> dict[bytes, tuple[Any, ...]]:
    """Returns what the last versions say, but for what history may differ in: number, cause and reason of an amendment."""
    last = {one.alert_id: one for one in told}
    return {
        name: (
            "open" if one.state in OPEN else one.state,
            *(one.first_day_on, one.last_day_on, one.days, one.oblast, one.sector, one.employer, one.evidence, one.options),
        )
        for name, one in last.items()
        if one.state != "retracted"
    }


def by_hand(facts: list[EmployerDeclaration]) -> dict[bytes, tuple[Any, ...]]:
    """Returns what must hold, from docs/rules.md alone: no code of the rule's."""

    def contents(one: EmployerDeclaration) -> bytes:
        own = (one.as_of_on, one.oblast, one.sector, one.size)
        counts = (one.citizens_12, one.citizens_34, one.foreigners_12, one.foreigners_34)
        text = json.dumps(["employer_declaration", one.occurred_at, *own, *counts], separators=(",", ":"))
        return text.encode()

    one_per_id: dict[bytes, EmployerDeclaration] = {}
    for one in sorted(facts, key=lambda one: (one.recorded_at, contents(one)), reverse=True):
        one_per_id[one.event_id] = one
    by_day = sorted(one_per_id.values(), key=lambda one: (one.as_of_on, one.recorded_at, one.event_id))
    days = [list(group)[-1] for _, group in groupby(by_day, key=lambda one: one.as_of_on)]

    def low(one: EmployerDeclaration) -> bool:
        return one.foreigners_12 * 10 > (one.foreigners_12 + 70) * 3 or one.foreigners_34 * 10 > one.foreigners_34 + 90

    found: dict[bytes, tuple[Any, ...]] = {}
    runs = [(is_low, list(run)) for is_low, run in groupby(days, key=low)]
    for index, (is_low, run) in enumerate(runs):
        if not is_low:
            continue
        first, last = run[0], run[-1]
        end = runs[index + 1][1][0] if index + 1 < len(runs) else None
        rests_on = sorted([*run, *([end] if end else [])], key=lambda one: (one.occurred_at, one.event_id))
        name = f"employer_citizen_share|{EMPLOYER}|{first.as_of_on}|{first.as_of_on - 1}"
        found[sha256(name.encode()).digest()[:16]] = (
            "resolved" if end else "open",
            *(first.as_of_on, end.as_of_on if end else None),
            end.as_of_on - first.as_of_on if end else last.as_of_on - first.as_of_on + 1,
            *(last.oblast, "F", EMPLOYER, tuple(one.event_id for one in rests_on), ("correct_record", "dispute_record")),
        )
    return found


@QUICK
@given(declarations(), st.randoms(use_true_random=False))
def test_order_and_duplicates_change_nothing_that_holds_and_it_is_what_the_page_says(
    facts: list[EmployerDeclaration], dice: Any
) -> None:
    other = [*facts, *facts[: len(facts) // 2]]
    dice.shuffle(other)
    state, told = lived(facts)
    state_again, told_again = lived(other)
    assert holds(told) == holds(told_again) == by_hand(facts)
    assert unpack(state, EMPLOYER).headcounts.declarations == unpack(state_again, EMPLOYER).headcounts.declarations


@QUICK
@given(declarations())
def test_versions_count_and_never_repeat_what_was_told(facts: list[EmployerDeclaration]) -> None:
    _, told = lived(facts)
    latest: dict[bytes, Alert] = {}
    for one in told:
        before = latest.get(one.alert_id)
        assert one.version == (before.version + 1 if before else 1)
        assert one.state != "retracted" or before is not None
        assert one.state not in ("raised", "amended") or (before is None or before.state not in OPEN) is (one.state == "raised")
        latest[one.alert_id] = one


@QUICK
@given(declarations())
def test_a_state_comes_back_from_its_bytes(facts: list[EmployerDeclaration]) -> None:
    state, _ = lived(facts)
    assert unpack(state, EMPLOYER).pack() == state


def test_what_is_known_already_changes_nothing() -> None:
    fact = declared(1, 19_000, foreigners_12=31)
    state, _ = lived([fact])
    step = take(state, fact, 8, kz())
    assert (step.state, step.alerts, step.findings) == (None, (), ())
