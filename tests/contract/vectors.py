"""Writes ``schemas/vectors``: what a publisher in another language must get, byte for byte.

Run as ``python -m tests.contract.vectors``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from streams.documents import DocumentError
from streams.documents.checkdigit import check_digit
from streams.documents.iin import iin_check_digit
from streams.documents.latin import latin
from streams.documents.reading import document_of
from streams.publish.pseudonym import Pseudonyms
from streams.publish.tally import Tally, statement
from streams.wire import avro
from streams.wire.jsonform import to_json
from streams.wire.partition import murmur2, partition_of
from streams.wire.schemas import schema_directory
from streams.wire.signing import HEADER, Signer, statement_text
from streams.wire.topics import topic_of
from tests.unit.decode.lawful import DAY, LAWFUL, OCCURRED_AT
from tests.unit.documents.zones import MRV_A, MRV_B, TD1, TD1_LONG, TD2, TD3, passport

FOLDER = Path(__file__).parents[2] / "schemas" / "vectors"
TEST_KEY = bytes(range(32))
DOCUMENTS = [
    ("UZB", "AB1234567"),
    ("UZB", "ab 123-45.67"),
    ("D", "C01X00T47"),
    ("DEU", "C01X00T47"),
    ("KAZ", "N00000001"),
    ("XXA", "0000"),
]
YEAR = 2026
"""The year zones are read in: a birth lies before it."""

ROWS: list[dict[str, str]] = [
    {"mrz": TD3},
    {"mrz": TD1},
    {"mrz": TD1_LONG},
    {"mrz": TD2},
    {"mrz": MRV_A},
    {"mrz": MRV_B},
    {"mrz": TD3.replace("L898902C36", "L898902C37")},
    {"mrz": TD3[:-1] + "1"},
    {"mrz": passport("N12345678", issuer="KAZ", born="791028", personal="791028302728")},
    {"mrz": passport("N12345678", issuer="KAZ", born="791028", personal="791028302727")},
    {"document_number": "ав 123-4567", "issuing_country": "uzb", "surname": "Қодиров", "given_names": "Шерзод"},
    {"document_number": "N12345678", "issuing_country": "KAZ", "iin": "791028302728"},
    {"document_number": "N12345678", "issuing_country": "KAZ", "iin": "791028302728", "sex": "F"},
    {"document_number": "Ж1234567", "issuing_country": "UZB"},
]
IIN_DIGITS = ("79102830272", "90053130066", "90053130013", "05010150009", *(f"9005313{serial:04d}" for serial in range(20, 40)))
NAMES = ("Юлия Щербакова", "Подъячев", "Әлия Қасымжанова", "Ғани Үміт Ұлы", "Müller-Groß", "Ångström", "Łukasz", "O'Connor")


def events() -> list[dict[str, Any]]:
    """Returns one lawful event of every type, in every form."""
    found = []
    for record in LAWFUL:
        value, codec = avro.encode(record), avro.codecs().by_kind[type(record)]
        confluent = avro.CONFLUENT + codec.version.schema_id.to_bytes(4, "big") + value[avro.SINGLE_OBJECT_HEADER :]
        found.append(
            {
                "topic": topic_of(record.NAME).suffix,
                "key": record.subject,
                "json": to_json(record),
                "single_object": value.hex(),
                "confluent": confluent.hex(),
            }
        )
    return found


def pseudonyms() -> dict[str, Any]:
    """Returns pseudonyms under a key that is for tests alone."""
    made = Pseudonyms(3, TEST_KEY)
    people = [{"issuing_country": c, "document_number": n, "subject": made.person(c, n)} for c, n in DOCUMENTS]
    return {"key": TEST_KEY.hex(), "key_version": made.version, "people": people}


def documents() -> dict[str, Any]:
    """Returns rows with document data and what becomes of them: the document and its pseudonym, or the field refused."""
    made = Pseudonyms(3, TEST_KEY)
    read = []
    for row in ROWS:
        try:
            document = document_of(row, YEAR)
        except DocumentError as error:
            read.append({"row": row, "refused": error.field, "expected": error.expected})
            continue
        assert document is not None
        read.append({"row": row, "document": asdict(document), "subject": made.holder(document)})
    return {
        "key": TEST_KEY.hex(),
        "key_version": made.version,
        "year": YEAR,
        "rows": read,
        "check_digits": [
            {"text": text, "digit": check_digit(text)} for text in ("520727", "AB2134<<<", "HA672242<", "L898902C3")
        ],
        "iin_check_digits": [{"digits": digits, "digit": iin_check_digit(digits)} for digits in IIN_DIGITS],
        "latin": [{"written": name, "latin": latin(name)} for name in NAMES],
    }


def partitions() -> list[dict[str, Any]]:
    """Returns keys and where they lie."""
    keys = ["", "a", "abcd", "abcde", "KZ-75-A1", *(str(event["key"]) for event in events()[:3])]
    return [
        {
            "key": key,
            "murmur2": murmur2(key.encode()),
            "of_4": partition_of(key.encode(), 4),
            "of_7": partition_of(key.encode(), 7),
        }
        for key in keys
    ]


def signatures() -> dict[str, Any]:
    """Returns a header over a few messages and a signed statement, under a key that is for tests alone."""
    signer = Signer("vectors-1", TEST_KEY, 41)
    values = [avro.encode(record) for record in LAWFUL[:3]]
    counted = Tally()
    for seq, record in enumerate(LAWFUL[:3], 101):
        counted = counted.plus(replace(record, source_seq=seq))
    said = statement("KZ-75-A1", "post:KZ-75-A1", DAY, counted, source_seq=104, at_ms=OCCURRED_AT, signer=signer)
    return {
        "header_name": HEADER,
        "kid": signer.kid,
        "private": TEST_KEY.hex(),
        "public": signer.public.hex(),
        "batch": 42,
        "values": [value.hex() for value in values],
        "header": signer.header(values).hex(),
        "statement": to_json(said),
        "statement_text": statement_text(said).decode(),
        "digest_of": [
            {"event_id": str(UUID(bytes=record.event_id)), "source_seq": 101 + i} for i, record in enumerate(LAWFUL[:3])
        ],
    }


def texts() -> dict[str, str]:
    """Returns the files by name."""
    parts: dict[str, Any] = {"events.json": events(), "pseudonyms.json": pseudonyms(), "partitions.json": partitions()}
    parts |= {"signatures.json": signatures(), "documents.json": documents()}
    return {name: json.dumps(content, indent=1, ensure_ascii=False) + "\n" for name, content in parts.items()}


if __name__ == "__main__":
    assert schema_directory() == FOLDER.parent
    FOLDER.mkdir(exist_ok=True)
    for file, text in texts().items():
        (FOLDER / file).write_text(text, "utf-8")
