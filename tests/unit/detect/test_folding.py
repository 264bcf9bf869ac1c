"""Visits whose retention clock ran out fold into their days; what something was found about, or could still be, stays whole."""

from __future__ import annotations

from functools import cache

import pytest

from streams.detect.assess import assess
from streams.detect.dossier import Dossier
from streams.detect.folded import Visit
from streams.detect.folding import fold
from streams.detect.logtime import LogTime
from streams.person import Cause, revisit, take
from streams.person.state import unpack
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import Dispute, PersonEvent
from tests.unit.detect.facts import SUBJECT, at, correction, day, entry, leave, notice, number, visa

VISIT = (entry(1, "2020-03-01"), notice(2, "2020-03-02"), leave(3, "2020-03-10"))


@cache
def _kz() -> Policy:
    return load("kz")


def _after(*facts: PersonEvent, on: str = "2024-06-01") -> Dossier:
    dossier = Dossier(SUBJECT)
    for fact in facts:
        dossier = dossier.add(fact)
    time = LogTime(at(on), at(on), ())
    return fold(dossier, assess(dossier, _kz(), time), time)


def test_a_clean_visit_folds_the_day_its_three_years_are_over() -> None:
    assert _after(*VISIT, on="2023-03-10").folded is None
    folded = _after(*VISIT, on="2023-03-11")
    assert folded.facts == ()
    assert folded.folded is not None
    assert folded.folded.visits == (Visit(day("2020-03-01"), day("2020-03-10"), "UZB"),)
    assert folded.folded.line_ms == at("2020-03-10")


def test_the_clock_is_the_logs_not_a_facts() -> None:
    dossier = _after(*VISIT)
    wrong = Dossier(SUBJECT, VISIT).add(entry(9, "2090-01-01"))
    time = LogTime(at("2021-01-01"), 0, ())
    assert fold(wrong, assess(wrong, _kz(), time), time) is wrong
    assert dossier.folded is not None


@pytest.mark.parametrize(
    "facts",
    [
        (entry(1, "2020-03-01"), leave(3, "2020-03-20")),  # arrival not notified
        (entry(1, "2020-03-01"), notice(2, "2020-03-02"), leave(3, "2020-05-10")),  # overstay
        (entry(1, "2020-03-01"), notice(2, "2020-03-02")),  # no exit
        (leave(3, "2020-03-10"),),  # no entry
        (entry(1, "2020-03-01"), notice(2, "2020-03-02", "extension", "2020-04-15"), leave(3, "2020-03-10")),  # a title
        (*VISIT, correction(4, "2020-04-01", 1)),
        (*VISIT, Dispute(number(5), SUBJECT, at("2020-04-02"), at("2020-04-02"), "", 0, "opened", number(77), number(3), None)),
    ],
)
def test_what_something_was_found_about_stays_whole(facts: tuple[PersonEvent, ...]) -> None:
    dossier = _after(*facts)
    assert dossier.folded is None
    assert len(dossier) == len(facts)


def test_titles_stay_and_notices_go_with_their_visit() -> None:
    dossier = _after(visa(7, "2020-01-01", "2020-12-31"), *VISIT, notice(8, "2020-02-20"))
    assert [one.event_id for one in dossier.facts] == [number(7)]


def test_a_late_exit_of_a_stay_that_was_kept_is_taken_and_of_one_that_was_folded_is_not() -> None:
    lost = (entry(11, "2019-01-01"), entry(12, "2019-06-01"), notice(13, "2019-06-02"), leave(14, "2019-06-05"))
    dossier = _after(*lost, *VISIT)
    assert dossier.folded is not None
    assert len(dossier) == len(lost)
    assert dossier.add(leave(15, "2019-01-20")) is not dossier
    assert dossier.add(leave(16, "2020-03-05")) is dossier
    assert dossier.add(entry(17, "2020-03-12")) is not dossier


def test_a_second_folding_adds_to_the_first() -> None:
    first = _after(*VISIT)
    later = (entry(21, "2021-03-01"), notice(22, "2021-03-02"), leave(23, "2021-03-10"))
    for fact in later:
        first = first.add(fact)
    time = LogTime(at("2025-01-01"), 0, ())
    second = fold(first, assess(first, _kz(), time), time)
    assert second.folded is not None
    assert [visit.stay_on for visit in second.folded.visits] == [day("2020-03-01"), day("2021-03-01")]
    assert Dossier.unpack(second.pack(), SUBJECT) == second


def test_two_hundred_crossings_take_four_bytes_a_visit_once_they_are_folded() -> None:
    facts = [
        fact
        for n in range(100)
        for fact in (
            entry(3 * n + 1, f"{2010 + n // 12}-{n % 12 + 1:02}-05"),
            notice(3 * n + 2, f"{2010 + n // 12}-{n % 12 + 1:02}-06"),
            leave(3 * n + 3, f"{2010 + n // 12}-{n % 12 + 1:02}-09"),
        )
    ]
    state: bytes | None = None
    for fact in facts:
        time = LogTime(fact.occurred_at, fact.occurred_at, ())
        state = take(state, fact, time, Cause(fact.event_id, fact.recorded_at), _kz()).state or state
    assert state is not None
    mostly = unpack(state, SUBJECT).dossier
    assert mostly.folded is not None
    assert len(mostly.folded.visits) + len(mostly) // 3 == 100
    last = entry(999, "2024-01-01")
    state = take(state, last, LogTime(at("2024-01-01"), 0, ()), Cause(last.event_id, 0), _kz()).state
    assert state is not None
    folded = unpack(state, SUBJECT).dossier
    assert (len(folded), folded.folded is not None and len(folded.folded.visits)) == (1, 100)
    assert len(state) < 500
    again = revisit(state, SUBJECT, LogTime(at("2024-01-02"), 0, ()), Cause(number(1), 0), _kz())
    assert again.state is None or unpack(again.state, SUBJECT).dossier == folded


def test_without_a_retention_clock_nothing_folds() -> None:
    policy = load("rolling-90-180")
    dossier = Dossier(SUBJECT, VISIT)
    time = LogTime(at("2040-01-01"), 0, ())
    assert fold(dossier, assess(dossier, policy, time), time) is dossier
