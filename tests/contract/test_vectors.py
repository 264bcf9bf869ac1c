"""The vectors for publishers in other languages: unchanged for ever, and right by other programs' reckoning."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
from typing import Any, cast
from uuid import UUID

import fastavro
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from kafka.partitioner.default import murmur2 as kafkas_murmur2

from streams.records import INPUTS
from streams.wire import avro
from streams.wire.jsonform import from_json
from tests.contract.vectors import FOLDER, texts


def read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text("utf-8"))


@pytest.mark.parametrize("name", sorted(texts()))
def test_the_files_are_what_this_program_gives(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == texts()[name], "publishers rely on them: python -m tests.contract.vectors"


def test_every_event_type_has_a_vector_that_reads_back() -> None:
    vectors = read("events.json")
    assert {vector["json"]["type"] for vector in vectors} == {kind.NAME for kind in INPUTS}
    for vector in vectors:
        record = from_json(vector["json"]["type"], vector["json"])
        assert avro.decode(bytes.fromhex(vector["single_object"])) == record
        assert avro.decode(bytes.fromhex(vector["confluent"])) == record
        assert vector["key"] == record.subject  # type: ignore[union-attr]


def test_fastavro_alone_reads_the_vectors_with_the_schemas_as_published() -> None:
    for vector in read("events.json"):
        schema = json.loads((FOLDER.parent / f"{vector['json']['type']}.avsc").read_text())
        body = io.BytesIO(bytes.fromhex(vector["single_object"])[10:])
        row = cast("dict[str, Any]", fastavro.schemaless_reader(body, fastavro.parse_schema(schema), None))
        assert not body.read()
        assert row["subject"] == vector["key"]
        event_id = vector["json"]["event_id"]
        assert str(row["event_id"]) == event_id or row["event_id"].hex() == event_id.replace("-", "")


def test_pseudonyms_are_hmac_sha_256_by_the_standard_library_alone() -> None:
    vectors = read("pseudonyms.json")
    for person in vectors["people"]:
        number = "".join(c for c in person["document_number"].upper() if c.isalnum())
        country = {"D": "DEU"}.get(person["issuing_country"], person["issuing_country"])
        digest = hmac.new(
            bytes.fromhex(vectors["key"]), f"document\x1f{country}\x1f{number}".encode(), hashlib.sha256
        ).hexdigest()
        assert person["subject"] == f"p{vectors['key_version']}-{digest[:32]}"


def test_documents_pseudonyms_are_hmac_sha_256_of_what_icaos_specimens_say() -> None:
    vectors = read("documents.json")
    read_rows = [row for row in vectors["rows"] if "document" in row]
    assert len(read_rows) >= 6
    for row in read_rows:
        message = f"document\x1f{row['document']['issuing_country']}\x1f{row['document']['number']}".encode()
        digest = hmac.new(bytes.fromhex(vectors["key"]), message, hashlib.sha256).hexdigest()
        assert row["subject"] == f"p{vectors['key_version']}-{digest[:32]}"
    refused = [row["refused"] for row in vectors["rows"] if "refused" in row]
    assert set(refused) == {"mrz", "iin", "document_number"}
    # The examples of ICAO Doc 9303 part 3, appendix to section 4.
    digits = {one["text"]: one["digit"] for one in vectors["check_digits"]}
    assert (digits["520727"], digits["AB2134<<<"], digits["L898902C3"]) == ("3", "5", "6")
    assert {one["digit"] is None for one in vectors["iin_check_digits"]} == {True, False}


def test_partitions_are_kafkas_own() -> None:
    for vector in read("partitions.json"):
        hashed = kafkas_murmur2(vector["key"].encode())
        assert vector["murmur2"] == hashed % 2**32
        assert (vector["of_4"], vector["of_7"]) == ((hashed & 0x7FFFFFFF) % 4, (hashed & 0x7FFFFFFF) % 7)


def test_signatures_can_be_made_from_the_page_and_the_standard_library_but_for_ed25519() -> None:
    vectors = read("signatures.json")
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vectors["private"]))
    values = [bytes.fromhex(value) for value in vectors["values"]]
    kid = vectors["kid"].encode()
    start = b"\x01" + bytes([len(kid)]) + kid + vectors["batch"].to_bytes(8, "big") + len(values).to_bytes(2, "big")
    hashes = b"".join(hashlib.sha256(value).digest()[:16] for value in values)
    signature = key.sign(b"shekara-batch-v1\x00" + start + hashes)
    assert vectors["header"] == (start + signature + hashes).hex()
    said = vectors["statement"]
    lines = ("source", "subject", "day_on", "first_seq", "last_seq", "events", "crossings")
    digest = bytes(32)
    for one in vectors["digest_of"]:
        part = hashlib.sha256(UUID(one["event_id"]).bytes + one["source_seq"].to_bytes(8, "big")).digest()
        digest = bytes(a ^ b for a, b in zip(digest, part, strict=True))
    assert base64.b64decode(said["digest"]) == digest
    text = "\n".join(["shekara-statement-v1", *(str(said[line]) for line in lines), digest.hex(), said["kid"]])
    assert vectors["statement_text"] == text
    assert base64.b64decode(said["signature"]) == key.sign(text.encode())
