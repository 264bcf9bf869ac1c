"""The marts, on the real engine: hand-computed answers."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from streams.records import Alert, BatchMarker, Case, DeadLetter, ResidenceChange
from streams.warehouse.embedded import Embedded
from tests.contract.warehouse import deliver, deliveries
from tests.unit.warehouse.made import DAY_MS, NOON_1_MARCH_2025, correction, crossing, event_id, make

pytestmark = pytest.mark.integration


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


def test_a_row_clickhouse_refused_counts_in_the_ledger_as_a_dead_letter_not_as_processed(engine: Embedded) -> None:
    deliver(engine, deliveries([crossing(number) for number in (1, 2, 4)]))
    refused = make(DeadLetter, topic="t.people", partition=0, offset=3, code="refused_by_warehouse")
    elsewhere = make(DeadLetter, topic="t.alerts", partition=0, offset=3, code="refused_by_warehouse")
    deliver(engine, deliveries([refused, elsewhere], topic="t.dead-letters"))
    line = make(
        BatchMarker,
        topic="t.people",
        partition=0,
        first_offset=0,
        last_offset=3,
        processed=4,
        dead_letters=0,
        skipped_offsets=0,
    )
    deliver(engine, deliveries([line], topic="t.ledger"))
    columns = "produced, processed, dead_letters, refused, held, missing, balanced"
    assert rows(engine, f"SELECT {columns} FROM mart_ledger") == [(4, 3, 1, 1, 4, 0, True)]  # noqa: S608


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


def _uuid(number: int) -> Any:
    from uuid import UUID

    return UUID(bytes=event_id(number))
