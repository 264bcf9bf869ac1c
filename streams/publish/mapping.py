"""How a file's own column names, words, dates and widths become ours."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from streams.errors import UsageError
from streams.wire.jsonform import FieldError, shown

_TABLES = ("columns", "values", "constants", "joined", "formats", "fixed")
_PARTS = (*_TABLES, "encoding", "skip_lines", "sheet")


class FixedColumn(NamedTuple):
    """A column of a file whose columns have a fixed width.

    Attributes:
        name: the file's column.
        first: its first character, from 1.
        last: its last.
    """

    name: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """A translation of a file's columns.

    Attributes:
        columns: field by the file's column; an empty field leaves the column out, on purpose and in writing.
        values: by field, our word by the file's word.
        constants: values of fields the file has no column for.
        joined: field by the file's columns whose texts are put together, with a space between, to make it.
        formats: how the file writes a field's dates and times, as ``strptime`` has it: ``%d.%m.%Y %H:%M``.
        fixed: the columns of a file of fixed width; none of another.
        encoding: of a file of fixed width.
        skip_lines: lines above the first that counts (fixed width, spreadsheets).
        sheet: of a spreadsheet; empty: the first.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    joined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)
    fixed: tuple[FixedColumn, ...] = ()
    encoding: str = "utf-8"
    skip_lines: int = 0
    sheet: str = ""

    def apply(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Returns a row in our names and words.

        Raises:
            FieldError: a date or time is not written as ``formats`` says.
        """
        named: dict[str, Any] = dict(self.constants)
        used = {column for columns in self.joined.values() for column in columns}
        for name, columns in self.joined.items():
            text = " ".join(str(row[column]) for column in columns if row.get(column) not in (None, ""))
            if text:
                named[name] = text
        for column, value in row.items():
            name = self.columns.get(column, "" if column in used else column)
            if name:
                words = self.values.get(name)
                named[name] = words.get(value, value) if words and isinstance(value, str) else value
        for name, form in self.formats.items():
            if isinstance(named.get(name), str):
                named[name] = _as_iso(name, named[name], form)
        return named


def _as_iso(name: str, text: str, form: str) -> str:
    try:
        moment = datetime.strptime(text, form)  # noqa: DTZ007  # a local time gets its zone from the post
    except ValueError:
        raise FieldError(name, f"a time written as {form}", shown(text)) from None
    return moment.isoformat() if any(mark in form for mark in ("%H", "%I", "%X", "%c", "%T")) else moment.date().isoformat()


def read_mapping(text: str) -> ColumnMapping:
    """Returns the mapping a ``--mapping`` option names.

    Args:
        text: ``column=field,column=field``, or the path of a YAML file with the parts of ``ColumnMapping``.

    Raises:
        UsageError: it is neither.
    """
    if "=" in text and not Path(text).exists():
        pairs = [pair.partition("=") for pair in text.split(",")]
        if any(not column.strip() or not equals for column, equals, _ in pairs):
            raise UsageError(f"Expected --mapping column=field,…; got {text!r}.", "Or give a YAML file (docs/events.md).")
        return ColumnMapping({column.strip(): name.strip() for column, _, name in pairs})
    try:
        content = yaml.safe_load(Path(text).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"The mapping {text} cannot be read: {error}.", "Give column=field,… or a YAML file.") from error
    if not isinstance(content, dict) or not set(content) <= set(_PARTS):
        raise UsageError(f"The mapping {text} must have only {', '.join(_PARTS)} at its top.", "See docs/events.md.")
    for part in _TABLES:
        if not isinstance(content.get(part, {}), dict):
            raise UsageError(f"The mapping {text}: {part} must be a table of name: value.", "See docs/events.md.")
    values = content.get("values", {})
    if not all(isinstance(words, dict) for words in values.values()):
        raise UsageError(f"The mapping {text}: values must be a table of words for each field.", "See docs/events.md.")
    joined = content.get("joined", {})
    if not all(isinstance(columns, list) and columns for columns in joined.values()):
        raise UsageError(f"The mapping {text}: joined must be a list of columns for each field.", "See docs/events.md.")
    return ColumnMapping(
        {str(column): str(name or "") for column, name in content.get("columns", {}).items()},
        {name: {str(word): str(ours) for word, ours in words.items()} for name, words in values.items()},
        content.get("constants", {}),
        {str(name): tuple(map(str, columns)) for name, columns in joined.items()},
        {str(name): str(form) for name, form in content.get("formats", {}).items()},
        tuple(_fixed(text, str(name), place) for name, place in content.get("fixed", {}).items()),
        _encoding(text, content.get("encoding", "utf-8")),
        _lines(text, content.get("skip_lines", 0)),
        str(content.get("sheet", "")),
    )


def _fixed(text: str, name: str, place: Any) -> FixedColumn:
    first, dash, last = str(place).partition("-")
    if not (first.isdecimal() and (last or first).isdecimal() and 1 <= int(first) <= int(last or first) <= 10_000):
        raise UsageError(
            f"The mapping {text}: fixed: {name}: expected its characters such as 1-8, from 1; got {place!r}.",
            "See docs/events.md.",
        )
    return FixedColumn(name, int(first), int(last) if dash else int(first))


def _encoding(text: str, name: Any) -> str:
    try:
        return codecs.lookup(str(name)).name
    except LookupError:
        raise UsageError(f"The mapping {text}: there is no encoding {name!r}.", "E.g. utf-8, cp1251, cp866.") from None


def _lines(text: str, number: Any) -> int:
    if type(number) is not int or not 0 <= number <= 1000:
        raise UsageError(f"The mapping {text}: skip_lines: expected a number up to 1000; got {number!r}.")
    return number
