"""A publisher in Java and one in Node put into Kafka, byte for byte, what the SDK puts there; and it is detected."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from streams.clock import monotonic_s
from streams.decode import Decoder
from streams.gateway.application import Gateway, application
from streams.gateway.delivery import Delivery
from streams.gateway.intake import Intake
from streams.gateway.serve import Listening, Server
from streams.gateway.tokens import Tokens, add
from streams.policy.load import load
from streams.publish import Publisher
from streams.publish.pseudonym import Pseudonyms
from streams.records import BorderCrossing, Tick
from streams.settings import Settings
from streams.wire import avro
from streams.wire.jsonform import to_json
from streams.wire.topics import PEOPLE
from tests.conftest import Kafka
from tests.integration.rig import Log
from tests.integration.test_publisher import everything

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
KEY = bytes(range(32))
DAY_MS = 86_400_000
FIRST_MS = int(datetime(2025, 3, 1, 6, tzinfo=UTC).timestamp() * 1000)
POST = "KZ-75-A1"


def rows() -> list[tuple[UUID, int, int, str, str, str]]:
    """Twelve tourists enter; every third stays far beyond what a visitor may, the others leave after ten days."""
    found: list[tuple[UUID, int, int, str, str, str]] = []
    for person in range(12):
        country = ("UZB", "DEU", "GEO")[person % 3]
        document = f"AB {person:03d}-4567"
        moments = [("entry", FIRST_MS + person * 3_600_000)]
        if person % 3:
            moments.append(("exit", FIRST_MS + 10 * DAY_MS + person * 3_600_000))
        for direction, at_ms in moments:
            number = len(found) + 1
            found.append((uuid5(UUID(int=9), str(number)), number, at_ms, direction, document, country))
    return found


def crossings() -> list[BorderCrossing]:
    """The same as the SDK has them."""
    pseudonyms = Pseudonyms(1, KEY)
    return [
        BorderCrossing(
            event_id=event_id.bytes,
            subject=pseudonyms.person(country, document),
            occurred_at=at_ms,
            recorded_at=at_ms,
            source=f"post:{POST}",
            source_seq=number,
            direction=direction,  # type: ignore[arg-type]
            post=POST,
            citizenship=country,
            purpose="tourism",
            document="passport",
            transport="road",
            visa_id=None,
            refusal_reason=None,
        )
        for event_id, number, at_ms, direction, document, country in rows()
    ]


def lying(settings: Settings) -> list[tuple[int, bytes, bytes]]:
    """Returns partition, key and value of every message."""
    messages = everything(settings, PEOPLE, 4)
    return [(m.partition(), m.key(), m.value()) for m in sorted(messages, key=lambda m: (m.partition(), m.offset()))]


def by_sdk(kafka: Kafka) -> Settings:
    settings = kafka.settings()
    with Publisher(settings) as publisher:
        publisher.publish_many(crossings())
    return settings


def alerts(settings: Settings, folder: Path) -> set[tuple[Any, ...]]:
    """Lets a real worker decide, with the time at 1 July 2025, and returns what it raised."""
    now = int(datetime(2025, 7, 1, tzinfo=UTC).timestamp() * 1000)
    with Publisher(settings) as publisher:
        publisher.publish(Tick(bytes(15) + b"\x01", "clock", now, now, "clock", 1, now, ()))
    environment = os.environ | {
        "SHEKARA_KAFKA": settings.kafka,
        "SHEKARA_NAMESPACE": settings.namespace,
        "SHEKARA_HOME": str(folder / settings.namespace),
        "SHEKARA_TICKS": "log",
    }
    log = folder / f"{settings.namespace}.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "streams", "worker"]
        worker = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = monotonic_s() + 90
        while Log(settings).done() < len(rows()) + settings.partitions:  # and a tick for each partition
            assert worker.poll() is None, log.read_text()
            assert monotonic_s() < deadline, log.read_text()
        return {(one.alert_id, one.rule, one.state, one.subject, one.version) for one in Log(settings).alerts()}
    finally:
        worker.terminate()
        worker.wait(30)


def test_a_java_publisher_with_avro_and_kafkas_client_is_detected_exactly_like_the_sdk(kafka: Kafka, tmp_path: Path) -> None:
    if not (shutil.which("javac") and shutil.which("mvn")):
        pytest.skip("needs a JDK (javac) and Maven (mvn)")
    shutil.copytree(EXAMPLES / "java", tmp_path / "java", ignore=shutil.ignore_patterns("target"))
    settings = kafka.settings()
    schema = ROOT / "schemas" / "border_crossing.avsc"
    arguments = f"{settings.kafka} {PEOPLE.name(settings.namespace)} {schema} {KEY.hex()} 1"
    lines = [
        f"{i},{number},{at_ms},{direction},{POST},{document},{country}"
        for i, number, at_ms, direction, document, country in rows()
    ]
    result = subprocess.run(
        ["mvn", "-q", "-B", "compile", "exec:java", f"-Dexec.args={arguments}"],
        cwd=tmp_path / "java",
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    # Maven may put colour codes around what the program prints.
    assert len(re.findall(r"\d+ \d+$", result.stdout, re.MULTILINE)) == len(lines)
    sdk = by_sdk(kafka)
    assert lying(settings) == lying(sdk)
    found = alerts(settings, tmp_path)
    assert "overstay_visa_exempt" in {rule for _, rule, _, _, _ in found}
    assert found == alerts(sdk, tmp_path)


def test_a_node_publisher_through_the_gateway_is_the_same_as_the_sdk(kafka: Kafka, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node 18 or newer")
    settings = kafka.settings()
    delivery = Delivery(settings)
    delivery.require()
    intake = Intake(Decoder(load("kz").codes), Pseudonyms(1, KEY))
    server = Server(application(Gateway(Tokens(tmp_path / "t.json"), intake, delivery, settings.namespace)), Listening())
    try:
        _, token = add(tmp_path / "t.json", "post:*", ["border_crossing"])
        events = []
        for crossing, (*_, document, country) in zip(crossings(), rows(), strict=True):
            row = to_json(crossing)
            del row["subject"]  # the gateway makes the pseudonym
            events.append(json.dumps(row | {"document_number": document, "issuing_country": country}))
        command = [node, str(EXAMPLES / "node" / "publish.mjs"), server.url]
        environment = os.environ | {"SHEKARA_TOKEN": token}
        result = subprocess.run(
            command, env=environment, input="\n".join(events), capture_output=True, text=True, timeout=120, check=False
        )
        assert result.returncode == 0, result.stdout + result.stderr
        assert [json.loads(line)["status"] for line in result.stdout.split("\n")[:-1]] == ["accepted"] * len(events)
        wrong = json.dumps(json.loads(events[0]) | {"post": "NOWHERE"})
        refused = subprocess.run(command, env=environment, input=wrong, capture_output=True, text=True, timeout=60, check=False)
        assert refused.returncode == 1
        assert json.loads(refused.stdout)["code"] == "unknown_post"
    finally:
        server.close()
        delivery.close()
    assert lying(settings) == lying(by_sdk(kafka))


def test_kcat_publishes_a_vector_that_is_the_same_as_the_sdks(kafka: Kafka, tmp_path: Path) -> None:
    kcat = shutil.which("kcat") or shutil.which("kafkacat")
    if kcat is None:
        pytest.skip("needs kcat")
    settings = kafka.settings()
    for crossing in crossings():
        value = tmp_path / "message"
        value.write_bytes(avro.encode(crossing))
        command = [kcat, "-P", "-b", settings.kafka, "-t", PEOPLE.name(settings.namespace), "-k", crossing.subject]
        subprocess.run([*command, "-X", "acks=all", "-X", "topic.partitioner=murmur2_random", str(value)], check=True, timeout=60)
    assert sorted(lying(settings)) == sorted(lying(by_sdk(kafka)))
