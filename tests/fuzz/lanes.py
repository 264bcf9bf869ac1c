"""What is attacked, and what must hold of every message: no exception, an outcome, nothing that is not accounted for."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from streams.agents.door import Door
from streams.decode import CODES, Decoder, Rejected, Sources
from streams.decode.sources import Source, SourceKey
from streams.errors import UsageError
from streams.gateway import cloudevents, restproxy
from streams.gateway.intake import AVRO, JSON, LINES, MAX_ITEMS, BodyError, Intake, Message
from streams.gateway.intake import CODES as GATEWAY_CODES
from streams.gateway.tokens import TYPES, Token
from streams.publish.completion import Completion
from streams.publish.files import Format, guess_format, open_events
from streams.publish.holder import Holders
from streams.publish.mapping import ColumnMapping, FixedColumn
from streams.publish.pseudonym import Pseudonyms
from streams.records import DeadLetter, Feedback
from streams.runtime.batch import Batch, Raw
from streams.runtime.checkpoint import Outcome
from streams.wire import avro
from streams.wire.jsonform import FieldError, to_json
from streams.wire.signing import HEADER, Signer, Verifier
from streams.wire.topics import EMPLOYERS, PEOPLE, POSTS
from tests.fuzz.mutate import Mutator
from tests.unit.decode.lawful import LAWFUL, RECEIVED_AT, SomeCodes
from tests.unit.documents.zones import passport

VALUES = [avro.encode(record) for record in LAWFUL]
CONFLUENT = [
    avro.CONFLUENT + codec.version.schema_id.to_bytes(4, "big") + value[avro.SINGLE_OBJECT_HEADER :]
    for value, codec in ((value, avro.codecs().by_header[value[:10]]) for value in VALUES)
]
OBJECTS = [json.dumps(to_json(record)).encode() for record in LAWFUL]
SIGNER = Signer("k", bytes(range(32)))
HEADERS = [SIGNER.header(VALUES[:1]), SIGNER.header(VALUES)]
KEY = SourceKey("k", Verifier(SIGNER.public), 0, None, None)
SIGNED = Sources({"*": Source("*", frozenset(TYPES) | {"tick"}, own_post=False, signatures="strict", keys={"k": KEY})})

Lane = Callable[[Mutator], str]
"""Sends one message and returns what became of it; raises AssertionError if that cannot be said."""


_DOORS = ((PEOPLE, False), (PEOPLE, False), (PEOPLE, True), (POSTS, False), (EMPLOYERS, False))


def door() -> Lane:
    """The worker's door: every message is an event, or one dead letter that is whole and readable."""
    doors = [(topic, Door(Decoder(SomeCodes()), topic, "n", keyed=keyed)) for topic, keyed in _DOORS]

    def one(mutator: Mutator) -> str:
        value = mutator.next()
        topic, opened = doors[len(value) % len(doors)]
        raw, outcome = Raw(7, RECEIVED_AT, value[10:40], value), Outcome(7)
        batch = Batch(topic.name("n"), 0, 7, 8, [raw])
        record = opened.open(raw, batch, outcome)
        letters = [avro.decode(output.value) for output in outcome.outputs]
        if record is not None:
            assert not letters
            assert outcome.dead_letters == 0
            return "taken"
        assert outcome.dead_letters == 1
        letter = next(one for one in letters if isinstance(one, DeadLetter))
        assert letter.value == value
        assert letter.code in CODES
        assert all(isinstance(one, DeadLetter | Feedback) for one in letters)
        return letter.code

    return one


def signatures() -> Lane:
    """Headers: nothing but the signed event itself passes."""
    decoder = Decoder(SomeCodes(), SIGNED)
    value = VALUES[0]

    def one(mutator: Mutator) -> str:
        changed = mutator.next()
        outcome = decoder.decode(value, received_at=RECEIVED_AT, topic=PEOPLE, headers=[(HEADER, changed)])
        if not isinstance(outcome, Rejected):
            assert changed in HEADERS
            return "taken"
        assert outcome.code in {"bad_signature", "unknown_key"}
        return outcome.code

    return one


