"""Signed events through a real Kafka and a real worker: the SDK's pass, all others are dead letters, and their source is told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from streams.clock import now_ms
from streams.decode import Decoder
from streams.gateway.application import Gateway, application
from streams.gateway.delivery import Delivery
from streams.gateway.intake import Intake
from streams.gateway.serve import Listening, Server
from streams.gateway.tokens import Tokens, add
from streams.publish import Publisher
from streams.records import BorderCrossing, Feedback
from streams.settings import Settings
from streams.wire import avro
from streams.wire.jsonform import to_json
from streams.wire.signing import HEADER, Signer, Verifier, parse
from streams.wire.topics import DEAD_LETTERS, FEEDBACK, PEOPLE
from tests.conftest import Kafka
from tests.integration.rig import Log, until
from tests.integration.test_gateway import Caller
from tests.unit.decode.lawful import SomeCodes, lawful

pytestmark = pytest.mark.integration

SIGNER = Signer("a1-2025", bytes(range(32)))
SOURCE = "post:KZ-75-A1"


@contextmanager
def worker(settings: Settings, folder: Path, register: Path) -> Iterator[None]:
    """Runs a real worker with a register of sources."""
    environment = os.environ | {
        "SHEKARA_KAFKA": settings.kafka,
        "SHEKARA_NAMESPACE": settings.namespace,
        "SHEKARA_HOME": str(folder / "home"),
        "SHEKARA_TICKS": "log",
        "SHEKARA_SOURCES": str(register),
    }
    with (folder / "worker.log").open("ab") as output:
        process = subprocess.Popen([sys.executable, "-m", "streams", "worker"], env=environment, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def strict(folder: Path) -> Path:
    """Returns a register of sources in which the post has to sign."""
    register = folder / "sources.yaml"
    key = f"{{kid: a1-2025, public: {SIGNER.public.hex()}, from: 2025-01-01T00:00:00Z}}"
    register.write_text(f"sources:\n  '{SOURCE}': {{types: [border_crossing], signatures: strict, keys: [{key}]}}\n")
    return register


def crossings(first: int, count: int) -> list[BorderCrossing]:
    at = now_ms() - 60_000
    return [
        cast(
            "BorderCrossing",
            lawful(
                BorderCrossing,
                event_id=n.to_bytes(16, "big"),
                subject=f"p1-{n % 7:032x}",
                source_seq=n,
                occurred_at=at,
                recorded_at=at,
            ),
        )
        for n in range(first, first + count)
    ]


def told(log: Log) -> list[Feedback]:
    found = [avro.decode(message.value()) for message in log.read(FEEDBACK.name(log.settings.namespace))]
    return [one for one in found if isinstance(one, Feedback)]


def headers_of(message: Any) -> dict[str, bytes]:
    return dict(message.headers() or ())


@pytest.mark.timeout(200)
def test_signed_events_pass_all_others_are_dead_letters_with_their_own_code_and_told(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=2)
    good, bare, forged, late = crossings(1, 200), crossings(201, 3), crossings(204, 2), crossings(206, 1)
    with Publisher(settings, signer=SIGNER) as publisher:
        publisher.publish_many(good)
    with Publisher(settings, signer=Signer("a1-2025", bytes(32))) as publisher:
        publisher.publish_many(forged)
    with Publisher(settings) as publisher:
        publisher.publish_many(bare)
        changed = replace(late[0], citizenship="RUS")
        header = SIGNER.header([avro.encode(late[0])])
        people = PEOPLE.name(settings.namespace)
        publisher.publish_encoded(people, changed.subject.encode(), avro.encode(changed), signature=header)
    log = Log(settings)
    with worker(settings, tmp_path, strict(tmp_path)):
        until(lambda: log.done() == 206, "all are accounted for")
    letters = log.dead_letters()
    assert Counter(letter.code for letter in letters) == {"unsigned": 3, "bad_signature": 3}
    assert [letter.signature for letter in letters if letter.value == avro.encode(changed)] == [header]
    assert sum(line.processed for line in log.ledger()) == 200
    feedback = told(log)
    assert {(one.source, one.code, one.event_id, one.source_seq) for one in feedback} == {
        (SOURCE, "unsigned" if one in bare else "bad_signature", one.event_id, one.source_seq) for one in (*bare, *forged, *late)
    }
    keys = {message.key() for message in log.read(FEEDBACK.name(settings.namespace))}
    assert keys == {SOURCE.encode()}
    assert b"p1-" not in b"".join(message.value() for message in log.read(FEEDBACK.name(settings.namespace)))
    assert len({headers_of(message).get(HEADER) for message in log.read(people) if headers_of(message)}) >= 200 // 64
    assert log.read(DEAD_LETTERS.name(settings.namespace))


def test_one_event_goes_out_signed_though_no_list_is_ever_full(kafka: Kafka) -> None:
    settings = kafka.settings(partitions=1)
    log = Log(settings)
    publisher = Publisher(settings, signer=SIGNER, linger_ms=5)
    try:
        publisher.publish(crossings(1, 1)[0])
        until(lambda: len(log.read(log.people)) == 1, "it is sent without a flush")
    finally:
        publisher.close()
    [message] = log.read(log.people)
    assert set(headers_of(message)) == {HEADER}


def test_the_settings_name_the_key(kafka: Kafka, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(bytes(range(32)).hex())
    file.chmod(0o600)
    settings = kafka.settings(partitions=1, signing_key_file=file, signing_kid="a1-2025")
    with Publisher(settings) as publisher:
        publisher.publish_many(crossings(1, 2))
    log = Log(settings)
    [header] = {headers_of(message)[HEADER] for message in log.read(log.people)}
    signed = parse(header)
    assert (signed.kid, len(signed.hashes)) == ("a1-2025", 2)
    assert Verifier(SIGNER.public).fits(signed.signature, signed.signed)


def test_what_the_gateway_takes_goes_out_signed_with_its_key_and_passes_a_strict_worker(kafka: Kafka, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(bytes(range(32)).hex() + "\n")
    key.chmod(0o600)
    settings = kafka.settings(partitions=2, signing_key_file=key, signing_kid=SIGNER.kid)
    delivery = Delivery(settings)
    delivery.require()
    made = Gateway(Tokens(tmp_path / "tokens.json"), Intake(Decoder(SomeCodes()), None), delivery, settings.namespace)
    server = Server(application(made), Listening())
    log = Log(settings)
    try:
        _, token = add(tmp_path / "tokens.json", SOURCE, ["border_crossing"], 10_000)
        events = crossings(1, 600)
        status, answer = Caller(server.url, token).post([to_json(event) for event in events])
        assert (status, answer["accepted"]) == (202, 600)
    finally:
        server.close()
        delivery.close()
    headers = {headers_of(message)[HEADER] for message in log.read(log.people)}
    signed = [parse(header) for header in headers]
    assert sum(len(one.hashes) for one in signed) == 600
    assert all(Verifier(SIGNER.public).fits(one.signature, one.signed) for one in signed)
    with worker(settings, tmp_path, strict(tmp_path)):
        until(lambda: log.done() == 600, "all are processed")
    assert log.dead_letters() == []
