"""``shekara publish`` and ``shekara dead-letters`` against a real Apache Kafka."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner, Result

from streams.cli import build
from streams.clock import monotonic_s
from streams.decode import Decoder, Rejected
from streams.errors import ShekaraError
from streams.publish import Publisher
from streams.records import BorderCrossing, DeadLetter, Feedback
from streams.settings import Settings
from streams.wire import avro, connection
from streams.wire.jsonform import from_json, to_json
from streams.wire.topics import DEAD_LETTERS, FEEDBACK, MAX_DEAD_LETTER_BYTES, MAX_MESSAGE_BYTES, PEOPLE
from tests.conftest import Kafka
from tests.integration.test_publisher import everything
from tests.unit.decode.lawful import RECEIVED_AT, SomeCodes, lawful

pytestmark = pytest.mark.integration

CROSSINGS = """occurred_at,direction,post,citizenship,document_number,issuing_country,purpose
2025-05-01T10:15:00,entry,KZ-61-R1,UZB,AB1234567,UZB,work
2025-05-20T18:00:00,exit,KZ-61-R1,UZB,AB1234567,UZB,work
2025-05-02T09:00:00,entry,KZ-61-R1,KGZ,AC7654321,KGZ,private
"""


@pytest.fixture
def settings(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A fresh namespace; the commands find it by the environment."""
    settings = kafka.settings()
    monkeypatch.setenv("SHEKARA_KAFKA", settings.kafka)
    monkeypatch.setenv("SHEKARA_NAMESPACE", settings.namespace)
    monkeypatch.setenv("SHEKARA_HOME", str(settings.home))
    monkeypatch.setenv("SHEKARA_PSEUDONYM_KEY", "00" * 32)
    return settings


def _shekara(*arguments: str) -> Result:
    return CliRunner().invoke(build(), list(arguments))


def _published(settings: Settings) -> list[Any]:
    return [avro.decode(message.value()) for message in everything(settings, PEOPLE, 4)]


