"""The AsyncAPI document: current, complete, and valid to AsyncAPI's own parser."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streams.cli import build
from streams.errors import UsageError
from streams.records import INPUTS, OUTPUTS, RELAYED
from streams.settings import Settings
from streams.wire.avro import schema_of
from streams.wire.topics import TOPICS, topic_of

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "asyncapi.json"
PAGE = ROOT / "docs" / "topics.md"
NODE = Path(__file__).parent / "asyncapi"
"""What npm is to install for AsyncAPI's own parser: names, versions and checksums."""
PARSER = """
const { Parser } = require('@asyncapi/parser');
const { AvroSchemaParser } = require('@asyncapi/avro-schema-parser');
const parser = new Parser();
parser.registerSchemaParser(AvroSchemaParser());
parser.parse(require('fs').readFileSync(process.argv[1], 'utf8')).then(({ document, diagnostics }) => {
  const errors = diagnostics.filter((one) => one.severity === 0).map((one) => one.message + ' ' + one.path.join('.'));
  console.log(JSON.stringify({ errors, channels: document ? document.channels().all().length : 0 }));
});
"""

PUBLIC = [kind.NAME for kind in (*INPUTS, *RELAYED, *OUTPUTS)]


def the_document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DOCUMENT.read_text("utf-8"))
    return found


def test_the_document_in_docs_is_the_one_the_schemas_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHEKARA_NAMESPACE", raising=False)
    result = CliRunner().invoke(build(), ["asyncapi", "--check", "--out", str(DOCUMENT)])
    assert result.exit_code == 0, "run: shekara asyncapi --out docs/asyncapi.json"
    stale = tmp_path / "stale.json"
    stale.write_text(DOCUMENT.read_text().replace("border_crossing", "crossing", 1))
    assert isinstance(CliRunner().invoke(build(), ["asyncapi", "--check", "--out", str(stale)]).exception, UsageError)


def test_the_page_for_people_is_the_one_the_document_gives_and_has_every_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHEKARA_NAMESPACE", raising=False)
    result = CliRunner().invoke(build(), ["asyncapi", "--page", "--check", "--out", str(PAGE)])
    assert result.exit_code == 0, "run: shekara asyncapi --page --out docs/topics.md"
    page = PAGE.read_text("utf-8")
    for name in PUBLIC:
        part = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE) == [field["name"] for field in schema_of(name)["fields"]]


def test_every_topic_and_every_message_is_in_it_with_its_own_schema() -> None:
    document = the_document()
    for topic in TOPICS:
        if topic.role in ("input", "output"):
            channel = document["channels"][topic.suffix.replace("-", "_")]
            assert set(channel["messages"]) == {name for name in PUBLIC if topic_of(name) is topic}
    assert {name: message["payload"]["schema"] for name, message in document["components"]["messages"].items()} == {
        name: schema_of(name) for name in PUBLIC
    }


@pytest.fixture
def node_modules() -> Path:
    """Returns where AsyncAPI's parser is installed, once for a lock; skips without npm or a network."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("needs Node and npm")
    digest = hashlib.sha256((NODE / "package-lock.json").read_bytes()).hexdigest()[:16]
    home = Settings().cache / f"asyncapi-parser-{digest}"
    if not (home / "done").exists():
        home.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(NODE / name, home / name)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
        done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=240, check=False)
        if done.returncode and "ENOTFOUND" in done.stderr + done.stdout:
            pytest.skip("npm reaches no registry")
        assert done.returncode == 0, done.stderr
        (home / "done").touch()
    return home / "node_modules"


def test_asyncapis_own_parser_finds_no_error(node_modules: Path) -> None:
    result = subprocess.run(
        ["node", "-e", PARSER, str(DOCUMENT)],
        env=os.environ | {"NODE_PATH": str(node_modules)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["errors"] == []
    assert answer["channels"] == len([topic for topic in TOPICS if topic.role in ("input", "output")])
