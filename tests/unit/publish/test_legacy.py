"""Files of older systems become the same events, and every line of them is sent or refused by name."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from streams.cli import build
from streams.errors import UsageError
from streams.publish.files import open_events
from streams.publish.mapping import ColumnMapping, read_mapping
from streams.wire.jsonform import FieldError

Publish = Callable[..., dict[str, Any]]

FIXED = """
fixed: {day: 1-8, time: 9-12, way: 13, post: 14-21, doc: 22-33, country: 34-36}
encoding: cp866
skip_lines: 1
columns: {way: direction, doc: document_number, country: issuing_country}
joined: {occurred_at: [day, time]}
formats: {occurred_at: "%Y%m%d %H%M"}
values: {direction: {"1": entry, "2": exit}}
constants: {type: border_crossing}
"""
LINES = [
    "КҮНІ, БЕКЕТ",
    "2025050110151KZ-61-R1AB1234567   UZB",
    "2025052018002KZ-61-R1AB1234567   UZB",
    "2025139918002KZ-61-R1AB1234567   UZB",
    "2025052018003KZ-61-R1AB1234567   UZB",
    "20250520",
    "2025052018002KZ-61-R1AB1234567   UZB and more",
    "",
]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Runs the command; returns its summary with exit code and rejects."""
    monkeypatch.setenv("SHEKARA_PSEUDONYM_KEY", "00" * 32)

    def run(content: bytes, name: str, mapping: str = "", *options: str) -> dict[str, Any]:
        path, rejects = tmp_path / name, tmp_path / f"{name}.rejects"
        path.write_bytes(content)
        rejects.unlink(missing_ok=True)
        if mapping:
            (tmp_path / "m.yaml").write_text(mapping, "utf-8")
            options = (*options, "--mapping", str(tmp_path / "m.yaml"))
        arguments = ["publish", str(path), "--dry-run", "--json", "--rejects", str(rejects), *options]
        result: Result = CliRunner().invoke(build(), arguments)
        if isinstance(result.exception, UsageError):
            raise result.exception
        found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
        kept = rejects.read_bytes() if rejects.exists() else b""
        return found | {"exit": result.exit_code, "rejects": kept}

    return run


def test_columns_of_fixed_width_become_crossings_and_every_other_line_is_refused_by_name(publish: Publish) -> None:
    content = "\r\n".join(LINES).encode("cp866", "replace") + b"\x1a"
    found = publish(content, "old.dat", FIXED)
    assert (found["exit"], found["rows"], found["published"], found["refused"]) == (2, 6, 2, 4)
    told = [(error["line"], error["field"]) for error in found["errors"]]
    assert told == [(4, "occurred_at"), (5, "direction"), (6, ""), (7, "")]
    assert found["rejects"].count(b"\n") == 4


def test_a_spreadsheet_is_read_like_a_table_with_its_own_dates(publish: Publish) -> None:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["Report of the post"])
    sheet.append(["occurred_at", "direction", "post", "document_number", "issuing_country", "Note"])
    sheet.append([datetime(2025, 5, 1, 10, 15), "entry", "KZ-61-R1", 1234567, "UZB", "x"])  # noqa: DTZ001  # spreadsheets have none
    sheet.append([datetime(2025, 5, 1, 10, 15), "entry", "NOWHERE", 7654321.0, "UZB", None])  # noqa: DTZ001
    sheet.append([])
    sheet.append(["soon", "exit", "KZ-61-R1", "AB1234567", "UZB", None])
    content = io.BytesIO()
    book.save(content)
    mapping = "skip_lines: 1\ncolumns: {Note: ''}\n"
    found = publish(content.getvalue(), "night.xlsx", mapping, "--type", "border_crossing")
    assert (found["rows"], found["published"], found["refused"]) == (3, 1, 2)
    assert [(error["line"], error["field"]) for error in found["errors"]] == [(4, "post"), (6, "occurred_at")]
    again = publish(found["rejects"].replace(b"NOWHERE", b"KZ-61-R1"), "mended.jsonl", mapping, "--type", "border_crossing")
    assert (again["published"], again["refused"]) == (1, 1)


