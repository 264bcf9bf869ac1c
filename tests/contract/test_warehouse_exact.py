"""The marts are exact: the same answers however a log was delivered, and what is counted is what is computed from every fact."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.records import Alert, BorderCrossing, DeadLetter, IdentityLink, Kandas, StayRegistration
from streams.warehouse.embedded import Embedded
from tests.contract.warehouse import deliver, deliveries, empty, everything, recounted
from tests.integration.indicator_facts import at, fact
from tests.unit.warehouse.made import DAY_MS, correction, crossing, event_id, make

pytestmark = pytest.mark.integration

IN_THE_LOG = ("topic", "partition", "offset", "received_at", "log_partition", "log_offset", "received_on")
PEOPLE = "abcd"
AT_ONCE = 4
"""Pieces a log is delivered in, at most: each is counted, and that is what takes the time."""


def numbered(person: str, number: int) -> int:
    """Returns a number that is one person's: an event's id is of one event."""
    return 100 * (1 + PEOPLE.index(person)) + number


def crossed(person: str, number: int, direction: str, day: int) -> BorderCrossing:
    return crossing(numbered(person, number), f"p1-{person}", direction, day)


def noticed(person: str, number: int, kind: str, day: int) -> StayRegistration:
    values = {"kind": kind, "oblast": "KZ-71", "recorded_at": at(day + 2)}
    return fact(StayRegistration, numbered(person, number), f"p1-{person}", day, **values)


def linked(number: int, pair: str, kind: str, day: int) -> IdentityLink:
    """Returns a link of two people, or its undoing, told of the first or of the second."""
    values = {"kind": kind, "link_id": event_id(990 + number % 3), "other_subject": f"p1-{pair[1]}"}
    return fact(IdentityLink, 900 + number, f"p1-{pair[0]}", day, **values)


def corrected(number: int, person: str, of: int, day: int) -> Any:
    return correction(800 + number, of, f"p1-{person}", recorded_at=at(day))


def alerted(number: int, person: str, version: int, state: Any) -> Alert:
    rule = ("overstay_visa", "arrival_not_notified")[number % 2]
    return make(
        Alert,
        alert_id=event_id(1000 + numbered(person, number)),
        subject=f"p1-{person}",
        version=version,
        state=state,
        rule=rule,
        stay_on=at(0) // DAY_MS,
        reason="registered" if state == "resolved" else "raised",
    )


_DAYS = st.integers(0, 4)
_WHO = st.sampled_from(PEOPLE)
EVENTS = st.lists(
    st.one_of(
        st.builds(crossed, _WHO, st.integers(1, 6), st.sampled_from(["entry", "entry", "exit", "refusal"]), _DAYS),
        st.builds(noticed, _WHO, st.integers(11, 13), st.sampled_from(["arrival", "extension", "deregistration"]), _DAYS),
        st.builds(
            linked,
            st.integers(1, 8),
            st.sampled_from(["ab", "ba", "bc", "cd", "ad"]),
            st.sampled_from(["linked", "unlinked"]),
            _DAYS,
        ),
        st.builds(
            corrected,
            st.integers(1, 8),
            _WHO,
            st.one_of(st.integers(1, 8).map(lambda n: 900 + n), st.integers(1, 6).map(lambda n: 100 + n), st.integers(801, 808)),
            st.integers(0, 6),
        ),
        st.builds(alerted, st.integers(1, 4), _WHO, st.integers(1, 3), st.sampled_from(["raised", "resolved", "retracted"])),
        st.builds(
            lambda number, size: make(Kandas, event_id=event_id(number), family_size=size), st.integers(30, 34), st.integers(1, 6)
        ),
    ),
    min_size=1,
    max_size=40,
)


@given(events=EVENTS, data=st.data())
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_delivery_of_the_same_log_changes_any_mart_and_each_says_what_every_fact_says(
    engine: Embedded, events: list[Any], data: st.DataObject
) -> None:
    """In other pieces, each counted, parts of them twice, dead letters early or late, links made and undone in any order."""
    log = deliveries(events)
    refused = data.draw(st.lists(st.integers(0, len(log) - 1), max_size=3, unique=True), label="the worker refuses")
    letters = deliveries(
        [make(DeadLetter, topic="t.people", partition=0, offset=offset) for offset in refused], topic="t.dead-letters"
    )
    empty(engine)
    deliver(engine, [*log, *letters])
    expected = everything(engine)
    empty(engine)
    pieces = data.draw(st.integers(1, AT_ONCE), label="pieces")
    ends = sorted(data.draw(st.lists(st.integers(1, len(log)), min_size=pieces - 1, max_size=pieces - 1), label="up to"))
    told = 0
    start = 0
    for stop in (*ends, len(log)):
        known = data.draw(st.integers(told, len(letters)), label="letters")
        deliver(engine, [*log[start:stop], *letters[told:known]], cut=data.draw(st.integers(1, 9), label="cut"))
        told = known
        start = data.draw(st.integers(start, stop), label="again from")
    deliver(engine, [*log[: data.draw(st.integers(0, len(log)), label="and once more")], *letters])
    assert everything(engine) == expected
    for mart, (said, must) in recounted(engine).items():
        assert said == must, mart


def test_counts_broken_off_half_way_count_once_when_they_are_tried_again(engine: Embedded) -> None:
    log = deliveries(
        [
            *(crossing(number, f"p1-{number % 7}", "exit" if number % 2 else "entry", number) for number in range(1, 40)),
            make(IdentityLink, event_id=event_id(90), subject="p1-1", other_subject="p1-2", occurred_at=at(0), recorded_at=at(0)),
        ]
    )
    deliver(engine, log[:20])
    run = engine.command
    for survive in range(24):
        left = iter(range(survive))

        def dies(sql: str, left: Any = left) -> None:
            if next(left, None) is None:
                raise SystemExit("killed")
            run(sql)

        engine.command = dies  # type: ignore[method-assign]
        try:
            deliver(engine, log[20:])
        except SystemExit:
            pass
        finally:
            engine.command = run  # type: ignore[method-assign]
    deliver(engine, log)
    for mart, (said, must) in recounted(engine).items():
        assert said == must, mart


@given(events=st.lists(st.integers(1, 8), min_size=1, max_size=20), data=st.data())
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_repeats_and_another_order_change_nothing_but_the_place_in_the_log(
    engine: Embedded, events: list[int], data: st.DataObject
) -> None:
    facts: list[BorderCrossing] = [
        crossing(number, f"p1-{number % 3}", "exit" if number % 2 else "entry", number) for number in events
    ]
    empty(engine)
    deliver(engine, deliveries(dict.fromkeys(facts)))
    expected = everything(engine, *IN_THE_LOG)
    empty(engine)
    deliver(engine, deliveries(data.draw(st.permutations(facts))), cut=3)
    found = everything(engine, *IN_THE_LOG)
    for answers in (expected, found):
        del answers["mart_repeats_by_publisher"]  # what it counts is how often something was said
    assert found == expected
