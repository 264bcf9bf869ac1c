"""A broken set-up is answered with one clear sentence, the next step and an exit code; never with a traceback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.local import jars, lock, ports
from streams.settings import Settings

pytestmark = pytest.mark.integration

ENDED_WITHIN_S = 120
NO_NETWORK = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), "http://127.0.0.1:9")
"""A proxy on a port where nobody listens: every connection is refused at once."""


def up(home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs ``shekara up`` to its end: every set-up here must make it end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "streams", "up"],
        env={**os.environ, "SHEKARA_HOME": str(home), "COLUMNS": "400", **env},
        capture_output=True,
        text=True,
        timeout=ENDED_WITHIN_S,
        check=False,
    )


def assert_refused(result: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    said = result.stdout + result.stderr
    assert result.returncode == code, said
    assert "Traceback" not in said
    sentences = [line for line in said.splitlines() if line.startswith("shekara: ")]
    assert len(sentences) == 1, said
    for word in words:
        assert word in sentences[0]
    assert any(line.startswith("  → ") for line in said.splitlines()), f"no next step: {said}"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache of its own with all jars in it, as links to the real ones."""
    ours = lock.read()
    folder = jars.folder(tmp_path / "cache", ours)
    folder.mkdir(parents=True)
    for path in jars.ensure(Settings().cache, lock=ours):
        shutil.copy(path, folder / path.name)
    return tmp_path / "cache"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting a file system needs rights that this user does not have")
    yield place
    subprocess.run(["umount", "--lazy", place], check=False)


def test_a_java_that_is_too_old(tmp_path: Path) -> None:
    program = tmp_path / "java" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho 'java version \"1.8.0_382\"' >&2\n")
    program.chmod(0o755)
    assert_refused(up(tmp_path / "home", JAVA_HOME=str(tmp_path / "java")), 3, "Java is too old", "version 8", "needs 17")


def test_no_network_on_the_first_run(tmp_path: Path) -> None:
    result = up(tmp_path / "home", SHEKARA_CACHE=str(tmp_path / "empty"), **NO_NETWORK)
    assert_refused(result, 4, "could not be fetched from Maven Central (no connection)")


def test_a_missing_jar_without_a_network_is_named(tmp_path: Path, cache: Path) -> None:
    missing = lock.read().jars[20]
    (jars.folder(cache, lock.read()) / missing.file).unlink()
    assert_refused(up(tmp_path / "home", SHEKARA_CACHE=str(cache), **NO_NETWORK), 4, missing.file)


def test_a_changed_jar_is_refused_by_name(tmp_path: Path, cache: Path) -> None:
    changed = lock.read().jars[30]
    with (jars.folder(cache, lock.read()) / changed.file).open("ab") as file:
        file.write(b"x")
    assert_refused(up(tmp_path / "home", SHEKARA_CACHE=str(cache)), 5, f"{changed.file} is refused", changed.sha256)


def test_a_port_in_use_is_named_with_its_owner(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind((ports.LOOPBACK, 0))
        listener.listen()
        port = listener.getsockname()[1]
        (tmp_path / "home" / "kafka").mkdir(parents=True)
        (tmp_path / "home" / "kafka" / "ports.json").write_text(f'{{"broker": {port}, "controller": {port + 1}}}')
        assert_refused(up(tmp_path / "home"), 3, f"Port {port}", f"process {os.getpid()}")


def test_no_space_on_the_disk(small_disk: Path) -> None:
    (small_disk / "filled").write_bytes(bytes(1_000_000))
    assert_refused(up(small_disk / "home"), 3, "space")


def test_a_disk_that_fills_up_while_the_broker_starts(small_disk: Path) -> None:
    (small_disk / "filled").write_bytes(bytes(960_000))
    result = up(small_disk / "home")
    assert_refused(result, result.returncode or 1, "space")


def test_a_broker_that_does_not_start_is_quoted(tmp_path: Path) -> None:
    data = tmp_path / "home" / "kafka" / "data"
    data.mkdir(parents=True)
    (data / "meta.properties").write_text("version=1\ncluster.id=other\nnode.id=77\n")
    assert_refused(up(tmp_path / "home"), 3, "The embedded broker ended while it started", "its last error: ", "77")


def test_a_wrong_clickhouse_url(tmp_path: Path) -> None:
    result = up(tmp_path / "home", SHEKARA_CLICKHOUSE="clickhouse://reader:secret@127.0.0.1:1/shekara")
    assert_refused(result, 1, "warehouse ended unexpectedly", "127.0.0.1:1")
    assert "secret" not in result.stdout + result.stderr


def test_a_kafka_that_does_not_answer(tmp_path: Path) -> None:
    assert_refused(up(tmp_path / "home", SHEKARA_KAFKA="127.0.0.1:1"), 4, "Kafka at 127.0.0.1:1")


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    assert_refused(up(tmp_path / "home"), 3, "cannot be written")
