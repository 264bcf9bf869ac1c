"""The contract with border systems over time: what was published once stays readable for ever."""

from __future__ import annotations

import json
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import fastavro
import pytest
from fastavro.utils import generate_many

from streams.errors import SetupError
from streams.records import INPUTS, INTERNAL, OUTPUTS, RELAYED, BorderCrossing
from streams.wire import schemas
from streams.wire.avro import KINDS, Codecs
from streams.wire.schemas import fingerprint_of, load_versions, schema_directory
from tests.unit.decode.lawful import lawful

DIRECTORY = schema_directory()
LINES: list[dict[str, Any]] = json.loads((DIRECTORY / "ids.json").read_text())["schemas"]

FIRST_FINGERPRINTS = {
    "border_crossing": "3bee79bbda5fb30d",
    "tick": "10082d03e5d8e054",
}
"""Of two types as first published, written here a second time: a change to both schema and list must not pass unseen."""


def test_every_schema_is_the_one_the_list_records() -> None:
    versions = load_versions(DIRECTORY)
    assert {version.name for version in versions if version.current} == set(KINDS)
    for line in LINES:
        if line["version"] == 1 and line["name"] in FIRST_FINGERPRINTS:
            assert line["fingerprint"] == FIRST_FINGERPRINTS[line["name"]]


def test_numbers_are_given_once_and_versions_follow_each_other() -> None:
    numbers = [line["id"] for line in LINES]
    assert numbers == list(range(1, len(LINES) + 1))
    for kind in (*INPUTS, *RELAYED, *OUTPUTS, *INTERNAL):
        versions = [line["version"] for line in LINES if line["name"] == kind.NAME]
        assert versions == list(range(1, len(versions) + 1))
    assert len({line["fingerprint"] for line in LINES}) == len(LINES)


def test_every_version_ever_published_can_be_read_as_the_current_one() -> None:
    codecs = Codecs(load_versions(DIRECTORY))
    for codec in codecs.by_header.values():
        current = codecs.by_kind[codec.kind]
        if codec is not current:
            # Without defaults for what is new, or with a type narrowed, fastavro refuses to resolve the two.
            rows = list(generate_many(codec.version.plain, 50))
            for row in rows:
                out = _written(codec.version.plain, row)
                assert [field.name for field in fields(codec.kind)] == list(
                    fastavro.schemaless_reader(out, codec.version.plain, current.version.plain)  # type: ignore[arg-type]
                )


def _written(schema: dict[str, Any], row: Any) -> Any:
    from io import BytesIO

    out = BytesIO()
    fastavro.schemaless_writer(out, schema, row)
    out.seek(0)
    return out


@pytest.fixture
def evolved(tmp_path: Path) -> Path:
    """The schemas as if a nullable field had been added to border_crossing in a version 2."""
    directory = tmp_path / "schemas"
    shutil.copytree(DIRECTORY, directory)
    (directory / "past").mkdir(exist_ok=True)
    path = directory / "border_crossing.avsc"
    now = json.loads(path.read_text())
    before = now | {"fields": [field for field in now["fields"] if field["name"] != "refusal_reason"]}
    (directory / "past" / "border_crossing.v1.avsc").write_text(json.dumps(before))
    path.write_text(json.dumps(now | {"version": 2}))
    lines = [line for line in LINES if line["name"] != "border_crossing"]
    lines.append({"id": 1, "name": "border_crossing", "version": 1, "fingerprint": fingerprint_of(before).hex()})
    lines.append({"id": 99, "name": "border_crossing", "version": 2, "fingerprint": fingerprint_of(now).hex()})
    (directory / "ids.json").write_text(json.dumps({"schemas": lines}))
    return directory


def test_a_message_of_a_past_version_is_read_as_a_record_of_today(evolved: Path) -> None:
    crossing = lawful(BorderCrossing)
    then = next(v for v in load_versions(evolved) if v.name == "border_crossing" and v.version == 1)
    row = {field.name: getattr(crossing, field.name) for field in fields(crossing) if field.name != "refusal_reason"}
    body = _written(then.plain, row).getvalue()
    codecs = Codecs(load_versions(evolved))
    assert codecs.decode(b"\xc3\x01" + then.fingerprint + body) == crossing
    assert codecs.decode(b"\x00\x00\x00\x00\x01" + body) == crossing


def test_what_is_written_is_the_latest_version(evolved: Path) -> None:
    codecs = Codecs(load_versions(evolved))
    assert codecs.by_kind[BorderCrossing].version.version == 2
    assert codecs.by_id[99] is codecs.by_kind[BorderCrossing]


def test_a_schema_changed_under_its_version_is_refused_by_name(evolved: Path) -> None:
    path = evolved / "visa.avsc"
    path.write_text(path.read_text().replace('"entries_allowed"', '"entries"'))
    with pytest.raises(SetupError, match=r"visa\.avsc is version 1 .* A changed schema is a new version"):
        load_versions(evolved)


def test_a_missing_schema_is_named(evolved: Path) -> None:
    (evolved / "visa.avsc").unlink()
    with pytest.raises(SetupError, match=r"visa\.avsc"):
        load_versions(evolved)


def test_an_installed_package_finds_its_own_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "streams"
    monkeypatch.setattr(schemas, "__file__", str(package / "wire" / "schemas.py"))
    with pytest.raises(SetupError, match="are missing"):
        schema_directory()
    shutil.copytree(DIRECTORY, package / "_schemas")
    assert schema_directory() == package / "_schemas"
