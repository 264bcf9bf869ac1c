"""Indicators of follow-up, data quality and comparability, on the real engine: every figure computed by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from streams.policy.load import load
from streams.records import BatchMarker, DeadLetter, Dispute, EmployerDecision, PostHeartbeat, PostOutage
from streams.warehouse.embedded import Embedded
from tests.contract.warehouse import RECEIVED
from tests.integration.indicator_facts import EPOCH, alert, at, case, day, decision, fact, of, on, rows, tick, told
from tests.unit.warehouse.made import correction, crossing, event_id, make

pytestmark = pytest.mark.integration

CASES = [
    case(1, 1, "suspected", 0),
    case(1, 2, "contacted", 2),
    case(1, 3, "legalised", 10, open=False),
    case(2, 1, "suspected", 0, due_on=day(5)),
    case(3, 1, "suspected", 0),
    case(3, 2, "contacted", 4, due_on=day(90)),
    case(4, 1, "suspected", 1),
    case(4, 2, "left", 21, open=False),
]


def test_the_funnel_its_times_outcomes_and_what_is_overdue(engine: Embedded) -> None:
    told(engine, [tick(60, 70)], CASES)
    assert rows(engine, "mart_follow_up", "stage, cases_now, cases_ever", "cases_ever > 0") == [
        ("contacted", 1, 2),
        ("left", 1, 1),
        ("legalised", 1, 1),
        ("suspected", 1, 4),
    ]
    assert rows(engine, "mart_follow_up_times") == [
        ("contacted", 2, 3.0, 3.8, 4.0),
        ("left", 1, 21.0, 21.0, 21.0),
        ("legalised", 1, 10.0, 10.0, 10.0),
        ("suspected", 4, 0.0, 0.7, 1.0),
    ]
    assert rows(engine, "mart_case_outcomes") == [(2025, 4, 2, 1, 1, 0, 0, 0, 0.25)]
    assert rows(engine, "mart_cases_overdue") == [("KZ-75", "contacted", 1, 0, None), ("KZ-75", "suspected", 1, 1, on(5))]


def test_decisions_of_officers_and_legalisation_campaigns(engine: Embedded) -> None:
    in_campaign = of(2006, 9, 1)
    told(
        engine,
        [
            decision(1, "contacted", "p1-a", 1, when=0),
            decision(2, "contacted", "p1-b", 2, when=1, officer="o1-y"),
            decision(3, "legalised", "p1-a", 1, when=40),
            decision(4, "legalised", "p1-c", 3, when=in_campaign),
            decision(5, "legalised", "p1-c", 3, when=of(2006, 12, 31)),
            decision(6, "legalised", "p1-d", 4, when=of(2007, 1, 1)),
        ],
    )
    assert rows(engine, "mart_case_decisions", "*", "month >= '2025-01-01'") == [
        (date(2025, 3, 1), "contacted", 2, 2, 2),
        (date(2025, 4, 1), "legalised", 1, 1, 1),
    ]
    term = ("2006", date(2006, 8, 1), date(2006, 12, 31))
    concept, events = sorted(rows(engine, "mart_legalisation_campaigns"), key=lambda row: str(row[-1]))
    assert concept[:5] == (*term, None, 164_500)
    assert events == (*term, 1, None, "events")


def test_the_terms_of_campaigns_are_the_policys(engine: Embedded) -> None:
    policy = load("kz")
    open_days = [
        number
        for number in range((date(2006, 1, 1) - EPOCH).days, (date(2026, 1, 1) - EPOCH).days)
        if policy.at(number).legalisation_window
    ]
    terms = set(rows(engine, "mart_legalisation_campaigns", "from_on, until_on"))
    listed = {number for first, last in terms for number in range((first - EPOCH).days, (last - EPOCH).days + 1)}
    assert listed == set(open_days)


def test_a_rules_precision_counts_outcomes_of_officers_and_of_facts(engine: Embedded) -> None:
    disputed = Dispute(event_id(9), "p1-e", at(1), at(1), "console:test", 1, "opened", event_id(90), None, event_id(5))
    told(
        engine,
        [disputed, decision(1, "legalised", "p1-a", 1, when=3), decision(2, "cleared", "p1-b", 2, when=3)],
        [
            alert(1, "overstay_visa", "p1-a"),
            alert(2, "overstay_visa", "p1-b"),
            alert(3, "overstay_visa", "p1-c", state="resolved", reason="exit_seen"),
            alert(4, "overstay_visa", "p1-d", state="retracted", reason="correction"),
            alert(5, "overstay_visa", "p1-e", state="retracted", reason="dispute"),
            alert(6, "overstay_visa", "p1-f", state="retracted", reason="policy"),
            alert(7, "overstay_visa", "p1-g"),
            alert(8, "arrival_not_notified", "p1-g"),
            alert(9, "overstay_visa", "p1-h", state="expired", reason="retention"),
            case(3, 1, "cleared", 3, subject="p1-h", stay_on=day(0), open=False),
            case(1, 1, "legalised", 3, subject="p1-a", stay_on=day(0), open=False),
            case(2, 1, "cleared", 3, subject="p1-b", stay_on=day(0), open=False),
        ],
    )
    assert rows(engine, "mart_rule_precision") == [
        ("arrival_not_notified", 1, 0, 0, 1, 0, None),
        ("overstay_visa", 8, 2, 2, 4, 2, 0.5),
    ]


def test_precision_of_rules_about_employers_by_what_officers_decided(engine: Embedded) -> None:
    def about(number: int, outcome: str, *, of: int, version: int = 1, when: float = 1) -> EmployerDecision:
        plain = {"alert_id": event_id(of), "alert_version": version, "decision": outcome, "officer": "o1-x", "reason": "r"}
        return fact(EmployerDecision, number, "e1-a", when, **plain)

    share = "employer_citizen_share"
    told(
        engine,
        [
            about(101, "in_order", of=1),
            about(102, "put_in_order", of=2),
            about(103, "passed_on", of=3),
            about(104, "in_order", of=4),
            about(105, "put_in_order", of=4, when=2),  # the latest holds
            about(106, "in_order", of=5),  # then it was amended: of that version nothing is decided
            about(107, "put_in_order", of=6),  # then the facts said that it is over
        ],
        [
            *(alert(number, share, "e1-a") for number in range(1, 8)),
            alert(5, share, "e1-a", version=2, state="amended", decided_at=at(3)),
            alert(6, share, "e1-a", version=2, state="resolved", decided_at=at(3)),
        ],
    )
    assert rows(engine, "core_employer_decision", "count()") == [(7,)]
    assert rows(engine, "mart_rule_precision") == [(share, 7, 3, 1, 3, 4, 0.75)]


def test_retractions_by_rule_reason_and_source(engine: Embedded) -> None:
    late = crossing(1, "p1-a", "exit", recorded_at=at(2), source="post:KZ-75-A1")
    told(
        engine,
        [late, tick(2, 3)],
        [
            alert(1, "overstay_visa"),
            alert(1, "overstay_visa", version=2, state="retracted", reason="exit_seen", caused_by=event_id(1), decided_at=at(2)),
            alert(2, "overstay_visa"),
            alert(3, "overstay_visa", "p1-b"),
            alert(
                3,
                "overstay_visa",
                "p1-b",
                version=2,
                state="retracted",
                reason="coverage",
                caused_by=event_id(2),
                decided_at=at(1),
            ),
            alert(4, "arrival_not_notified"),
        ],
    )
    assert rows(engine, "mart_retractions_by_rule") == [
        ("arrival_not_notified", 1, 0, 0.0, None),
        ("overstay_visa", 3, 2, 0.6667, 36.0),
    ]
    assert rows(engine, "mart_retractions_by_reason") == [
        ("overstay_visa", "coverage", 1, 1),
        ("overstay_visa", "exit_seen", 1, 1),
    ]
    assert rows(engine, "mart_retractions_by_source") == [("post:KZ-75-A1", 1, 48.0), ("register:test", 1, 0.0003)], (
        "a tick is written down a second later"
    )


def test_lateness_and_completeness_by_publisher(engine: Embedded) -> None:
    hours = [0, 1, 2, 3, 30]
    told(
        engine,
        [
            *(
                crossing(number, f"p1-{number}", source_seq=number, recorded_at=at(0) + hours[number - 1] * 3_600_000)
                for number in range(1, 6)
                if number != 3
            ),
            crossing(6, source="post:KZ-23-A1", source_seq=3, recorded_at=at(0)),
        ],
    )
    received = -(-(RECEIVED - at(0)) // 60_000) / 60  # whole minutes, rounded up
    assert rows(engine, "mart_lateness_by_publisher", "* EXCEPT median_received_hours") == [
        ("post:KZ-23-A1", 1, 0.0, 0.0, 0, 0.0),
        ("post:KZ-75-A1", 4, 2.0, 29.19, 1, 0.25),
    ]
    assert rows(engine, "mart_lateness_by_publisher", "median_received_hours", "source = 'post:KZ-23-A1'") == [
        (round(received, 4),)
    ]
    assert rows(engine, "mart_completeness_by_publisher") == [("post:KZ-23-A1", 3, 1, 2, 0.3333), ("post:KZ-75-A1", 5, 4, 1, 0.8)]


def test_coverage_of_posts(engine: Embedded) -> None:
    def beat(number: int, when: float, sent: int) -> PostHeartbeat:
        return fact(PostHeartbeat, number, "KZ-75-A1", when, complete_through_at=at(when), sent_count=sent)

    def outage(number: int, which: int, kind: str, until: float | None) -> PostOutage:
        return fact(
            PostOutage,
            number,
            "KZ-75-A1",
            2,
            outage_id=event_id(which),
            kind=kind,
            from_at=at(1),
            until_at=None if until is None else at(until),
        )

    told(
        engine,
        [
            beat(1, 0, 5),
            beat(2, 1, 7),
            outage(3, 71, "started", None),
            outage(4, 71, "ended", 1.5),
            outage(5, 72, "started", None),
            outage(6, 72, "backfilled", 1.25),
            outage(7, 73, "started", None),
            tick(8, 3),
        ],
    )
    through = datetime.fromtimestamp(at(1) / 1000, UTC)
    assert rows(engine, "mart_post_coverage") == [("KZ-75-A1", "KZ-75", through, 48.0, 12, 3, 1, 12.0 + 48.0)]


def test_dead_letters_corrections_and_disputes(engine: Embedded) -> None:
    def letter(offset: int, code: str) -> DeadLetter:
        return make(
            DeadLetter,
            topic="t.people",
            partition=5,
            offset=offset,
            timestamp_at=at(offset),
            code=code,
            event_type="visa",
            source="register:x",
        )

    def dispute(number: int, which: int, kind: str, when: float) -> Dispute:
        return fact(Dispute, number, "p1-a", when, kind=kind, dispute_id=event_id(which))

    told(
        engine,
        [
            crossing(1),
            crossing(2),
            correction(11, 1),
            correction(12, 2),
            correction(13, 12),
            dispute(21, 81, "opened", 0),
            dispute(22, 81, "upheld", 6),
            dispute(23, 82, "opened", 0),
        ],
        [letter(1, "truncated"), letter(2, "truncated"), letter(3, "unknown_post")],
    )
    newest = [datetime.fromtimestamp(at(number) / 1000, UTC) for number in (2, 3)]
    assert rows(engine, "mart_dead_letters") == [
        ("register:x", "visa", "truncated", 2, newest[0]),
        ("register:x", "visa", "unknown_post", 1, newest[1]),
    ]
    assert rows(engine, "mart_corrections") == [("register:corrections", "data_entry", 3, 1)]
    assert rows(engine, "mart_disputes") == [(2025, 2, 1, 1, 0, 6.0)]


def test_every_record_is_accounted_for(engine: Embedded) -> None:
    run = make(BatchMarker, topic="t.people", partition=0, first_offset=0, last_offset=1, processed=2)
    told(engine, [crossing(1), crossing(2)], [run])
    assert rows(engine, "mart_ledger", "produced, processed, missing, balanced") == [(2, 2, 0, True)]


def test_the_eu_set(engine: Embedded) -> None:
    told(
        engine,
        [
            crossing(1, "p1-a"),
            crossing(2, "p1-b", citizenship="TJK"),
            crossing(3, "p1-c", "refusal", citizenship="TJK", refusal_reason="document"),
            crossing(4, "p1-c", "refusal", 1, citizenship="TJK", refusal_reason="document"),
            decision(5, "order_to_leave", "p1-a", 1, when=10),
            decision(6, "order_to_leave", "p1-b", 2, when=10),
            decision(7, "removed", "p1-b", 2, when=29),
            crossing(8, "p1-b", "exit", 30, citizenship="TJK"),
            crossing(9, "p1-b", "exit", 5, citizenship="TJK"),
        ],
        [
            case(1, 1, "contacted", 0, "p1-a", group="eaeu"),
            case(2, 1, "removed", 0, "p1-b", group="visa_required"),
            alert(1, "overstay_visa", "p1-a"),
            alert(2, "overstay_visa", "p1-b"),
            alert(3, "entry_during_ban", "p1-b"),
            alert(4, "overstay_visa", "p1-x", grade="presumed"),
        ],
    )
    assert rows(engine, "mart_eu_refused_entry") == [(2025, "TJK", "document", 1, 2)]
    assert rows(engine, "mart_eu_found_unlawfully_present") == [(2025, "TJK", 1), (2025, "UZB", 1)]
    assert rows(engine, "mart_eu_ordered_to_leave") == [(2025, "eaeu", 1), (2025, "visa_required", 1)]
    assert rows(engine, "mart_eu_returned") == [(2025, 1, 1)], "the exit before the order does not count"
