"""Decisions are kept together with what they end, or not at all; disputes are not decisions of a case."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from streams.console.decisions import Decisions, Disputed, EmployerTaken, Taken
from streams.console.desk import Desk
from streams.console.procedures import procedures
from streams.records import CaseDecision, Correction, Dispute, EmployerDecision
from streams.wire import avro

SUBJECT = "p1-00000000000000000000000000000000"
NOW = 1_750_000_000_000


@pytest.fixture
def decisions(desk: Desk) -> Iterator[Decisions]:
    """Decisions that are kept and never sent: there is no Kafka here."""
    made = Decisions(desk.settings, desk.store, desk.audit, lambda: NOW)
    made._rest_until_s = float("inf")
    yield made
    made.close()


def taken(case_id: bytes) -> Taken:
    return Taken("legalised", SUBJECT, case_id, None, "the notice came", 0)


def test_a_proceeding_and_its_decisions_end_together_and_once(desk: Desk, decisions: Decisions) -> None:
    case_id = uuid4()
    members = [(str(uuid4()), str(case_id))]
    path = procedures()["late_registration"]
    begun = desk.proceedings.begin(path, "o1-a", NOW, 20_000, oblast="KZ-75", members=members, reason="asked for help")
    proceeding = desk.proceedings.one(begun, "")
    assert proceeding is not None
    closing = desk.proceedings.closing(proceeding, "legalised", "the notice came", officer="o1-a", at=NOW, on=20_001)
    for _ in range(2):
        decisions.take("o1-a", [taken(case_id.bytes)], closing)
    assert [one for one, _, _ in decisions.of_case(case_id)] == ["legalised"], "a form sent twice decides once"
    closed = desk.proceedings.one(begun, "")
    assert closed is not None
    assert closed.outcome == "legalised"


def test_what_cannot_be_kept_ends_nothing(desk: Desk, decisions: Decisions) -> None:
    path = procedures()["late_registration"]
    begun = desk.proceedings.begin(path, "o1-a", NOW, 20_000, oblast="", members=[], reason="asked for help")
    proceeding = desk.proceedings.one(begun, "")
    assert proceeding is not None
    closing = desk.proceedings.closing(proceeding, "legalised", "because", officer="o1-a", at=NOW, on=20_001)
    broken = Taken("legalised", SUBJECT, b"", None, "because", 0)
    with pytest.raises(ValueError, match="does not match schema size"):
        decisions.take("o1-a", [broken], closing)
    again = desk.proceedings.one(begun, "")
    assert again is not None
    assert again.closed_at == 0
    assert decisions.waiting() == 0


def test_an_outcome_about_an_employer_leaves_as_an_event_of_the_employer(desk: Desk, decisions: Decisions) -> None:
    employer, alert_id = "e1-00000000000000000000000000000000", uuid4()
    about = EmployerTaken("put_in_order", employer, alert_id.bytes, 3, "two permits were issued", NOW + 5)
    decisions.take("o1-a", [about, taken(uuid4().bytes)])
    rows = desk.store.rows("SELECT content FROM decision ORDER BY source_seq")
    event, other = (avro.decode(bytes.fromhex(row[0])) for row in rows)
    assert isinstance(event, EmployerDecision)
    assert isinstance(other, CaseDecision), "who is a person and who an employer may be decided at once"
    assert (event.subject, event.alert_id, event.alert_version) == (employer, alert_id.bytes, 3)
    assert (event.decision, event.officer, event.reason) == ("put_in_order", "o1-a", "two permits were issued")
    assert event.occurred_at > NOW + 5, "it lies behind what it follows"
    assert desk.audit.lines()[1].action == "decided_employer_put_in_order"
    assert desk.audit.lines()[1].object == str(alert_id)


def test_a_dispute_leaves_as_its_own_event_and_is_no_decision_of_the_case(desk: Desk, decisions: Decisions) -> None:
    case_id, dispute_id, alert_id, event_id = uuid4(), uuid4(), uuid4(), uuid4()
    for kind in ("opened", "upheld"):
        about = Disputed(kind, SUBJECT, case_id.bytes, dispute_id.bytes, alert_id.bytes, event_id.bytes, "not me")
        decisions.dispute("o1-a", about)
    assert decisions.of_case(case_id) == []
    rows = desk.store.rows("SELECT content FROM decision ORDER BY source_seq")
    opened, upheld, corrected = (avro.decode(bytes.fromhex(row[0])) for row in rows)
    assert isinstance(opened, Dispute)
    assert isinstance(upheld, Dispute)
    assert opened.disputed_event == event_id.bytes
    assert decisions.opening(case_id, dispute_id.bytes) == opened
    assert opened.occurred_at < upheld.occurred_at, "a decision lies behind what it decides, though the clock stands"
    assert isinstance(corrected, Correction)
    assert corrected.supersedes == event_id.bytes, "the person was right: the record counts no longer"
    decisions.take("o1-b", [taken(case_id.bytes)])
    last = avro.decode(bytes.fromhex(desk.store.rows("SELECT content FROM decision ORDER BY source_seq DESC LIMIT 1")[0][0]))
    assert isinstance(last, CaseDecision)
    assert last.source_seq == 4
    assert UUID(bytes=last.case_id) == case_id
