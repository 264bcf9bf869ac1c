"""Alerts about employers among those about people: they say what the employers' view says, and count as nobody's breach."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from streams import person as people
from streams.employer import take
from streams.policy.load import load
from streams.records import Alert, BorderCrossing, EmployerDeclaration, Inspection, QuotaAllocation, WorkPermit
from streams.report.explain import explain
from streams.report.explain_text import LANGUAGES, as_text
from streams.warehouse.embedded import Embedded
from tests.integration.indicator_facts import alert, day, fact, rows, told
from tests.property.labour_stream import Book, Message, links_of

pytestmark = pytest.mark.integration

OPEN = "state IN ('raised', 'amended', 'acknowledged')"


def declaration(number: int, employer: str, as_of: int, foreigners_12: int, **values: Any) -> EmployerDeclaration:
    plain: dict[str, Any] = {"as_of_on": day(as_of), "oblast": "KZ-23", "sector": "F", "size": "medium"}
    plain |= {"citizens_12": 70, "citizens_34": 0, "foreigners_12": foreigners_12, "foreigners_34": 0}
    return fact(EmployerDeclaration, number, employer, as_of, **plain | values)


DECLARED = [
    declaration(1, "e1-low", 0, 31),
    declaration(2, "e1-low", 90, 40),
    declaration(3, "e1-again", 0, 31),
    declaration(4, "e1-again", 90, 30),
    declaration(5, "e1-again", 180, 31),
    declaration(6, "e1-ended", 0, 31),
    declaration(7, "e1-ended", 90, 30),
    declaration(8, "e1-withdrawn", 0, 31),
    declaration(9, "e1-withdrawn", 0, 30, recorded_at=declaration(8, "", 0, 0).recorded_at + 1),
    declaration(10, "e1-good", 0, 0),
    declaration(11, "e1-late", 90, 30),
    declaration(12, "e1-late", 0, 31),
]


def alerts_of(declared: list[EmployerDeclaration]) -> list[Alert]:
    states: dict[str, bytes | None] = {}
    found: list[Alert] = []
    for one in declared:
        step = take(states.get(one.subject), one, one.recorded_at, load("kz"))
        states[one.subject] = step.state or states.get(one.subject)
        found += step.alerts
    return found


def test_open_alerts_are_those_of_employers_below_the_share(engine: Embedded) -> None:
    told(engine, DECLARED, alerts_of(DECLARED))
    wanted = [("e1-again",), ("e1-low",)]
    assert rows(engine, "alerts_now", "subject", f"rule = 'employer_citizen_share' AND {OPEN}") == wanted
    assert rows(engine, "mart_citizens_share", "employer", "below") == wanted
    assert rows(engine, "mart_alerts", "rule, oblast, state, alerts") == [
        ("employer_citizen_share", "KZ-23", "amended", 1),
        ("employer_citizen_share", "KZ-23", "raised", 1),
        ("employer_citizen_share", "KZ-23", "resolved", 3),
        ("employer_citizen_share", "KZ-23", "retracted", 1),
    ]


@pytest.mark.parametrize(
    "view",
    [
        *("mart_unregistered_workers", "mart_unregistered_workers_by_oblast", "mart_work_breaches", "mart_overstays_by_grade"),
        *(
            "mart_overstays_by_age",
            "mart_overstays_by_group",
            "mart_overstays_by_oblast",
            "mart_follow_up",
            "mart_foreigners_present",
        ),
        *("mart_entries_during_ban", "mart_trafficking_indicators", "mart_open_stays"),
    ],
)
def test_what_is_counted_of_people_is_the_same_with_and_without_them(engine: Embedded, view: str) -> None:
    people = [
        alert(1, "overstay_visa", oblast="KZ-23"),
        alert(2, "work_without_permit", "p1-b", employer="e1-low", oblast="KZ-23"),
    ]
    told(engine, [], people)
    before = rows(engine, view)
    told(engine, DECLARED, [*people, *alerts_of(DECLARED)])
    assert rows(engine, view) == before


def test_such_an_alert_is_explained_by_the_declarations_it_rests_on(engine: Embedded) -> None:
    alerts = alerts_of(DECLARED)
    told(engine, DECLARED, alerts)
    one = next(one for one in alerts if one.subject == "e1-ended")
    found = explain(UUID(bytes=one.alert_id), lambda sql: engine.select(sql).rows, load("kz"))
    assert [version["state"] for version in found["versions"]] == ["raised", "resolved"]
    assert [event["type"] for event in found["events"] if event["is_evidence"]] == ["employer_declaration"] * 2
    assert found["ledger_now"] == []
    assert [option["name"] for option in found["options"]] == ["correct_record", "dispute_record"]


def test_a_quotas_alert_is_explained_by_its_allocation_and_an_employers_own_quota_by_the_permits(engine: Embedded) -> None:
    allocation = fact(QuotaAllocation, 50, "q", 0, quota="labour", year=2025, version=1, persons=1, effective_on=day(0))
    allocation = replace(allocation, oblast=None, category=None, sector=None)
    declared = declaration(51, "e1-own", 0, 0, citizens_12=1)
    plain: dict[str, Any] = {"kind": "issued", "permit_type": "employer", "category": "2", "employer": "e1-own"}
    plain |= {"oblast": "KZ-23"}
    plain |= {"sector": "F", "valid_from_on": day(1), "valid_until_on": day(90)}
    permit = fact(WorkPermit, 52, "p1-a", 1, **plain)
    book = Book(load("kz"))
    messages: list[Message] = [allocation, declared, *links_of([permit], "p1-a", load("kz"))]
    for message in messages:
        book.take(message)
    told(engine, [allocation, declared, permit], [one for one in book.versions if isinstance(one, Alert)])
    by_rule = {one.rule: one for one in book.told.values()}
    found = {
        rule: explain(UUID(bytes=by_rule[rule].alert_id), lambda sql: engine.select(sql).rows, load("kz"))
        for rule in ("quota_exhausted", "employer_over_quota")
    }
    evidence = {rule: [one["type"] for one in said["events"] if one["is_evidence"]] for rule, said in found.items()}
    assert evidence == {"quota_exhausted": ["quota_allocation"], "employer_over_quota": ["employer_declaration", "work_permit"]}
    assert not any(one["withdrawn"] for said in found.values() for one in said["events"])


def test_an_alert_about_workers_without_a_right_is_explained_by_their_alerts(engine: Embedded) -> None:
    policy = load("kz")
    entered = fact(BorderCrossing, 60, "p1-w", 0, direction="entry", citizenship="UZB", post="KZ-23-P1")
    found_working = fact(Inspection, 61, "p1-w", 5, kind="worker_found", employer="e1-hires", oblast="KZ-23", sector="F")
    worker: bytes | None = None
    of_worker: tuple[Alert, ...] = ()
    for record in (entered, found_working):
        step = people.take(worker, record, people.START, people.Cause(record.event_id, 7), policy)
        worker, of_worker = step.state or worker, of_worker + step.alerts
    book = Book(policy)
    for link in links_of([entered, found_working], "p1-w", policy):
        book.take(link)
    about = next(one for one in book.told.values() if isinstance(one, Alert) and one.rule == "employer_unlawful_workers")
    told(engine, [entered, found_working], [*of_worker, *(one for one in book.versions if isinstance(one, Alert))])
    said = explain(UUID(bytes=about.alert_id), lambda sql: engine.select(sql).rows, policy)
    assert [(one["rule"], one["subject"], one["state"]) for one in said["alerts"]] == [("work_without_permit", "p1-w", "raised")]
    assert UUID(said["alerts"][0]["alert_id"]) in {UUID(bytes=one.alert_id) for one in of_worker}
    for language in LANGUAGES:
        assert said["alerts"][0]["alert_id"] in as_text(said, language)
    own = explain(UUID(said["alerts"][0]["alert_id"]), lambda sql: engine.select(sql).rows, policy)
    assert own["alerts"] == []
