"""Bytes to plain dictionaries, by the published schemas and nothing else."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

SCHEMAS = Path(__file__).parents[2] / "schemas"


class RefusedError(Exception):
    """Bytes that are no event.

    Args:
        code: why, in the words of the dead letters.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _bare(node: Any) -> Any:
    """Integers stay integers: a far-future instant must be read before it can be refused."""
    if isinstance(node, dict):
        return {key: _bare(value) for key, value in node.items() if key != "logicalType"}
    return [_bare(item) for item in node] if isinstance(node, list) else node


class Schemas:
    """Every published schema, by fingerprint and by number."""

    def __init__(self) -> None:
        self._by_fingerprint: dict[bytes, tuple[str, Any]] = {}
        by_name: dict[str, tuple[str, Any]] = {}
        for path in sorted(SCHEMAS.glob("*.avsc")):
            document = json.loads(path.read_text("utf-8"))
            entry = (path.stem, fastavro.parse_schema(_bare(document)))
            mark = bytes.fromhex(fingerprint(to_parsing_canonical_form(document), "CRC-64-AVRO"))
            self._by_fingerprint[mark] = by_name[path.stem] = entry
        numbers = json.loads((SCHEMAS / "ids.json").read_text("utf-8"))["schemas"]
        self._by_number = {line["id"]: by_name[line["name"]] for line in numbers if line["name"] in by_name}

    def decode(self, value: bytes | None) -> tuple[str, dict[str, Any]]:
        """Returns the event type and the fields.

        Raises:
            RefusedError: the bytes are no whole message of a known schema.
        """
        if not value:
            raise RefusedError("empty")
        if len(value) > 64 * 1024:
            raise RefusedError("over_long")
        if value[0] == 0:
            if len(value) < 5:
                raise RefusedError("truncated")
            entry, body = self._by_number.get(int.from_bytes(value[1:5], "big")), value[5:]
        elif value[:2] == b"\xc3\x01"[: len(value)]:
            if len(value) < 10:
                raise RefusedError("truncated")
            entry, body = self._by_fingerprint.get(value[2:10]), value[10:]
        else:
            raise RefusedError("unknown_framing")
        if entry is None:
            raise RefusedError("unknown_schema")
        name, schema = entry
        stream = io.BytesIO(body)
        try:
            fields = fastavro.schemaless_reader(stream, schema, None)
        except Exception as error:
            # Whatever fails with nothing left to read failed because the end is missing.
            short = isinstance(error, EOFError) or (isinstance(error, IndexError) and stream.tell() == len(body))
            raise RefusedError("truncated" if short else "undecodable") from None
        if stream.tell() != len(body):
            raise RefusedError("trailing_bytes")
        assert isinstance(fields, dict)
        return name, fields
