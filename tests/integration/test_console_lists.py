"""What a view of the feed asks, on the real engine: who waits in the queue, who rests, who comes back, and who sees what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from streams.console import alert_lists
from streams.console.conditions import Scope
from streams.console.filters import Filter
from streams.console.reading import Fields, Reading
from streams.console.sqlite import SqliteStore
from streams.console.work import ANSWER_HOURS, REST_HOURS, SOON_SHARE, Held, Moment, Mute
from streams.policy.load import load
from streams.records import StayRegistration
from streams.settings import Settings
from streams.warehouse.embedded import Embedded
from tests.contract.warehouse import RECEIVED
from tests.integration.indicator_facts import alert, case, day, decision, fact, told
from tests.unit.warehouse.made import event_id

pytestmark = pytest.mark.integration

POLICY = load("kz")
HOUR_MS = 3_600_000
SEVERAL = (
    alert(1, "work_without_permit", "p1-a", oblast="KZ-75", post="KZ-75-A1", employer="e1-x", severity="medium"),
    alert(2, "work_without_permit", "p1-b", oblast="KZ-75", post="KZ-75-A1", employer="e1-x", severity="medium"),
    alert(3, "arrival_not_notified", "p1-c", oblast="KZ-23", post="KZ-23-A1", severity="low"),
    alert(4, "possible_trafficking", "p1-d", oblast="KZ-23", post="KZ-23-A1", severity="high", family="protective"),
    alert(5, "overstay_visa", "p1-e", oblast="KZ-71", severity="high", state="acknowledged"),
    alert(6, "overstay_visa", "p1-f", oblast="KZ-71", severity="high", state="retracted", reason="exit_seen"),
)


class OverEngine(Reading):
    """Asks the engine of the test instead of a running stack."""

    def __init__(self, engine: Embedded) -> None:
        super().__init__(Settings())
        self._engine = engine

    def ask(self, sql: str) -> list[Fields]:
        result = self._engine.select(sql)
        return [dict(zip(result.names, row, strict=True)) for row in result.rows]


def key(number: int) -> str:
    return str(UUID(bytes=event_id(number)))


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "console.db")


@pytest.fixture
def shown(engine: Embedded, store: SqliteStore) -> Any:
    """Returns a function that tells which alerts a view shows."""
    told(engine, [], SEVERAL)
    reading = OverEngine(engine)

    def found(wanted: Filter, *, oblast: str = "", **moment: Any) -> set[int]:
        scope = Scope(oblast, replace(Moment(at=RECEIVED + 1, officer="o1-a"), **moment), POLICY, store)
        rows = alert_lists.rows(reading, wanted, scope, limit=50)
        assert alert_lists.count_each(reading, [wanted], scope) == [len(rows)]
        assert sum(alert_lists.counts(reading, wanted, scope)["all"].values()) == len(rows)
        return {int.from_bytes(row["alert_id"].bytes, "big") & 0xFF for row in rows}

    return found


def numbers(*wanted: int) -> set[int]:
    return {int.from_bytes(event_id(number), "big") & 0xFF for number in wanted}


def test_the_queue_is_what_waits_for_somebody(shown: Any) -> None:
    assert shown(Filter()) == numbers(1, 2, 3, 4)
    assert shown(Filter(state="open")) == numbers(1, 2, 3, 4, 5)
    assert shown(Filter(state="all")) == numbers(1, 2, 3, 4, 5, 6)


def test_an_acknowledged_alert_nobody_acts_on_comes_back_after_its_time(shown: Any) -> None:
    rest = REST_HOURS["high"] * HOUR_MS
    assert 5 not in shown(Filter(), at=RECEIVED + rest)
    assert shown(Filter(), at=RECEIVED + rest + 1) == numbers(1, 2, 3, 4, 5)
    taken_back = {key(5): Held(returned_at=1)}
    assert shown(Filter(), held=taken_back) == numbers(1, 2, 3, 4, 5)


def test_an_alert_of_a_case_somebody_works_on_or_settled_does_not(engine: Embedded, shown: Any) -> None:
    told(engine, [], [case(50, 1, "contacted", 0, subject="p1-e", stay_on=day(0))])
    told(engine, [], [case(51, 1, "cleared", 0, subject="p1-a", stay_on=day(0), open=False)])
    late = RECEIVED + REST_HOURS["high"] * HOUR_MS + 1
    assert shown(Filter(), at=late) == numbers(2, 3, 4)


def test_what_rests_leaves_the_queue_until_its_time(shown: Any) -> None:
    held = {key(1): Held(snoozed_until_at=RECEIVED + HOUR_MS)}
    assert shown(Filter(), held=held) == numbers(2, 3, 4)
    assert shown(Filter(state="snoozed"), held=held) == numbers(1)
    assert shown(Filter(), held=held, at=RECEIVED + HOUR_MS) == numbers(1, 2, 3, 4)


def test_a_mute_hides_what_it_names_but_nothing_that_may_need_protection(shown: Any) -> None:
    mute = Mute("m", "o1-a", "outage", "", "", "KZ-23-A1", 0, RECEIVED + HOUR_MS)
    assert shown(Filter(), mutes=(mute,)) == numbers(1, 2, 4)
    assert shown(Filter(state="muted"), mutes=(mute,)) == numbers(3)


def test_owners_and_times_to_answer_are_filters(shown: Any) -> None:
    held = {key(1): Held(owner="o1-a"), key(2): Held(owner="o1-b")}
    assert shown(Filter(owner="me"), held=held) == numbers(1)
    assert shown(Filter(owner="o1-b"), held=held) == numbers(2)
    assert shown(Filter(owner="none"), held=held) == numbers(3, 4)
    high = ANSWER_HOURS["high"] * HOUR_MS
    assert shown(Filter(sla="late"), at=RECEIVED + high + 1) == numbers(4)
    assert shown(Filter(sla="soon"), at=RECEIVED + int(SOON_SHARE * high) + 1) == numbers(4)
    assert shown(Filter(sla="in_time"), at=RECEIVED + high + 1) == numbers(1, 2, 3)


def test_an_oblast_operator_is_told_nothing_of_other_oblasts(shown: Any) -> None:
    assert shown(Filter(state="all"), oblast="KZ-23") == numbers(3, 4)
    for pivot in ("same_person", "same_employer", "same_address"):
        assert shown(Filter(state="all", **{pivot: key(1)}), oblast="KZ-23") == set()


def test_people_are_tied_by_exact_keys(engine: Embedded, shown: Any, tmp_path: Path) -> None:
    address = uuid4().bytes
    notices = [fact(StayRegistration, 60 + n, one, address_key=address, kind="arrival") for n, one in enumerate(("p1-a", "p1-c"))]
    told(engine, notices)
    assert shown(Filter(state="all", same_employer=key(1))) == numbers(1, 2)
    assert shown(Filter(state="all", same_person=key(1))) == numbers(1)
    assert shown(Filter(state="all", same_address=key(1))) == numbers(1, 3)
    scope = Scope("", Moment(at=RECEIVED + 1), POLICY, SqliteStore(tmp_path / "console.db"))
    groups = alert_lists.groups(OverEngine(engine), Filter(state="all"), scope, "address")
    assert [(row["alerts"], row["persons"], row["key"]) for row in groups] == [(2, 2, "")]
    by_post = alert_lists.groups(OverEngine(engine), Filter(), scope, "post")
    assert {(row["key"], row["alerts"]) for row in by_post} == {("KZ-75-A1", 2), ("KZ-23-A1", 2)}


def test_words_are_found_in_titles_places_reasons_and_notes(engine: Embedded, shown: Any, store: SqliteStore) -> None:
    told(engine, [decision(70, "contacted", "p1-c", 52, when=1)], [case(52, 1, "suspected", 0, subject="p1-c", stay_on=day(0))])
    with store.writing() as writer:
        writer.run("INSERT INTO note VALUES ('n', ?, 'o1-a', 0, 'Жұмыс беруші қоңырау шалды')", event_id(53).hex())
    told(engine, [], [case(53, 1, "suspected", 0, subject="p1-b", stay_on=day(0))])
    assert shown(Filter(state="all", text="permit")) == numbers(1, 2)
    assert shown(Filter(state="all", text="Атырау")) == numbers(3, 4)
    assert shown(Filter(state="all", text="қоңырау")) == numbers(2)
    assert shown(Filter(state="all", text="permit қоңырау")) == numbers(2), "every word must stand somewhere"


def test_the_urgent_come_first_and_what_is_over_is_found(engine: Embedded, shown: Any, store: SqliteStore) -> None:
    scope = Scope("", Moment(at=RECEIVED + 1), POLICY, store)
    rows = alert_lists.rows(OverEngine(engine), Filter(order="urgent"), scope, limit=50)
    assert [row["severity"] for row in rows] == ["high", "medium", "medium", "low"]
    assert alert_lists.over(OverEngine(engine), [key(1), key(6)]) == [key(6)]
