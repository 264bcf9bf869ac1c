"""The marts, on the real engine: hand-computed answers, and the same answers however the log was delivered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.records import Alert, BatchMarker, BorderCrossing, Case, DeadLetter, Kandas, ResidenceChange
from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
from tests.contract.warehouse import deliver, deliveries, empty, everything
from tests.unit.warehouse.made import DAY_MS, NOON_1_MARCH_2025, correction, crossing, event_id, make

pytestmark = pytest.mark.integration

IN_THE_LOG = ("topic", "partition", "offset", "received_at", "log_partition", "log_offset")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    engine = Embedded(tmp_path_factory.mktemp("marts") / "clickhouse")
    migrate(engine)
    yield engine
    engine.close()


@pytest.fixture
def engine(shared: Embedded) -> Embedded:
    empty(shared)
    return shared


def rows(engine: Embedded, sql: str) -> list[tuple[Any, ...]]:
    return engine.select(sql).rows


def test_daily_flows_by_hand(engine: Embedded) -> None:
    deliver(
        engine,
        deliveries(
            [
                crossing(1, "p1-a"),
                crossing(2, "p1-b"),
                crossing(3, "p1-a", "exit"),
                crossing(4, "p1-a", day=1),
                crossing(5, "p1-c", "refusal", post="KZ-23-A1", citizenship="TJK"),
            ]
        ),
    )
    assert rows(engine, "SELECT day, oblast, citizenship, direction, crossings, persons FROM mart_daily_flows ORDER BY ALL") == [
        (date(2025, 3, 1), "KZ-23", "TJK", "refusal", 1, 1),
        (date(2025, 3, 1), "KZ-75", "UZB", "entry", 2, 2),
        (date(2025, 3, 1), "KZ-75", "UZB", "exit", 1, 1),
        (date(2025, 3, 2), "KZ-75", "UZB", "entry", 1, 1),
    ]


def test_open_stays_by_hand(engine: Embedded) -> None:
    deliver(
        engine,
        deliveries(
            [
                crossing(1, "p1-a"),
                crossing(2, "p1-a", "exit", day=3),
                crossing(3, "p1-b", day=2),
                crossing(4, "p1-c", "exit", day=1),
                crossing(5, "p1-d", "refusal", day=1),
                crossing(6, "p1-e", day=5),
            ]
        ),
    )
    assert rows(engine, "SELECT oblast, citizenship, persons, oldest_entry_on, newest_entry_on FROM mart_open_stays") == [
        ("KZ-75", "UZB", 2, date(2025, 3, 3), date(2025, 3, 6))
    ]


def test_an_exit_seen_years_late_closes_the_stay(engine: Embedded) -> None:
    deliver(engine, deliveries([crossing(1, "p1-a")]))
    assert rows(engine, "SELECT sum(persons) FROM mart_open_stays") == [(1,)]
    late = crossing(2, "p1-a", "exit", day=4, recorded_at=NOON_1_MARCH_2025 + 2000 * DAY_MS)
    deliver(engine, deliveries([late], first=1))
    assert rows(engine, "SELECT sum(persons) FROM mart_open_stays") == [(0,)]
    assert rows(engine, "SELECT day, direction FROM mart_daily_flows ORDER BY day") == [
        (date(2025, 3, 1), "entry"),
        (date(2025, 3, 5), "exit"),
    ]


def test_a_correction_withdraws_and_its_correction_gives_back(engine: Embedded) -> None:
    deliver(engine, deliveries([crossing(1), crossing(2, day=1), correction(10, 1)]))
    assert rows(engine, "SELECT event_id FROM core_border_crossing") == [(_uuid(2),)]
    deliver(engine, deliveries([correction(11, 10)], first=3))
    assert rows(engine, "SELECT event_id FROM core_border_crossing ORDER BY event_id") == [(_uuid(1),), (_uuid(2),)]
    deliver(engine, deliveries([correction(12, 11)], first=4))
    assert rows(engine, "SELECT event_id FROM core_border_crossing") == [(_uuid(2),)]


def test_a_correction_acts_only_on_what_is_smaller_and_only_on_its_own_person(engine: Embedded) -> None:
    early = correction(10, 1, recorded_at=NOON_1_MARCH_2025 - DAY_MS)
    of_another = correction(11, 2, subject="p1-z")
    deliver(engine, deliveries([crossing(1), crossing(2), early, of_another]))
    assert rows(engine, "SELECT count() FROM core_border_crossing") == [(2,)]


def test_ties_between_corrections_go_by_the_bytes_of_their_ids(engine: Embedded) -> None:
    """ClickHouse sorts UUIDs by their second half first; the rules sort them as bytes."""
    low, high = bytes([1]) + bytes(14) + b"\xff", bytes([2]) + bytes(15)
    at = NOON_1_MARCH_2025 + 1000
    smaller = crossing(0, event_id=low, recorded_at=at)
    bigger = crossing(0, "p1-b", event_id=high, recorded_at=at)
    deliver(
        engine,
        deliveries(
            [
                smaller,
                bigger,
                correction(0, low, event_id=high, recorded_at=at),
                correction(0, high, "p1-b", event_id=low, recorded_at=at),
            ]
        ),
    )
    assert [row[0] for row in rows(engine, "SELECT subject FROM core_border_crossing")] == ["p1-b"]


def test_what_the_worker_put_into_the_dead_letters_is_no_fact(engine: Embedded) -> None:
    deliver(engine, deliveries([crossing(1), crossing(2, post="XX-NO-1")]))
    deliver(
        engine,
        deliveries([make(DeadLetter, topic="t.people", partition=0, offset=1, code="unknown_post")], topic="t.dead-letters"),
    )
    assert rows(engine, "SELECT event_id FROM core_border_crossing") == [(_uuid(1),)]


def test_only_the_latest_version_of_an_alert_counts(engine: Embedded) -> None:
    def version(number: int, state: str, **values: Any) -> Alert:
        plain = {"alert_id": event_id(1), "subject": "p1-a", "rule": "work_without_permit", "oblast": "KZ-75", "sector": "F"}
        return make(Alert, **plain | {"version": number, "state": state, "employer": "e1-x", "grade": "established"} | values)

    deliver(engine, deliveries([version(2, "amended"), version(1, "raised")], topic="t.alerts"))
    assert rows(engine, "SELECT rule, oblast, state, alerts, persons FROM mart_alerts") == [
        ("work_without_permit", "KZ-75", "amended", 1, 1)
    ]
    assert rows(
        engine, "SELECT employer, oblast, sector, persons, without_permit, established FROM mart_unregistered_workers"
    ) == [("e1-x", "KZ-75", "F", 1, 1, 1)]
    deliver(engine, deliveries([version(3, "retracted")], topic="t.alerts", first=2))
    assert rows(engine, "SELECT state, alerts FROM mart_alerts") == [("retracted", 1)]
    assert rows(engine, "SELECT count() FROM mart_unregistered_workers") == [(0,)]
    assert rows(engine, "SELECT count() FROM alerts FINAL") == [(3,)], "history is kept"


def test_the_follow_up_funnel_by_hand(engine: Embedded) -> None:
    def step(case: int, version: int, stage: str, day: int, **values: Any) -> Case:
        plain: dict[str, Any] = {"case_id": event_id(case), "version": version, "stage": stage, "oblast": "KZ-75", "open": True}
        return make(Case, **plain | {"opened_at": NOON_1_MARCH_2025, "decided_at": NOON_1_MARCH_2025 + day * DAY_MS} | values)

    deliver(
        engine,
        deliveries(
            [
                step(1, 1, "suspected", 0),
                step(1, 2, "contacted", 2),
                step(1, 3, "legalised", 10, open=False),
                step(2, 1, "suspected", 0, protected=True),
                step(3, 1, "suspected", 0),
                step(3, 2, "contacted", 4),
            ],
            topic="t.cases",
        ),
    )
    funnel = rows(
        engine, "SELECT stage, cases_now, cases_ever, open_now, protected_now, median_days FROM mart_follow_up ORDER BY position"
    )
    assert funnel == [
        ("suspected", 1, 3, 1, 1, 0.0),
        ("contacted", 1, 2, 1, 0, 4.0),
        ("legalised", 1, 1, 0, 0, 10.0),
        ("left", 0, 0, 0, 0, None),
        ("cleared", 0, 0, 0, 0, None),
        ("referred", 0, 0, 0, 0, None),
        ("removed", 0, 0, 0, 0, None),
    ]


def test_the_ledger_balances_and_tells_when_it_does_not(engine: Embedded) -> None:
    def run(first: int, last: int, dead: int = 0, skipped: int = 0) -> BatchMarker:
        processed = last - first + 1 - dead - skipped
        return make(
            BatchMarker,
            topic="t.people",
            first_offset=first,
            last_offset=last,
            processed=processed,
            dead_letters=dead,
            skipped_offsets=skipped,
        )

    deliver(engine, deliveries([crossing(number) for number in range(1, 8)]))
    letter = make(DeadLetter, topic="t.people", partition=0, offset=7, code="truncated")
    deliver(engine, deliveries([letter], topic="t.dead-letters"))
    deliver(engine, deliveries([run(0, 4), run(5, 8, dead=1, skipped=1)], topic="t.ledger"))
    columns = "produced, processed, dead_letters, holes, repeats, held, missing, balanced"
    assert rows(engine, f"SELECT {columns} FROM mart_ledger") == [(8, 7, 1, 0, 0, 8, 0, True)]  # noqa: S608
    deliver(engine, deliveries([run(12, 13)], topic="t.ledger", first=2))
    assert rows(engine, f"SELECT {columns} FROM mart_ledger") == [(10, 9, 1, 3, 0, 8, 2, False)]  # noqa: S608


def test_the_concepts_figures_are_reproduced_exactly(engine: Embedded) -> None:
    concept = "WHERE source LIKE 'Concept%'"
    assert rows(engine, f"SELECT year, arrivals, departures, balance FROM mart_external_balance {concept} ORDER BY year") == [  # noqa: S608
        (2001, 34400, 104300, -69900),
        (2002, 58200, 120200, -62000),
        (2003, 65600, 73900, -8300),
        (2004, 68300, 65500, 2800),
        (2005, 74300, 52200, 22100),
        (2006, 67400, 33900, 33500),
    ]
    assert dict(rows(engine, f"SELECT oblast, balance FROM mart_internal_balance {concept} AND year = 2006")) == {  # noqa: S608
        "KZ-31": -7682,
        "KZ-63": -6635,
        "KZ-59": -4786,
        "KZ-43": -4272,
        "KZ-75": 21959,
        "KZ-71": 17938,
        "KZ-47": 382,
    }
    figures = {
        (name, year): float(value)
        for name, year, value in rows(engine, "SELECT indicator, year, value FROM mart_concept_figures")
    }
    assert figures == {
        ("foreign_labour_quota", 2006): 40900,
        ("foreign_labour_quota_share", 2006): 0.51,
        ("unlawful_workers_identified", 2006): 164500,
        ("refugees", 2006): 582,
        ("oralmans", 2007): 608000,
        ("oralman_families", 2007): 155000,
        ("oralman_budget", 2003): 3.4e9,
        ("oralman_budget", 2004): 7.0e9,
        ("oralman_budget", 2005): 11.4e9,
        ("oralman_budget", 2006): 11.1e9,
        ("oralman_budget", 2007): 12.1e9,
    }


def test_balances_from_events_by_hand(engine: Embedded) -> None:
    def move(number: int, origin: tuple[str, str | None], target: tuple[str, str | None]) -> ResidenceChange:
        return make(
            ResidenceChange,
            event_id=event_id(number),
            from_country=origin[0],
            from_oblast=origin[1],
            to_country=target[0],
            to_oblast=target[1],
            moved_on=12_600,  # 1 July 2004
        )

    home = ("KAZ", "KZ-75")
    deliver(
        engine,
        deliveries(
            [
                move(1, ("RUS", None), home),
                move(2, ("UZB", None), home),
                move(3, home, ("DEU", None)),
                move(4, home, ("KAZ", "KZ-71")),
                move(5, ("KAZ", "KZ-63"), ("KAZ", "KZ-71")),
                move(6, home, home),
            ]
        ),
    )
    events = "WHERE source = 'events'"
    assert rows(engine, f"SELECT year, arrivals, departures, balance FROM mart_external_balance {events}") == [(2004, 2, 1, 1)]  # noqa: S608
    assert rows(engine, f"SELECT year, oblast, balance FROM mart_internal_balance {events} ORDER BY oblast") == [  # noqa: S608
        (2004, "KZ-63", -1),
        (2004, "KZ-71", 2),
        (2004, "KZ-75", -1),
    ]


EVENTS = st.lists(
    st.one_of(
        st.builds(
            lambda number, person, direction, day: crossing(number, f"p1-{person}", direction, day),
            st.integers(1, 12),
            st.sampled_from("ab"),
            st.sampled_from(["entry", "exit", "refusal"]),
            st.integers(0, 4),
        ),
        st.builds(
            lambda number, of, person, later: correction(
                number, of, f"p1-{person}", recorded_at=NOON_1_MARCH_2025 + later * DAY_MS
            ),
            st.integers(13, 20),
            st.integers(1, 20),
            st.sampled_from("ab"),
            st.integers(0, 6),
        ),
        st.builds(
            lambda alert, version, state: make(
                Alert, alert_id=event_id(alert), version=version, state=state, rule="overstay_visa"
            ),
            st.integers(1, 3),
            st.integers(1, 3),
            st.sampled_from(["raised", "resolved", "retracted"]),
        ),
        st.builds(
            lambda number, size: make(Kandas, event_id=event_id(number), family_size=size), st.integers(30, 34), st.integers(1, 6)
        ),
    ),
    min_size=1,
    max_size=30,
)


@given(events=EVENTS, data=st.data())
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_delivery_of_the_same_log_changes_any_mart(engine: Embedded, events: list[Any], data: st.DataObject) -> None:
    """Delivered again, in other cuts, parts of it twice: every view has the same rows."""
    log = deliveries(events)
    empty(engine)
    deliver(engine, log)
    expected = everything(engine)
    empty(engine)
    start = 0
    while start < len(log):
        stop = data.draw(st.integers(start + 1, len(log)), label="delivered up to")
        deliver(engine, log[start:stop], cut=data.draw(st.integers(1, 9), label="cut"))
        start = max(start + 1, data.draw(st.integers(start, stop), label="again from")) if stop < len(log) else len(log)
    deliver(engine, log[: data.draw(st.integers(0, len(log)), label="and once more")])
    assert everything(engine) == expected


@given(events=EVENTS, data=st.data())
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_counted_bit_by_bit_is_what_is_computed_from_every_fact(
    engine: Embedded, events: list[Any], data: st.DataObject
) -> None:
    """Counted after every piece of the log, pieces again, dead letters in between: each mart says what its recomputation says."""
    empty(engine)
    log = deliveries(events)
    letters = 0
    start = 0
    while start < len(log):
        stop = data.draw(st.integers(start + 1, len(log)), label="delivered up to")
        deliver(engine, log[start:stop])
        if data.draw(st.booleans(), label="the worker refuses one"):
            refused = make(DeadLetter, topic="t.people", partition=0, offset=data.draw(st.integers(0, stop - 1), label="offset"))
            deliver(engine, deliveries([refused], topic="t.dead-letters", first=letters))
            letters += 1
        start = max(start + 1, data.draw(st.integers(start, stop), label="again from")) if stop < len(log) else len(log)
    views = rows(engine, "SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'recomputed_')")
    assert len(views) > 5
    for (slow,) in views:
        fast = slow.removeprefix("recomputed_")
        assert rows(engine, f"SELECT * FROM {fast} ORDER BY ALL") == rows(engine, f"SELECT * FROM {slow} ORDER BY ALL"), fast  # noqa: S608


def test_counts_broken_off_half_way_count_once_when_they_are_tried_again(engine: Embedded) -> None:
    log = deliveries([crossing(number, f"p1-{number % 7}", "exit" if number % 2 else "entry", number) for number in range(1, 40)])
    deliver(engine, log[:20])
    run = engine.command
    for survive in range(16):
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
    for table in ("mart_daily_flows", "mart_open_stays", "mart_stay_lengths", "mart_entries_by_purpose"):
        told, recomputed = (rows(engine, f"SELECT * FROM {name} ORDER BY ALL") for name in (table, f"recomputed_{table}"))  # noqa: S608
        assert told == recomputed, table


@given(events=st.lists(st.integers(1, 8), min_size=1, max_size=20), data=st.data())
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


def _uuid(number: int) -> Any:
    from uuid import UUID

    return UUID(bytes=event_id(number))
