"""Files of answers: the same data in every format, the same bytes for the same data, a manifest that proves them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest

from streams.errors import UsageError
from streams.report.export import FORMATS, LOG, Answer, broken_at, record, write
from streams.report.publication import as_rows, layout_of, published

ANSWER = Answer(
    ("year", "oblast", "day", "at", "ratio", "open", "id", "options"),
    ("UInt16", "LowCardinality(String)", "Date32", "DateTime64(3, 'UTC')", "Nullable(Float64)", "Bool", "UUID", "Array(String)"),
    [
        (2025, "KZ-75", date(2025, 3, 1), datetime(2025, 3, 1, 7, tzinfo=UTC), 0.5, True, UUID(int=1), ["a", "b"]),
        (2025, "=HYPERLINK(1)", date(2025, 3, 2), datetime(2025, 3, 2, 7, tzinfo=UTC), None, False, UUID(int=2), []),
    ],
)
NEEDS = {"parquet": ["pyarrow"], "arrow": ["pyarrow"], "xlsx": ["xlsxwriter"]}
TOLD = {"purpose": "a test", "who": "somebody"}


@pytest.mark.parametrize("form", FORMATS)
def test_the_manifest_proves_the_file_and_the_same_answer_gives_the_same_bytes(tmp_path: Path, form: str) -> None:
    for library in NEEDS.get(form, ()):
        pytest.importorskip(library)
    path, beside = write(ANSWER, form, tmp_path / "one", "answer", TOLD)
    again, _ = write(ANSWER, form, tmp_path / "two", "answer", TOLD)
    told = json.loads(beside.read_text("utf-8"))
    assert told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (told["rows"], told["purpose"], told["who"], told["file"]) == (2, "a test", "somebody", path.name)
    assert told["schema"][0] == {"name": "year", "type": "UInt16"}
    assert path.read_bytes() == again.read_bytes()
    assert sorted(one.name for one in (tmp_path / "one").iterdir()) == sorted([path.name, beside.name])


def test_csv_says_what_was_answered(tmp_path: Path) -> None:
    path, _ = write(ANSWER, "csv", tmp_path, "answer", TOLD)
    header, first, second = csv.reader(io.StringIO(path.read_text("utf-8")))
    assert header == list(ANSWER.names)
    assert first == ["2025", "KZ-75", "2025-03-01", "2025-03-01T07:00:00.000Z", "0.5", "true", str(UUID(int=1)), '["a", "b"]']
    assert second[4] == ""


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_columns_keep_their_types(tmp_path: Path, form: str) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path, _ = write(ANSWER, form, tmp_path, "answer", TOLD)
    table = parquet.read_table(path) if form == "parquet" else arrow.ipc.open_file(path).read_all()
    assert [str(field.type) for field in table.schema] == [
        "uint16",
        "string",
        "date32[day]",
        "timestamp[ms, tz=UTC]",
        "double",
        "bool",
        "string",
        "string",
    ]
    assert table.column("ratio").to_pylist() == [0.5, None]
    assert table.column("day").to_pylist() == [date(2025, 3, 1), date(2025, 3, 2)]


def test_no_text_becomes_a_formula_in_a_worksheet(tmp_path: Path) -> None:
    pytest.importorskip("xlsxwriter")
    path, _ = write(ANSWER, "xlsx", tmp_path, "answer", TOLD)
    with zipfile.ZipFile(path) as book:
        sheet, texts = book.read("xl/worksheets/sheet1.xml").decode(), book.read("xl/sharedStrings.xml").decode()
    assert "<f>" not in sheet
    assert "=HYPERLINK(1)" in texts


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected csv, parquet, arrow, xlsx"):
        write(ANSWER, "pdf", tmp_path, "answer", TOLD)


def test_a_line_taken_out_of_the_log_of_exports_shows(tmp_path: Path) -> None:
    _, manifest = write(ANSWER, "csv", tmp_path / "out", "answer", TOLD)
    for _ in range(3):
        record(tmp_path, manifest)
    log = tmp_path / LOG
    assert broken_at(log) is None
    lines = log.read_text("utf-8").splitlines(keepends=True)
    assert json.loads(lines[2])["purpose"] == "a test"
    log.write_text(lines[0].replace("a test", "another"), "utf-8")
    record(tmp_path, manifest)
    assert broken_at(log) is None
    log.write_text(lines[0].replace("a test", "another") + "".join(lines[1:]), "utf-8")
    assert broken_at(log) == 2
    log.write_text("".join((lines[0], lines[2])), "utf-8")
    assert broken_at(log) == 2


def test_a_public_table_adds_up_rows_and_suppresses_what_is_small() -> None:
    rows = [("KZ-75", "presumed", 40), ("KZ-75", "presumed", 60), ("KZ-71", "presumed", 3), ("KZ-61", "presumed", 50)]
    assert as_rows(published(("oblast", "grade", "alerts"), rows, layout_of("oblast:alerts"))) == [
        ("*", "", 155),
        ("KZ-61", "", None),
        ("KZ-71", "", None),
        ("KZ-75", "", 100),
    ]


@pytest.mark.parametrize(
    ("specification", "says"),
    [("oblast", "expected ROWS:COUNT"), ("post:alerts", "no column post"), ("oblast:grade", "expected whole numbers")],
)
def test_a_public_table_of_what_is_not_there_is_refused(specification: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        published(("oblast", "grade", "alerts"), [("KZ-75", "presumed", 40)], layout_of(specification))