def gateway() -> Lane:
    """Bodies of every media type: each item is a message or a refusal with a code, or the body as a whole is refused."""
    intake = Intake(Decoder(SomeCodes()), Holders(lambda: Pseudonyms(1, bytes(32)), SomeCodes().countries))
    token = Token("t", "", "*", TYPES, 1e9, 0)
    media = (JSON, LINES, AVRO, cloudevents.ONE, cloudevents.BATCH, restproxy.JSON, restproxy.BINARY)
    turn = Counter[str]()

    def one(mutator: Mutator) -> str:
        body = mutator.next()
        turn["n"] += 1
        kind = media[turn["n"] % len(media)]
        try:
            if restproxy.is_ours(kind):
                items = restproxy.items(body, kind, PEOPLE, intake, token)
            else:
                headers = {"ce-type": "visa", "ce-specversion": "1.0", "ce-id": "x"} if turn["n"] % 11 == 0 else {}
                items = intake.read(body, kind, headers, token)
        except BodyError as error:
            return f"body refused {error.status}" if error.detail else "body refused without a word"
        assert 0 < len(items) <= MAX_ITEMS
        for item in items:
            assert isinstance(item, Message) or item.code in CODES or item.code in GATEWAY_CODES
        return "items"

    return one


def importer(form: Format) -> Lane:
    """Files: each row is an event or refused, or the file as a whole is refused with a sentence."""
    columns = tuple(
        FixedColumn(name, 1 + 8 * i, 8 + 8 * i) for i, name in enumerate(("occurred_at", "direction", "post", "type"))
    )
    mapping = ColumnMapping(values={"post": {"ALA": "KZ-75-A1"}}, fixed=columns if form == "fixed" else ())
    codes = SomeCodes()

    def one(mutator: Mutator) -> str:
        content = mutator.next()
        completion = Completion("", "s", lambda _: "Asia/Almaty", codes.countries, lambda: Pseudonyms(1, bytes(32)))
        try:
            if form not in ("fixed", "xlsx", "paxlst"):
                guess_format(Path("x.csv"), content[:64], mapping)
            events = open_events(io.BytesIO(content), form, "border_crossing", mapping)
            found = Counter[str]()
            for row in events.rows:
                if isinstance(row.values, FieldError):
                    found["refused"] += 1
                    continue
                try:
                    record = completion.record(row.values)
                except FieldError:
                    found["refused"] += 1
                    continue
                avro.encode(record)
                found["events"] += 1
        except UsageError:
            return "file refused"
        return "rows" if found else "nothing in it"

    return one


def _container() -> bytes:
    import fastavro

    out = io.BytesIO()
    schema: Any = avro.schema_of("border_crossing")
    row = {field["name"]: getattr(LAWFUL[0], field["name"]) for field in schema["fields"]}
    plain = avro.codecs().by_kind[type(LAWFUL[0])].version.plain
    fastavro.writer(out, cast("Any", plain), [row, row])
    return out.getvalue()


def _sheet() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["occurred_at", "direction", "post", "document_number", "issuing_country"])
    for number in range(3):
        sheet.append(["2025-05-01T10:15:00", "entry", "KZ-75-A1", f"AB123456{number}", "UZB"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _passengers() -> bytes:
    from tests.unit.publish.test_legacy import PASSENGERS

    return PASSENGERS.replace("{count}", "4").encode()


_TABLE = b"occurred_at;direction;post;document_number;issuing_country\n2025-05-01T10:15:00;entry;KZ-75-A1;AB1234567;UZB\n" * 2
_PROXY = b'{"records": [{"key": "x", "value": %s}]}' % OBJECTS[0]

_HELD = {name: value for name, value in to_json(LAWFUL[0]).items() if name != "subject"}
_DOCUMENTS = [
    json.dumps(_HELD | document).encode()
    for document in (
        {"mrz": passport("AB1234567").split("\n")},
        {"document_number": "N12345678", "issuing_country": "KAZ", "iin": "791028302728", "surname": "Қасымов", "sex": "M"},
    )
]

_BODIES = [*OBJECTS, *_DOCUMENTS, b"[%s]" % b",".join(OBJECTS[:3]), b"\n".join(OBJECTS[:3]), b"".join(VALUES[:4]), _PROXY]

LANES: dict[str, tuple[Callable[[], Lane], list[bytes], float]] = {
    "door": (door, VALUES + CONFLUENT, 0.55),
    "signatures": (signatures, HEADERS, 0.05),
    "gateway": (gateway, _BODIES, 0.2),
    "csv": (lambda: importer("csv"), [_TABLE], 0.07),
    "jsonl": (lambda: importer("jsonl"), [b"\n".join(OBJECTS[:3])], 0.06),
    "fixed": (lambda: importer("fixed"), [b"2025-05-01     entryKZ-75-A1\n" * 3], 0.03),
    "paxlst": (lambda: importer("paxlst"), [_passengers()], 0.02),
    "avro": (lambda: importer("avro"), [_container()], 0.015),
    "xlsx": (lambda: importer("xlsx"), [_sheet()], 0.005),
}
"""By name: the lane, what it begins with, its share of the messages."""
