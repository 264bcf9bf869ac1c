"""Indicators of flows, stays and overstays, on the real engine: every figure computed by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from streams.records import Finding, LabourContract, ResidenceChange, ResidencePermit, StayRegistration, Visa
from streams.warehouse.embedded import Embedded
from tests.integration.indicator_facts import alert, at, day, fact, of, on, rows, tick, told
from tests.unit.warehouse.made import correction, crossing, event_id, make

pytestmark = pytest.mark.integration


def move(number: int, countries: tuple[str, str], oblasts: tuple[str | None, str | None], when: int = 0) -> ResidenceChange:
    values = {"from_country": countries[0], "to_country": countries[1], "from_oblast": oblasts[0], "to_oblast": oblasts[1]}
    return fact(ResidenceChange, number, f"p1-{number}", when, moved_on=day(when), **values)


MOVES = [
    move(1, ("UZB", "KAZ"), (None, "KZ-61")),
    move(2, ("UZB", "KAZ"), (None, "KZ-75")),
    move(3, ("KAZ", "RUS"), ("KZ-59", None), 60),
    move(4, ("KAZ", "KAZ"), ("KZ-31", "KZ-71")),
    move(5, ("KAZ", "KAZ"), ("KZ-31", "KZ-71"), 200),
    move(6, ("KAZ", "KAZ"), ("KZ-71", "KZ-75")),
    move(7, ("KAZ", "KAZ"), ("KZ-71", "KZ-71")),
    move(8, ("RUS", "KAZ"), (None, "KZ-59"), of(2024)),
    move(9, ("CHN", "KAZ"), (None, "KZ-75")),
    correction(90, 9, "p1-9"),
]


def test_external_balance_is_the_concepts_and_the_events(engine: Embedded) -> None:
    told(engine, MOVES)
    assert rows(engine, "mart_external_balance", "year, arrivals, departures, balance", "source LIKE 'Concept%'") == [
        (2001, 34400, 104300, -69900),
        (2002, 58200, 120200, -62000),
        (2003, 65600, 73900, -8300),
        (2004, 68300, 65500, 2800),
        (2005, 74300, 52200, 22100),
        (2006, 67400, 33900, 33500),
    ]
    assert rows(engine, "mart_external_balance", "*", "source = 'events'") == [
        (2024, 1, 0, 1, "events"),
        (2025, 2, 1, 1, "events"),
    ]


def test_external_balance_by_quarter_country_and_oblast(engine: Embedded) -> None:
    told(engine, MOVES)
    assert rows(engine, "mart_external_balance_by_quarter") == [(2024, 2, 1, 0, 1), (2025, 1, 2, 0, 2), (2025, 2, 0, 1, -1)]
    assert rows(engine, "mart_external_balance_by_country") == [
        (2024, "RUS", 1, 0, 1),
        (2025, "RUS", 0, 1, -1),
        (2025, "UZB", 2, 0, 2),
    ]
    assert rows(engine, "mart_external_balance_by_oblast") == [
        (2024, "KZ-59", 1, 0, 1),
        (2025, "KZ-59", 0, 1, -1),
        (2025, "KZ-61", 1, 0, 1),
        (2025, "KZ-75", 1, 0, 1),
    ]


def test_internal_migration_is_the_concepts_and_the_events(engine: Embedded) -> None:
    told(engine, MOVES)
    assert rows(engine, "mart_internal_balance", "year, oblast, balance", "source LIKE 'Concept%'") == [
        (2006, "KZ-31", -7682),
        (2006, "KZ-43", -4272),
        (2006, "KZ-47", 382),
        (2006, "KZ-59", -4786),
        (2006, "KZ-63", -6635),
        (2006, "KZ-71", 17938),
        (2006, "KZ-75", 21959),
    ]
    assert rows(engine, "mart_internal_balance", "year, oblast, balance", "source = 'events'") == [
        (2025, "KZ-31", -2),
        (2025, "KZ-71", 1),
        (2025, "KZ-75", 1),
    ]
    assert rows(engine, "mart_internal_moves") == [(2025, "KZ-31", "KZ-71", 2), (2025, "KZ-71", "KZ-75", 1)]


def test_the_concepts_single_figures_stand_as_they_are(engine: Embedded) -> None:
    found = {(name, year): float(value) for name, year, value in rows(engine, "mart_concept_figures", "indicator, year, value")}
    assert found == {
        ("foreign_labour_quota", 2006): 40_900,
        ("foreign_labour_quota_share", 2006): 0.51,
        ("unlawful_workers_identified", 2006): 164_500,
        ("refugees", 2006): 582,
        ("oralmans", 2007): 608_000,
        ("oralman_families", 2007): 155_000,
        ("oralman_budget", 2003): 3.4e9,
        ("oralman_budget", 2004): 7.0e9,
        ("oralman_budget", 2005): 11.4e9,
        ("oralman_budget", 2006): 11.1e9,
        ("oralman_budget", 2007): 12.1e9,
    }


CROSSINGS = [
    crossing(1, "p1-a", purpose="work"),
    crossing(2, "p1-a", "exit", 9),
    crossing(3, "p1-b", purpose="work", citizenship="KGZ"),
    crossing(4, "p1-b", "exit", 40, citizenship="KGZ"),
    crossing(5, "p1-c", purpose="tourism"),
    crossing(6, "p1-d", citizenship="KAZ"),
    crossing(7, "p1-d", "exit", 2, citizenship="KAZ"),
    crossing(8, "p1-e", "refusal", citizenship="TJK", refusal_reason="entry_ban"),
    crossing(9, "p1-a", day=20, purpose="tourism"),
    crossing(10, "p1-f", purpose="work"),
    correction(11, 10, "p1-f"),
]


def test_crossings_by_month_purpose_and_country(engine: Embedded) -> None:
    told(engine, CROSSINGS)
    assert rows(engine, "mart_crossings_by_month") == [(date(2025, 3, 1), 4, 1, 1, 1, 1), (date(2025, 4, 1), 0, 1, 0, 0, 0)]
    assert rows(engine, "mart_entries_by_purpose") == [(2025, "tourism", 2, 2, 0.5), (2025, "work", 2, 2, 0.5)]
    assert rows(engine, "mart_entries_by_country") == [(2025, "KGZ", 1, 1, 0), (2025, "UZB", 3, 1, 2)]
    assert rows(engine, "mart_daily_flows", "sum(crossings)") == [(9,)]


def test_outbound_workers_by_country_and_sector(engine: Embedded) -> None:
    def contract(number: int, kind: str, country: str) -> LabourContract:
        return fact(
            LabourContract,
            number,
            f"p1-{number}",
            kind=kind,
            contract_id=event_id(number),
            country=country,
            oblast="KZ-61",
            sector="F",
            from_on=day(3),
        )

    told(
        engine,
        [
            contract(1, "outbound", "RUS"),
            contract(2, "outbound", "RUS"),
            contract(3, "outbound", "KOR"),
            contract(4, "concluded", "KAZ"),
        ],
    )
    assert rows(engine, "mart_outbound_workers") == [(2025, "KOR", "F", 1, 1), (2025, "RUS", "F", 2, 2)]


def test_a_stay_is_an_entry_and_what_followed_it(engine: Embedded) -> None:
    told(engine, [crossing(1), crossing(2, day=5), crossing(3, "p1-a", "exit", 8), crossing(4, "p1-b")])
    assert rows(engine, "core_stays", "subject, entered_on, ended, left_on, next_at") == [
        ("p1-a", on(0), "unseen", None, datetime.fromtimestamp(at(5) / 1000, UTC)),
        ("p1-a", on(5), "exit", on(8), datetime.fromtimestamp(at(8) / 1000, UTC)),
        ("p1-b", on(0), "open", None, None),
    ]


STOCK = (
    [crossing(number, f"p1-{number}", purpose="work" if number < 4 else "tourism") for number in range(1, 7)]
    + [
        crossing(7, "p1-7"),
        crossing(17, "p1-7", "exit", 3),
        crossing(8, "p1-8", citizenship="KAZ"),
        crossing(9, "p1-9"),
        crossing(10, "p1-9", "exit", 3),
        tick(50, 100),
    ],
    [
        alert(1, "overstay_visa_exempt", "p1-1", oblast="KZ-75", group="eaeu", first_day_on=day(94)),
        alert(2, "overstay_visa_exempt", "p1-2", grade="presumed", oblast="KZ-75", group="eaeu", first_day_on=day(71)),
        alert(3, "overstay_visa", "p1-3", grade="uncertain", oblast="KZ-61", group="visa_required", first_day_on=day(70)),
        alert(4, "overstay_visa", "p1-4", grade="presumed", state="retracted"),
        alert(5, "arrival_not_notified", "p1-5"),
        alert(6, "overstay_visa_exempt", "p1-9", state="resolved", reason="exit_seen", days=12, last_day_on=day(3)),
        alert(7, "overstay_visa_exempt", "p1-7", state="resolved", reason="exit_seen", days=4, last_day_on=day(3)),
    ],
)


def test_the_stock_is_an_interval_by_evidence(engine: Embedded) -> None:
    told(engine, *STOCK)
    whole = (3, 1, 1, 1, 4, 5, 6)
    assert rows(engine, "mart_foreigners_present") == [("KZ-75", *whole)]
    assert rows(engine, "mart_foreigners_present_by_country") == [("UZB", *whole)]
    assert rows(engine, "mart_foreigners_present_by_purpose") == [("tourism", 3, 0, 0, 0, 3, 3, 3), ("work", 0, 1, 1, 1, 1, 2, 3)]


def test_open_overstays_by_grade_age_group_and_oblast(engine: Embedded) -> None:
    told(engine, *STOCK)
    assert rows(engine, "mart_overstays_by_grade") == [
        ("overstay_visa", "uncertain", 1, 1),
        ("overstay_visa_exempt", "established", 1, 1),
        ("overstay_visa_exempt", "presumed", 1, 1),
    ]
    assert rows(engine, "mart_overstays_by_age") == [
        (1, "1-7", "established", 1, 1),
        (2, "8-30", "presumed", 1, 1),
        (3, "31-90", "uncertain", 1, 1),
    ]
    assert rows(engine, "mart_overstays_by_group") == [
        ("eaeu", "established", 1, 1),
        ("eaeu", "presumed", 1, 1),
        ("visa_required", "uncertain", 1, 1),
    ]
    assert rows(engine, "mart_overstays_by_oblast") == [
        ("KZ-61", "uncertain", 1, 1),
        ("KZ-75", "established", 1, 1),
        ("KZ-75", "presumed", 1, 1),
    ]


def test_the_overstay_rate_is_an_interval_and_ended_ones_have_a_length(engine: Embedded) -> None:
    told(engine, *STOCK)
    assert rows(engine, "mart_overstay_rate") == [(2025, 8, 3, 2, 0.375, 0.625)]
    assert rows(engine, "mart_overstays_ended") == [("overstay_visa_exempt", "exit_seen", 2, 8.0, 12)]


def test_entries_during_a_ban_do_not_count_when_retracted(engine: Embedded) -> None:
    told(
        engine,
        [],
        [alert(1, "entry_during_ban", oblast="KZ-75"), alert(2, "entry_during_ban", oblast="KZ-75", state="retracted")],
    )
    assert rows(engine, "mart_entries_during_ban") == [(2025, "KZ-75", 1, 1)]


def test_reminders_by_rule_and_state(engine: Embedded) -> None:
    def finding(number: int, state: str) -> Finding:
        return make(
            Finding,
            alert_id=event_id(number),
            version=1,
            subject="p1-a",
            rule="extension_not_requested",
            family="reminder",
            state=state,
        )

    told(engine, [], [finding(1, "raised"), finding(2, "raised"), finding(3, "resolved")])
    assert rows(engine, "mart_reminders") == [
        ("extension_not_requested", "reminder", "raised", 2, 1),
        ("extension_not_requested", "reminder", "resolved", 1, 1),
    ]


def test_lengths_of_stays_count_the_first_and_the_last_day(engine: Embedded) -> None:
    told(engine, CROSSINGS)
    assert rows(engine, "mart_stay_lengths") == [(2025, "work", 2, 25.5, 37.9)], "10 and 41 days"


def test_arrivals_notified_in_time_of_those_that_owed_a_notice(engine: Embedded) -> None:
    def notice(number: int, subject: str, when: float, kind: str = "arrival") -> StayRegistration:
        return fact(
            StayRegistration,
            number,
            subject,
            when,
            kind=kind,
            oblast="KZ-75",
            valid_until_on=day(60) if kind == "extension" else None,
        )

    told(
        engine,
        [
            *(crossing(number, f"p1-{number}") for number in range(1, 6)),
            crossing(6, "p1-5", "exit", 1),
            notice(11, "p1-1", 1),
            notice(12, "p1-2", 2),
            notice(13, "p1-3", 30),
            notice(14, "p1-5", 20),
            notice(15, "p1-1", 25, "extension"),
        ],
        [
            alert(1, "arrival_not_notified", "p1-3", state="resolved", reason="registered", post="KZ-75-A1"),
            alert(2, "arrival_not_notified", "p1-4", post="KZ-75-A1"),
            alert(3, "arrival_not_notified", "p1-2", state="retracted", post="KZ-75-A1"),
        ],
    )
    assert rows(engine, "mart_arrivals_notified") == [(2025, "KZ-75", 4, 2, 1, 1, 0.5)], "the fifth left before it owed one"
    assert rows(engine, "mart_stay_extensions") == [(2025, "KZ-75", 1, 1)]


def test_visas_and_residence_permits(engine: Embedded) -> None:
    def permit(number: int, permit: int, kind: str, when: int, until: int | None) -> ResidencePermit:
        values = {"permit_id": event_id(permit), "residence": "temporary", "purpose": "work", "oblast": "KZ-75"}
        return fact(
            ResidencePermit,
            number,
            f"p1-{permit}",
            when,
            kind=kind,
            valid_from_on=day(0),
            valid_until_on=None if until is None else day(until),
            **values,
        )

    told(
        engine,
        [
            *(
                fact(Visa, number, kind=kind, visa_id=event_id(1), category="C3")
                for number, kind in ((1, "issued"), (2, "extended"), (3, "annulled"), (4, "issued"))
            ),
            permit(11, 101, "issued", 0, 50),
            permit(12, 101, "extended", 40, 200),
            permit(13, 102, "issued", 0, 99),
            permit(14, 103, "issued", 0, None),
            permit(15, 104, "issued", 0, 200),
            permit(16, 104, "revoked", 10, 200),
            tick(50, 100),
        ],
    )
    assert rows(engine, "mart_visas") == [(2025, "C3", 2, 1, 1)]
    assert rows(engine, "mart_residence_permits") == [("KZ-75", "temporary", "work", 2, 2)], "one ran out, one was revoked"
