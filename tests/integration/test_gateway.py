"""The gateway, real server and real Kafka: accepted means that it lies there."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from streams.clock import monotonic_s, now_ms
from streams.decode import Decoder
from streams.errors import SetupError
from streams.gateway import restproxy
from streams.gateway.application import Gateway, application
from streams.gateway.delivery import Delivery
from streams.gateway.intake import AVRO, JSON, Intake
from streams.gateway.serve import Listening, Server
from streams.gateway.tokens import TYPES, Tokens, add, revoke
from streams.records import BorderCrossing, PostHeartbeat
from streams.settings import Settings
from streams.wire import avro
from streams.wire.jsonform import to_json
from streams.wire.topics import PEOPLE, POSTS
from tests.conftest import Kafka
from tests.integration.test_publisher import everything
from tests.unit.decode.lawful import SomeCodes, lawful

pytestmark = pytest.mark.integration


class Caller:
    """A caller with a token."""

    def __init__(self, url: str, token: str = "") -> None:
        self.at = urlsplit(url)
        self.token = token

    def ask(self, method: str, path: str, body: bytes = b"", media: str = "", **headers: str) -> tuple[int, dict[str, str], Any]:
        connection = http.client.HTTPConnection(self.at.hostname or "", self.at.port, timeout=60)
        try:
            if media:
                headers["Content-Type"] = media
            if self.token:
                headers["Authorization"] = f"Bearer {self.token}"
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
            kind = answer.headers.get_content_type()
            found = json.loads(content) if kind.endswith("json") else content.decode()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, found
        finally:
            connection.close()

    def post(self, rows: Any) -> tuple[int, Any]:
        status, _, answer = self.ask("POST", "/v1/events", json.dumps(rows).encode(), JSON)
        return status, answer


@pytest.fixture
def settings(kafka: Kafka) -> Settings:
    return kafka.settings()


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


@pytest.fixture
def gateway(settings: Settings, tokens: Path) -> Iterator[Gateway]:
    delivery = Delivery(settings)
    delivery.require()
    yield Gateway(Tokens(tokens), Intake(Decoder(SomeCodes()), None), delivery, settings.namespace)
    delivery.close()


@pytest.fixture
def caller(gateway: Gateway, tokens: Path) -> Iterator[Caller]:
    server = Server(application(gateway), Listening())
    _, token = add(tokens, "post:*", TYPES, 10_000)
    yield Caller(server.url, token)
    server.close()


def crossing(number: int, **changes: Any) -> dict[str, Any]:
    values = {"event_id": number.to_bytes(16, "big"), "subject": f"p1-{number % 7:032x}", "source_seq": number} | changes
    return to_json(lawful(BorderCrossing, **values))


def test_what_is_accepted_lies_in_kafka_where_the_answer_says(caller: Caller, settings: Settings) -> None:
    before = now_ms()
    status, answer = caller.post([crossing(number) for number in range(1, 201)])
    assert status == 202
    assert (answer["accepted"], answer["refused"]) == (200, 0)
    lying = {(m.topic(), m.partition(), m.offset()): m for m in everything(settings, PEOPLE, 4)}
    assert len(lying) == 200
    for item in answer["items"]:
        message = lying[item["topic"], item["partition"], item["offset"]]
        record = avro.decode(message.value())
        assert isinstance(record, BorderCrossing)
        assert to_json(record) == crossing(item["index"] + 1)
        assert message.key() == record.subject.encode()
        assert before - 1000 <= message.timestamp()[1]


def test_the_same_event_again_is_published_once_and_says_where_it_lies(caller: Caller, settings: Settings) -> None:
    first = caller.post([crossing(1), crossing(1)])
    again = caller.post(crossing(1))
    assert (first[0], again[0]) == (202, 202)
    assert [item["status"] for item in first[1]["items"]] == ["accepted", "duplicate"]
    assert again[1]["items"][0]["status"] == "duplicate"
    assert again[1]["items"][0]["offset"] == first[1]["items"][0]["offset"]
    status, other = caller.post(crossing(1, source_seq=9))
    assert (status, other["items"][0]["code"]) == (422, "event_id_reused")
    assert len(everything(settings, PEOPLE, 4)) == 1


def test_good_and_bad_events_of_one_request_have_their_own_results(caller: Caller, settings: Settings) -> None:
    status, answer = caller.post([crossing(1), crossing(2, post="NOWHERE"), {"type": "tick"}, crossing(3)])
    assert status == 207
    assert [item["status"] for item in answer["items"]] == ["accepted", "refused", "refused", "accepted"]
    assert answer["items"][1]["code"] == "unknown_post"
    assert len(everything(settings, PEOPLE, 4)) == 2
    assert caller.post([{}])[0] == 422


def test_avro_and_the_rest_proxys_forms_arrive_byte_for_byte(caller: Caller, settings: Settings) -> None:
    records = [lawful(PostHeartbeat, event_id=bytes([number]) * 16) for number in range(1, 4)]
    status, _, answer = caller.ask("POST", "/v1/events", avro.encode(records[0]), AVRO)
    assert (status, answer["accepted"]) == (202, 1)
    topic = f"/topics/{POSTS.name(settings.namespace)}"
    sent = {"records": [{"value": base64.b64encode(avro.encode(records[1])).decode()}, {"value": "AAAA"}]}
    status, headers, answer = caller.ask("POST", topic, json.dumps(sent).encode(), restproxy.BINARY)
    assert (status, headers["content-type"]) == (200, restproxy.ANSWER)
    assert answer["offsets"][0] == {"partition": 0, "offset": 1, "error_code": None, "error": None}
    assert answer["offsets"][1]["error_code"] == 42202
    sent = {"records": [{"key": records[2].subject, "value": to_json(records[2])}]}  # type: ignore[dict-item]
    assert caller.ask("POST", topic, json.dumps(sent).encode(), restproxy.JSON)[2]["offsets"][0]["offset"] == 2
    assert [message.value() for message in everything(settings, POSTS, 1)] == [avro.encode(record) for record in records]
    assert caller.ask("POST", f"/topics/{settings.namespace}.alerts", b"{}", restproxy.JSON)[0] == 404


def test_what_it_publishes_is_a_cloud_event_to_others_if_that_is_wanted_and_the_same_event_to_us(
    settings: Settings, tokens: Path
) -> None:
    delivery = Delivery(settings, as_cloudevents=True)
    delivery.require()
    server = Server(
        application(Gateway(Tokens(tokens), Intake(Decoder(SomeCodes()), None), delivery, settings.namespace)), Listening()
    )
    try:
        _, token = add(tokens, "post:*", TYPES, 10_000)
        event = crossing(7)
        data = {
            name: value for name, value in event.items() if name not in ("type", "event_id", "source", "subject", "occurred_at")
        }
        attributes = {"ce-specversion": "1.0", "ce-type": "shekara.v1.border_crossing", "ce-id": event["event_id"]}
        attributes |= {"ce-source": event["source"], "ce-subject": event["subject"], "ce-time": event["occurred_at"]}
        status, _, answer = Caller(server.url, token).ask("POST", "/v1/events", json.dumps(data).encode(), JSON, **attributes)
        assert (status, answer["accepted"]) == (202, 1)
    finally:
        server.close()
        delivery.close()
    [message] = everything(settings, PEOPLE, 4)
    assert dict(message.headers()) == {
        "ce_specversion": b"1.0",
        "ce_id": event["event_id"].encode(),
        "ce_source": event["source"].encode(),
        "ce_type": b"shekara.v1.border_crossing",
        "ce_time": event["occurred_at"].encode(),
        "content-type": b"avro/binary",
    }
    found = Decoder(SomeCodes()).decode(
        message.value(), received_at=message.timestamp()[1], topic=PEOPLE, headers=message.headers()
    )
    assert found == avro.decode(message.value())
    assert to_json(found) == event


def test_nobody_without_a_good_token_publishes_anything(caller: Caller, tokens: Path, settings: Settings) -> None:
    body = json.dumps(crossing(1)).encode()
    for token in ("", "shk_wrong", "x" * 5000):
        status, headers, _ = Caller(caller.at.geturl(), token).ask("POST", "/v1/events", body, JSON)
        assert status == 401
        assert headers["www-authenticate"] == "Bearer"
    revoked, text = add(tokens, "post:KZ-61-R1", ["border_crossing"])
    bound = Caller(caller.at.geturl(), text)
    assert bound.post(crossing(1))[1]["items"][0]["code"] == "source_not_allowed"
    revoke(tokens, revoked.id)
    assert bound.post(crossing(1))[0] == 401
    assert everything(settings, PEOPLE, 4) == []


def test_too_much_is_refused_with_when_to_come_back(caller: Caller, tokens: Path, gateway: Gateway) -> None:
    _, text = add(tokens, "post:*", ["border_crossing"], 1.0)
    slow = Caller(caller.at.geturl(), text)
    assert slow.post([crossing(number) for number in range(1, 40)])[0] == 202
    status, headers, problem = slow.ask("POST", "/v1/events", json.dumps(crossing(50)).encode(), JSON)
    assert status == 429
    assert 25 <= int(headers["retry-after"]) <= 31
    assert problem["status"] == 429
    gateway.busy = 64
    status, headers, _ = caller.ask("POST", "/v1/events", json.dumps(crossing(51)).encode(), JSON)
    assert (status, headers["retry-after"]) == (429, "1")
    gateway.busy = 0
    assert caller.post(crossing(51))[0] == 202
    assert caller.ask("POST", "/v1/events", b" " * (9 * 1024 * 1024), JSON)[0] == 413
    assert caller.ask("POST", "/v1/events", b"{}", "text/plain")[0] == 415


def test_it_describes_itself_and_its_state(caller: Caller) -> None:
    assert caller.ask("GET", "/livez")[0] == 200
    deadline = monotonic_s() + 30
    while caller.ask("GET", "/readyz")[0] != 200:
        assert monotonic_s() < deadline
    assert caller.ask("GET", "/v1/openapi.json")[2]["openapi"] == "3.1.0"
    schemas = caller.ask("GET", "/v1/schemas")[2]["schemas"]
    assert {"id": 1, "name": "border_crossing", "version": 1, "fingerprint": "3bee79bbda5fb30d"} in schemas
    assert caller.ask("GET", "/v1/schemas/border_crossing")[2] == avro.schema_of("border_crossing")
    assert json.loads(caller.ask("GET", "/schemas/ids/1")[2]["schema"]) == avro.schema_of("border_crossing")
    assert caller.ask("GET", "/nowhere")[0] == 404
    caller.post([crossing(1), {}])
    figures = caller.ask("GET", "/metrics")[2]
    assert 'shekara_gateway_events_total{status="accepted"}' in figures


def test_without_kafka_nothing_is_said_to_be_accepted(tokens: Path) -> None:
    settings = Settings().model_copy(update={"kafka": "127.0.0.1:1", "namespace": "nowhere"})
    delivery = Delivery(settings, delivery_s=1.0)
    gateway = Gateway(Tokens(tokens), Intake(Decoder(SomeCodes()), None), delivery, "nowhere")
    server = Server(application(gateway), Listening())
    try:
        _, text = add(tokens, "post:*", TYPES)
        caller = Caller(server.url, text)
        status, headers, answer = caller.ask("POST", "/v1/events", json.dumps([crossing(1), {}]).encode(), JSON)
        assert status == 503
        assert headers["retry-after"] == "5"
        assert [item["status"] for item in answer["items"]] == ["failed", "refused"]
        assert caller.ask("GET", "/readyz")[0] == 503
        assert delivery.in_flight == 0
    finally:
        server.close()
        delivery.close(0.1)


def test_a_caller_that_breaks_off_or_sends_rubbish_harms_nobody(caller: Caller, settings: Settings) -> None:
    for rubbish in (
        b"",
        b"\x16\x03\x01\x02\x00\x01",
        b"POST /v1/events HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc",
        b"GET " + b"/" * 100_000,
    ):
        with socket.create_connection((caller.at.hostname or "", caller.at.port or 0), timeout=10) as raw:
            raw.sendall(rubbish)
    assert caller.post(crossing(1))[0] == 202
    assert len(everything(settings, PEOPLE, 4)) == 1


@pytest.mark.parametrize(
    ("listening", "said"),
    [
        (Listening("0.0.0.0"), "without TLS"),  # noqa: S104  # that it is refused is the point
        (Listening("example.org"), "without TLS"),
        (Listening(certificate=Path("/nowhere")), "both a certificate and its key"),
        (Listening(client_ca=Path("/nowhere")), "need TLS"),
        (Listening(certificate=Path("/nowhere"), key=Path("/nowhere")), "no file"),
    ],
)
def test_tokens_never_travel_in_the_clear(listening: Listening, said: str) -> None:
    with pytest.raises(SetupError, match=said):
        listening.check()


def _certificate(tmp_path: Path) -> tuple[Path, Path]:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *subject, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return key, certificate


def test_with_a_client_ca_only_callers_with_a_certificate_of_it_are_heard(gateway: Gateway, tmp_path: Path) -> None:
    key, certificate = _certificate(tmp_path)
    server = Server(application(gateway), Listening(certificate=certificate, key=key, client_ca=certificate))
    try:
        at = urlsplit(server.url)
        assert at.scheme == "https"
        context = ssl.create_default_context(cafile=str(certificate))
        with pytest.raises(OSError):  # noqa: PT011  # the handshake, or the first read after it, fails
            _get(at, context)
        context.load_cert_chain(certificate, key)
        assert _get(at, context) == 200
    finally:
        server.close()


def _get(at: Any, context: ssl.SSLContext) -> int:
    connection = http.client.HTTPSConnection(at.hostname, at.port, timeout=20, context=context)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_command_serves_until_it_is_told_to_stop(settings: Settings, tmp_path: Path) -> None:
    environment = os.environ | {
        "SHEKARA_KAFKA": settings.kafka,
        "SHEKARA_NAMESPACE": settings.namespace,
        "SHEKARA_HOME": str(tmp_path),
    }
    made = subprocess.run(
        [sys.executable, "-m", "streams", "gateway", "token", "add", "post:*", "--type", "border_crossing", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    command = [sys.executable, "-m", "streams", "gateway", "run", "--port", "0"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("gateway http://127.0.0.1:"), line
        url = line.split()[1].removesuffix("/v1/events")
        row = to_json(lawful(BorderCrossing, post="KZ-75-A1"))
        status, answer = Caller(url, json.loads(made.stdout)["token"]).post(row)
        assert (status, answer["accepted"]) == (202, 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.wait()
