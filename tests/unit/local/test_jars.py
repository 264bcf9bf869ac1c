"""The lock decides what the broker runs; a file that is not what the lock says is refused by name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from streams.errors import DependencyError, IntegrityError, SetupError
from streams.local import jars, lock
from streams.local.lock import Jar, Lock

CONTENT = b"the broker"


def small_lock(*names: str) -> Lock:
    digest = hashlib.sha256(CONTENT).hexdigest()
    return Lock("9.9.9", tuple(Jar("org.example", name, "9.9.9", f"{name}-9.9.9.jar", len(CONTENT), digest) for name in names))


def fill(cache: Path, wanted: Lock, content: bytes = CONTENT) -> list[Path]:
    folder = jars.folder(cache, wanted)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / jar.file for jar in wanted.jars]
    for path in paths:
        path.write_bytes(content)
    return paths


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    # A proxy on a port where nobody listens: every connection is refused at once, as without a network.
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


def test_our_lock_lists_kafka_once_with_a_checksum_for_every_file() -> None:
    ours = lock.read()
    assert ours.version.startswith("4.")
    assert len({jar.file for jar in ours.jars}) == len(ours.jars)
    assert all(len(bytes.fromhex(jar.sha256)) == 32 and jar.size > 0 for jar in ours.jars)
    assert any(jar.artifact == "log4j-slf4j-impl" for jar in ours.jars), "without it the broker would log nothing"


def test_our_lock_names_no_host() -> None:
    text = lock.LOCK.read_text(encoding="utf-8")
    assert "://" not in text
    assert "repo" not in text


def test_a_lock_is_what_rendering_it_gives() -> None:
    assert lock.render(lock.read()) == lock.LOCK.read_text(encoding="utf-8")


def test_a_damaged_lock_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "kafka.lock"
    path.write_text("# comment\norg.apache.kafka:kafka_2.13:4.0.0 kafka.jar many abc\n")
    with pytest.raises(SetupError, match=r"kafka\.lock, line 2: expected"):
        lock.read(path)


def test_a_full_cache_needs_no_network(tmp_path: Path, no_network: None) -> None:
    wanted = small_lock("a", "b")
    paths = fill(tmp_path, wanted)
    assert jars.ensure(tmp_path, lock=wanted) == paths


def test_a_changed_file_is_refused_by_name_with_what_was_expected_and_what_came(tmp_path: Path) -> None:
    wanted = small_lock("a", "b")
    _, changed = fill(tmp_path, wanted)
    changed.write_bytes(b"something else")
    with pytest.raises(IntegrityError, match=r"b-9\.9\.9\.jar is refused") as refused:
        jars.ensure(tmp_path, lock=wanted)
    assert wanted.jars[1].sha256 in refused.value.what
    assert hashlib.sha256(b"something else").hexdigest() in refused.value.what
    assert "Delete that file" in refused.value.next_step
    assert changed.exists(), "evidence is not destroyed"


def test_without_a_network_a_missing_file_is_named_and_what_is_there_is_kept(tmp_path: Path, no_network: None) -> None:
    wanted = small_lock("a", "b")
    kept, missing = fill(tmp_path, wanted)
    missing.unlink()
    with pytest.raises(
        DependencyError, match=r"b-9\.9\.9\.jar of Apache Kafka is not in .* could not be fetched .*no connection"
    ) as refused:
        jars.ensure(tmp_path, lock=wanted)
    assert "run the same command again" in refused.value.next_step
    assert "1 of 2" in refused.value.next_step
    assert kept.read_bytes() == CONTENT
    assert [path.name for path in jars.folder(tmp_path, wanted).iterdir() if path.name.startswith(".partial")] == []


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    with pytest.raises(SetupError, match="cannot be written"):
        jars.ensure(blocked, lock=small_lock("a"))