PASSENGERS = """UNA:+.? '
UNB+UNOA:4+KC+KZBORDER+250501:1015+1'
UNH+1+PAXLST:D:12B:UN:IATA'
BGM+745'
TDT+20+KC902+++KC'
LOC+125+TAS'
DTM+189:2505010800:201'
LOC+87+ALA'
DTM+232:2505011015:201'
NAD+FL+++KARIMOV:ALISHER'
ATT+2++M'
DTM+329:850101'
NAT+2+UZB'
DOC+P:110:111+AB1234567'
LOC+91+UZB'
NAD+FM+++O?'NEIL:J'
NAT+2+KAZ'
DOC+P+N00000001'
LOC+91+KAZ'
NAD+DDT+++TRANSIT:T'
NAT+2+KGZ'
NAD+FL+++NODOC:N'
NAT+2+KGZ'
CNT+42:{count}'
UNT+12+1'
UNZ+1+1'
"""
ALMATY = "values: {post: {ALA: KZ-75-A1}}\n"


def test_a_passenger_list_becomes_crossings_without_names_and_says_who_does_not_cross(publish: Publish) -> None:
    found = publish(PASSENGERS.replace("{count}", "4").encode(), "flight.edi", ALMATY)
    assert (found["rows"], found["published"], found["by_type"]) == (4, 2, {"border_crossing": 2})
    assert [(error["line"], error["field"]) for error in found["errors"]] == [(19, "NAD"), (21, "subject")]
    assert b"NODOC" not in found["rejects"]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (PASSENGERS.replace("{count}", "5"), "CNT"),
        (PASSENGERS.replace("{count}", "4").replace("UNZ+1+1'\n", ""), "UNZ"),
        (PASSENGERS.replace("{count}", "4").replace("LOC+87+ALA", "LOC+87+IST"), "LOC"),
        (PASSENGERS.replace("{count}", "4").replace("PAXLST", "IFTMIN"), "UNH"),
    ],
)
def test_a_list_that_does_not_add_up_is_told(publish: Publish, text: str, field: str) -> None:
    assert field in {error["field"] for error in publish(text.encode(), "flight.edi", ALMATY)["errors"]}


def test_a_passenger_list_without_its_airports_is_refused_whole(publish: Publish) -> None:
    with pytest.raises(UsageError, match="which airports"):
        publish(PASSENGERS.encode(), "flight.edi")


def test_the_same_crossing_is_the_same_event_from_whatever_file(publish: Publish, tmp_path: Path) -> None:
    table = "occurred_at,direction,post,document_number,issuing_country\n2025-05-01T10:15:00,entry,KZ-61-R1,AB1234567,UZB\n"
    (tmp_path / "m.yaml").write_text(FIXED)
    mapping = read_mapping(str(tmp_path / "m.yaml"))
    fixed = open_events(io.BytesIO("\n".join(LINES[:2]).encode("cp866", "replace")), "fixed", "border_crossing", mapping)
    plain = open_events(io.BytesIO(table.encode()), "csv", "border_crossing", ColumnMapping())
    assert [row.values for row in fixed.rows] == [row.values for row in plain.rows]


@pytest.mark.parametrize(
    ("mapping", "wrong"),
    [
        ("fixed: {day: 0-8}", "expected its characters such as 1-8"),
        ("fixed: {day: 8-1}", "expected its characters such as 1-8"),
        ("encoding: klingon", "no encoding"),
        ("skip_lines: many", "skip_lines"),
        ("joined: {occurred_at: day}", "joined must be a list"),
        ("widths: {}", "must have only"),
    ],
)
def test_a_wrong_mapping_is_refused_by_name(tmp_path: Path, mapping: str, wrong: str) -> None:
    (tmp_path / "m.yaml").write_text(mapping)
    with pytest.raises(UsageError, match=wrong):
        read_mapping(str(tmp_path / "m.yaml"))


@given(
    cut=st.integers(0, len(PASSENGERS)),
    noise=st.binary(max_size=12),
    form=st.sampled_from(["paxlst", "xlsx", "fixed"]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_make_an_importer_fail_but_by_a_sentence(cut: int, noise: bytes, form: Any) -> None:
    content = PASSENGERS.encode()[:cut] + noise + PASSENGERS.encode()[cut:]
    mapping = ColumnMapping(values={"post": {"ALA": "KZ-75-A1"}}, fixed=())
    try:
        rows = list(open_events(io.BytesIO(content), form, "border_crossing", mapping).rows)
    except UsageError:
        return
    assert all(isinstance(row.values, dict | FieldError) for row in rows)


@pytest.mark.parametrize("text", ["UNA", "UNA:+.?", "UNB", "UNB+UNOA"])
def test_an_interchange_that_ends_inside_its_first_segment_is_a_sentence(publish: Publish, text: str) -> None:
    with pytest.raises(UsageError, match="ends inside its first segment"):
        publish(text.encode(), "flight.edi", ALMATY, "--format", "paxlst")
