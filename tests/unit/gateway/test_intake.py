"""What the gateway makes of bodies: messages byte for byte, or refusals that name field and reason and no person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.decode import Decoder
from streams.errors import SetupError, UsageError
from streams.gateway import cloudevents, openapi, restproxy
from streams.gateway.intake import AVRO, JSON, LINES, MAX_ITEMS, BodyError, Intake, Message, Refusal
from streams.gateway.limits import Rates
from streams.gateway.tokens import TYPES, Token, Tokens, add, read, revoke
from streams.publish.holder import Holders
from streams.publish.pseudonym import Pseudonyms
from streams.records import INPUTS, BorderCrossing, Record, Tick
from streams.wire import avro
from streams.wire.jsonform import to_json
from streams.wire.topics import PEOPLE, POSTS
from tests.unit.decode.lawful import LAWFUL, POST, SomeCodes, lawful

ALL = Token("t", "", "*", TYPES, 1000.0, 0)
INTAKE = Intake(Decoder(SomeCodes()), None)
EVENTS = [record for record in LAWFUL if type(record) is not Tick]


def everyone(source: str = "*", types: tuple[str, ...] = TYPES) -> Token:
    return Token("t", "", source, types, 1000.0, 0)


def cloud(record: Record) -> dict[str, Any]:
    row = to_json(record)
    attributes = {
        "specversion": "1.0",
        "type": f"shekara.v1.{row.pop('type')}",
        "id": row.pop("event_id"),
        "source": row.pop("source"),
        "subject": row.pop("subject"),
        "time": row.pop("occurred_at"),
    }
    return attributes | {"data": row}


@pytest.mark.parametrize("media", [JSON, LINES, AVRO, cloudevents.BATCH])
def test_every_event_type_in_every_form_becomes_the_same_bytes(media: str) -> None:
    bodies = {
        JSON: json.dumps([to_json(record) for record in EVENTS]).encode(),
        LINES: "\n".join(json.dumps(to_json(record)) for record in EVENTS).encode() + b"\n",
        AVRO: b"".join(avro.encode(record) for record in EVENTS),
        cloudevents.BATCH: json.dumps([cloud(record) for record in EVENTS]).encode(),
    }
    items = INTAKE.read(bodies[media], media, {}, ALL)
    assert [item.value for item in items if isinstance(item, Message)] == [avro.encode(record) for record in EVENTS]
    assert [item.key for item in items if isinstance(item, Message)] == [record.subject.encode() for record in EVENTS]


def test_one_event_a_list_and_an_envelope_are_the_same() -> None:
    row = to_json(lawful(BorderCrossing))
    for content in (row, [row], {"events": [row]}):
        (item,) = INTAKE.read(json.dumps(content).encode(), JSON, {}, ALL)
        assert isinstance(item, Message)
        assert item.topic is PEOPLE


def test_a_cloud_event_in_headers_is_the_same_too() -> None:
    event = cloud(lawful(BorderCrossing))
    headers = {f"ce-{name}": str(value) for name, value in event.items() if name != "data"}
    (item,) = INTAKE.read(json.dumps(event["data"]).encode(), JSON, headers, ALL)
    assert isinstance(item, Message)
    assert item.value == avro.encode(lawful(BorderCrossing))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"type": None}, "type"),
        ({"type": "border_crossings"}, "type"),
        ({"data": [1]}, "data"),
        ({"occurred_at": 1}, "occurred_at"),
        ({"id": "7"}, "event_id"),
        ({"data": {"subject": "p1-" + "0" * 32}}, "subject"),
    ],
)
def test_a_wrong_cloud_event_is_refused_with_its_field(change: dict[str, Any], field: str) -> None:
    (item,) = INTAKE.read(json.dumps(cloud(lawful(BorderCrossing)) | change).encode(), cloudevents.ONE, {}, ALL)
    assert isinstance(item, Refusal)
    assert item.field == field


def test_one_bad_event_does_not_touch_its_neighbours() -> None:
    good, bad = to_json(lawful(BorderCrossing)), to_json(lawful(BorderCrossing, post="NOWHERE"))
    items = INTAKE.read(
        b"\n".join(json.dumps(row).encode() for row in (good, bad)) + b'\n{"type"\n' + json.dumps(good).encode(), LINES, {}, ALL
    )
    assert [type(item) for item in items] == [Message, Refusal, Refusal, Message]
    assert isinstance(items[1], Refusal)
    assert (items[1].code, items[1].field) == ("unknown_post", "post")


def test_a_token_sends_its_types_of_its_source_and_nothing_else() -> None:
    row = to_json(lawful(BorderCrossing))
    body = json.dumps(row).encode()
    cases = {
        everyone(row["source"], ("border_crossing",)): Message,
        everyone("post:*"): Message,
        everyone("post:KZ-75-A2"): "source_not_allowed",
        everyone("register:*"): "source_not_allowed",
        everyone(types=("visa",)): "type_not_allowed",
    }
    for token, expected in cases.items():
        (item,) = INTAKE.read(body, JSON, {}, token)
        assert (Message if isinstance(item, Message) else item.code) == expected
    (tick,) = INTAKE.read(avro.encode(lawful(Tick)), AVRO, {}, everyone(types=(*TYPES, "alert")))
    assert isinstance(tick, Refusal)
    assert tick.code == "type_not_allowed"


def test_document_numbers_become_pseudonyms_here_and_are_never_repeated() -> None:
    row = to_json(lawful(BorderCrossing))
    del row["subject"]
    pseudonyms = Pseudonyms(1, bytes(range(32)))
    intake = Intake(Decoder(SomeCodes()), Holders(lambda: pseudonyms, SomeCodes().countries))
    row |= {"document_number": "ab 123-4567", "issuing_country": "UZB"}
    (item,) = intake.read(json.dumps(row).encode(), JSON, {}, ALL)
    assert isinstance(item, Message)
    assert item.key.decode() == pseudonyms.person("UZB", "AB1234567")
    assert b"1234567" not in item.value
    for wrong in ({"document_number": "AB1234567?"}, {"subject": "p1-AB1234567"}, {"issuing_country": 7}):
        (refused,) = intake.read(json.dumps(row | wrong).encode(), JSON, {}, ALL)
        assert isinstance(refused, Refusal)
        assert "1234567" not in repr(refused)
    (without_key,) = INTAKE.read(json.dumps(row).encode(), JSON, {}, ALL)
    assert isinstance(without_key, Refusal)
    assert "1234567" not in repr(without_key)


@pytest.mark.parametrize(("body", "status"), [(b"", 400), (b"[]", 400), (b"{", 400), (b"\xff", 400), (b"[" * 100_000, 400)])
def test_what_cannot_be_cut_into_events_is_an_error_of_the_whole(body: bytes, status: int) -> None:
    with pytest.raises(BodyError) as caught:
        INTAKE.read(body, JSON, {}, ALL)
    assert caught.value.status == status


def test_too_many_events_are_refused_before_any_is_read() -> None:
    with pytest.raises(BodyError, match=str(MAX_ITEMS)):
        INTAKE.read(b"\n".join([b"{}"] * (MAX_ITEMS + 1)), LINES, {}, ALL)


def test_a_cut_avro_body_loses_only_what_cannot_be_told_apart() -> None:
    whole = [avro.encode(lawful(BorderCrossing, source_seq=number)) for number in range(1, 4)]
    body = b"".join(whole)
    for cut in range(1, len(body)):
        items = INTAKE.read(body[:cut], AVRO, {}, ALL)
        complete = cut // len(whole[0])
        assert [isinstance(item, Message) for item in items] == [True] * complete + [False] * (cut % len(whole[0]) > 0)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    body=st.binary(max_size=300)
    | st.recursive(
        st.none() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["type", "events", "data", "event_id"]) | st.text(), x),
    ).map(lambda x: json.dumps(x).encode()),
    media=st.sampled_from([JSON, LINES, AVRO, cloudevents.ONE, cloudevents.BATCH]),
)
def test_no_body_makes_it_fall_over(body: bytes, media: str) -> None:
    try:
        items = INTAKE.read(body, media, {}, ALL)
    except BodyError:
        return
    assert all(isinstance(item, Refusal) for item in items)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_mutated_events_are_messages_or_refusals_and_nothing_else(data: st.DataObject) -> None:
    record = data.draw(st.sampled_from(EVENTS))
    row = to_json(record)
    name = data.draw(st.sampled_from(sorted(row)))
    row[name] = data.draw(
        st.none()
        | st.integers()
        | st.text()
        | st.booleans()
        | st.lists(st.text())
        | st.floats(allow_nan=False, allow_infinity=False)
    )
    (item,) = INTAKE.read(json.dumps([row]).encode(), JSON, {}, ALL)
    if isinstance(item, Message):
        assert avro.decode(item.value)
    else:
        assert item.code
        assert item.message


def test_restproxy_wants_the_right_topic_and_key() -> None:
    row = to_json(lawful(BorderCrossing))

    def read_one(record: dict[str, Any], topic: Any = PEOPLE) -> Any:
        return restproxy.items(json.dumps({"records": [record]}).encode(), restproxy.JSON, topic, INTAKE, ALL)[0]

    assert isinstance(read_one({"value": row}), Message)
    assert isinstance(read_one({"value": row, "key": row["subject"]}), Message)
    assert read_one({"value": row, "key": "another"}).code == "wrong_key"
    assert read_one({"value": row}, POSTS).code == "wrong_topic"
    assert read_one({}).code == "unreadable"
    for body in (b"", b"[]", b'{"records": 1}', b'{"records": [1]}', b'{"records": []}'):
        with pytest.raises(BodyError):
            restproxy.items(body, restproxy.JSON, PEOPLE, INTAKE, ALL)


def test_a_token_is_kept_as_a_hash_and_revoked_for_good(tmp_path: Path) -> None:
    path = tmp_path / "gateway" / "tokens.json"
    tokens = Tokens(path)
    assert tokens.find("anything") is None
    token, text = add(path, f"post:{POST}", ["border_crossing"])
    other, other_text = add(path, "post:*", ["visa"])
    assert text not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert tokens.find(text) == token
    assert tokens.find(text + "x") is None
    revoke(path, token.id)
    assert tokens.find(text) is None
    assert tokens.find(other_text) == other
    assert [one.revoked_at is None for one in read(path)] == [False, True]
    with pytest.raises(UsageError, match="no token"):
        revoke(path, "nobody")
    path.chmod(0o644)
    with pytest.raises(SetupError, match="Others can read"):
        read(path)


@pytest.mark.parametrize(
    ("source", "types", "per_second"),
    [
        ("", ["visa"], 1),
        ("*", ["visa"], 1),
        ("a*b", ["visa"], 1),
        ("a", [], 1),
        ("a", ["tick"], 1),
        ("a", ["alert"], 1),
        ("a", ["visa"], 0),
    ],
)
def test_a_token_for_everything_or_nothing_cannot_be_made(
    tmp_path: Path, source: str, types: list[str], per_second: float
) -> None:
    with pytest.raises(UsageError):
        add(tmp_path / "tokens.json", source, types, per_second)
    assert not (tmp_path / "tokens.json").exists()


def test_a_token_may_send_ten_seconds_worth_at_once_and_then_its_rate() -> None:
    now = [0.0]
    rates = Rates(clock=lambda: now[0])
    token = Token("t", "", "s", ("visa",), 100.0, 0)
    assert rates.wait_s(token) == 0
    rates.spend(token, 1500)
    assert rates.wait_s(token) == 6
    now[0] = 4.9
    assert rates.wait_s(token) == 1
    now[0] += rates.wait_s(token)
    assert rates.wait_s(token) == 0
    now[0] += 1_000_000
    rates.spend(token, 1001)
    assert rates.wait_s(token) == 1


def test_the_openapi_document_describes_what_is_read() -> None:
    document = openapi.document("shekara", "1")
    text = json.dumps(document)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "')[1:]}:
        node: Any = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
    for record in EVENTS:
        described = document["components"]["schemas"][record.NAME]
        row = to_json(record)
        assert set(row) == set(described["properties"])
        assert {name for name in described["required"] if row.get(name) is None} == set()
    assert {kind.NAME for kind in INPUTS if kind is not Tick} == set(TYPES)
