"""Who may write what, at the door."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.decode import Decoder, Rejected, load_sources
from streams.errors import UsageError
from streams.records import BorderCrossing, Correction, PostHeartbeat, Record, Tick, Visa
from streams.wire import avro
from streams.wire.topics import topic_of
from tests.unit.decode.lawful import LAWFUL, POST, RECEIVED_AT, SomeCodes, lawful

REGISTER = """
sources:
  "post:*": {types: [border_crossing, post_heartbeat, correction], own_post: true, note: all posts}
  "post:KZ-61-R1": {types: [post_heartbeat]}
  "register:*": {types: [correction]}
  "register:visas": {types: [visa]}
  clock: {types: [tick]}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "sources.yaml"
    file.write_text(REGISTER)
    return file


def refusal(path: Path, record: Record) -> str:
    decoder = Decoder(SomeCodes(), load_sources(path))
    outcome = decoder.decode(avro.encode(record), received_at=RECEIVED_AT, topic=topic_of(record.NAME))
    if isinstance(outcome, Rejected):
        assert outcome.code == "source_not_allowed"
        assert (outcome.event_type, outcome.source) == (record.NAME, record.source)
        return outcome.reason
    assert outcome == record
    return ""


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (lawful(BorderCrossing, source=f"post:{POST}", post=POST), ""),
        (lawful(PostHeartbeat, source=f"post:{POST}", subject=POST), ""),
        (lawful(Correction, source=f"post:{POST}"), ""),
        (lawful(BorderCrossing, source="post:KZ-75-A2", post=POST), f"expected post:{POST}"),
        (lawful(PostHeartbeat, source="post:KZ-75-A2", subject=POST), f"expected post:{POST}"),
        (lawful(Visa, source=f"post:{POST}"), "may write border_crossing, correction, post_heartbeat"),
        (lawful(BorderCrossing, source="post:KZ-61-R1", post="KZ-61-R1"), "may write post_heartbeat"),
        (lawful(Visa, source="register:visas"), ""),
        (lawful(Visa, source="register:other"), "may write correction"),
        (lawful(Correction, source="register:visas"), "may write visa"),
        (lawful(Visa, source="hotel"), "one of the register of sources"),
        (lawful(Visa, source="Ivan Ivanov, hotel keeper"), "a text of 25 characters"),
        (lawful(Tick, source="clock"), ""),
    ],
)
def test_a_source_writes_what_the_register_says(path: Path, record: Record, said: str) -> None:
    reason = refusal(path, record)
    assert said in reason
    assert bool(said) == bool(reason)


def test_without_a_register_every_source_may_write_everything() -> None:
    decoder = Decoder(SomeCodes())
    for record in LAWFUL:
        assert decoder.decode(avro.encode(record), received_at=RECEIVED_AT, topic=topic_of(record.NAME)) == record


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "one table"),
        ("sources: []", "one table"),
        ("sources: {}\nother: 1", "one table"),
        ("sources: {a: [visa]}", "a: expected a table"),
        ("sources: {a: {types: [visas]}}", "no event type visas"),
        ("sources: {a: {types: [alert]}}", "no event type alert"),
        ("sources: {a: {types: []}}", "expected types"),
        ("sources: {a: {}}", "expected types"),
        ("sources: {a: {types: [visa], own_post: 1}}", "own_post"),
        ("sources: {a: {types: [visa], types_: 1}}", "expected a table"),
        ('sources: {"a*b": {types: [visa]}}', "at most at its end"),
        ("sources: {a: [", "cannot be read"),
    ],
)
def test_a_wrong_register_is_one_sentence_that_names_the_fault(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "sources.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=said):
        load_sources(file)


def test_a_missing_register_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_sources(tmp_path / "nowhere.yaml")
