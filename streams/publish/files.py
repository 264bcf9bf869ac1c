"""Reading files of events, whatever their format: one row after another, every line accounted for."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any, Literal
from uuid import UUID

import fastavro

from streams.documents.reading import FIELDS as DOCUMENT_FIELDS
from streams.errors import UsageError
from streams.publish.completion import KINDS, epoch_ms
from streams.publish.legacy import Found, fixed_row, passenger_rows, sheet_rows
from streams.publish.mapping import ColumnMapping
from streams.records import Record
from streams.wire.jsonform import Field, FieldError, date_text, fields_of, instant_text, shown

Format = Literal["jsonl", "csv", "avro", "fixed", "xlsx", "paxlst"]

MAX_LINE_BYTES = 256 * 1024
"""A longer line is no event: the largest honest one is under 2 KiB."""

_AVRO_MAGIC = b"Obj\x01"
_ZIP_MAGIC = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file, or one record of an Avro container.

    Attributes:
        line: its number in the file, from 1 (Avro: the record's number).
        raw: the line as it stands in the file; for Avro, the row as JSON. None where nothing can be kept.
        values: field values as JSON has them, or why the line cannot be read.
        read_bytes: bytes of the file read so far.
    """

    line: int
    raw: bytes | None
    values: Mapping[str, Any] | FieldError
    read_bytes: int


@dataclass(frozen=True, slots=True)
class EventFile:
    """A file of events, opened.

    Attributes:
        format: how it is written.
        rows: every row in order; blank lines are left out and counted by ``blank``.
        header: the line that must begin a file of refused rows; empty where there is none.
        blank: returns how many blank lines have been passed so far.
    """

    format: Format
    rows: Iterator[Row]
    header: bytes
    blank: Callable[[], int]


def guess_format(path: Path, first: bytes, mapping: ColumnMapping) -> Format:
    """Returns a file's format by its first bytes, else its name; a mapping with fixed widths is for lines that tell nothing.

    Args:
        path: for its suffix.
        first: the first bytes of the content.
        mapping: its translation.

    Raises:
        UsageError: neither tells.
    """
    if first.startswith(_AVRO_MAGIC):
        return "avro"
    if first.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return "jsonl"
    if first.startswith(_ZIP_MAGIC):
        return "xlsx"
    if first.lstrip().startswith((b"UNA", b"UNB+")):
        return "paxlst"
    by_suffix: dict[str, Format] = {
        ".jsonl": "jsonl",
        ".ndjson": "jsonl",
        ".json": "jsonl",
        ".csv": "csv",
        ".tsv": "csv",
        ".avro": "avro",
    }
    if mapping.fixed:
        return "fixed"
    found = by_suffix.get(path.suffix.lower())
    if found is None or found == "avro":
        raise UsageError(
            f"It cannot be told what kind of file {path} is.",
            "Give --format jsonl, csv, avro, xlsx or paxlst, or a mapping with fixed widths (docs/events.md).",
        )
    return found


def open_events(source: IO[bytes], form: Format, event_type: str, mapping: ColumnMapping) -> EventFile:
    """Returns the rows of an open file.

    Args:
        source: the file, at its beginning.
        form: its format.
        event_type: type of rows that do not say; needed to read CSV cells, which have no types of their own.
        mapping: translation of columns.

    Raises:
        UsageError: the header or the container cannot be read.
    """
    blank = [0]
    if form == "avro":
        return EventFile(form, _avro(source, mapping), b"", lambda: 0)
    if form == "jsonl":
        return EventFile(form, _json_lines(source, mapping, blank), b"", lambda: blank[0])
    if form == "fixed":
        return EventFile(form, _fixed_lines(source, mapping, event_type, blank), b"", lambda: blank[0])
    if form in ("xlsx", "paxlst"):
        if not source.seekable():
            raise UsageError(f"A file of format {form} cannot be read from stdin.", "Name the file.")
        found = sheet_rows(source, mapping) if form == "xlsx" else passenger_rows(source, mapping)
        return EventFile(form, _legacy(found, mapping, event_type), b"", lambda: 0)
    header = source.readline(MAX_LINE_BYTES)
    columns, delimiter, event_type = _header(header, event_type, mapping)
    table = _Table(columns, delimiter, event_type, mapping)
    return EventFile(form, table.rows(source, len(header), blank), header, lambda: blank[0])


