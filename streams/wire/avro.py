"""Records to bytes and back: Avro single-object encoding, and Confluent framing where a publisher uses it.

Single-object: ``C3 01``, the schema's CRC-64-AVRO fingerprint (8 bytes, least significant first), body.
Confluent: ``00``, the schema's number (4 bytes, most significant first; ``schemas/ids.json``), body.

Decoding turns off Avro's logical types: instants and dates stay integers and ids stay bytes, as in ``streams.records``.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from io import BytesIO
from operator import attrgetter
from typing import Any, cast

from fastavro import schemaless_reader, schemaless_writer

from streams.records import (
    INPUTS,
    INTERNAL,
    OUTPUTS,
    RELAYED,
    Alert,
    BatchMarker,
    BorderCrossing,
    Case,
    DeadLetter,
    Feedback,
    Finding,
    LabourLink,
    Record,
)
from streams.wire.recall import Recall
from streams.wire.schemas import Version, load_versions, schema_directory
from streams.wire.writer import writer_of

Message = Record | Alert | Finding | Case | DeadLetter | BatchMarker | Feedback | LabourLink
"""Whatever has a schema: what comes in and what this system writes."""

SINGLE_OBJECT = b"\xc3\x01"
"""The mark of Avro's single-object encoding."""

CONFLUENT = b"\x00"
"""The mark of Confluent framing."""

SINGLE_OBJECT_HEADER = 10
CONFLUENT_HEADER = 5

KINDS: Mapping[str, type[Message]] = {kind.NAME: kind for kind in (*INPUTS, *RELAYED, *OUTPUTS, *INTERNAL)}
"""Record class by event type."""


_OURS: frozenset[type[Any]] = frozenset((*OUTPUTS, *INTERNAL))


