"""``shekara publish --dry-run``: everything but Kafka, on real files and the shipped policy."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import pytest
from typer.testing import CliRunner, Result

from streams.cli import build
from streams.errors import ShekaraError
from streams.records import BorderCrossing, PostHeartbeat, Tick
from streams.wire import avro
from streams.wire.jsonform import to_json
from tests.unit.decode.lawful import LAWFUL, lawful

HEADER = "occurred_at,direction,post,citizenship,document_number,issuing_country,purpose\n"
ENTRY = "2025-05-01T10:15:00,entry,KZ-61-R1,UZB,AB1234567,UZB,work\n"
EXIT = "2025-05-20T18:00:00+05:00,exit,KZ-61-R1,UZB,ab 1234567,UZB,\n"

Publish = Callable[..., Result]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Runs the command on a file with some content; ``.summary`` of its last line is JSON."""
    monkeypatch.setenv("SHEKARA_PSEUDONYM_KEY", "00" * 32)

    def run(content: str | bytes, *options: str, name: str = "events.csv") -> Result:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return CliRunner().invoke(build(), ["publish", str(path), "--dry-run", "--json", *options])

    return run


def _summary(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def test_a_posts_plain_table_of_crossings_is_enough(publish: Publish) -> None:
    result = publish(HEADER + ENTRY + EXIT)
    assert result.exit_code == 0, result.output
    assert _summary(result)["by_type"] == {"border_crossing": 2}


def test_every_refused_line_is_told_with_line_field_and_what_was_expected(publish: Publish) -> None:
    bad = [
        ENTRY.replace("KZ-61-R1", "KZ-99-R9"),
        ENTRY.replace("entry", "in"),
        ENTRY.replace("AB1234567", "7"),
        ENTRY.replace("entry", '"entry'),
        ENTRY.replace(",work", ""),
        ENTRY.replace("2025-05-01T10:15:00", "2024-02-29T23:30:00"),
        ENTRY.replace("2025-05-01T10:15:00", "2095-05-01T10:15:00"),
        ENTRY.replace(",UZB,work", ",,work"),
    ]
    result = publish(HEADER + ENTRY + "".join(bad) + "\n" + EXIT)
    assert result.exit_code == 2
    summary = _summary(result)
    assert (summary["rows"], summary["published"], summary["refused"], summary["blank"]) == (10, 2, 8, 1)
    assert [(error["line"], error["field"]) for error in summary["errors"]] == [
        (3, "post"),
        (4, "direction"),
        (5, "document_number"),
        (6, ""),
        (7, ""),
        (8, "occurred_at"),
        (9, "occurred_at"),
        (10, "issuing_country"),
    ]
    assert "events.csv:3: post: expected" in result.stderr


def test_a_document_number_is_never_repeated(publish: Publish) -> None:
    result = publish(HEADER + ENTRY.replace("AB1234567", "SECRET_1234567"))
    assert result.exit_code == 2
    assert "SECRET" not in result.output


def test_refused_lines_are_kept_as_they_stand_and_can_be_mended_and_published(publish: Publish, tmp_path: Path) -> None:
    rejects = tmp_path / "refused.csv"
    bad = ENTRY.replace("entry", "in")
    assert publish(HEADER + ENTRY + bad, "--rejects", str(rejects)).exit_code == 2
    assert rejects.read_text() == HEADER + bad
    assert publish(rejects.read_text().replace(",in,", ",entry,")).exit_code == 0
    again = publish(HEADER + ENTRY, "--rejects", str(rejects))
    assert isinstance(again.exception, ShekaraError)
    assert "is there already" in str(again.exception)


def test_a_file_without_refusals_leaves_no_file_of_refusals(publish: Publish, tmp_path: Path) -> None:
    rejects = tmp_path / "refused.csv"
    assert publish(HEADER + ENTRY, "--rejects", str(rejects)).exit_code == 0
    assert not rejects.exists()


def test_json_lines_of_every_type_are_taken(publish: Publish) -> None:
    lines = [to_json(record) for record in LAWFUL]
    for line in lines:
        if line["type"] == "visa":
            line["category"] = "C3"
    result = publish("\n".join(json.dumps(line) for line in lines), name="events.jsonl")
    assert result.exit_code == 0, result.output
    assert _summary(result)["published"] == len(LAWFUL)


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "7",
        '{"type": "nothing"}',
        '{"type": "visa", "type": "visa"}',
        "\xff",
        "{" + '"a":{' * 5000,
        '{"type": "tick", "x": 1}',
    ],
)
def test_a_line_that_is_no_event_is_refused_and_the_next_one_goes_on(publish: Publish, line: str) -> None:
    good = json.dumps(to_json(lawful(BorderCrossing)))
    result = publish(f"{good}\n".encode() + line.encode("latin-1") + f"\n{good}\n".encode(), name="events.jsonl")
    summary = _summary(result)
    assert (result.exit_code, summary["published"], summary["refused"], summary["errors"][0]["line"]) == (2, 2, 1, 2)


