"""Publishers that share no code with ours put into Kafka, byte for byte, what the SDK puts there, and are detected like it.

Java is compiled by Eclipse's compiler from Maven Central and run by the Java that is installed with the project, so that these
tests run where there is no JDK.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
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
from streams.local import jars, java
from streams.local.lock import Lock, listed
from streams.policy.load import load
from streams.publish import Publisher
from streams.publish.holder import Holders
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
CODES = load("kz").codes
SCHEMA = ROOT / "schemas" / "border_crossing.avsc"
JARS = Lock("publishers-4.3.1", listed(Path(__file__).with_name("java_publishers.lock")))
"""Beside the broker's own: Avro, Kafka's tools and a compiler."""
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


@dataclass(frozen=True, slots=True)
class Lies:
    """What lies in a namespace, and what a worker made of it."""

    messages: list[tuple[int, bytes, bytes]]
    alerts: set[tuple[Any, ...]]


@pytest.fixture(scope="module")
def of_the_sdk(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> Lies:
    settings = by_sdk(kafka)
    return Lies(lying(settings), alerts(settings, tmp_path_factory.mktemp("sdk")))


@cache
def compiled(sources: Path) -> str:
    """Returns the class path that has what is below a folder, compiled."""
    folder, extra = Path(mkdtemp(prefix="shekara-classes-")), jars.ensure(Settings().cache, lock=JARS)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    compiler = next(path for path in extra if path.name.startswith("ecj-"))
    class_path = os.pathsep.join(str(path) for path in [*jars.ensure(Settings().cache), *extra, folder])
    command = [str(java.find().program), "-jar", str(compiler), "-17", "-proc:none", "-d", str(folder), "-cp", class_path]
    done = subprocess.run([*command, str(sources)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return class_path


def with_java(sources: Path, arguments: list[str], lines: list[str]) -> subprocess.CompletedProcess[str]:
    """Runs a class of what is below a folder, with lines on its standard input."""
    run = [str(java.find().program), "-XX:TieredStopAtLevel=1", "-cp", compiled(sources), *arguments]
    text = "".join(f"{line}\n" for line in lines)
    return subprocess.run(run, input=text, capture_output=True, text=True, timeout=120, check=False)


def java_lines() -> list[str]:
    return [
        f"{i},{number},{at_ms},{direction},{POST},{document},{country}"
        for i, number, at_ms, direction, document, country in rows()
    ]


def by_java(settings: Settings, _: Path) -> None:
    arguments = [settings.kafka, PEOPLE.name(settings.namespace), str(SCHEMA), KEY.hex(), "1"]
    result = with_java(EXAMPLES / "java" / "src", ["shekara.example.BorderPost", *arguments], java_lines())
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == len(rows())  # partition and offset of each


def by_console_producer(settings: Settings, _: Path, lines: list[str] | None = None) -> None:
    """As docs/examples/console-producer says; what its reader raises is raised here."""
    options = ["--bootstrap-server", settings.kafka, "--topic", PEOPLE.name(settings.namespace), "--sync"]
    tool = ["org.apache.kafka.tools.ConsoleProducer", "--line-reader", "HexLineReader", *options]
    lines = lines or [f"{crossing.subject}\t{avro.encode(crossing).hex()}" for crossing in crossings()]
    result = with_java(EXAMPLES / "console-producer", tool, lines)
    if result.returncode:
        raise RuntimeError(result.stdout + result.stderr)


def by_kcat(settings: Settings, folder: Path) -> None:
    kcat = shutil.which("kcat") or shutil.which("kafkacat")
    if kcat is None:
        pytest.skip("needs kcat")
    for crossing in crossings():
        value = folder / "message"
        value.write_bytes(avro.encode(crossing))
        command = [kcat, "-P", "-b", settings.kafka, "-t", PEOPLE.name(settings.namespace), "-k", crossing.subject]
        subprocess.run([*command, "-X", "acks=all", "-X", "topic.partitioner=murmur2_random", str(value)], check=True, timeout=60)


def by_node(settings: Settings, folder: Path) -> None:
    """Through the gateway, which makes the pseudonyms."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node 18 or newer")
    delivery = Delivery(settings)
    delivery.require()
    intake = Intake(Decoder(CODES), Holders(lambda: Pseudonyms(1, KEY), frozenset(CODES.countries)))
    server = Server(application(Gateway(Tokens(folder / "t.json"), intake, delivery, settings.namespace)), Listening())
    try:
        _, token = add(folder / "t.json", "post:*", ["border_crossing"])
        events = []
        for crossing, (*_, document, country) in zip(crossings(), rows(), strict=True):
            row = to_json(crossing)
            del row["subject"]
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


@pytest.mark.parametrize("publish", [by_java, by_console_producer, by_kcat, by_node])
def test_other_publishers_events_lie_and_are_detected_exactly_like_the_sdks(
    kafka: Kafka, tmp_path: Path, of_the_sdk: Lies, publish: Callable[[Settings, Path], None]
) -> None:
    settings = kafka.settings()
    publish(settings, tmp_path)
    assert lying(settings) == of_the_sdk.messages
    found = alerts(settings, tmp_path)
    assert "overstay_visa_exempt" in {rule for _, rule, _, _, _ in found}
    assert found == of_the_sdk.alerts


@pytest.mark.parametrize("line", ["no tab", "\tc301", "p1-x\t", "p1-x\tc30", "p1-x\tzz"])
def test_a_line_the_console_producer_cannot_send_is_named_and_its_content_is_not_shown(
    kafka: Kafka, tmp_path: Path, line: str
) -> None:
    first = crossings()[0]
    settings = kafka.settings()
    with pytest.raises(RuntimeError, match="line 2: expected a key, a tab, and a message in hexadecimal") as error:
        by_console_producer(settings, tmp_path, [f"{first.subject}\t{avro.encode(first).hex()}", line])
    assert "p1-x" not in str(error.value)
    assert [value for _, _, value in lying(settings)] == [avro.encode(first)]


def test_the_java_example_is_a_maven_project_that_publishes_the_same(kafka: Kafka, tmp_path: Path, of_the_sdk: Lies) -> None:
    if not (shutil.which("javac") and shutil.which("mvn")):
        pytest.skip("needs a JDK (javac) and Maven (mvn)")
    shutil.copytree(EXAMPLES / "java", tmp_path / "java", ignore=shutil.ignore_patterns("target"))
    settings = kafka.settings()
    arguments = f"{settings.kafka} {PEOPLE.name(settings.namespace)} {SCHEMA} {KEY.hex()} 1"
    result = subprocess.run(
        ["mvn", "-q", "-B", "compile", "exec:java", f"-Dexec.args={arguments}"],
        cwd=tmp_path / "java",
        input="\n".join(java_lines()) + "\n",
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    # Maven may put colour codes around what the program prints.
    assert len(re.findall(r"\d+ \d+$", result.stdout, re.MULTILINE)) == len(rows())
    assert lying(settings) == of_the_sdk.messages


def test_what_these_tests_run_with_is_what_the_java_example_names() -> None:
    pom = (EXAMPLES / "java" / "pom.xml").read_text("utf-8")
    named = dict(re.findall(r"<artifactId>(\S+)</artifactId>\s*<version>(\S+)</version>", pom))
    assert named["avro"] == next(jar.version for jar in JARS.jars if jar.artifact == "avro")
    assert named["kafka-clients"] == next(jar.version for jar in JARS.jars if jar.artifact == "kafka-tools")
