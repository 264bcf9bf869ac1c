"""The rule for changing schemas, held against every version published and against what fastavro can really read."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import fastavro
import pytest
from fastavro.utils import generate_many

from streams.wire.avro import KINDS
from streams.wire.evolution import incompatibilities
from streams.wire.schemas import load_versions, schema_directory

VERSIONS = load_versions(schema_directory())
CROSSING: dict[str, Any] = next(v.document for v in VERSIONS if v.name == "border_crossing" and v.current)
Change = Callable[[dict[str, Any]], None]


def field(schema: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in schema["fields"] if one["name"] == name)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_version_can_be_read_by_every_later_one(name: str) -> None:
    versions = sorted((v for v in VERSIONS if v.name == name), key=lambda v: v.version)
    for number, older in enumerate(versions):
        for newer in versions[number:]:
            assert incompatibilities(older.document, newer.document) == []


def drop_required(schema: dict[str, Any]) -> None:
    schema["fields"] = [one for one in schema["fields"] if one["name"] != "purpose"]


def add_nullable(schema: dict[str, Any]) -> None:
    schema["fields"].append({"name": "lane", "type": ["null", "string"], "default": None})


def add_symbol(schema: dict[str, Any]) -> None:
    field(schema, "direction")["type"]["symbols"].append("transfer")


def widen(schema: dict[str, Any]) -> None:
    field(schema, "source")["type"] = "bytes"


def make_nullable(schema: dict[str, Any]) -> None:
    field(schema, "citizenship")["type"] = ["null", "string"]


def add_required(schema: dict[str, Any]) -> None:
    schema["fields"].append({"name": "lane", "type": "string"})


def drop_symbol(schema: dict[str, Any]) -> None:
    field(schema, "direction")["type"]["symbols"].remove("refusal")


def narrow(schema: dict[str, Any]) -> None:
    field(schema, "occurred_at")["type"] = "int"


def forbid_null(schema: dict[str, Any]) -> None:
    field(schema, "refusal_reason")["type"] = field(schema, "refusal_reason")["type"][1]
    del field(schema, "refusal_reason")["default"]


def rename_field(schema: dict[str, Any]) -> None:
    field(schema, "post")["name"] = "checkpoint"


def resize(schema: dict[str, Any]) -> None:
    field(schema, "event_id")["type"]["size"] = 32


LAWFUL: list[Change] = [drop_required, add_nullable, add_symbol, widen, make_nullable]
UNLAWFUL: list[Change] = [add_required, drop_symbol, narrow, forbid_null, rename_field, resize]


def readable(written: dict[str, Any], reading: dict[str, Any]) -> bool:
    """Returns whether fastavro reads with one schema whatever the other writes."""
    old, new = fastavro.parse_schema(_plain(written)), fastavro.parse_schema(_plain(reading))
    for row in generate_many(old, 200):
        out = BytesIO()
        fastavro.schemaless_writer(out, old, row)
        out.seek(0)
        try:
            fastavro.schemaless_reader(out, old, new)
        except Exception:  # whatever it raises, it could not read
            return False
    return True


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items() if key != "logicalType"}
    return [_plain(value) for value in node] if isinstance(node, list) else node


@pytest.mark.parametrize("change", [*LAWFUL, *UNLAWFUL])
def test_the_rule_and_the_library_agree_on_what_can_be_read(change: Change) -> None:
    changed = copy.deepcopy(CROSSING)
    change(changed)
    assert json.dumps(changed) != json.dumps(CROSSING)
    faults = incompatibilities(CROSSING, changed)
    assert (faults == []) == readable(CROSSING, changed) == (change in LAWFUL), faults


def test_a_new_field_says_nothing_about_the_past() -> None:
    changed = copy.deepcopy(CROSSING)
    changed["fields"].append({"name": "lane", "type": "string", "default": "1"})
    assert readable(CROSSING, changed)
    assert incompatibilities(CROSSING, changed) == ["lane: is new and must be nullable with default null, not '1'"]


def test_old_readers_skip_what_new_writers_add() -> None:
    changed = copy.deepcopy(CROSSING)
    add_nullable(changed)
    assert readable(changed, CROSSING)
