"""Files of older systems: columns of fixed width, spreadsheets, and passenger lists (UN/EDIFACT PAXLST). One row after another.

Rows that are refused are given back as JSON lines with the file's own columns (fixed width: as the lines stand), which are
published with the same mapping once mended.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import IO, Any

from streams.errors import SetupError, UsageError
from streams.publish.mapping import ColumnMapping, FixedColumn
from streams.wire.jsonform import FieldError

MAX_UNPACKED_BYTES = 512 * 1024 * 1024
"""A spreadsheet that unpacks to more is a trap, or belongs into CSV."""

MAX_EDIFACT_BYTES = 64 * 1024 * 1024
"""The longest list of a flight is under a megabyte; an interchange may carry a night's."""

Found = tuple[int, bytes | None, "Mapping[str, Any] | FieldError", int]
"""Line, row as it is given back, values or fault, bytes read so far."""

_INSTALL = "Install it: pip install 'shekara[imports]'."


def fixed_row(line: bytes, columns: tuple[FixedColumn, ...], encoding: str) -> dict[str, Any] | FieldError:
    """Returns the cells of a line of fixed width, trimmed, empty ones left out.

    Args:
        line: with its line end.
        columns: name, first and last character, from 1.
        encoding: of the file.
    """
    try:
        text = line.decode(encoding).rstrip("\r\n\x1a")
    except UnicodeDecodeError:
        return FieldError("", encoding, "other bytes")
    last = max(column.last for column in columns)
    shortest = max(column.first for column in columns)
    if not shortest <= len(text) or text[last:].strip():
        return FieldError("", f"a line of {shortest} to {last} characters", str(len(text)))
    cells = {column.name: text[column.first - 1 : column.last].strip() for column in columns}
    return {name: cell for name, cell in cells.items() if cell}


