"""Decisions are kept together with what they end, or not at all; disputes are not decisions of a case."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from streams.console.decisions import Decisions, Disputed, Taken
from streams.console.desk import Desk
from streams.console.procedures import procedures
from streams.records import CaseDecision, Dispute
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


def test_a_dispute_leaves_as_its_own_event_and_is_no_decision_of_the_case(desk: Desk, decisions: Decisions) -> None:
    case_id, dispute_id, alert_id, event_id = uuid4(), uuid4(), uuid4(), uuid4()
    for kind, event in (("opened", event_id.bytes), ("upheld", None)):
        about = Disputed(kind, SUBJECT, case_id.bytes, dispute_id.bytes, alert_id.bytes, event, "not me")  # type: ignore[arg-type]
        decisions.dispute("o1-a", about)
    assert decisions.of_case(case_id) == []
    kinds, moments = zip(*decisions.disputes_of(case_id), strict=True)
    assert kinds == ("dispute_opened", "dispute_upheld")
    assert moments[0] < moments[1], "a decision lies behind what it decides, though the clock stands"
    rows = desk.store.rows("SELECT content FROM decision ORDER BY source_seq")
    sent = [avro.decode(bytes.fromhex(row[0])) for row in rows]
    assert [type(one) for one in sent] == [Dispute, Dispute]
    assert [(one.disputed_event, one.alert_id) for one in sent if isinstance(one, Dispute)] == [
        (event_id.bytes, None),
        (None, alert_id.bytes),
    ]
    decisions.take("o1-b", [taken(case_id.bytes)])
    last = avro.decode(bytes.fromhex(desk.store.rows("SELECT content FROM decision ORDER BY source_seq DESC LIMIT 1")[0][0]))
    assert isinstance(last, CaseDecision)
    assert last.source_seq == 3
    assert UUID(bytes=last.case_id) == case_id
