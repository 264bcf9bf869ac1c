"""A country written to files is the country that would have been published."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import fastavro
import pytest
from typer.testing import CliRunner

from streams.cli import build
from streams.errors import UsageError
from streams.policy.model import Policy
from streams.records import Record
from streams.simulate import Corrupt, Rates, Simulation, files
from streams.wire.avro import KINDS, encode
from streams.wire.jsonform import from_json
from streams.wire.topics import topic_of


def small(policy: Policy) -> Simulation:
    return Simulation(150, 12, 3, rates=Rates(corrupt=0.05), policy=policy)


def test_json_lines_hold_every_record_of_a_topic_in_the_order_of_the_log(tmp_path: Path, policy: Policy) -> None:
    counts = files.write(small(policy), tmp_path / "out", "jsonl")
    by_file: dict[str, list[Record]] = {}
    spoilt = []
    for message in small(policy).events():
        if isinstance(message, Corrupt):
            spoilt.append(message)
        else:
            by_file.setdefault(f"{topic_of(type(message)).suffix}.jsonl", []).append(message)
    assert set(by_file) == {"people.jsonl", "posts.jsonl", "employers.jsonl", "quotas.jsonl"}
    for name, expected in by_file.items():
        rows = [json.loads(line) for line in (tmp_path / "out" / name).read_text("utf-8").splitlines()]
        assert [from_json(row.pop("type"), row) for row in rows] == expected
        assert counts[name] == len(expected)
    lines = [json.loads(line) for line in (tmp_path / "out" / files.CORRUPT_FILE).read_text("utf-8").splitlines()]
    assert [(bytes.fromhex(line["value"]), line["code"]) for line in lines] == [(one.value, one.code) for one in spoilt]


def test_avro_containers_hold_every_record_of_an_event_type(tmp_path: Path, policy: Policy) -> None:
    files.write(small(policy), tmp_path / "out", "avro")
    expected: dict[str, list[bytes]] = {}
    for message in small(policy).events():
        if not isinstance(message, Corrupt):
            expected.setdefault(message.NAME, []).append(encode(message))
    found: dict[str, list[bytes]] = {}
    for path in (tmp_path / "out").glob("*.avro"):
        with path.open("rb") as file:
            found[path.stem] = [encode(_record(path.stem, row)) for row in fastavro.reader(file)]
    assert found == expected


def _record(name: str, row: Any) -> Any:
    """The container's row as a record: through the JSON form, which knows Avro's logical types."""
    return from_json(name, _plain(row))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, bytes):
        return str(UUID(bytes=value))
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, UUID) else value


def test_a_directory_with_files_in_it_is_refused_and_left_alone(tmp_path: Path, policy: Policy) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        files.write(small(policy), tmp_path, "avro")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_command_writes_files_and_truth_and_says_so_in_json(tmp_path: Path) -> None:
    options = ["--people", "60", "--days", "4", "--to-file", str(tmp_path / "out"), "--truth", str(tmp_path / "truth"), "--json"]
    result = CliRunner().invoke(build(), ["simulate", *options])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout.splitlines()[-1])
    truth = [json.loads(line) for line in (tmp_path / "truth").read_text("utf-8").splitlines()]
    assert sum(told["files"].values()) == truth[-1]["messages"]
    assert len([line for line in truth if line["kind"] == "person"]) == 60
    assert set(told["by_kind"]) <= set(KINDS)
    assert not (tmp_path / "truth.part").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rates", "nonsense=1", "--to-file", "x"], "no rate"),
        (["--calibrate", "concept", "--scale", "7", "--to-file", "x"], "scale is 7"),
        (["--to-file", "x", "--speed", "10"], "do not go with it"),
        (["--start", "2199-01-01"], "in the future"),
    ],
)
def test_a_wrong_option_is_one_sentence(options: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(build(), ["simulate", *options])
    assert isinstance(result.exception, UsageError)
    assert words in result.exception.what
    assert list(tmp_path.iterdir()) == []