def _lines(source: IO[bytes], read: int, first: int, blank: list[int]) -> Iterator[tuple[int, bytes, int, FieldError | None]]:
    """Yields line number, bytes, bytes read, and a fault where the line is too long."""
    number = first - 1
    while line := source.readline(MAX_LINE_BYTES):
        number += 1
        read += len(line)
        fault = None
        if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            while rest := source.readline(MAX_LINE_BYTES):
                read += len(rest)
                if rest.endswith(b"\n"):
                    break
            fault = FieldError("", f"a line of at most {MAX_LINE_BYTES} bytes", "a longer one")
        elif not line.strip():
            blank[0] += 1
            continue
        yield number, line, read, fault


def _json_lines(source: IO[bytes], mapping: ColumnMapping, blank: list[int]) -> Iterator[Row]:
    for number, line, read, fault in _lines(source, 0, 1, blank):
        yield Row(number, line, fault or _json_row(line, mapping), read)


def _fixed_lines(source: IO[bytes], mapping: ColumnMapping, event_type: str, blank: list[int]) -> Iterator[Row]:
    if not mapping.fixed:
        raise UsageError(
            "A file of fixed width needs a mapping with fixed: the characters of each column.", "See docs/events.md."
        )
    for number, line, read, fault in _lines(source, 0, 1, blank):
        if number > mapping.skip_lines and line.strip(b"\x1a\r\n "):
            values = fault or fixed_row(line, mapping.fixed, mapping.encoding)
            yield Row(number, line, _typed(values, mapping, event_type), read)


def _legacy(found: Iterator[Found], mapping: ColumnMapping, event_type: str) -> Iterator[Row]:
    for number, raw, values, read in found:
        yield Row(number, raw, _typed(values, mapping, event_type), read)


def _typed(values: Mapping[str, Any] | FieldError, mapping: ColumnMapping, event_type: str) -> Mapping[str, Any] | FieldError:
    """Returns a row of texts as JSON would have it, in our names."""
    mapped = values if isinstance(values, FieldError) else _mapped(values, mapping)
    return mapped if isinstance(mapped, FieldError) else _cells(mapped, event_type)


def _mapped(values: Mapping[str, Any], mapping: ColumnMapping) -> dict[str, Any] | FieldError:
    try:
        return mapping.apply(values)
    except FieldError as error:
        return error


def _cells(row: dict[str, Any], event_type: str) -> Mapping[str, Any] | FieldError:
    kind = KINDS.get(str(row.get("type") or event_type))
    fields = {field.name: field for field in fields_of(kind)} if kind else {}
    if event_type:
        row.setdefault("type", event_type)
    try:
        return {name: _cell(fields.get(name), value) for name, value in row.items() if value not in ("", None)}
    except FieldError as error:
        return error


def _json_row(line: bytes, mapping: ColumnMapping) -> Mapping[str, Any] | FieldError:
    try:
        row = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_once)
    except UnicodeDecodeError:
        return FieldError("", "UTF-8", "other bytes")
    except FieldError as error:
        return error
    except (ValueError, RecursionError) as error:
        return FieldError("", "one JSON object", f"no JSON ({type(error).__name__})")
    if not isinstance(row, dict):
        return FieldError("", "one JSON object", shown(row))
    return _mapped(row, mapping)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise FieldError("", "every field once", "a field twice")
    return row


def _header(line: bytes, event_type: str, mapping: ColumnMapping) -> tuple[list[str], str, str]:
    """Returns the columns of a CSV file, in the file's own names, its delimiter and the event type of its rows."""
    try:
        text = line.decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError:
        raise UsageError("The first line is not UTF-8.", "Save the file as CSV in UTF-8.") from None
    delimiter = max(",;\t", key=text.count)
    try:
        columns = [column.strip() for column in next(csv.reader([text], delimiter=delimiter), [])]
    except csv.Error as error:
        raise UsageError(f"The first line is no row of CSV: {error}.", "Save the file again, one row a line.") from None
    if not text.strip() or not all(columns):
        raise UsageError("The first line must name the columns; it is empty or has an empty name.")
    parts = {column for joined in mapping.joined.values() for column in joined}
    names = [mapping.columns.get(column, "" if column in parts else column) for column in columns]
    names += [name for name in mapping.joined if name not in names]
    kept = [name for name in names if name]
    twice = sorted({name for name in kept if kept.count(name) > 1})
    if twice:
        raise UsageError(f"The first line names a column twice: {', '.join(twice)}.")
    kinds = [KINDS[event_type]] if event_type else list(KINDS.values())
    known = {name for kind in kinds for name in _columns_of(kind)}
    unknown = [name for name in kept if name not in known]
    if unknown:
        raise UsageError(
            f"The first line names columns that are no fields of {event_type or 'any event type'}: {', '.join(unknown)}.",
            f"Fields are {', '.join(sorted(known))}. Translate a column with --mapping column=field, leave one out with column=.",
        )
    if not event_type and "type" not in {*kept, *mapping.constants}:
        event_type = _only_type_with({*kept, *mapping.constants})
    return columns, delimiter, event_type


