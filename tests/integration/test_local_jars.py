"""Fetching over the network: what comes is verified before it gets its name, and what is there is never fetched again."""

from __future__ import annotations

import dataclasses
import multiprocessing
from pathlib import Path

import pytest

from streams.errors import DependencyError, IntegrityError
from streams.local import jars, lock
from streams.local.lock import Lock

pytestmark = pytest.mark.integration

SMALLEST = sorted(lock.read().jars, key=lambda jar: jar.size)[:2]
TWO = Lock(lock.read().version, tuple(SMALLEST))


def fetch(cache: Path) -> None:
    jars.ensure(cache, lock=TWO)


def test_a_file_that_comes_with_another_checksum_is_refused_by_name_and_not_kept(tmp_path: Path) -> None:
    wrong = dataclasses.replace(SMALLEST[0], sha256="0" * 64)
    with pytest.raises(
        IntegrityError, match=f"{wrong.file} is refused: expected SHA-256 {'0' * 64}.*{SMALLEST[0].sha256}"
    ) as refused:
        jars.ensure(tmp_path, lock=Lock(TWO.version, (wrong,)))
    assert "was not kept" in refused.value.next_step
    assert not (jars.folder(tmp_path, TWO) / wrong.file).exists()


def test_an_interrupted_fetch_goes_on_where_it_stopped(tmp_path: Path) -> None:
    folder = jars.folder(tmp_path, TWO)
    (jars.ensure(tmp_path, lock=TWO)[1]).unlink()
    (folder / ".partial-left").mkdir()
    (folder / ".partial-left" / "half").write_bytes(b"half")
    before = (folder / SMALLEST[0].file).stat().st_mtime_ns
    jars.ensure(tmp_path, lock=TWO)
    assert (folder / SMALLEST[0].file).stat().st_mtime_ns == before, "a finished file is not fetched again"
    assert sorted(path.name for path in folder.iterdir() if path.name != ".lock") == sorted(jar.file for jar in SMALLEST)


def test_two_processes_that_share_an_empty_cache_both_get_it_whole(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=fetch, args=(tmp_path,)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(timeout=60)
    assert [one.exitcode for one in both] == [0, 0]
    assert jars.missing(tmp_path, TWO) == []


def test_a_file_that_does_not_exist_there_is_named(tmp_path: Path) -> None:
    absent = dataclasses.replace(SMALLEST[0], version="0.0.0", file="absent-0.0.0.jar")
    with pytest.raises(
        DependencyError, match=r"absent-0\.0\.0\.jar .* could not be fetched from Maven Central \(it is not there\)"
    ):
        jars.ensure(tmp_path, lock=Lock(TWO.version, (absent,)))
