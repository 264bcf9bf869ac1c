"""The AsyncAPI document: current, complete, and valid to AsyncAPI's own parser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streams.cli import build
from streams.errors import UsageError
from streams.records import INPUTS, OUTPUTS, RELAYED
from streams.wire.avro import schema_of
from streams.wire.topics import TOPICS, topic_of

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "asyncapi.json"
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


def test_every_topic_and_every_message_is_in_it_with_its_own_schema() -> None:
    document = the_document()
    for topic in TOPICS:
        if topic.role in ("input", "output"):
            channel = document["channels"][topic.suffix.replace("-", "_")]
            assert set(channel["messages"]) == {name for name in PUBLIC if topic_of(name) is topic}
    assert {name: message["payload"]["schema"] for name, message in document["components"]["messages"].items()} == {
        name: schema_of(name) for name in PUBLIC
    }


def test_asyncapis_own_parser_finds_no_error() -> None:
    modules = os.environ.get("ASYNCAPI_NODE_MODULES", "")
    if not (shutil.which("node") and modules and (Path(modules) / "@asyncapi" / "parser").is_dir()):
        pytest.skip("needs node and ASYNCAPI_NODE_MODULES (npm install @asyncapi/parser @asyncapi/avro-schema-parser)")
    result = subprocess.run(
        ["node", "-e", PARSER, str(DOCUMENT)],
        env=os.environ | {"NODE_PATH": modules},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["errors"] == []
    assert answer["channels"] == len([topic for topic in TOPICS if topic.role in ("input", "output")])
