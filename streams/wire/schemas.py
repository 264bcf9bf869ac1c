"""Finding and reading the Avro schemas: the contract with border systems.

``schemas/<NAME>.avsc`` is the current version of each event type, ``schemas/past/<NAME>.v<N>.avsc`` what it once was
(the log keeps messages for ever, so every version ever published stays readable), ``schemas/ids.json`` the list of all
versions with the number that stands for each in Confluent framing, so that no registry is needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from fastavro.schema import fingerprint as _fingerprint
from fastavro.schema import parse_schema, to_parsing_canonical_form

from streams.errors import SetupError

NAMESPACE = "shekara.v1"
"""Namespace of every schema; the number grows only when old readers could not go on."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one event type's schema.

    Attributes:
        name: the event type, e.g. ``border_crossing``.
        version: 1, 2, …
        schema_id: its number in Confluent framing.
        fingerprint: CRC-64-AVRO of the parsing canonical form as it stands in a message: 8 bytes, least significant first.
        document: the schema as published, with every ``doc``.
        plain: the parsed schema without logical types: instants and dates stay integers, ids stay bytes.
        current: whether it is the version we write.
    """

    name: str
    version: int
    schema_id: int
    fingerprint: bytes
    document: dict[str, Any]
    plain: dict[str, Any]
    current: bool


def schema_directory() -> Path:
    """Returns the directory of the schemas: the repository's, or the copy in an installed package.

    Raises:
        SetupError: neither is there.
    """
    here = Path(__file__).resolve().parents[1]
    for candidate in (here / "_schemas", here.parent / "schemas"):
        if (candidate / "ids.json").is_file():
            return candidate
    raise SetupError(
        f"The Avro schemas are missing: there is neither {here / '_schemas'} nor {here.parent / 'schemas'}.",
        "Install Shekara again.",
    )


def fingerprint_of(document: dict[str, Any] | str) -> bytes:
    """Returns the CRC-64-AVRO fingerprint of a schema, in the byte order of single-object encoding.

    Args:
        document: a schema as read from JSON.
    """
    return bytes.fromhex(_fingerprint(to_parsing_canonical_form(document), "CRC-64-AVRO"))


def load_versions(directory: Path) -> tuple[Version, ...]:
    """Reads every version of every event type.

    Args:
        directory: as ``schema_directory`` returns it.

    Raises:
        SetupError: a schema is missing or is not the one its line in ``ids.json`` records.
    """
    return tuple(_versions(directory))


def _versions(directory: Path) -> Iterator[Version]:
    lines: list[dict[str, Any]] = json.loads((directory / "ids.json").read_text("utf-8"))["schemas"]
    latest = {line["name"]: max(other["version"] for other in lines if other["name"] == line["name"]) for line in lines}
    for line in lines:
        name, version = line["name"], line["version"]
        current = version == latest[name]
        path = directory / (f"{name}.avsc" if current else f"past/{name}.v{version}.avsc")
        try:
            document = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise SetupError(f"The schema {path.name} (id {line['id']} in ids.json) cannot be read: {error}.") from error
        found = fingerprint_of(document)
        if found.hex() != line["fingerprint"] or document.get("version") != version:
            raise SetupError(
                f"The schema {path.name} is version {document.get('version')} with fingerprint {found.hex()}; "
                f"ids.json records version {version} with {line['fingerprint']}.",
                "A changed schema is a new version: keep the old file under schemas/past/ and add a line to ids.json.",
            )
        plain = cast("dict[str, Any]", parse_schema(_without_logical_types(document)))
        yield Version(name, version, line["id"], found, document, plain, current)


def _without_logical_types(node: Any) -> Any:
    """Drops what makes fastavro build ``datetime`` and ``UUID`` objects (twice the time of the whole record), and the words."""
    if isinstance(node, dict):
        return {key: _without_logical_types(value) for key, value in node.items() if key not in {"logicalType", "doc"}}
    if isinstance(node, list):
        return [_without_logical_types(item) for item in node]
    return node
