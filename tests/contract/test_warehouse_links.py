"""People with several pseudonyms count once, from the moment a link is known until it is undone: figures computed by hand."""

from __future__ import annotations

from typing import Any

import pytest

from streams.records import IdentityLink
from streams.warehouse.embedded import Embedded
from streams.wire.avro import Message
from tests.contract.warehouse import deliver, deliveries, recounted
from tests.integration.indicator_facts import alert, at, case, day, fact
from tests.unit.warehouse.made import correction, crossing, event_id

pytestmark = pytest.mark.integration


def link(number: int, one: str, other: str, kind: Any = "linked", *, of: int = 0, when: int = 10) -> IdentityLink:
    return fact(
        IdentityLink,
        500 + number,
        f"p1-{one}",
        when,
        other_subject=f"p1-{other}",
        kind=kind,
        link_id=event_id(600 + (of or number)),
        recorded_at=at(when),
    )


class Told:
    """A log that grows: each call delivers what comes next, then everything so far again, and checks the counts."""

    def __init__(self, engine: Embedded) -> None:
        self._engine = engine
        self._log: list[Any] = []

    def __call__(self, *records: Message, topic: str = "t.people") -> None:
        more = deliveries(records, topic=topic, first=len(self._log))
        self._log += more
        deliver(self._engine, more)
        deliver(self._engine, self._log, cut=3)
        for mart, (said, must) in recounted(self._engine).items():
            assert said == must, mart

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self._engine.select(sql).rows


@pytest.fixture
def told(engine: Embedded) -> Told:
    return Told(engine)


STOCK = "SELECT sum(persons) FROM mart_open_stays"
PRESENT = "SELECT sum(high) FROM mart_foreigners_present"


def test_an_exit_under_another_passport_ends_the_stay_while_the_link_holds(told: Told) -> None:
    told(crossing(1, "p1-a"), crossing(2, "p1-b", "exit", 5))
    assert told.ask(STOCK) == told.ask(PRESENT) == [(1,)]
    told(link(1, "a", "b"))
    assert told.ask(STOCK) == told.ask(PRESENT) == [(0,)]
    assert told.ask("SELECT stays, median_days FROM mart_stay_lengths") == [(1, 6.0)]
    told(link(2, "a", "b", "unlinked", of=1, when=11))
    assert told.ask(STOCK) == told.ask(PRESENT) == [(1,)]
    assert told.ask("SELECT stays FROM mart_stay_lengths") == []


def test_two_entries_of_one_person_are_one_person_present(told: Told) -> None:
    told(crossing(1, "p1-a"), crossing(2, "p1-b", day=2), crossing(3, "p1-c", day=3))
    assert told.ask(PRESENT) == [(3,)]
    told(link(1, "b", "a"))
    assert told.ask(PRESENT) == [(2,)]
    assert told.ask("SELECT sum(entries), sum(persons) FROM mart_entries_by_purpose") == [(3, 2)]
    told(link(2, "b", "c"))
    assert told.ask(PRESENT) == [(1,)], "a to b to c"
    assert told.ask("SELECT subject, person FROM core_same_person ORDER BY subject") == [
        (f"p1-{one}", "p1-a") for one in ("a", "b", "c")
    ]
    told(link(3, "a", "b", "unlinked", of=1, when=12))
    assert told.ask(PRESENT) == [(2,)]
    assert told.ask("SELECT DISTINCT person FROM core_same_person") == [("p1-b",)]


def test_a_link_that_a_correction_withdraws_was_never(told: Told) -> None:
    told(crossing(1, "p1-a"), crossing(2, "p1-b", day=2), link(1, "a", "b"))
    assert told.ask(PRESENT) == [(1,)]
    told(correction(700, event_id(501), "p1-a"))
    assert told.ask(PRESENT) == [(2,)]
    assert told.ask("SELECT count() FROM core_same_person") == [(0,)]


def test_a_link_older_than_what_it_links_and_one_about_nobody_known(told: Told) -> None:
    told(link(1, "a", "b"), link(2, "x", "y"))
    assert told.ask(PRESENT) == [(0,)]
    told(crossing(1, "p1-b"))
    told(crossing(2, "p1-a", day=1))
    assert told.ask(PRESENT) == [(1,)]


def test_a_persons_overstays_count_the_person_once_and_so_do_permits_of_work(told: Told) -> None:
    told(crossing(1, "p1-a"), crossing(2, "p1-b", day=2), link(1, "a", "b"))
    told(
        alert(1, "overstay_visa", "p1-a", oblast="KZ-75"),
        alert(2, "overstay_visa", "p1-b", oblast="KZ-75", stay_on=day(2)),
        alert(3, "work_without_permit", "p1-a", employer="e1-x"),
        alert(4, "work_without_permit", "p1-b", employer="e1-x"),
        topic="t.outputs",
    )
    assert told.ask("SELECT sum(alerts), sum(persons) FROM mart_overstays_by_oblast") == [(2, 1)]
    assert told.ask("SELECT alerts, persons FROM mart_alerts WHERE rule = 'overstay_visa'") == [(2, 1)]
    assert told.ask("SELECT persons FROM mart_unregistered_workers") == [(1,)]
    told(link(2, "a", "b", "unlinked", of=1, when=12))
    assert told.ask("SELECT sum(persons) FROM mart_overstays_by_oblast") == [(2,)]


def test_cases_that_both_pseudonyms_have_about_one_stay_are_one_case_in_the_funnel(told: Told) -> None:
    told(
        case(1, 1, "suspected", 0, "p1-a", stay_on=day(0)),
        case(1, 2, "contacted", 2, "p1-a", stay_on=day(0)),
        case(2, 1, "suspected", 0, "p1-b", stay_on=day(0)),
        case(3, 1, "suspected", 0, "p1-b", stay_on=day(9)),
        topic="t.outputs",
    )
    funnel = "SELECT stage, cases_now, cases_ever FROM mart_follow_up WHERE cases_ever > 0 ORDER BY position"
    assert told.ask(funnel) == [("suspected", 2, 3), ("contacted", 1, 1)]
    told(link(1, "a", "b"))
    assert told.ask(funnel) == [("suspected", 1, 2), ("contacted", 1, 1)], "that of who answers, and the other stay's"
    assert told.ask("SELECT cases FROM mart_case_outcomes") == [(2,)]
    told(link(2, "a", "b", "unlinked", of=1, when=12))
    assert told.ask(funnel) == [("suspected", 2, 3), ("contacted", 1, 1)]


def test_many_links_of_one_person_are_read_as_one_and_not_path_by_path(told: Told) -> None:
    """Forty pseudonyms, each linked with each of ten: paths of eight steps are beyond counting."""
    hubs = [f"h{number}" for number in range(10)]
    told(*(crossing(number, f"p1-n{number:02}") for number in range(40)))
    told(*(link(10 * number + index, hub, f"n{number:02}") for number in range(40) for index, hub in enumerate(hubs)))
    assert told.ask("SELECT count(), uniqExact(person) FROM core_same_person") == [(50, 1)]
    assert told.ask(PRESENT) == [(1,)]
