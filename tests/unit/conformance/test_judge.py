"""The judge of the conformance kit: a system that does as the contract says passes, and each way of not doing so is told."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from streams.conformance.judge import Judge, Seen
from streams.conformance.report import Finding, signed, verify
from streams.conformance.scenarios import Scenario, scenarios
from streams.decode.sources import Source, SourceKey
from streams.errors import IntegrityError, UsageError
from streams.policy.load import load
from streams.publish.pseudonym import Pseudonyms
from streams.records import Record
from streams.wire import avro
from streams.wire.jsonform import from_json
from streams.wire.partition import partition_of
from streams.wire.signing import HEADER, Signer, Verifier
from streams.wire.topics import topic_of

NOW = 1_750_000_000_000
SOURCE, POST = "post:KZ-61-R1", "KZ-61-R1"
CODES = load("kz").codes
PSEUDONYMS = Pseudonyms(1, bytes(32))
ALL = scenarios(SOURCE, POST, "UZB", NOW)
SIGNER = Signer("k", bytes(range(32)))
PARTITIONS = 3

Twist = Callable[[Record, int], Record | None]


class Sandbox:
    """A log in memory that a well-behaved system writes to, unless it is twisted."""

    def __init__(self, *, sign: bool = False) -> None:
        self._offsets = Counter[int]()
        self._sign = sign

    def act(self, scenario: Scenario, twist: Twist = lambda record, _: record) -> list[Seen]:
        found = []
        for run in range(scenario.runs):
            for fact in scenario.facts:
                row = dict(fact)
                if row.get("post") == "ZZ-00-X0":
                    continue
                number, country = row.pop("document_number"), row.pop("issuing_country")
                row["subject"] = PSEUDONYMS.person(country, number)
                record = from_json(row["type"], row)
                assert isinstance(record, Record)
                twisted = twist(record, run)
                if twisted is not None:
                    found.append(self.put(twisted))
        return sorted(found, key=lambda one: (one.partition, one.offset))

    def put(self, record: Record, key: bytes | None = None, partition: int | None = None) -> Seen:
        key = key or record.subject.encode()
        at = partition_of(key, PARTITIONS) if partition is None else partition
        self._offsets[at] += 1
        value = avro.encode(record)
        headers = ((HEADER, SIGNER.header([value])),) if self._sign else ()
        return Seen(topic_of(record.NAME), PARTITIONS, at, self._offsets[at], NOW, key, value, headers)


def judge(entry: Source | None = None) -> Judge:
    return Judge(CODES, PSEUDONYMS, SOURCE, entry)


def named(name: str) -> Scenario:
    return next(scenario for scenario in ALL if scenario.name == name)


def test_a_system_that_does_as_the_contract_says_conforms() -> None:
    sandbox, judging = Sandbox(), judge()
    assert [judging.judge(scenario, sandbox.act(scenario)) for scenario in ALL] == [[]] * len(ALL)
    assert judging.numbering() == []
    assert judging.upgrade() == []


def test_a_system_with_ids_of_its_own_conforms_too() -> None:
    sandbox, judging = Sandbox(), judge()

    def own(record: Record, _: int) -> Record:
        changes: dict[str, Any] = {"event_id": bytes(reversed(record.event_id))}
        if record.NAME == "correction":
            changes["supersedes"] = bytes(reversed(record.supersedes))  # type: ignore[attr-defined]
        return replace(record, **changes)

    assert [judging.judge(scenario, sandbox.act(scenario, own)) for scenario in ALL] == [[]] * len(ALL)


def test_a_system_that_must_sign_is_judged_by_its_key() -> None:
    keys = {"k": SourceKey("k", Verifier(SIGNER.public), 0, None, None)}
    entry = Source(SOURCE, frozenset({"border_crossing", "correction"}), own_post=True, signatures="strict", keys=keys)
    assert judge(entry).judge(ALL[0], Sandbox(sign=True).act(ALL[0])) == []
    [missing, lost] = judge(entry).judge(ALL[0], Sandbox().act(ALL[0]))
    assert "unsigned" in missing
    assert "did not arrive" in lost


@pytest.mark.parametrize(
    ("name", "twist", "told"),
    [
        ("entry", lambda r, _: None, "did not arrive"),
        ("entry", lambda r, _: replace(r, purpose="work"), "purpose differs"),
        ("entry", lambda r, _: replace(r, occurred_at=r.occurred_at + 3_600_000, recorded_at=NOW), "occurred_at differs"),
        ("entry", lambda r, _: replace(r, subject="p1-" + "0" * 32), "subject differs"),
        ("entry", lambda r, _: replace(r, source="post:KZ-61-R9"), "source: expected"),
        ("late", lambda r, _: replace(r, recorded_at=r.occurred_at - 1), "recorded_at: expected"),
        ("duplicate", lambda r, run: replace(r, event_id=bytes(15) + bytes([run + 1])), "expected one id"),
        ("offline_day", lambda r, _: replace(r, source_seq=7), "stands for another event"),
        ("offline_day", lambda r, _: r if r.source_seq % 9 else None, "did not arrive"),
    ],
)
def test_each_way_of_not_conforming_is_told(name: str, twist: Twist, told: str) -> None:
    faults = judge().judge(named(name), Sandbox().act(named(name), twist))
    assert any(told in fault for fault in faults), faults


def test_another_key_another_partition_and_another_order_are_told() -> None:
    sandbox, day = Sandbox(), named("offline_day")
    record = avro.decode(sandbox.act(ALL[0])[0].value or b"")
    assert isinstance(record, Record)
    assert any("key: expected" in fault for fault in judge().judge(ALL[0], [sandbox.put(record, b"other")]))
    elsewhere = (partition_of(record.subject.encode(), PARTITIONS) + 1) % PARTITIONS
    assert any("partition: expected" in fault for fault in judge().judge(ALL[0], [sandbox.put(record, None, elsewhere)]))
    seen = Sandbox().act(day)
    backwards = [replace(one, offset=10_000 - one.offset) for one in seen]
    assert any("order: expected" in fault for fault in judge().judge(day, backwards))


def test_numbers_with_a_gap_are_told_and_a_bad_event_may_leave_one() -> None:
    judging = judge()
    judging.judge(ALL[0], Sandbox().act(ALL[0], lambda r, _: replace(r, source_seq=2)))
    assert "without gaps" in judging.numbering()[0]
    judging = judge()
    for scenario in ALL:
        judging.judge(scenario, Sandbox().act(scenario))
    assert judging.numbering() == []


def test_a_report_shows_when_it_was_changed_or_signed_by_another_kit() -> None:
    report = json.loads(json.dumps(signed({"source": SOURCE}, [Finding("entry", "…", "passed", 1, 0.1)], SIGNER)))
    assert verify(report)
    assert verify(report, SIGNER.public)
    with pytest.raises(IntegrityError):
        verify(report, Signer("other", bytes(32)).public)
    report["scenarios"][0]["state"] = "failed"
    with pytest.raises(IntegrityError):
        verify(report)
    with pytest.raises(UsageError):
        verify({})
    assert not verify(signed({"source": SOURCE}, [Finding("entry", "…", "not_run", 0, 0.0)], SIGNER))
