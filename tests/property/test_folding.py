"""Folding changes no answer: with and without it, the same is told on every later day and under whatever comes later."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from streams.detect.assess import assess
from streams.detect.calculator import calculate
from streams.detect.dossier import Dossier
from streams.detect.folding import fold
from streams.detect.ledger import ledger
from streams.detect.logtime import LogTime
from streams.person import START, Cause, revisit, take
from streams.person.state import unpack
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import BorderCrossing, Inspection, PersonEvent, StayRegistration, Tick
from tests.property.lives import DAY_MS, SUBJECT, Life, lives, number_of, short_lives
from tests.property.test_calculator_agreement import numbers
from tests.property.test_oracle_agreement import story

ROOT = Path(__file__).parents[2]
NIGHTLY = os.environ.get("SHEKARA_TEST_PROFILE") == "nightly"

pytestmark = pytest.mark.timeout(0 if NIGHTLY else 300)

often = settings(
    max_examples=10_000 if NIGHTLY else 150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
POLICIES = ("kz", "kz", "rolling-90-180", "first-entry", "per-entry")
"""Those with nothing but an allowance are given a retention clock: without one nothing folds."""

FOUR_YEARS_MS = 4 * 366 * DAY_MS


@st.composite
def travels(draw: st.DrawFn) -> list[PersonEvent]:
    """Draws visits of long ago, most of them in order: notified, checked, left in time."""
    events: list[PersonEvent] = []
    day = draw(st.sampled_from((17_000, 18_200, 18_300, 19_000)))
    citizenship = draw(st.sampled_from(("UZB", "RUS", "RUS", "CHN", "KAZ", "IRQ")))

    def write(kind: type[PersonEvent], minute: int, *own: object) -> None:
        at = day * DAY_MS + minute * 60_000
        number = len(events) + 1
        events.append(kind(bytes([7, number]) + bytes(14), SUBJECT, at, at, "", 0, *own))

    for _ in range(draw(st.integers(1, 8))):
        day += draw(st.sampled_from((0, 1, 1, 20, 60, 90, 200)))
        length = draw(st.sampled_from((0, 0, 1, 2, 3, 10, 29, 35)))
        seldom = draw(st.integers(0, 40))
        if seldom != 1:
            write(BorderCrossing, 300, "entry", "KZ-75-A1", citizenship, "private", "passport", "air", None, None)
        if seldom % 4:
            write(StayRegistration, 400, "arrival", "KZ-75", None, "hotel", None, day, None)
        if seldom in (4, 5):
            kind = "worker_found" if seldom == 4 else "in_country_check"
            write(Inspection, 500, kind, number_of("visit", 9), "KZ-75", None, None, None)
        day += length
        if seldom != 2:
            write(BorderCrossing, 600, "exit", "KZ-61-R1", citizenship, "private", "passport", "road", None, None)
    return events


def moved(events: Iterable[PersonEvent | Tick], by_ms: int) -> list[Any]:
    """Returns events so much later."""
    days = by_ms // DAY_MS
    found = []
    for one in events:
        changes: dict[str, Any] = {"occurred_at": one.occurred_at + by_ms, "recorded_at": one.recorded_at + by_ms}
        for name in getattr(type(one), "__slots__", ()):
            if name.endswith("_on") and getattr(one, name) is not None:
                changes[name] = getattr(one, name) + days
        if isinstance(one, Tick):
            changes["complete_through_at"] = one.complete_through_at + by_ms
        found.append(replace(one, **changes))
    return found


def told(log: Iterable[PersonEvent | Tick], rules: Policy) -> tuple[list[Any], list[bytes | None]]:
    """Returns everything told of a person, and the state after every record, as an agent goes about it."""
    versions: list[Any] = []
    states: list[bytes | None] = []
    state: bytes | None = None
    time = START
    for record in log:
        cause = Cause(record.event_id, record.recorded_at)
        if isinstance(record, Tick):
            time = time.after(record)
            step = None if state is None else revisit(state, SUBJECT, time, cause, rules)
        else:
            step = take(state, record, time, cause, rules)
        if step is not None:
            state = state if step.state is None else step.state
            versions.append((step.alerts, step.findings, step.cases, step.due))
        states.append(state)
    return versions, states


@cache
def policy(name: str) -> Policy:
    if name == "kz":
        return load(name)
    shipped = ROOT / "streams" / "policy" / name / "policy.yaml"
    file = shipped if shipped.exists() else ROOT / "tests" / "policy" / "policies" / f"{name}.yaml"
    text = file.read_text(encoding="utf-8")
    unset = "    - retention_after_exit_years\n"
    assert text.count(unset) == 1
    kept = (
        "\n  retention_after_exit_years:\n    description: {kk: x, ru: x, en: x}\n    unit: years\n"
        "    values:\n      - {from: 2007-01-01, value: 3, source: as in kz, confidence: medium}\n"
    )
    with TemporaryDirectory() as directory:
        own = Path(directory) / f"{name}.yaml"
        own.write_text(text.replace(unset, "").replace("\nparameters:\n", f"\nparameters:{kept}", 1), encoding="utf-8")
        return load(own)


def dossier_of(events: list[PersonEvent]) -> Dossier:
    dossier = Dossier(SUBJECT)
    for one in events:
        dossier = dossier.add(one)
    return dossier


def tick(at_ms: int) -> Tick:
    return Tick(b"tick".ljust(16, b"-"), "wall", at_ms, at_ms, "", 1, at_ms, ())


@often
@given(old=travels(), new=lives() | short_lives(), name=st.sampled_from(POLICIES))
def test_what_is_told_is_told_with_and_without_folding(old: list[PersonEvent], new: Life, name: str) -> None:
    rules = policy(name)
    log, between_on = years_apart(old, new)
    folded, states = told(log, rules)
    plain, plain_states = told_without_folding(log, rules)
    gone = folded_stays(states)
    # What is late by years after its own visit was folded is promised nothing.
    assume(all(stay_on < between_on for stay_on in gone))
    assert without(folded, gone) == without(plain, gone), story(Life(tuple(log)), [f"folded: {sorted(gone)}"])
    last, last_plain = states[-1], plain_states[-1]
    if last is not None and last_plain is not None:
        assert len(last) <= len(last_plain)


def years_apart(old: list[PersonEvent], new: Life) -> tuple[list[Any], int]:
    """Returns visits, a tick four years later, and then another life; and the tick's day."""
    between = old[-1].occurred_at + FOUR_YEARS_MS
    starts = min((one.occurred_at for one in new.log), default=between)
    return [*old, tick(between), *moved(new.log, (between - starts) // DAY_MS * DAY_MS + DAY_MS)], between // DAY_MS


def told_without_folding(log: list[Any], rules: Policy) -> tuple[list[Any], list[bytes | None]]:
    """Returns what `told` returns, of a program that does not fold."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streams.person.advance.fold", lambda dossier, assessment, time: dossier)
        return told(log, rules)


def folded_stays(states: list[bytes | None]) -> set[int]:
    last = states[-1]
    folded = None if last is None else unpack(last, SUBJECT).dossier.folded
    return set() if folded is None else {visit.stay_on for visit in folded.visits}


def without(versions: list[Any], gone: set[int]) -> list[Any]:
    """Leaves out what is told anew about a folded visit: nothing more is concluded about it (docs/rules.md, Folding)."""
    return [
        (*([one for one in told if one.stay_on not in gone] for told in (alerts, findings, cases)), None if gone else due)
        for alerts, findings, cases, due in versions
    ]


@often
@given(old=travels(), more=travels(), name=st.sampled_from(POLICIES), later=st.integers(0, 400))
def test_the_calculator_and_the_ledger_say_the_same(
    old: list[PersonEvent], more: list[PersonEvent], name: str, later: int
) -> None:
    rules = policy(name)
    between = old[-1].occurred_at + FOUR_YEARS_MS
    new = [
        replace(one, event_id=b"\x09" + one.event_id[1:])
        for one in moved(more, (between - more[0].occurred_at) // DAY_MS * DAY_MS + DAY_MS)
    ]
    time = LogTime(between, between, ())
    plain = dossier_of(old)
    folded = fold(plain, assess(plain, rules, time), time)
    again = Dossier.unpack(folded.pack(), SUBJECT)
    assert again == folded
    for one in new:
        plain, again = plain.add(one), again.add(one)
    on = between // DAY_MS + later
    assert numbers(calculate(again, rules, on)) == numbers(calculate(plain, rules, on))
    now = LogTime(on * DAY_MS, on * DAY_MS, ())
    assert [
        (line.first_on, line.last_on, line.standing, line.titles) for line in ledger(assess(again, rules, now).situation)
    ] == [(line.first_on, line.last_on, line.standing, line.titles) for line in ledger(assess(plain, rules, now).situation)]


@often
@given(old=travels(), name=st.sampled_from(POLICIES), chance=st.randoms(use_true_random=False))
def test_what_comes_again_after_it_was_folded_changes_nothing(old: list[PersonEvent], name: str, chance: Any) -> None:
    rules = policy(name)
    time = LogTime(old[-1].occurred_at + FOUR_YEARS_MS, 0, ())
    dossier = dossier_of(old)
    folded = fold(dossier, assess(dossier, rules, time), time)
    assert fold(folded, assess(folded, rules, time), time) is folded
    repeated = list(old)
    chance.shuffle(repeated)
    for one in repeated:
        assert folded.add(one) is folded
