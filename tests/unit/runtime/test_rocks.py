"""The state on a disk: it answers as the one in memory, survives a kill as a prefix, and is never trusted when damaged."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.runtime.rocks import MAX_AGE_MS, RocksStore, StoreInUseError, open_patiently
from streams.runtime.store import MemoryStore, Store, StoreDamagedError

pytest.importorskip("rocksdict")


def opened(path: Path, identity: str = "cluster/people-changelog/1", later_ms: int = 0) -> RocksStore:
    from streams import clock

    return RocksStore(path, identity=identity, now_ms=clock.now_ms() + later_ms)


def contents(store: Store) -> tuple[dict[bytes, bytes], int | None, int]:
    return dict(store.items()), store.marker, store.changelog_offset


keys = st.integers(0, 5).map(lambda number: b"p%d" % number)
batches = st.lists(
    st.tuples(st.dictionaries(keys, st.one_of(st.none(), st.binary(max_size=8)), max_size=4), st.booleans()), max_size=8
)


@settings(max_examples=40, deadline=None)
@given(batches)
def test_the_store_on_a_disk_answers_as_the_one_in_memory_also_after_it_was_closed(
    plan: list[tuple[dict[bytes, bytes | None], bool]],
) -> None:
    memory = MemoryStore()
    with tempfile.TemporaryDirectory() as folder:
        disk = opened(Path(folder) / "0")
        for number, (changes, reopen) in enumerate(plan):
            for store in (memory, disk):
                store.apply(changes, marker=10 * number, changelog_offset=number)
            if reopen:
                disk.close()
                disk = opened(Path(folder) / "0")
            assert contents(disk) == contents(memory)
            assert all(disk.get(key) == memory.get(key) for key in (b"p0", b"p3", b"absent"))
        disk.close()


_WRITER = """
import sys, os, signal
from pathlib import Path
from streams import clock
from streams.runtime.rocks import RocksStore
store = RocksStore(Path(sys.argv[1]), identity="cluster/people-changelog/1", now_ms=clock.now_ms())
for number in range(6000):
    store.apply({b"p%05d" % number: os.urandom(9000)}, marker=number, changelog_offset=2 * number)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_after_a_kill_the_store_holds_an_unbroken_beginning_and_knows_how_far_it_goes(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _WRITER, str(tmp_path / "0")], check=False)
    assert done.returncode == -signal.SIGKILL
    store = opened(tmp_path / "0")
    assert store.marker is not None, "54 MB went through a buffer of 16: some of it is on the disk"
    assert 0 < store.marker < 6000
    assert store.changelog_offset == 2 * store.marker
    assert sorted(key for key, _ in store.items()) == [b"p%05d" % number for number in range(store.marker + 1)]
    store.close()


def full(path: Path) -> None:
    store = opened(path)
    store.apply({b"p%05d" % number: bytes([number % 251]) * 500 for number in range(5000)}, marker=7, changelog_offset=8)
    store.close()


def test_a_flipped_byte_is_found_and_the_directory_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "0"
    full(path)
    table = max(path.glob("*.sst"), key=lambda file: file.stat().st_size)
    data = bytearray(table.read_bytes())
    data[len(data) // 3] ^= 0xFF
    table.write_bytes(data)
    with pytest.raises(StoreDamagedError):  # noqa: PT012 - either may be the one that finds it
        store = opened(path)
        dict(store.items())
    store.close()
    again = opened(path)
    assert contents(again) == ({}, None, 0)
    assert (tmp_path / "0.damaged").is_dir()
    again.close()


@pytest.mark.parametrize("name", ["CURRENT", "MANIFEST-*"])
def test_a_directory_whose_files_are_cut_is_set_aside(tmp_path: Path, name: str) -> None:
    full(tmp_path / "0")
    for file in (tmp_path / "0").glob(name):
        file.write_bytes(file.read_bytes()[:3])
    store = opened(tmp_path / "0")
    assert contents(store) == ({}, None, 0)
    store.close()


def test_a_store_of_another_changelog_or_of_long_ago_is_not_used(tmp_path: Path) -> None:
    full(tmp_path / "0")
    other = opened(tmp_path / "0", identity="cluster/people-changelog/2")
    assert contents(other) == ({}, None, 0)
    other.close()
    full(tmp_path / "1")
    old = opened(tmp_path / "1", later_ms=MAX_AGE_MS + 60_000)
    assert contents(old) == ({}, None, 0)
    old.close()


def test_a_store_somebody_else_has_open_is_waited_for_and_then_done_without(tmp_path: Path) -> None:
    first = opened(tmp_path / "0")
    with pytest.raises(StoreInUseError):
        opened(tmp_path / "0")
    assert open_patiently(tmp_path / "0", identity="x", now_ms=0, patience_s=0.1) is None
    first.apply({b"k": b"v"}, marker=1, changelog_offset=2)
    first.close()
    second = opened(tmp_path / "0")
    assert contents(second) == ({b"k": b"v"}, 1, 2)
    second.close()
