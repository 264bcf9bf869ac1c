"""Answers as files for other programs, each with a manifest that says what it is, of when, for what and for whom."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from streams import __version__
from streams.errors import SetupError, UsageError

FORMATS = ("csv", "parquet", "arrow", "xlsx")
XLSX_ROWS = 1_048_575
"""Rows a worksheet holds below its header."""

LOG = "exports.jsonl"
"""In the home: one line an export; each names the SHA-256 of the line before, so that none can be taken out unseen."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is exported.

    Attributes:
        names: of the columns.
        types: ClickHouse types of the columns.
        rows: the rows, with Python values.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]


def write(answer: Answer, form: str, directory: Path, stem: str, manifest: Mapping[str, Any]) -> tuple[Path, Path]:
    """Writes an answer and its manifest; a reader never sees half a file.

    Args:
        answer: what to write.
        form: one of ``FORMATS``.
        directory: where to; created when absent.
        stem: file name without its ending.
        manifest: what else the manifest says: at least ``purpose`` and ``who``.

    Returns:
        The paths of the file and of its manifest.

    Raises:
        UsageError: there is no such format, or it cannot hold so many rows.
        SetupError: the directory cannot be written, or a library for the format is not installed.
    """
    if form not in FORMATS:
        raise UsageError(f"--format {form}: expected {', '.join(FORMATS)}.")
    content = _WRITERS[form](answer)
    path = directory / f"{stem}.{form}"
    beside = directory / f"{stem}.{form}.manifest.json"
    schema = [{"name": name, "type": kind} for name, kind in zip(answer.names, answer.types, strict=True)]
    told = {
        "file": path.name,
        "format": form,
        "rows": len(answer.rows),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "schema": schema,
        "shekara": __version__,
        **manifest,
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _put(path, content)
        _put(beside, (json.dumps(told, ensure_ascii=False, indent=2) + "\n").encode())
    except OSError as error:
        raise SetupError(f"{directory} cannot be written: {error.strerror or error}.", "Name another with --out.") from error
    return path, beside


def record(home: Path, manifest: Path) -> None:
    """Adds an export to the home's log of exports.

    Raises:
        SetupError: the log cannot be written.
    """
    log = home / LOG
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        lines = log.read_bytes().splitlines() if log.exists() else []
        before = hashlib.sha256(lines[-1]).hexdigest() if lines else ""
        told = json.loads(manifest.read_text("utf-8"))
        line = {"before": before} | {
            name: told.get(name) for name in ("made_at", "who", "purpose", "query", "as_of", "file", "rows", "sha256")
        }
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")
    except OSError as error:
        raise SetupError(f"The log of exports {log} cannot be written: {error.strerror or error}.") from error


def broken_at(log: Path) -> int | None:
    """Returns the number of the first line of a log of exports that does not follow from the one before; none: all do."""
    before = ""
    for number, line in enumerate(log.read_bytes().splitlines(), start=1):
        if json.loads(line)["before"] != before:
            return number
        before = hashlib.sha256(line).hexdigest()
    return None


def _put(path: Path, content: bytes) -> None:
    half = path.with_name(path.name + ".part")
    half.write_bytes(content)
    half.replace(path)


def _plain(value: Any) -> Any:
    """Returns a value as a cell holds it: ids, lists and bytes as text."""
    if value is None or isinstance(value, bool | int | float | str | date | datetime):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return json.dumps([_plain(one) for one in value], ensure_ascii=False, default=str)
    return str(value)


def _csv(answer: Answer) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(answer.names)
    for row in answer.rows:
        writer.writerow(["" if value is None else _in_words(_plain(value)) for value in row])
    return text.getvalue().encode()


def _in_words(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _xlsx(answer: Answer) -> bytes:
    xlsxwriter = _library("xlsxwriter")
    if len(answer.rows) > XLSX_ROWS:
        raise UsageError(
            f"A worksheet holds {XLSX_ROWS} rows, the answer has {len(answer.rows)}.", "Use --format parquet or csv."
        )
    memory = io.BytesIO()
    # Nothing an agency sent may become a formula or a link in somebody's spreadsheet.
    safe = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "remove_timezone": True,
        "nan_inf_to_errors": True,
    }
    with xlsxwriter.Workbook(memory, safe) as book:
        book.set_properties({"created": datetime(2000, 1, 1)})  # noqa: DTZ001  # fixed, so that the same answer has the same bytes
        sheet, bold = book.add_worksheet("answer"), book.add_format({"bold": True})
        day, moment = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet.write_row(0, 0, answer.names, bold)
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(answer.rows, start=1):
            for column, value in enumerate(map(_plain, row)):
                if isinstance(value, datetime):
                    sheet.write_datetime(number, column, value, moment)
                elif isinstance(value, date):
                    sheet.write_datetime(number, column, value, day)
                elif value is not None:
                    sheet.write(number, column, value)
    return memory.getvalue()


def _table(answer: Answer) -> Any:
    arrow = _library("pyarrow")
    columns = []
    for index, kind in enumerate(answer.types):
        values = [_plain(row[index]) for row in answer.rows]
        wanted = _arrow_type(arrow, kind)
        columns.append(arrow.array([None if value is None else _fitting(wanted, arrow, value) for value in values], wanted))
    return arrow.table(dict(zip(answer.names, columns, strict=True)))


def _fitting(wanted: Any, arrow: Any, value: Any) -> Any:
    return str(value) if wanted == arrow.string() else bool(value) if wanted == arrow.bool_() else value


def _arrow_type(arrow: Any, kind: str) -> Any:
    inner = re.sub(r"^(?:LowCardinality|Nullable)\((.*)\)$", r"\1", kind)
    if inner != kind:
        return _arrow_type(arrow, inner)
    whole = re.fullmatch(r"(U?)Int(8|16|32|64)", kind)
    if whole:
        return getattr(arrow, f"{'u' if whole[1] else ''}int{whole[2]}")()
    if kind.startswith("DateTime"):
        return arrow.timestamp("ms", "UTC")
    known = {
        "Bool": arrow.bool_(),
        "Float64": arrow.float64(),
        "Float32": arrow.float32(),
        "Date": arrow.date32(),
        "Date32": arrow.date32(),
    }
    return known.get(kind, arrow.string())


def _parquet(answer: Answer) -> bytes:
    table = _table(answer)
    memory = io.BytesIO()
    _library("pyarrow.parquet").write_table(table, memory, compression="zstd")
    return memory.getvalue()


def _arrow(answer: Answer) -> bytes:
    table, arrow = _table(answer), _library("pyarrow")
    memory = io.BytesIO()
    with arrow.ipc.new_file(memory, table.schema) as writer:
        writer.write_table(table)
    return memory.getvalue()


def _library(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise SetupError(
            f"{name.partition('.')[0]} is not installed; this format needs it.", "Install shekara[export], or use --format csv."
        ) from error


_WRITERS: Mapping[str, Callable[[Answer], bytes]] = {"csv": _csv, "parquet": _parquet, "arrow": _arrow, "xlsx": _xlsx}