def sheet_rows(source: IO[bytes], mapping: ColumnMapping) -> Iterator[Found]:
    """Yields the rows of a spreadsheet (XLSX); the first row that is not left out names the columns.

    Args:
        source: the file; it must be seekable.
        mapping: its ``sheet`` (the first by default) and ``skip_lines``.

    Raises:
        UsageError: it is no spreadsheet, has no such sheet, or unpacks to too much.
        SetupError: openpyxl is not installed.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise SetupError("Spreadsheets are read with openpyxl, and it is not installed.", _INSTALL) from error
    try:
        with zipfile.ZipFile(source) as archive:
            size = sum(part.file_size for part in archive.infolist())
        source.seek(0)
        book: Any = None if size > MAX_UNPACKED_BYTES else openpyxl.load_workbook(source, read_only=True, data_only=True)
        sheets = book.sheetnames if book is not None else []
        sheet: Any = None if not sheets or mapping.sheet not in {"", *sheets} else book[mapping.sheet or sheets[0]]
        table = enumerate(sheet.iter_rows(values_only=True), 1) if sheet is not None else iter(())
        header = next((row for number, row in table if number > mapping.skip_lines), ())
    except Exception as error:  # openpyxl, zipfile and the XML parser raise whatever the bytes lead them to
        raise UsageError(
            f"The file is no spreadsheet (XLSX): {type(error).__name__}.", "Save it again as .xlsx, or as CSV."
        ) from error
    if book is None:
        raise UsageError(f"Expected a spreadsheet of at most {MAX_UNPACKED_BYTES} bytes unpacked; it has {size}.")
    if sheet is None:
        raise UsageError(f"There is no sheet {mapping.sheet!r}; the file has {', '.join(sheets) or 'none'}.")
    names = [_cell_text(cell) for cell in header]
    while names and not names[-1]:
        names.pop()
    if not names or not all(names) or len(set(names)) < len(names):
        raise UsageError(
            "The first row must name the columns, each once.", "Leave rows above it out with skip_lines in the mapping."
        )
    while True:
        try:
            number, row = next(table)
        except StopIteration:
            return
        except Exception as error:
            yield 0, None, FieldError("", "a row", f"unreadable bytes ({type(error).__name__}); nothing after it can be read"), 0
            return
        cells = [_cell_text(cell) for cell in row]
        if not any(cells):
            continue
        values = {name: cell for name, cell in zip(names, cells, strict=False) if cell}
        raw = json.dumps(values, ensure_ascii=False).encode() + b"\n"
        beyond = any(cells[len(names) :])
        fault = FieldError("", f"{len(names)} columns", f"{len(cells)} with something in them")
        yield number, raw, fault if beyond else values, source.tell()


def _cell_text(cell: Any) -> str:
    """Returns a cell as a line of CSV would have it: spreadsheets keep dates and numbers as such."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        # A day without a time of day is how spreadsheets keep dates.
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(timespec="seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def passenger_rows(source: IO[bytes], mapping: ColumnMapping) -> Iterator[Found]:
    """Yields a border crossing for every passenger of the PAXLST messages in an interchange.

    A list becomes crossings only where it says who crossed: of a flight that has been cleared. Which airports are ours, the
    words of ``post`` in the mapping say: arrival there is an entry, departure from there an exit. Names, dates of birth and sex
    are not read.

    Args:
        source: the file.
        mapping: ``values: {post: {ALA: KZ-75-A1}}``.

    Raises:
        UsageError: it is no interchange.
        SetupError: pydifact is not installed.
    """
    try:
        from pydifact.parser import Parser, TokenIterator
        from pydifact.tokenizer import Tokenizer
    except ImportError as error:
        raise SetupError("Passenger lists are read with pydifact, and it is not installed.", _INSTALL) from error
    content = source.read(MAX_EDIFACT_BYTES + 1)
    if len(content) > MAX_EDIFACT_BYTES:
        raise UsageError(f"Expected an interchange of at most {MAX_EDIFACT_BYTES} bytes.", "Cut it into several.")
    text = content.decode("latin-1").lstrip("\r\n ")
    if not text.startswith(("UNA", "UNB")):
        raise UsageError("Expected an EDIFACT interchange that begins with UNA or UNB.")
    if len(text) < 9:
        raise UsageError("Expected an EDIFACT interchange; the file ends inside its first segment.")
    characters = Parser.get_control_characters(text)
    body = text[9:].lstrip("\r\n ") if text.startswith("UNA") else text
    airports = frozenset(mapping.values.get("post", {}))
    if not airports:
        raise UsageError("A passenger list needs to know which airports are whose post.", _POSTS)
    parser = Parser()
    segments = parser.convert_tokens_to_raw_segments(TokenIterator(Tokenizer().get_tokens(body, characters)))
    reading = _PassengerList(airports)
    number = 0
    while True:
        number += 1
        try:
            segment = next(segments)
        except StopIteration:
            break
        except Exception as error:
            yield (
                number,
                None,
                FieldError("", "a segment", f"no EDIFACT ({type(error).__name__}); nothing after it can be read"),
                0,
            )
            return
        for line, values in reading.take(number, segment):
            yield line, _given_back(values), values, len(content)
    for line, values in reading.end(number):
        yield line, _given_back(values), values, len(content)


def _given_back(values: Mapping[str, Any] | FieldError) -> bytes | None:
    return None if isinstance(values, FieldError) else json.dumps(values, ensure_ascii=False).encode() + b"\n"


_POSTS = "Give a mapping with values: {post: {ALA: KZ-75-A1}}; see docs/events.md."
_DOCUMENTS = {"P": "passport", "I": "national_id", "A": "national_id", "C": "national_id"}
_TYPES = {"FL": "unknown", "FM": "crew"}
_FORMATS = {"201": "%y%m%d%H%M", "203": "%Y%m%d%H%M", "205": "%Y%m%d%H%M"}

Taken = tuple[int, "dict[str, Any] | FieldError"]


class _PassengerList:
    """What has been read of the message at hand: flight first, then passenger by passenger."""

    def __init__(self, airports: frozenset[str]) -> None:
        self._airports = airports
        self._open = False
        self._closed = False
        self._message()

    def _message(self) -> None:
        self._legs: list[tuple[str, str]] = []
        self._times: dict[str, str] = {}
        self._person: dict[str, Any] | None = None
        self._line = 0
        self._people = 0

    def take(self, number: int, segment: Any) -> Iterator[Taken]:
        """Reads one segment; yields what it completes."""
        tag, elements = str(segment[0]), list(segment[1:])
        match tag:
            case "UNH":
                if self._open:
                    yield number, FieldError("UNT", "the end of the message before", "another message")
                self._message()
                self._open = True
                if _part(elements, 1, 0) != "PAXLST":
                    yield number, FieldError("UNH", "a PAXLST message", "another")
            case "NAD" if _part(elements, 0) in ("FL", "FM", "DDU", "DDT"):
                yield from self._finish()
                self._person, self._line = {"kind": _part(elements, 0)}, number
                self._people += 1
            case "CNT" if _part(elements, 0, 0) in ("41", "42"):
                yield from self._finish()
                said = _part(elements, 0, 1)
                if said != str(self._people):
                    yield number, FieldError("CNT", f"{self._people} passengers, as many as came", said[:8] or "nothing")
            case "UNT":
                yield from self._finish()
                self._open = False
            case "UNZ":
                self._closed = True
            case _ if self._person is not None:
                self._of_person(tag, elements)
            case "LOC" if _part(elements, 0) in ("125", "87", "92"):
                self._legs.append((_part(elements, 0), _part(elements, 1, 0)))
            case "DTM":
                self._times[_part(elements, 0, 0)] = _moment(_part(elements, 0, 1), _part(elements, 0, 2))

    def _of_person(self, tag: str, elements: list[Any]) -> None:
        person = self._person
        assert person is not None  # noqa: S101  # asked before
        match tag:
            case "NAT":
                person["citizenship"] = _part(elements, 1, 0)
            case "DOC":
                person["document"] = _DOCUMENTS.get(_part(elements, 0, 0), "other")
                person["document_number"] = _part(elements, 1, 0)
            case "LOC" if _part(elements, 0) == "91":
                person["issuing_country"] = _part(elements, 1, 0)

    def _finish(self) -> Iterator[Taken]:
        person, self._person = self._person, None
        if person is None:
            return
        kind = person.pop("kind")
        if kind not in _TYPES:
            yield self._line, FieldError("NAD", "a passenger or crew member who crosses", "one in transit, who does not")
            return
        arrives = [place for role, place in self._legs if role == "87" and place in self._airports]
        leaves = [place for role, place in self._legs if role == "125" and place in self._airports]
        if bool(arrives) == bool(leaves):
            yield (
                self._line,
                FieldError("LOC", "a flight that arrives at or leaves one of the mapping's airports", "none, or both"),
            )
            return
        at = self._times.get("232" if arrives else "189", "")
        row = {"type": "border_crossing", "direction": "entry" if arrives else "exit", "post": (arrives or leaves)[0]}
        yield self._line, row | {"occurred_at": at, "transport": "air", "purpose": _TYPES[kind]} | person

    def end(self, number: int) -> Iterator[Taken]:
        """Yields what the end of the file leaves open."""
        yield from self._finish()
        if self._open or not self._closed:
            yield number, FieldError("UNZ", "the end of the interchange", "the end of the file: it was cut off")


def _part(elements: list[Any], element: int, component: int = 0) -> str:
    """Returns a component of a segment; empty if there is none."""
    if element >= len(elements):
        return ""
    found = elements[element]
    if isinstance(found, list):
        return str(found[component]) if component < len(found) else ""
    return str(found) if component == 0 else ""


def _moment(value: str, form: str) -> str:
    """Returns a DTM as a local time; as it stands where its format is another, to be refused by name."""
    try:
        return datetime.strptime(value, _FORMATS[form]).isoformat(timespec="seconds")  # noqa: DTZ007  # the post's local time
    except (KeyError, ValueError):
        return value[:20]
