"""Our schemas in a registry, over real HTTP, against a small server that keeps what Confluent's API says a registry keeps."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import pytest
from typer.testing import CliRunner

from streams.cli import build
from streams.errors import DependencyError, IntegrityError, SetupError
from streams.publish.registry import Registry
from streams.wire.avro import codecs


class Kept:
    """What the registry has."""

    def __init__(self) -> None:
        self.ids: dict[int, str] = {}
        self.versions: dict[tuple[str, int], int] = {}
        self.modes: dict[str, str] = {}
        self.levels: dict[str, str] = {}

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        match method, [unquote(part) for part in path.strip("/").split("/")]:
            case "GET", ["schemas", "ids", number] if int(number) in self.ids:
                return 200, {"schema": self.ids[int(number)]}
            case "GET", ["subjects", subject, "versions", version] if (subject, int(version)) in self.versions:
                known = self.versions[subject, int(version)]
                return 200, {"subject": subject, "id": known, "version": int(version), "schema": self.ids[known]}
            case "PUT", ["mode", subject]:
                self.modes[subject] = body["mode"]
                return 200, body
            case "PUT", ["config", subject]:
                self.levels[subject] = body["compatibility"]
                return 200, body
            case "POST", ["subjects", subject, "versions"]:
                if self.modes.get(subject) != "IMPORT":
                    return 422, {"error_code": 42205, "message": "Subject is not in import mode"}
                if self.ids.setdefault(body["id"], body["schema"]) != body["schema"]:
                    return 422, {"error_code": 42207, "message": "Schema id is taken"}
                self.versions[subject, body["version"]] = body["id"]
                return 200, {"id": body["id"]}
        return 404, {"error_code": 40401, "message": "not found"}


@pytest.fixture
def server() -> Iterator[tuple[Kept, str]]:
    kept = Kept()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, said = kept.answer(self.command, self.path, json.loads(body) if body else {})
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = _do  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield kept, f"http://127.0.0.1:{http.server_address[1]}"
    http.shutdown()
    http.server_close()


def test_every_version_gets_its_own_number_and_a_second_run_changes_nothing(server: tuple[Kept, str]) -> None:
    kept, url = server
    registry = Registry(url)
    first = list(registry.sync("n", write=True))
    assert {entry.schema_id for entry in first} == set(codecs().by_id) == set(kept.ids)
    assert {entry.state for entry in first} == {"registered"}
    assert {entry.state for entry in registry.sync("n", write=True)} == {"there"}
    assert set(kept.modes.values()) == {"READWRITE"}
    assert set(kept.levels.values()) == {"BACKWARD_TRANSITIVE"}
    assert kept.versions["n.people-shekara.v1.BorderCrossing", 1] == 1
    registry.close()


def test_a_number_that_is_taken_is_refused_before_anything_is_written(server: tuple[Kept, str]) -> None:
    kept, url = server
    kept.ids[7] = '"string"'
    with pytest.raises(IntegrityError, match="number 7"):
        list(Registry(url).sync("n", write=False))
    result = CliRunner().invoke(build(), ["registry", "--url", url])
    assert isinstance(result.exception, IntegrityError)
    assert set(kept.ids) == {7}


def test_a_check_registers_nothing_and_says_what_is_missing(server: tuple[Kept, str]) -> None:
    kept, url = server
    result = CliRunner().invoke(build(), ["registry", "--url", url, "--check", "--json"])
    assert result.exit_code == 1
    assert {json.loads(line)["state"] for line in result.stdout.splitlines()} == {"missing"}
    assert not kept.ids
    assert CliRunner().invoke(build(), ["registry", "--url", url]).exit_code == 0
    assert CliRunner().invoke(build(), ["registry", "--url", url, "--check"]).exit_code == 0


@pytest.mark.parametrize("url", ["", "ftp://x", "registry:8081", "http://u:p@registry.example:8081"])
def test_an_address_that_is_none_or_gives_a_password_away_is_refused(url: str) -> None:
    with pytest.raises(SetupError):
        Registry(url)


def test_a_registry_that_does_not_answer_is_told() -> None:
    with pytest.raises(DependencyError, match="does not answer"):
        list(Registry("http://127.0.0.1:1").sync("n", write=False))