def _columns_of(kind: type[Record]) -> set[str]:
    return {field.name for field in fields_of(kind)} | {"type", *DOCUMENT_FIELDS}


def _only_type_with(names: set[str]) -> str:
    """Returns the one event type that has all these fields: ``direction`` alone tells a border crossing."""
    found = [kind.NAME for kind in KINDS.values() if names <= _columns_of(kind)]
    if len(found) != 1:
        raise UsageError(
            "The columns do not tell the event type.",
            f"Give --type, e.g. --type border_crossing. Event types: {', '.join(KINDS)}.",
        )
    return found[0]


@dataclass(frozen=True, slots=True)
class _Table:
    """What the first line of a CSV file says, and what the command line adds to it."""

    columns: list[str]
    delimiter: str
    event_type: str
    mapping: ColumnMapping

    def rows(self, source: IO[bytes], read: int, blank: list[int]) -> Iterator[Row]:
        # Each line is read by itself: a stray quote must refuse one row, not swallow the rest of the file.
        for number, line, so_far, fault in _lines(source, read, 2, blank):
            yield Row(number, line, fault or self._row(line), so_far)

    def _row(self, line: bytes) -> Mapping[str, Any] | FieldError:
        try:
            cells = next(csv.reader([line.decode("utf-8").rstrip("\r\n")], delimiter=self.delimiter, strict=True))
        except UnicodeDecodeError:
            return FieldError("", "UTF-8", "other bytes")
        except csv.Error as error:
            return FieldError("", "one row of CSV on one line", str(error))
        if len(cells) != len(self.columns):
            return FieldError("", f"{len(self.columns)} columns", str(len(cells)))
        named = {column: cell.strip() for column, cell in zip(self.columns, cells, strict=True)}
        return _typed(named, self.mapping, self.event_type)


def _cell(field: Field | None, value: Any) -> Any:
    """Returns a cell as JSON would have it."""
    if field is None or not isinstance(value, str):
        return value
    if field.form == "integer" or (field.form in {"instant", "date"} and value.lstrip("-").isdecimal()):
        try:
            return int(value)
        except ValueError:
            raise FieldError(field.name, "a whole number", shown(value)) from None
    if field.form == "flag":
        if value.lower() not in {"true", "false"}:
            raise FieldError(field.name, "true or false", shown(value))
        return value.lower() == "true"
    if field.form in {"texts", "ids", "gaps"}:
        try:
            return json.loads(value)
        except ValueError:
            raise FieldError(field.name, "a JSON list", shown(value)) from None
    return value


def _avro(source: IO[bytes], mapping: ColumnMapping) -> Iterator[Row]:
    try:
        container = fastavro.reader(source, return_record_name=True)
        schema: Any = container.writer_schema
    except Exception as error:  # fastavro raises whatever the bytes lead it to
        raise UsageError(
            f"The file is no Avro container: {type(error).__name__}.", "Give --format if it is something else."
        ) from error
    name = str(schema.get("name", "")) if isinstance(schema, dict) else ""
    number = 0
    while True:
        number += 1
        try:
            record = next(container)
        except StopIteration:
            return
        except Exception as error:
            fault = FieldError("", "an Avro record", f"unreadable bytes ({type(error).__name__}); nothing after it can be read")
            yield Row(number, None, fault, source.tell())
            return
        values = _avro_row(record, name)
        if not isinstance(values, FieldError):
            values = _mapped(values, mapping)
        raw = None if isinstance(values, FieldError) else json.dumps(values, ensure_ascii=False).encode() + b"\n"
        yield Row(number, raw, values, source.tell())


def _avro_row(record: Any, name: str) -> dict[str, Any] | FieldError:
    if isinstance(record, tuple):
        name, record = record
    if not isinstance(record, dict):
        return FieldError("", "a record", f"a {type(record).__name__}")
    by_class = {kind.__name__: kind.NAME for kind in KINDS.values()}
    found = by_class.get(name.rpartition(".")[2])
    values = {field: _plain(value) for field, value in record.items()}
    return ({"type": found} if found else {}) | values


def _plain(value: Any) -> Any:
    """Returns what fastavro made of a logical type as JSON would have it."""
    if isinstance(value, datetime):
        return instant_text(epoch_ms(value))
    if isinstance(value, date):
        return date_text((value - date(1970, 1, 1)).days)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes) and len(value) == 16:
        return str(UUID(bytes=value))
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
