"""Writes a record in Avro's binary form by code made of its schema, several times as fast as by way of a dictionary.

What a worker tells repeats itself: rules, articles, places, options and dates are a few hundred different values, whose
bytes are kept. The rest is put together by one function for each record class, as ``records.quick`` makes constructors.
The bytes are fastavro's, byte for byte; whatever is not exactly as expected is left to it, which also says what is wrong.

Pure, and compiled where the rooms that decide are (ADR 0131).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

_ENTRIES: Final = 8192
"""Values of one kind whose bytes are kept, at most; then memory starts anew."""

_LONGEST: Final = 120
"""Characters of a text whose bytes are kept."""

_FALSE_TRUE: Final = (b"\x00", b"\x01")

_numbers: dict[int, bytes] = {}
_texts: dict[str, bytes] = {}
_lists: dict[tuple[str, ...], bytes] = {}


class NotOfThisFormError(Exception):
    """A value the schema does not allow; fastavro says which."""


def number(value: int) -> bytes:
    """Returns a whole number as Avro writes an int or a long: zigzag, seven bits a byte."""
    zigzag = value << 1 if value >= 0 else (-value << 1) - 1
    if zigzag < 0x80:
        return bytes((zigzag,))
    if 1 << 35 <= zigzag < 1 << 42:
        # Epoch milliseconds from 1987 to 2039, and their like: six bytes at once.
        six = (
            zigzag & 0x7F
            | (zigzag & 0x3F80) << 1
            | (zigzag & 0x1F_C000) << 2
            | (zigzag & 0xFE0_0000) << 3
            | (zigzag & 0x7_F000_0000) << 4
            | (zigzag & 0x3F8_0000_0000) << 5
        )
        return (six | 0x0080_8080_8080).to_bytes(6, "little")
    if zigzag >> 64:
        raise NotOfThisFormError
    out = bytearray()
    while zigzag > 0x7F:
        out.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    out.append(zigzag)
    return bytes(out)


def kept_number(value: int) -> bytes:
    """Returns a whole number's bytes and keeps them: dates, counts and versions come again."""
    if len(_numbers) >= _ENTRIES:
        _numbers.clear()
    found = _numbers[value] = number(value)
    return found


def text(value: str) -> bytes:
    """Returns a text as Avro writes it: its length, then UTF-8."""
    raw = value.encode()
    return number(len(raw)) + raw


def kept_text(value: str) -> bytes:
    """Returns a text's bytes and keeps them if it is short."""
    found = text(value)
    if len(value) <= _LONGEST:
        if len(_texts) >= _ENTRIES:
            _texts.clear()
        _texts[value] = found
    return found


def kept_list(values: tuple[str, ...]) -> bytes:
    """Returns a tuple of texts as Avro writes an array, and keeps the bytes."""
    found = number(len(values)) + b"".join([text(one) for one in values]) + b"\x00" if values else b"\x00"
    if len(_lists) >= _ENTRIES:
        _lists.clear()
    _lists[values] = found
    return found


def blob(value: bytes) -> bytes:
    """Returns bytes as Avro writes them: their length, then themselves."""
    return number(len(value)) + value


def fixed_list(values: tuple[bytes, ...], size: int) -> bytes:
    """Returns a tuple of values of a fixed size as Avro writes an array."""
    if not values:
        return b"\x00"
    body = b"".join(values)
    for one in values:
        if len(one) != size:
            raise NotOfThisFormError
    return number(len(values)) + body + b"\x00"


def wrong(_: object) -> bytes:
    """Refuses a value of the wrong size."""
    raise NotOfThisFormError


_ONE_OF_MANY: Final = frozenset({"subject", "employer", "topic"})
"""Texts that seldom come again: keeping them would only push out the others."""


def writer_of(schema: Mapping[str, Any], header: bytes) -> Callable[[Any], bytes] | None:
    """Makes the function that writes a record class.

    Args:
        schema: a parsed record schema without logical types; its fields are the class's.
        header: the bytes in front of every body.

    Returns:
        A function from a record to its message, which raises whatever it will where a value is not of the schema's type;
        none if the schema holds something this module does not write.
    """
    known: dict[str, Any] = {
        "numbers": _numbers.get, "kept_number": kept_number, "number": number, "texts": _texts.get, "kept_text": kept_text,
        "text": text, "lists": _lists.get, "kept_list": kept_list, "blob": blob, "fixed_list": fixed_list, "wrong": wrong,
        "false_true": _FALSE_TRUE, "join": b"".join, "header": header,
    }  # fmt: skip
    named: dict[str, Any] = {}
    parts: list[str] = []
    for field in schema["fields"]:
        part = _part(field["type"], field["name"], f"r.{field['name']}", known, named)
        if part is None:
            return None
        parts.append(part)
    exec(f"def write(r):\n    return join((header, {', '.join(parts)}))", known)  # noqa: S102 - as dataclasses does
    made: Callable[[Any], bytes] = known["write"]
    return made


def _part(kind: Any, name: str, value: str, known: dict[str, Any], named: dict[str, Any]) -> str | None:
    """Returns the expression for the bytes of one field; none if this module does not write such a field.

    Args:
        kind: its schema.
        name: its name.
        value: the expression for its value.
        known: what expressions may use; enums are added.
        named: the types named so far; this one is added.
    """
    if isinstance(kind, list):
        inner = _part(kind[1], name, "v", known, named) if len(kind) == 2 and kind[0] == "null" else None
        return None if inner is None else f'b"\\0" if (v := {value}) is None else b"\\2" + ({inner})'
    if isinstance(kind, dict) and "name" in kind:
        named[kind["name"]] = kind
    whole = named.get(kind, {"type": kind}) if isinstance(kind, str) else kind
    match whole["type"]:
        case "int":
            return f"numbers(v := {value}) or kept_number(v)"
        case "long":
            return f"number({value})"
        case "boolean":
            return f"false_true[{value}]"
        case "string":
            return f"text({value})" if name in _ONE_OF_MANY else f"texts(v := {value}) or kept_text(v)"
        case "bytes":
            return f"blob({value})"
        case "fixed":
            return f"v if len(v := {value}) == {whole['size']} else wrong(v)"
        case "enum":
            symbols = f"enum_{whole['name'].rpartition('.')[2]}"
            known[symbols] = {symbol: number(code) for code, symbol in enumerate(whole["symbols"])}
            return f"{symbols}[{value}]"
        case "array":
            items = whole["items"]
            if items == "string":
                return f"lists(v := {value}) or kept_list(v)"
            one = named.get(items, items) if isinstance(items, str) else items
            if isinstance(one, dict) and one["type"] == "fixed":
                return f"fixed_list({value}, {one['size']})"
    return None
