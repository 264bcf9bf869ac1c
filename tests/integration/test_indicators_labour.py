"""Indicators of labour, quotas, kandas and protection, on the real engine: every figure computed by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from streams.policy.load import load
from streams.records import EmployerDeclaration, Inspection, Kandas, ProtectionStatus, QuotaAllocation, WorkPermit
from streams.warehouse.block import Block
from streams.warehouse.columns import Column
from streams.warehouse.embedded import Embedded
from tests.integration.indicator_facts import alert, case, day, fact, of, on, rows, tick, told
from tests.unit.warehouse.made import correction, event_id

pytestmark = pytest.mark.integration

WORK = [
    alert(1, "work_without_permit", "p1-a", employer="e1-x", oblast="KZ-23", sector="F"),
    alert(2, "work_permit_expired", "p1-a", employer="e1-y", oblast="KZ-75", sector="F"),
    alert(3, "work_other_employer", "p1-b", employer="e1-x", oblast="KZ-23", sector="F"),
    alert(4, "work_without_permit", "p1-c", employer="e1-x", oblast="KZ-23", sector="A", state="retracted"),
    alert(5, "work_without_permit", "p1-d", employer="e1-z", oblast="KZ-23", sector="A", state="resolved"),
    alert(6, "contract_not_concluded", "p1-e", grade="presumed"),
    alert(7, "trafficking_indicators", "p1-f", family="protective", oblast="KZ-23"),
]


def test_unregistered_workers_by_employer_sector_and_oblast(engine: Embedded) -> None:
    told(engine, [], WORK)
    assert rows(engine, "mart_unregistered_workers", "employer, oblast, sector, persons") == [
        ("e1-x", "KZ-23", "F", 2),
        ("e1-y", "KZ-75", "F", 1),
    ]
    assert rows(engine, "mart_unregistered_workers_by_sector") == [("F", 2, 2, 1, 1, 1)]
    assert rows(engine, "mart_unregistered_workers_by_oblast") == [("KZ-23", 2, 1, 1, 0, 1), ("KZ-75", 1, 1, 0, 1, 0)]


def test_work_breaches_and_signs_of_trafficking(engine: Embedded) -> None:
    told(engine, [], WORK)
    assert rows(engine, "mart_work_breaches") == [
        ("contract_not_concluded", "raised", "presumed", 1, 1),
        ("work_other_employer", "raised", "established", 1, 1),
        ("work_permit_expired", "raised", "established", 1, 1),
        ("work_without_permit", "raised", "established", 1, 1),
        ("work_without_permit", "resolved", "established", 1, 1),
        ("work_without_permit", "retracted", "established", 1, 1),
    ]
    assert rows(engine, "mart_trafficking_indicators") == [("trafficking_indicators", "KZ-23", "raised", 1, 1)]


def permit(number: int, of_permit: int, when: int, kind: str = "issued", **values: Any) -> WorkPermit:
    plain: dict[str, Any] = {
        "kind": kind,
        "permit_id": event_id(of_permit),
        "permit_type": "employer",
        "category": "3",
        "oblast": "KZ-23",
        "sector": "F",
        "valid_from_on": day(when),
        "valid_until_on": day(when + 100),
    }
    return fact(WorkPermit, number, f"p1-{of_permit}", when, **plain | values)


PERMITS = [
    permit(1, 101, 0),
    permit(2, 102, 20),
    permit(3, 103, 59),
    permit(4, 103, 60, "revoked"),
    permit(5, 104, 60, oblast="KZ-75", sector="C", category="1"),
    permit(6, 105, 61, permit_type="seasonal", category=None),
    permit(7, 106, 61, permit_type="household", category=None),
    permit(8, 102, 70, "extended", valid_until_on=day(300)),
    permit(9, 107, 62),
    correction(50, 9, "p1-107"),
]


def quota(number: int, version: int, persons: int, effective: int, **values: Any) -> QuotaAllocation:
    plain: dict[str, Any] = {
        "quota": "labour",
        "year": 2025,
        "version": version,
        "persons": persons,
        "effective_on": day(effective),
    }
    return fact(QuotaAllocation, number, f"q-{number}", -70, **plain | values)


JANUARY = of(2025, 1, 1)
QUOTAS = [
    quota(21, 1, 4, JANUARY),
    quota(22, 2, 10, 60),
    quota(23, 1, 3, JANUARY, oblast="KZ-23"),
    quota(24, 1, 0, JANUARY, category="1"),
    quota(25, 1, 2, JANUARY, category="seasonal"),
    quota(26, 1, 8, JANUARY, quota="kandas"),
    quota(27, 1, 5, JANUARY, oblast="KZ-23", category="3", sector="F"),
]


def test_work_permits_by_step_and_in_force(engine: Embedded) -> None:
    told(engine, [*PERMITS, tick(60, 110)])
    assert rows(engine, "mart_work_permits") == [
        (2025, "employer", "1", 1, 0, 0),
        (2025, "employer", "3", 3, 1, 1),
        (2025, "household", "", 1, 0, 0),
        (2025, "seasonal", "", 1, 0, 0),
    ]
    assert rows(engine, "mart_work_permits_in_force") == [
        ("employer", "KZ-23", "F", 1, 1),
        ("employer", "KZ-75", "C", 1, 1),
        ("household", "KZ-23", "F", 1, 1),
        ("seasonal", "KZ-23", "F", 1, 1),
    ], "the first ran out after day 100, the third was revoked"


def test_the_use_of_quotas_by_line_and_version(engine: Embedded) -> None:
    told(engine, [*PERMITS, *QUOTAS, tick(60, 70)])
    last = date(2025, 12, 31)
    assert rows(engine, "mart_quota_use") == [
        ("kandas", 2025, "", "", "", 1, date(2025, 1, 1), last, 8, 0, 0, 0.0),
        ("labour", 2025, "", "", "", 1, date(2025, 1, 1), on(59), 4, 3, 3, 0.75),
        ("labour", 2025, "", "", "", 2, on(60), last, 10, 2, 5, 0.5),
        ("labour", 2025, "", "1", "", 1, date(2025, 1, 1), last, 0, 1, 1, None),
        ("labour", 2025, "", "seasonal", "", 1, date(2025, 1, 1), last, 2, 1, 1, 0.5),
        ("labour", 2025, "KZ-23", "", "", 1, date(2025, 1, 1), last, 3, 4, 4, 1.3333),
        ("labour", 2025, "KZ-23", "3", "F", 1, date(2025, 1, 1), last, 5, 3, 3, 0.6),
    ]


def test_the_cockpit_forecasts_the_day_of_exhaustion(engine: Embedded) -> None:
    told(engine, [*PERMITS, *QUOTAS, *FAMILIES, tick(60, 70)])
    columns = "quota, oblast, category, sector, version, versions, first_allocated, allocated, used, pending, left, pace_per_day"
    assert rows(engine, "mart_quota_cockpit", columns) == [
        ("kandas", "", "", "", 1, 1, 8, 8, 6, 3, 2, 0.0),
        ("labour", "", "", "", 2, 2, 4, 10, 5, None, 5, 0.1071),
        ("labour", "", "1", "", 1, 1, 0, 0, 1, None, -1, 0.0357),
        ("labour", "", "seasonal", "", 1, 1, 2, 2, 1, None, 1, 0.0357),
        ("labour", "KZ-23", "", "", 1, 1, 3, 3, 4, None, -1, 0.0714),
        ("labour", "KZ-23", "3", "F", 1, 1, 5, 5, 3, None, 2, 0.0357),
    ]
    # Of the whole: 3 in 28 days, 5 left: 5 * 28 / 3 = 46.7 days. Fast: 3 + 1.2816 * 2 + 0.5 = 6.06 in 28 days, 23.1 days.
    # Slow: 3 - 1.2816 * 1.732 = 0.78 in 28 days, 179.5 days.
    assert rows(
        engine, "mart_quota_cockpit", "exhausted_on, earliest_on, latest_on", "oblast = '' AND category = '' AND quota = 'labour'"
    ) == [(on(70 + 47), on(70 + 24), on(70 + 180))]
    assert rows(engine, "mart_quota_cockpit", "exhausted_on, latest_on", "category = '1'") == [(on(70), on(70))], (
        "exhausted already"
    )
    assert rows(engine, "mart_quota_cockpit", "exhausted_on, latest_on", "quota = 'kandas'") == [(None, None)], (
        "nothing in 28 days"
    )


def test_the_share_of_the_workforce_is_the_concepts_and_the_events(engine: Embedded) -> None:
    columns = (Column("year", "UInt16", ""), Column("persons", "UInt64", ""), Column("source", "String", ""))
    engine.insert("workforce", Block(columns, [[2025], [1000], ["by hand"]]))
    told(engine, [*PERMITS, *QUOTAS, tick(60, 70)])
    concept, events = rows(engine, "mart_quota_share")
    assert concept[:3] == (2006, 40_900, None)
    assert concept[4] == 0.0051, "0.51 %"
    assert concept[6].startswith("Concept")
    assert events == (2025, 10, 5, 1000, 0.01, 0.005, "events")


def declaration(number: int, employer: str, as_of: int, counts: tuple[int, int, int, int]) -> EmployerDeclaration:
    citizens_12, citizens_34, foreigners_12, foreigners_34 = counts
    return fact(
        EmployerDeclaration,
        number,
        employer,
        as_of,
        as_of_on=day(as_of),
        oblast="KZ-23",
        sector="F",
        size="medium",
        citizens_12=citizens_12,
        citizens_34=citizens_34,
        foreigners_12=foreigners_12,
        foreigners_34=foreigners_34,
    )


def test_the_share_of_citizens_at_employers(engine: Embedded) -> None:
    told(
        engine,
        [
            declaration(1, "e1-x", 0, (1, 1, 9, 9)),
            declaration(2, "e1-x", 10, (7, 90, 3, 10)),
            declaration(3, "e1-y", 0, (7, 89, 3, 11)),
            declaration(4, "e1-z", 0, (0, 10, 0, 0)),
        ],
    )
    columns = "employer, as_of_on, share_12, share_34, least_12, least_34, below"
    assert rows(engine, "mart_citizens_share", columns) == [
        ("e1-x", on(10), 0.7, 0.9, 0.7, 0.9, False),
        ("e1-y", on(0), 0.7, 0.89, 0.7, 0.9, True),
        ("e1-z", on(0), None, 1.0, 0.7, 0.9, False),
    ]
    assert rows(engine, "mart_employers_below_citizens_share") == [("KZ-23", "F", 3, 1, 0.3333)]


@pytest.mark.parametrize("year", [2007, 2015, 2016, 2025])
def test_the_least_shares_are_the_policys(engine: Embedded, year: int) -> None:
    terms = load("kz").at(day(of(year)))
    told(engine, [declaration(1, "e1-x", of(year), (1, 1, 1, 1))])
    [(least_12, least_34)] = rows(engine, "mart_citizens_share", "least_12, least_34")
    wanted = (terms.citizen_share_12, terms.citizen_share_34)
    assert (least_12, least_34) == tuple(None if share is None else share / 100 for share in wanted)


def test_inspections_and_who_was_found(engine: Embedded) -> None:
    def seen(number: int, visit: int, subject: str, kind: str) -> Inspection:
        return fact(Inspection, number, subject, kind=kind, inspection_id=event_id(visit), oblast="KZ-23")

    told(
        engine,
        [
            seen(1, 51, "p1-a", "worker_found"),
            seen(2, 51, "p1-c", "worker_found"),
            seen(3, 52, "p1-x", "in_country_check"),
            seen(4, 52, "p1-y", "worker_found"),
        ],
        WORK,
    )
    assert rows(engine, "mart_inspections") == [(2025, "KZ-23", 2, 1, 3, 1)], "of p1-c the breach was retracted"


def family(number: int, of_family: int, kind: str, when: int, size: int, **values: Any) -> Kandas:
    plain: dict[str, Any] = {
        "family_id": event_id(of_family),
        "family_size": size,
        "from_country": "MNG",
        "oblast": "KZ-61",
        "in_quota": True,
    }
    return fact(Kandas, number, f"p1-{of_family}", when, kind=kind, **plain | values)


FAMILIES = [
    family(31, 201, "applied", 0, 4),
    family(32, 201, "granted", 5, 4),
    family(33, 201, "arrived", 9, 4),
    family(34, 201, "centre_admitted", 10, 4),
    family(35, 201, "centre_completed", 40, 4),
    family(36, 202, "applied", 1, 2),
    family(37, 202, "granted", 5, 2),
    family(38, 202, "arrived", 20, 2, from_country="CHN"),
    family(39, 203, "applied", 2, 3),
    family(40, 204, "applied", 3, 5, in_quota=False),
]


def test_kandas_by_step_country_and_adaptation(engine: Embedded) -> None:
    told(engine, FAMILIES)
    assert rows(engine, "mart_kandas") == [
        (2025, "KZ-61", "applied", 4, 14, 9),
        (2025, "KZ-61", "arrived", 2, 6, 6),
        (2025, "KZ-61", "centre_admitted", 1, 4, 4),
        (2025, "KZ-61", "centre_completed", 1, 4, 4),
        (2025, "KZ-61", "granted", 2, 6, 6),
    ]
    assert rows(engine, "mart_kandas_by_country") == [(2025, "CHN", 1, 2), (2025, "MNG", 1, 4)]
    assert rows(engine, "mart_kandas_adaptation") == [(2025, 2, 1, 1, 30.0, 0.5)]


def asylum(number: int, of_procedure: int, kind: str, when: int, until: int | None = None) -> ProtectionStatus:
    values = {"protection_id": event_id(of_procedure), "valid_until_on": None if until is None else day(until)}
    return fact(ProtectionStatus, number, f"p1-{of_procedure}", when, kind=kind, **values)


PROCEDURES = [
    asylum(1, 301, "asylum_applied", 0),
    asylum(2, 301, "asylum_recognised", 30, 400),
    asylum(3, 302, "asylum_applied", 0),
    asylum(4, 302, "asylum_refused", 10),
    asylum(5, 302, "appeal_filed", 12),
    asylum(6, 303, "asylum_applied", 5),
    asylum(7, 304, "asylum_applied", 0),
    asylum(8, 304, "asylum_refused", 20),
    asylum(9, 305, "asylum_applied", 0),
    asylum(10, 305, "asylum_recognised", 10, 50),
    asylum(11, 306, "trafficking_victim", 0, 100),
]


def test_asylum_decisions_times_and_refugees(engine: Embedded) -> None:
    told(engine, [*PROCEDURES, tick(60, 70)])
    assert rows(engine, "mart_asylum") == [(2025, 5, 1, 2, 1, 1, 0, 0, 0.5)]
    assert rows(engine, "mart_asylum_times") == [(2025, "recognised", 2, 20.0, 28.0), (2025, "refused", 2, 15.0, 19.0)]
    assert rows(engine, "mart_refugees", "as_of_on, refugees, waiting") == [(date(2006, 12, 31), 582, None), (on(70), 1, 2)]


def test_non_refoulement_counts_what_must_never_be(engine: Embedded) -> None:
    told(
        engine,
        [],
        [case(1, 1, "suspected", 0, protected=True), case(2, 1, "contacted", 0), case(3, 1, "removed", 0, protected=False)],
    )
    assert rows(engine, "mart_non_refoulement") == [("KZ-75", 1, 0)]
    told(engine, [], [case(4, 1, "referred", 0, protected=True)])
    assert rows(engine, "mart_non_refoulement") == [("KZ-75", 2, 1)], "a broken interlock shows"
