"""What posts say they sent, held against what is here, on the real engine: every figure computed by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streams.cli import build, reconcile, sql
from streams.publish.tally import Tally, heartbeat, statement
from streams.records import BorderCrossing, CountStatement, DeadLetter, PostHeartbeat, Record
from streams.warehouse.embedded import Embedded
from streams.wire import avro
from streams.wire.signing import Signer
from tests.contract.warehouse import deliver, deliveries
from tests.integration.indicator_facts import at, day, on, rows
from tests.unit.warehouse.made import crossing

pytestmark = pytest.mark.integration

SOURCE = "post:KZ-75-A1"
SIGNER = Signer("a1-2025", bytes(range(32)))


def a_day(count: int = 10, signer: Signer | None = SIGNER) -> tuple[list[BorderCrossing], CountStatement, PostHeartbeat]:
    """Returns crossings numbered from 1, and what the post says of them."""
    crossings = [crossing(number, f"p1-{number}") for number in range(1, count + 1)]
    tally = Tally()
    for one in crossings:
        tally = tally.plus(one)
    said = statement("KZ-75-A1", SOURCE, day(0), tally, source_seq=count + 2, at_ms=at(0.2), signer=signer)
    beat = heartbeat("KZ-75-A1", SOURCE, tally, source_seq=count + 1, complete_through_at=at(0.1), at_ms=at(0.1))
    return crossings, said, beat


def letter(record: Record, offset: int) -> DeadLetter:
    return DeadLetter(
        "t.people", 0, offset, at(0), b"", avro.encode(record), "unknown_post", "post: …", record.NAME, record.source
    )


def test_holes_repeats_and_statements_by_source(engine: Embedded) -> None:
    crossings, said, beat = a_day()
    came = [one for one in crossings if one.source_seq not in (4, 5, 8)]
    deliver(engine, deliveries([*came, crossings[0], crossings[0]]))
    deliver(engine, deliveries([beat, said], topic="t.posts"))
    deliver(engine, deliveries([letter(came[1], 1)], topic="t.dead-letters"))
    received = rows(engine, "mart_sequence_gaps", "source, first_missing, last_missing, missing")
    assert received == [(SOURCE, 4, 5, 2), (SOURCE, 8, 8, 1)]
    assert rows(engine, "mart_repeats_by_publisher") == [(SOURCE, 11, 9, 2, 0)]
    assert rows(engine, "mart_reconciliation") == [(SOURCE, "KZ-75-A1", on(0), 1, 10, 10, 7, 1, 10, 7, 3, True)]


class _Asker:
    def __init__(self, engine: Embedded) -> None:
        self._engine = engine

    def select(self, query: str) -> Any:
        return self._engine.select(query)

    def __enter__(self) -> _Asker:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def told(engine: Embedded, monkeypatch: pytest.MonkeyPatch, date: str = "2025-03-01") -> tuple[int, dict[str, Any]]:
    """Returns exit code and answer of ``shekara reconcile``, asked of this engine."""
    monkeypatch.setattr(sql, "asking", lambda _: _Asker(engine))
    result = CliRunner().invoke(build(), ["reconcile", "--source", SOURCE, "--date", date, "--json"])
    assert result.exit_code in (0, 1), result.output
    words = CliRunner().invoke(build(), ["reconcile", "--source", SOURCE, "--date", date])
    assert words.exit_code == result.exit_code
    answer: dict[str, Any] = json.loads(result.output)
    assert reconcile is not None
    return result.exit_code, answer


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "sources.yaml"
    entry = f"{{kid: a1-2025, public: {SIGNER.public.hex()}, from: 2025-01-01T00:00:00Z}}"
    path.write_text(f"sources:\n  '{SOURCE}': {{types: [border_crossing], signatures: strict, keys: [{entry}]}}\n")
    monkeypatch.setenv("SHEKARA_SOURCES", str(path))
    return path


def test_a_day_on_which_everything_came_agrees(engine: Embedded, monkeypatch: pytest.MonkeyPatch, register: Path) -> None:
    crossings, said, beat = a_day()
    deliver(engine, deliveries([*reversed(crossings), crossings[3]]))
    deliver(engine, deliveries([said, beat, said], topic="t.posts"))
    code, answer = told(engine, monkeypatch)
    assert (code, answer["verdict"]) == (0, "agrees")
    assert [(one["kind"], one["held"], one["repeats"], one["digest_agrees"], one["signature"]) for one in answer["compared"]] == [
        ("statement", 10, 1, True, "good"),
        ("heartbeat", 10, 1, None, "not_checked"),
    ]


def test_what_is_missing_refused_or_another_event_is_named(
    engine: Embedded, monkeypatch: pytest.MonkeyPatch, register: Path
) -> None:
    crossings, said, _ = a_day()
    came = [one for one in crossings if one.source_seq not in (4, 5, 8)]
    deliver(engine, deliveries([*came, crossing(900, "p1-x", source_seq=9)]))
    deliver(engine, deliveries([said], topic="t.posts"))
    deliver(engine, deliveries([letter(came[1], 1)], topic="t.dead-letters"))
    code, answer = told(engine, monkeypatch)
    [one] = answer["compared"]
    assert (code, answer["verdict"], one["missing"], one["shared"]) == (1, "differs", ["4-5", "8"], [9])
    assert one["refused"] == [{"source_seq": 2, "code": "unknown_post"}]


def test_another_event_under_a_number_shows_in_the_digest(
    engine: Embedded, monkeypatch: pytest.MonkeyPatch, register: Path
) -> None:
    crossings, said, _ = a_day()
    deliver(engine, deliveries([*crossings[:-1], crossing(901, "p1-x", source_seq=10)]))
    deliver(engine, deliveries([said], topic="t.posts"))
    code, answer = told(engine, monkeypatch)
    assert (code, answer["compared"][0]["missing"], answer["compared"][0]["digest_agrees"]) == (1, [], False)


def test_numbers_nobody_could_have_given_are_missing_and_asked_for_at_once(
    engine: Embedded, monkeypatch: pytest.MonkeyPatch, register: Path
) -> None:
    crossings, said, _ = a_day()
    beyond = replace(said, last_seq=2**62, signature=SIGNER.sign_statement(replace(said, last_seq=2**62)))
    deliver(engine, deliveries(crossings))
    deliver(engine, deliveries([beyond], topic="t.posts"))
    code, answer = told(engine, monkeypatch)
    assert code == 1
    assert answer["compared"][0]["missing"] == ["11", f"13-{2**62}"]


def test_a_statement_signed_by_another_key_does_not_agree(
    engine: Embedded, monkeypatch: pytest.MonkeyPatch, register: Path
) -> None:
    crossings, said, _ = a_day(signer=Signer("a1-2025", bytes(32)))
    deliver(engine, deliveries(crossings))
    deliver(engine, deliveries([said], topic="t.posts"))
    code, answer = told(engine, monkeypatch)
    assert (code, answer["compared"][0]["signature"]) == (1, "bad_signature")


def test_a_day_nobody_spoke_of_is_not_a_day_that_agrees(engine: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(engine, deliveries(a_day()[0]))
    assert told(engine, monkeypatch) == (1, {"source": SOURCE, "date": "2025-03-01", "verdict": "nothing_said", "compared": []})
