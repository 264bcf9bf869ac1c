"""Records as people and programs without Avro write them: JSON objects.

Ids are UUID strings, instants ISO 8601 with an offset (or epoch milliseconds), dates ``YYYY-MM-DD``, bytes base64.
Reading is strict: a missing, unknown or mistyped field is an error that names the field, what was expected and what came.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from streams.records import Gap
from streams.wire.avro import KINDS, Message, schema_of

Form = Literal["id", "instant", "date", "integer", "flag", "text", "bytes", "texts", "ids", "gaps"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_ZERO = date(1970, 1, 1)
_MS = timedelta(milliseconds=1)
_INT_RANGE = (-(2**31), 2**31 - 1)
_LONG_RANGE = (-(2**63), 2**63 - 1)


class FieldError(ValueError):
    """One field of a record cannot be read.

    Args:
        field: the field's name; empty when the record as a whole is meant.
        expected: what it should have been.
        got: what it was, shortened; never the content of a field that may hold personal data.
    """

    def __init__(self, field: str, expected: str, got: str) -> None:
        super().__init__(f"{field}: expected {expected}, got {got}" if field else f"expected {expected}, got {got}")
        self.field = field
        self.expected = expected
        self.got = got


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """How one field is written.

    Attributes:
        name: its name, the same in Avro, dataclass and JSON.
        form: how its values look.
        nullable: whether null is lawful, and what a missing field means.
        symbols: the code list of an enum; empty otherwise.
        limits: smallest and largest integer that Avro's type holds.
    """

    name: str
    form: Form
    nullable: bool
    symbols: tuple[str, ...] = ()
    limits: tuple[int, int] = _LONG_RANGE


_FIELDS: dict[type[Any], tuple[Field, ...]] = {}


def fields_of(kind: type[Any]) -> tuple[Field, ...]:
    """Returns the fields of a record class, in order."""
    found = _FIELDS.get(kind)
    if found is None:
        avro = {field["name"]: field["type"] for field in schema_of(kind)["fields"]} if kind is not Gap else {}
        hints = typing.get_type_hints(kind)
        found = tuple(_field(field.name, hints[field.name], avro.get(field.name)) for field in dataclasses.fields(kind))
        _FIELDS[kind] = found
    return found


def _field(name: str, hint: Any, avro: Any) -> Field:
    nullable = False
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        nullable = True
        hint = next(arg for arg in typing.get_args(hint) if arg is not types.NoneType)
    if typing.get_origin(hint) is Literal:
        return Field(name, "text", nullable, tuple(typing.get_args(hint)))
    if typing.get_origin(hint) is tuple:
        forms: dict[Any, Form] = {str: "texts", bytes: "ids", Gap: "gaps"}
        return Field(name, forms[typing.get_args(hint)[0]], nullable)
    if hint is bytes:
        return Field(name, "bytes" if avro in ("bytes", ["null", "bytes"]) else "id", nullable)
    if hint is int:
        if name.endswith("_at"):
            return Field(name, "instant", nullable)
        if name.endswith("_on"):
            return Field(name, "date", nullable, limits=_INT_RANGE)
        return Field(name, "integer", nullable, limits=_LONG_RANGE if avro == "long" else _INT_RANGE)
    plain: dict[Any, Form] = {str: "text", bool: "flag"}
    return Field(name, plain[hint], nullable)


def instant_text(at_ms: int) -> str | int:
    """Returns an instant as ISO 8601 in UTC, or the number itself outside the years 1 to 9999."""
    try:
        return (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except OverflowError:
        return at_ms


def date_text(on: int) -> str | int:
    """Returns a day as ``YYYY-MM-DD``, or the number itself outside the years 1 to 9999."""
    try:
        return (_DAY_ZERO + timedelta(days=on)).isoformat()
    except OverflowError:
        return on


def to_json(record: Message) -> dict[str, Any]:
    """Returns a record as a JSON object, its event type under ``type`` first."""
    return {"type": record.NAME} | {
        field.name: _write(field.form, getattr(record, field.name)) for field in fields_of(type(record))
    }


def _write(form: Form, value: Any) -> Any:
    if value is None:
        return None
    match form:
        case "id":
            return str(UUID(bytes=value))
        case "instant":
            return instant_text(value)
        case "date":
            return date_text(value)
        case "bytes":
            return base64.b64encode(value).decode("ascii")
        case "ids":
            return [str(UUID(bytes=item)) for item in value]
        case "texts":
            return list(value)
        case "gaps":
            return [{field.name: _write(field.form, getattr(gap, field.name)) for field in fields_of(Gap)} for gap in value]
        case _:
            return value


def from_json(name: str, row: Mapping[str, Any]) -> Message:
    """Returns the record a JSON object describes.

    Args:
        name: the event type, e.g. ``border_crossing``.
        row: the object; a ``type`` in it must be the same ``name``. Fields that may be null may be missing.

    Raises:
        FieldError: a field is missing, unknown or not of its type, or the event type is unknown.
    """
    kind = KINDS.get(name)
    if kind is None:
        raise FieldError("type", f"one of {', '.join(KINDS)}", shown(name))
    if row.get("type", name) != name:
        raise FieldError("type", name, shown(row["type"]))
    return typing.cast("Message", _object(kind, row, ""))


def _object(kind: type[Any], row: Mapping[str, Any], where: str) -> Any:
    fields = fields_of(kind)
    unknown = row.keys() - {field.name for field in fields} - ({"type"} if not where else set())
    if unknown:
        raise FieldError(where + min(unknown, key=str), f"no such field ({', '.join(f.name for f in fields)})", "a value")
    return kind(*(_read(field, row, where) for field in fields))


def _read(field: Field, row: Mapping[str, Any], where: str) -> Any:
    value = row.get(field.name)
    if value is None:
        if field.nullable:
            return None
        raise FieldError(where + field.name, _EXPECTED[field.form], "null" if field.name in row else "nothing")
    if field.symbols:
        if value in field.symbols:
            return value
        raise FieldError(where + field.name, f"one of {', '.join(field.symbols)}", shown(value))
    try:
        found = _READERS[field.form](value)
    except FieldError:
        raise
    except (ValueError, TypeError, OverflowError, binascii.Error):
        raise FieldError(where + field.name, _EXPECTED[field.form], shown(value, field.name)) from None
    if found.__class__ is int and not field.limits[0] <= found <= field.limits[1]:
        raise FieldError(where + field.name, f"a number from {field.limits[0]} to {field.limits[1]}", shown(value))
    return found


def shown(value: Any, field: str = "") -> str:
    """Returns a value as an error sentence may show it: short, and nothing of fields that name a person."""
    if field in {"subject", "other_subject", "document_number"}:
        return f"a {type(value).__name__} (not shown: it may name a person)"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def read_instant(value: str | int) -> int:
    """Returns epoch milliseconds from ISO 8601 with an offset, or from epoch milliseconds.

    Raises:
        ValueError: it is neither, or has no offset.
    """
    if type(value) is int:
        return value
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return (moment - _EPOCH) // _MS


def read_date(value: str | int) -> int:
    """Returns days since 1970-01-01 from ``YYYY-MM-DD``, or from such a number.

    Raises:
        ValueError: it is neither.
    """
    if type(value) is int:
        return value
    text = _text(value)
    if len(text) != 10:
        raise ValueError("not YYYY-MM-DD")
    return (date.fromisoformat(text) - _DAY_ZERO).days


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError
    value.encode("utf-8")  # a lone surrogate is lawful in JSON's escapes and cannot be sent
    return value


def _id(value: Any) -> bytes:
    text = _text(value)
    if len(text) not in {32, 36}:
        raise ValueError
    return UUID(text).bytes


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise TypeError
    return value


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise TypeError
    return value


def _gaps(value: Any) -> tuple[Gap, ...]:
    gaps = _list(value)
    if not all(isinstance(item, dict) for item in gaps):
        raise TypeError
    return tuple(_object(Gap, item, f"gaps[{number}].") for number, item in enumerate(gaps))


_READERS: dict[Form, Callable[[Any], Any]] = {
    "id": _id,
    "instant": read_instant,
    "date": read_date,
    "integer": _integer,
    "flag": _flag,
    "text": _text,
    "bytes": lambda value: base64.b64decode(_text(value), validate=True),
    "texts": lambda value: tuple(_text(item) for item in _list(value)),
    "ids": lambda value: tuple(_id(item) for item in _list(value)),
    "gaps": _gaps,
}

_EXPECTED: dict[Form, str] = {
    "id": "a UUID such as 6f1d3f0e-5b7c-5a52-9a43-0c4de0f6a111",
    "instant": "an instant with an offset such as 2025-06-01T10:00:00+05:00, or epoch milliseconds",
    "date": "a date such as 2025-06-01",
    "integer": "a whole number",
    "flag": "true or false",
    "text": "a text",
    "bytes": "base64",
    "texts": "a list of texts",
    "ids": "a list of UUIDs",
    "gaps": "a list of gaps: {post, from_at, until_at}",
}