def test_a_posts_table_of_crossings_arrives_as_events_without_document_numbers(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "crossings.csv"
    path.write_text(CROSSINGS)
    result = _shekara("publish", str(path))
    assert result.exit_code == 0, result.output
    assert "3 of 3 rows published and acknowledged, 0 refused" in result.output
    crossings = _published(settings)
    assert sorted(crossing.direction for crossing in crossings) == ["entry", "entry", "exit"]
    assert len({crossing.subject for crossing in crossings}) == 2
    for message in everything(settings, PEOPLE, 4):
        assert b"1234567" not in message.value() + message.key()


def test_publishing_a_file_twice_gives_the_same_events(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "crossings.csv"
    path.write_text(CROSSINGS)
    for _ in range(2):
        assert _shekara("publish", str(path)).exit_code == 0
    events = _published(settings)
    assert len(events) == 6
    assert len({event.event_id for event in events}) == 3
    assert len(set(events)) == 3


def test_what_is_refused_is_not_sent_and_the_rest_is(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "crossings.csv"
    path.write_text(CROSSINGS.replace("KZ-61-R1,KGZ", "KZ-99-R9,KGZ"))
    result = _shekara("publish", str(path), "--json")
    assert result.exit_code == 2
    summary = json.loads(result.stdout.splitlines()[-1])
    assert (summary["published"], summary["refused"], summary["errors"][0]["line"]) == (2, 1, 4)
    assert len(_published(settings)) == 2


def test_an_interruption_keeps_what_was_sent_and_says_where_to_go_on(settings: Settings) -> None:
    lines = [json.dumps(to_json(lawful(BorderCrossing, event_id=bytes([n]) * 16, source_seq=n))) + "\n" for n in (1, 2, 3)]
    command = subprocess.Popen(
        [sys.executable, "-m", "streams", "publish", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stdin is not None
    try:
        command.stdin.writelines(lines)
        command.stdin.flush()
        deadline = monotonic_s() + 60
        while len(everything(settings, PEOPLE, 4)) < 3:
            assert monotonic_s() < deadline
        command.send_signal(signal.SIGINT)
        _, told = command.communicate(timeout=30)
    finally:
        command.kill()
    assert "published up to line 3; go on with --from-line 4" in told
    assert "Traceback" not in told
    assert command.returncode == 130


def test_no_broker_is_one_sentence(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.publish.publisher.MAX_BLOCK_MS", 1000)
    path = tmp_path / "crossings.csv"
    path.write_text(CROSSINGS)
    result = _shekara("publish", str(path), "--bootstrap", "127.0.0.1:1")
    assert isinstance(result.exception, ShekaraError)
    assert result.exception.exit_code == 4


def _refuse(settings: Settings, values: list[bytes]) -> None:
    """Does to messages what an agent does: decodes, and writes what is refused in a transaction, compressed."""
    producer = Producer(
        connection.librdkafka(settings)
        | {
            "transactional.id": f"{settings.namespace}-test",
            "compression.type": "lz4",
            "message.max.bytes": str(MAX_DEAD_LETTER_BYTES),
        }
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    decoder = Decoder(SomeCodes())
    for offset, value in enumerate(values):
        rejected = decoder.decode(value, received_at=RECEIVED_AT, topic=PEOPLE)
        assert isinstance(rejected, Rejected)
        letter = DeadLetter(
            topic=PEOPLE.name(settings.namespace),
            partition=0,
            offset=offset,
            timestamp_at=RECEIVED_AT,
            key=lawful(BorderCrossing).subject.encode(),
            value=value,
            code=rejected.code,
            reason=rejected.reason,
            event_type=rejected.event_type,
            source=rejected.source,
        )
        producer.produce(DEAD_LETTERS.name(settings.namespace), avro.encode(letter), str(offset))
    producer.commit_transaction(30)


# Its post is in the shipped policy and was not in the codes of whoever refused it: as if it had been added since.
SINCE_KNOWN = avro.encode(lawful(BorderCrossing, post="KZ-47-S1"))
BROKEN = [SINCE_KNOWN, b"{}", SINCE_KNOWN[:-1], SINCE_KNOWN + b"!"]


def test_letters_are_listed_by_fault_and_shown_whole(settings: Settings) -> None:
    _refuse(settings, BROKEN)
    listed = json.loads(_shekara("dead-letters", "list", "--json").stdout)
    assert listed["letters"] == 4
    assert {group["code"] for group in listed["groups"]} == {"unknown_post", "unknown_framing", "truncated", "trailing_bytes"}
    shown = json.loads(_shekara("dead-letters", "show", "0", "--value", "--json").stdout)
    assert shown["code"] == "unknown_post"
    assert shown["record"]["post"] == "KZ-47-S1"
    assert "record" not in json.loads(_shekara("dead-letters", "show", "0", "--json").stdout)
    assert "unknown_post" in _shekara("dead-letters", "list").stdout


def test_an_export_holds_the_original_bytes_and_is_its_owners_alone(settings: Settings, tmp_path: Path) -> None:
    _refuse(settings, BROKEN)
    path = tmp_path / "letters.jsonl"
    assert _shekara("dead-letters", "export", str(path)).exit_code == 0
    assert path.stat().st_mode & 0o077 == 0
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    letters = [from_json("dead_letter", {name: value for name, value in line.items() if name != "number"}) for line in lines]
    assert [letter.value for letter in letters if isinstance(letter, DeadLetter)] == BROKEN
    assert isinstance(_shekara("dead-letters", "export", str(path)).exception, ShekaraError)


def test_a_replay_publishes_what_would_pass_now_byte_for_byte_and_leaves_the_rest(settings: Settings) -> None:
    _refuse(settings, BROKEN)
    assert json.loads(_shekara("dead-letters", "replay", "--all", "--dry-run", "--json").stdout)["replayed"] == 1
    assert everything(settings, PEOPLE, 4) == []
    done = json.loads(_shekara("dead-letters", "replay", "--all", "--json").stdout)
    assert (done["replayed"], done["numbers"]) == (1, [0])
    assert done["left"] == {"unknown_framing": 1, "truncated": 1, "trailing_bytes": 1}
    (message,) = everything(settings, PEOPLE, 4)
    assert message.value() == SINCE_KNOWN


def test_a_fix_publishes_the_same_event_mended_leaves_a_trail_and_tells_the_source(settings: Settings) -> None:
    wrong = lawful(BorderCrossing, post="NOWHERE")
    _refuse(settings, [avro.encode(wrong), *BROKEN[1:]])
    set_post = ("--set", "post=KZ-61-R1", "--because", "old code", "--who", "o1-17", "--json")
    assert json.loads(_shekara("dead-letters", "fix", "0", "--dry-run", *set_post).stdout)["mended"] == 1
    assert everything(settings, PEOPLE, 4) == []
    result = _shekara("dead-letters", "fix", "0-3", *set_post)
    done = json.loads(result.stdout)
    assert (result.exit_code, done["mended"], done["numbers"], sum(done["left"].values())) == (2, 1, [0], 3)
    (message,) = everything(settings, PEOPLE, 4)
    assert isinstance(wrong, BorderCrossing)
    assert avro.decode(message.value()) == replace(wrong, post="KZ-61-R1")
    (told,) = everything(settings, FEEDBACK, 1)
    feedback = avro.decode(told.value())
    assert isinstance(feedback, Feedback)
    assert (told.key(), feedback.state, feedback.event_id) == (wrong.source.encode(), "mended", wrong.event_id)
    (line,) = _shekara("dead-letters", "trail", "--json").stdout.splitlines()
    kept = json.loads(line)
    assert (kept["who"], kept["because"], kept["fields"], kept["number"]) == ("o1-17", "old code", ["post"], 0)
    assert "NOWHERE" not in line


@pytest.mark.parametrize(
    "change", ["event_id=6f1d3f0e-5b7c-5a52-9a43-0c4de0f6a111", "source=post:KZ-61-R1", "post", "source_seq=7"]
)
def test_what_says_which_event_it_is_cannot_be_fixed(settings: Settings, change: str) -> None:
    result = _shekara("dead-letters", "fix", "0", "--set", change, "--because", "x")
    assert isinstance(result.exception, ShekaraError)


def test_a_fix_that_would_come_back_is_left(settings: Settings) -> None:
    _refuse(settings, [avro.encode(lawful(BorderCrossing, post="NOWHERE"))])
    result = _shekara("dead-letters", "fix", "0", "--set", "post=ELSEWHERE", "--because", "x", "--json")
    assert (result.exit_code, next(iter(json.loads(result.stdout)["left"]))[:12]) == (2, "unknown_post")
    assert everything(settings, PEOPLE, 4) == []


def test_a_replay_must_be_told_which(settings: Settings) -> None:
    result = _shekara("dead-letters", "replay")
    assert isinstance(result.exception, ShekaraError)
    assert "which letters" in str(result.exception)


def test_no_dead_letters_is_said_in_words(settings: Settings) -> None:
    assert _shekara("dead-letters", "list").stdout == "No dead letters.\n"


def test_the_longest_message_the_broker_takes_fits_into_a_dead_letter(settings: Settings) -> None:
    longest = MAX_MESSAGE_BYTES - 200
    with Publisher(settings) as publisher:
        publisher.publish_encoded(PEOPLE.name(settings.namespace), b"key", b"\x01" * longest)
    (message,) = everything(settings, PEOPLE, 4)
    _refuse(settings, [message.value()])
    listed = json.loads(_shekara("dead-letters", "show", "0", "--json").stdout)
    assert (listed["code"], listed["bytes"]) == ("over_long", longest)
