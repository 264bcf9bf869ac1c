"""The schemas and the dataclasses are one contract, written down twice: these laws hold them together."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator
from typing import Any

import pytest

from streams import records
from streams.records import INPUTS, INTERNAL, OUTPUTS, RELAYED
from streams.wire import avro
from streams.wire.schemas import NAMESPACE, fingerprint_of

KINDS = [*INPUTS, *RELAYED, *OUTPUTS, *INTERNAL]

CODES_NOT_LAWFUL_AS_SYMBOLS = {("work_permit", "category")}
"""Avro's enum symbols cannot begin with a digit, so the categories 1 to 4 travel as strings."""


def _named_types(node: Any, found: dict[str, Any]) -> dict[str, Any]:
    if isinstance(node, list):
        for item in node:
            _named_types(item, found)
    elif isinstance(node, dict):
        if node.get("type") in ("enum", "fixed", "record"):  # a tuple: a field's type may be a dictionary
            found[node["name"]] = node
        for key in ("type", "items", "fields"):
            _named_types(node.get(key), found)
    return found


def _expected(kind: type[Any], name: str, hint: Any) -> Any:
    """Returns what the Avro type must be, as ``_shape`` tells it."""
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        inner = next(arg for arg in typing.get_args(hint) if arg is not types.NoneType)
        return ("null", _expected(kind, name, inner))
    if origin is tuple:
        return ("array", _expected(kind, name, typing.get_args(hint)[0]))
    if origin is typing.Literal:
        if (getattr(kind, "NAME", ""), name) in CODES_NOT_LAWFUL_AS_SYMBOLS:
            return "string"
        return ("enum", typing.get_args(hint))
    if dataclasses.is_dataclass(hint):
        return ("record", tuple(field.name for field in dataclasses.fields(hint)))
    if hint is bytes:
        plain = kind is records.DeadLetter or name in {"digest", "signature", "facts"}
        return "bytes" if plain else ("fixed", 16)
    if hint is int:
        if name.endswith("_at"):
            return ("long", "timestamp-millis")
        return ("int", "date") if name.endswith("_on") else "integer"
    return {str: "string", bool: "boolean"}[hint]


def _shape(node: Any, named: dict[str, Any]) -> Any:
    if isinstance(node, list):
        assert node[0] == "null"
        assert len(node) == 2
        return ("null", _shape(node[1], named))
    if isinstance(node, str):
        if node in named:
            return _shape(named[node], named)
        return "integer" if node in {"int", "long"} else node
    match node["type"]:
        case "enum":
            return ("enum", tuple(node["symbols"]))
        case "fixed":
            assert node["logicalType"] == "uuid"
            return ("fixed", node["size"])
        case "array":
            return ("array", _shape(node["items"], named))
        case "record":
            return ("record", tuple(field["name"] for field in node["fields"]))
        case plain:
            return (plain, node["logicalType"])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.NAME)
def test_avro_fields_are_the_dataclass_fields_in_the_same_order_with_the_same_types(kind: type[Any]) -> None:
    schema = avro.schema_of(kind)
    named = _named_types(schema, {})
    hints = typing.get_type_hints(kind)
    assert [field["name"] for field in schema["fields"]] == [field.name for field in dataclasses.fields(kind)]
    for field in schema["fields"]:
        name = field["name"]
        assert _shape(field["type"], named) == _expected(kind, name, hints[name]), name


def _records_in(schema: Any) -> Iterator[Any]:
    return (node for node in _named_types(schema, {}).values() if node["type"] == "record")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.NAME)
def test_every_record_and_every_field_says_what_it_means(kind: type[Any]) -> None:
    for record in _records_in(avro.schema_of(kind)):
        assert len(record["doc"]) > 30
        for field in record["fields"]:
            doc = field["doc"]
            assert len(doc) > 10
            assert doc.endswith(".")
            if field["name"].endswith(("_at", "_on")):
                assert "1970-01-01" in doc, f"{field['name']}: the unit is missing"
            if field["type"].__class__ is list:
                assert "null" in doc, f"{field['name']}: what null means is missing"
                assert field["default"] is None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.NAME)
def test_a_schema_has_its_class_name_the_namespace_and_a_version(kind: type[Any]) -> None:
    schema = avro.schema_of(kind)
    assert (schema["name"], schema["namespace"]) == (kind.__name__, NAMESPACE)
    assert schema["version"] >= 1


def test_named_types_that_share_a_name_are_the_same_type() -> None:
    seen: dict[str, Any] = {}
    for kind in KINDS:
        for name, node in _named_types(avro.schema_of(kind), {}).items():
            assert seen.setdefault(name, node) == node, f"{name} means two things: code generators would clash"


def test_the_fingerprint_is_the_one_of_the_avro_specification() -> None:
    # Apache Avro's own test data (share/test/data/schema-tests.txt): "null" has 7195948357588979594.
    assert int.from_bytes(fingerprint_of("null"), "little") == 7195948357588979594