class MalformedError(Exception):
    """Bytes that are no message of ours.

    Args:
        code: stable, machine-readable: ``empty``, ``unknown_framing``, ``unknown_schema``, ``truncated``,
            ``trailing_bytes`` or ``undecodable``.
        reason: what was expected, what came, what to do.
        event_type: the event type, if the header told it.
    """

    def __init__(self, code: str, reason: str, event_type: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.event_type = event_type


class Codec:
    """Writes and reads one version of one event type.

    Attributes:
        kind: the record class.
        version: the schema it reads; writing is for the current version only.
        header: the ten bytes in front of a body in single-object encoding.
        values: returns a record's fields in the schema's order.
    """

    __slots__ = ("_build", "_names", "_own", "_quick", "_reader", "_recall", "_writer", "header", "kind", "values", "version")

    def __init__(self, kind: type[Message], version: Version, current: Version) -> None:
        self.kind = kind
        self.version = version
        self.header = SINGLE_OBJECT + version.fingerprint
        self._writer = version.plain
        # Without a reader schema fastavro skips resolution; only past versions need it.
        self._reader = None if version.current else current.plain
        self._names = tuple(field.name for field in fields(kind))
        self.values = cast("Callable[[Message], tuple[Any, ...]]", attrgetter(*self._names))
        self._build = _builder(kind)
        # Only where an event's own fields come again and again; registers' events carry ids of their own.
        self._recall = Recall() if kind is BorderCrossing and version.current else None
        self._own = cast("Callable[[Message], tuple[Any, ...]]", attrgetter(*self._names[len(fields(Record)) :]))
        # Only for what workers write, by the hundred thousand: its types are held by the type checker.
        self._quick = writer_of(self._writer, self.header) if kind in _OURS and version.current else None

    def encode(self, record: Message) -> bytes:
        """Returns the record in single-object encoding.

        Raises:
            TypeError, ValueError: a field does not have the schema's type.
        """
        if self._quick is not None:
            try:
                return self._quick(record)
            except Exception:  # noqa: S110 - whatever a value of the wrong type raises: fastavro says what is wrong with it
                pass
        out = BytesIO()
        out.write(self.header)
        schemaless_writer(out, self._writer, row_of(record, self._names, self.values))
        return out.getvalue()

    def read(self, value: bytes, start: int) -> Message:
        """Returns the record whose body begins at ``start`` and ends with ``value``.

        Raises:
            MalformedError: the bytes are not one whole body.
        """
        known = self._known(value, start)
        return self.kind(*known) if known is not None else self._decoded(value, start)

    def fields(self, value: bytes, start: int) -> tuple[Any, ...]:
        """Returns the fields, in the schema's order, of the record whose body begins at ``start``: ``read`` without the record.

        Raises:
            MalformedError: the bytes are not one whole body.
        """
        known = self._known(value, start)
        return known if known is not None else self.values(self._decoded(value, start))

    def _known(self, value: bytes, start: int) -> tuple[Any, ...] | None:
        return self._recall.fields(value, start) if self._recall is not None else None

    def _decoded(self, value: bytes, start: int) -> Message:
        source = BytesIO(value)
        source.seek(start)
        try:
            record = self._build(cast("dict[str, Any]", schemaless_reader(source, self._writer, self._reader)))
        except Exception as error:
            # Whatever fastavro raises on foreign bytes: bad UTF-8, an enum or union index out of range, a negative length.
            # A number that ends with the message is an IndexError, anything longer an EOFError.
            if isinstance(error, EOFError) or (isinstance(error, IndexError) and source.tell() == len(value)):
                raise self._malformed("truncated", f"the message ends inside its body, after {len(value)} bytes") from None
            raise self._malformed("undecodable", f"the body is not Avro of this schema ({type(error).__name__})") from None
        if source.tell() != len(value):
            raise self._malformed("trailing_bytes", f"{len(value) - source.tell()} bytes follow the end of the body")
        if self._recall is not None:
            self._recall.learn(value, start, self._own(record))
        return record

    def end_of(self, value: bytes, start: int) -> int | None:
        """Returns where the body that begins at ``start`` ends; none if no body does."""
        source = BytesIO(value)
        source.seek(start)
        try:
            schemaless_reader(source, self._writer, None)
        except Exception:
            # As in ``read``: whatever fastavro raises on foreign bytes; who decodes the rest says what is wrong with it.
            return None
        return source.tell()

    def _malformed(self, code: str, what: str) -> MalformedError:
        name, version = self.version.name, self.version.version
        return MalformedError(code, f"Expected one whole {name} (schema version {version}); {what}. Encode it again.", name)


def row_of(record: Message, names: tuple[str, ...], values: Callable[[Message], tuple[Any, ...]]) -> dict[str, Any]:
    """Returns the record as fastavro writes it: a dictionary, nested records too."""
    row = dict(zip(names, values(record), strict=True))
    gaps = row.get("gaps")
    if gaps:
        row["gaps"] = [{"post": gap.post, "from_at": gap.from_at, "until_at": gap.until_at} for gap in gaps]
    return row


def _builder(kind: type[Message]) -> Callable[[dict[str, Any]], Message]:
    """Returns the cheapest way from fastavro's dictionary (fields in the schema's order) to the dataclass."""
    arrays = [(name, item) for name, item in _arrays_of(kind)]
    if not arrays:
        return lambda row: kind(*row.values())

    def build(row: dict[str, Any]) -> Message:
        for name, item in arrays:
            values = row[name]
            row[name] = tuple(item(**value) for value in values) if item is not None else tuple(values)
        return kind(*row.values())

    return build


def _arrays_of(kind: type[Message]) -> list[tuple[str, type[Any] | None]]:
    """Returns the tuple fields, with the class of their items where that is a record."""
    found: list[tuple[str, type[Any] | None]] = []
    for name, hint in typing.get_type_hints(kind).items():
        if typing.get_origin(hint) is tuple:
            item = typing.get_args(hint)[0]
            found.append((name, cast("type[Any]", item) if is_dataclass(item) else None))
    return found


class Codecs:
    """Every codec, by what tells them apart in a message.

    Attributes:
        by_kind: the current codec of each record class.
        by_header: by the first ten bytes of single-object encoding.
        by_id: by the number in Confluent framing.
    """

    def __init__(self, versions: tuple[Version, ...]) -> None:
        current = {version.name: version for version in versions if version.current}
        missing = KINDS.keys() - current.keys()
        if missing:
            raise KeyError(f"no schema for {', '.join(sorted(missing))}")
        codecs = [Codec(KINDS[version.name], version, current[version.name]) for version in versions]
        self.by_kind = types.MappingProxyType({codec.kind: codec for codec in codecs if codec.version.current})
        self.by_header = {codec.header: codec for codec in codecs}
        self.by_id = {codec.version.schema_id: codec for codec in codecs}

    def decode(self, value: bytes) -> Message:
        """Returns the record in a message, whichever framing it has.

        Raises:
            MalformedError: it is no message of ours.
        """
        codec, start = self.framed(value)
        return codec.read(value, start)

    def framed(self, value: bytes) -> tuple[Codec, int]:
        """Returns the codec of a message, whichever framing it has, and where its body begins.

        Raises:
            MalformedError: it is no message of ours.
        """
        codec = self.by_header.get(value[:SINGLE_OBJECT_HEADER])
        if codec is not None:
            return codec, SINGLE_OBJECT_HEADER
        if value[:1] == CONFLUENT and len(value) >= CONFLUENT_HEADER:
            number = int.from_bytes(value[1:CONFLUENT_HEADER], "big")
            codec = self.by_id.get(number)
            if codec is not None:
                return codec, CONFLUENT_HEADER
            raise MalformedError(
                "unknown_schema",
                f"Expected a schema id of schemas/ids.json (1 to {max(self.by_id)}); came {number}. "
                "Publish with Shekara's ids, or in single-object encoding.",
            )
        raise _unframed(value)


def _unframed(value: bytes) -> MalformedError:
    if not value:
        return MalformedError("empty", "Expected an Avro message; the value is empty. Publish a Correction to withdraw an event.")
    if value[:1] == CONFLUENT or (value[:2] == SINGLE_OBJECT[: len(value)] and len(value) < SINGLE_OBJECT_HEADER):
        return MalformedError(
            "truncated", f"Expected a header and a body; the message ends after {len(value)} bytes. Encode it again."
        )
    if value[:2] == SINGLE_OBJECT:
        return MalformedError(
            "unknown_schema",
            f"Expected the fingerprint of one of Shekara's schemas; came {value[2:SINGLE_OBJECT_HEADER].hex()}. "
            "Publish with the schemas of this release (schemas/*.avsc).",
        )
    return MalformedError(
        "unknown_framing",
        f"Expected Avro single-object encoding (C3 01 …) or Confluent framing (00 …); the message begins with "
        f"{value[:2].hex(' ').upper()}. Encode it with Shekara's publisher or as docs/events.md says.",
    )


@cache
def codecs() -> Codecs:
    """Returns the codecs of the schemas this program came with; read once."""
    return Codecs(load_versions(schema_directory()))


def encode(record: Message) -> bytes:
    """Returns a record in single-object encoding.

    Raises:
        TypeError, ValueError: a field does not have the schema's type.
    """
    return codecs().by_kind[type(record)].encode(record)


def decode(value: bytes) -> Message:
    """Returns the record in a message.

    Raises:
        MalformedError: it is no message of ours.
    """
    return codecs().decode(value)


def decode_fields(value: bytes) -> tuple[type[Message], tuple[Any, ...]]:
    """Returns the class of the record in a message and its fields in the schema's order, without making the record.

    Raises:
        MalformedError: it is no message of ours.
    """
    codec, start = codecs().framed(value)
    return codec.kind, codec.fields(value, start)


def fields_of(record: Message) -> tuple[Any, ...]:
    """Returns a record's fields in the schema's order."""
    return codecs().by_kind[type(record)].values(record)


def decode_body(name: str, body: bytes) -> Message:
    """Returns the record of a bare Avro body in the current schema of an event type.

    Raises:
        KeyError: there is no such event type.
        MalformedError: the bytes are not one whole body.
    """
    return codecs().by_kind[KINDS[name]].read(body, 0)


def schema_of(kind: type[Message] | str) -> Mapping[str, Any]:
    """Returns the current schema of an event type as published, with every ``doc``."""
    return codecs().by_kind[KINDS[kind] if isinstance(kind, str) else kind].version.document


def fingerprint(kind: type[Message] | str) -> bytes:
    """Returns the fingerprint of the current schema, 8 bytes, least significant first."""
    return codecs().by_kind[KINDS[kind] if isinstance(kind, str) else kind].version.fingerprint


def split(value: bytes) -> list[bytes]:
    """Cuts messages in single-object encoding that stand back to back.

    Returns:
        One message each; what cannot be cut is the last one, whole, and is refused when it is decoded.
    """
    found: list[bytes] = []
    known = codecs().by_header
    start = 0
    while start < len(value):
        codec = known.get(value[start : start + SINGLE_OBJECT_HEADER])
        end = codec.end_of(value, start + SINGLE_OBJECT_HEADER) if codec is not None else None
        if end is None:
            found.append(value[start:])
            break
        found.append(value[start:end])
        start = end
    return found