def test_an_avro_container_is_read_with_its_own_schema(publish: Publish, tmp_path: Path) -> None:
    for record in (lawful(BorderCrossing), lawful(Tick), lawful(PostHeartbeat)):
        path = tmp_path / "source.avro"
        with path.open("wb") as out:
            fastavro.writer(out, dict(avro.schema_of(record.NAME)), [dataclasses.asdict(record)] * 3)
        result = publish(path.read_bytes(), name="events.avro")
        assert result.exit_code == 0, result.output
        assert _summary(result)["by_type"] == {record.NAME: 3}


def test_a_container_cut_short_tells_how_far_it_went(publish: Publish, tmp_path: Path) -> None:
    path = tmp_path / "source.avro"
    rows = [dataclasses.asdict(lawful(BorderCrossing, source_seq=number)) for number in range(1, 2001)]
    with path.open("wb") as out:
        fastavro.writer(out, dict(avro.schema_of("border_crossing")), rows, sync_interval=4000)
    result = publish(path.read_bytes()[:-1000], name="events.avro")
    summary = _summary(result)
    assert result.exit_code == 2
    assert 0 < summary["published"] < 2000
    assert summary["refused"] == 1
    assert "nothing after it can be read" in summary["errors"][0]["message"]


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        ("", [], "is empty"),
        (HEADER, [], "has no records"),
        (HEADER + ENTRY, ["--type", "border_crosing"], "Expected --type"),
        (HEADER + ENTRY, ["--format", "xml"], "Expected --format"),
        (HEADER + ENTRY, ["--zone", "Asia/Nowhere"], "Expected --zone"),
        (HEADER + ENTRY, ["--type", "visa"], "no fields of visa"),
        (HEADER + ENTRY, ["--mapping", "nothing.yaml"], "cannot be read"),
        (HEADER.replace("post,", "posst,") + ENTRY, [], "posst"),
        ("occurred_at,subject\n1,2\n", [], "do not tell the event type"),
        ("a,a\n1,2\n", [], "twice"),
        (HEADER + ENTRY, ["--format", "avro"], "no Avro container"),
        (HEADER + ENTRY, ["--policy", "nowhere"], "nowhere"),
    ],
)
def test_a_wrong_file_or_flag_is_one_clear_sentence(publish: Publish, content: str, options: list[str], sentence: str) -> None:
    result = publish(content, *options)
    assert isinstance(result.exception, ShekaraError)
    assert sentence in str(result.exception)
    assert result.exception.exit_code == 2


def test_a_missing_file_is_one_clear_sentence() -> None:
    result = CliRunner().invoke(build(), ["publish", "/nowhere/events.csv"])
    assert isinstance(result.exception, ShekaraError)
    assert "/nowhere/events.csv is not there" in str(result.exception)


def test_without_a_key_document_numbers_are_refused(publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHEKARA_PSEUDONYM_KEY")
    result = publish(HEADER + ENTRY)
    assert isinstance(result.exception, ShekaraError)
    assert "openssl rand -hex 32" in str(result.exception)


def test_a_file_of_its_own_words_is_translated(publish: Publish, tmp_path: Path) -> None:
    table = "Күні;Бағыты;Бекет;Құжат;Ел;Ескерту\n2025-05-01T10:15;кіру;KZ-61-R1;AB1234567;UZB;жоқ\n"
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        "columns: {Күні: occurred_at, Бағыты: direction, Бекет: post, Құжат: document_number, Ел: issuing_country, Ескерту: ''}\n"
        "values: {direction: {кіру: entry, шығу: exit}}\n"
        "constants: {purpose: work}\n"
    )
    result = publish("\ufeff" + table, "--mapping", str(mapping))
    assert result.exit_code == 0, result.output
    assert _summary(result)["published"] == 1


def test_going_on_from_a_line_passes_over_what_is_before_it(publish: Publish) -> None:
    result = publish(HEADER + ENTRY + EXIT + ENTRY, "--from-line", "3")
    summary = _summary(result)
    assert (summary["passed"], summary["published"]) == (1, 2)


def test_a_stray_carriage_return_in_the_first_line_is_a_sentence_not_a_traceback(publish: Publish) -> None:
    result = publish("occurred_at,direc\rtion,post\n" + ENTRY)
    assert isinstance(result.exception, ShekaraError)
    assert "The first line is no row of CSV" in str(result.exception)
