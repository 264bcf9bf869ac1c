"""A partition's state in RocksDB on the worker's disk: less memory, and a restart reads only what came since.

The changelog stays the truth. The store's own log is off: what was in memory at a crash is lost, and read again from the
changelog, because each batch's changes, its marker and the changelog's offset go in together, and RocksDB writes what it
has in order. A directory that is damaged, old, or of another topic is set aside, and the state is read anew (ADR 0026).
"""

from __future__ import annotations

import contextlib
import shutil
import struct
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import structlog

from streams import clock
from streams.errors import DependencyError, SetupError
from streams.runtime.store import StoreDamagedError

log = structlog.get_logger(__name__)

META_KEY = b"\x00\x00store"
"""Key of what the store knows about itself. No pseudonym begins with a zero byte."""

MAX_AGE_MS = 12 * 3_600_000
"""An older store may hold keys whose removal the changelog has already forgotten: half of Kafka's delete.retention.ms."""

IN_USE_S = 5.0
"""How long a worker waits for another of its machine to let go of a partition's directory."""

_ASK_AGAIN_S = 0.05
_META = struct.Struct(">qqq")
_WRITE_BUFFER_BYTES = 16 * 1024 * 1024
_CACHE_BYTES = 64 * 1024 * 1024
_ASIDE = "damaged"


class StoreInUseError(Exception):
    """Another process has the directory open."""


class RocksStore:
    """The state of one partition on a disk.

    Args:
        path: its directory; made if it is missing.
        identity: tells the changelog from another of the same name; a store of another is set aside.
        now_ms: wall clock, UTC epoch ms.

    Raises:
        SetupError: rocksdict is not installed.
        StoreInUseError: another process has it open.
        DependencyError: the disk is full.
    """

    _cache: Any = None

    def __init__(self, path: Path, *, identity: str, now_ms: int) -> None:
        self.marker: int | None = None
        self.changelog_offset = 0
        self._path = path
        self._identity = identity.encode()
        self._closed = False
        try:
            self._db = _open(path)
            trouble = self._know(now_ms)
        except StoreDamagedError as error:
            trouble = str(error)
        if trouble:
            log.warning("store_set_aside", directory=path.name, why=trouble)
            self._set_aside()
            self._db = _open(path)

    def get(self, key: bytes) -> bytes | None:
        """Returns the value of a key; none if there is none.

        Raises:
            StoreDamagedError: the disk does not give back what was written.
        """
        try:
            value: bytes | None = self._db.get(key)
        except Exception as error:
            raise self._failed(error) from error
        return value

    def apply(
        self, changes: Mapping[bytes, bytes | None], *, marker: int | None = None, changelog_offset: int | None = None
    ) -> None:
        """Takes over the changes of one batch, all or none.

        Args:
            changes: the last value by key; none removes the key.
            marker: last source offset that is in the state with them; as before if none.
            changelog_offset: next changelog offset to read with them; as before if none.

        Raises:
            DependencyError: the disk is full.
        """
        from rocksdict import WriteBatch

        if marker is not None:
            self.marker = marker
        if changelog_offset is not None:
            self.changelog_offset = changelog_offset
        batch = WriteBatch(raw_mode=True)
        for key, value in changes.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        done = -1 if self.marker is None else self.marker
        batch.put(META_KEY, _META.pack(done, self.changelog_offset, clock.now_ms()) + self._identity)
        try:
            self._db.write(batch)
        except Exception as error:
            raise self._failed(error) from error

    def items(self) -> Iterable[tuple[bytes, bytes]]:
        """Returns every key and value; every block is checked against its checksum on the way.

        Raises:
            StoreDamagedError: the disk does not give back what was written.
        """
        from rocksdict import ReadOptions

        try:
            once = ReadOptions()
            # Read through once: the cache is for what events ask for.
            once.fill_cache(False)  # type: ignore[call-arg]  # the stub lacks its argument
            # Not Rdict.items(): that ends at a damaged block as if it were the last, and tells nobody.
            place = self._db.iter(once)
            place.seek_to_first()
            while place.valid():
                key = place.key()
                if key != META_KEY:
                    yield key, place.value()
                place.next()
            place.status()
        except Exception as error:
            raise self._failed(error) from error

    def __len__(self) -> int:
        """Returns how many keys there are, about: RocksDB estimates."""
        return max(0, (self._db.property_int_value("rocksdb.estimate-num-keys") or 0) - 1)

    def close(self) -> None:
        """Writes to the disk what is in memory, and lets go."""
        if self._closed:
            return
        self._closed = True
        # A full disk takes nothing any more, and closing writes too: what is not on the disk is in the changelog.
        for step in (self._db.flush, self._db.close):
            try:
                step()
            except Exception as error:
                log.warning("store_not_written", directory=self._path.name, why=_sentence(error))

    def _know(self, now_ms: int) -> str:
        """Takes over what the store knows about itself; returns why it cannot be used, or an empty text."""
        meta = self.get(META_KEY)
        if meta is None:
            return "" if next(iter(self.items()), None) is None else "it does not say how far it goes"
        if len(meta) < _META.size:
            return "it does not say how far it goes"
        marker, offset, written_at = _META.unpack_from(meta)
        if meta[_META.size :] != self._identity:
            return "it belongs to another changelog"
        if not 0 <= now_ms - written_at <= MAX_AGE_MS:
            return "it is older than what the changelog remembers of removed keys"
        self.marker = None if marker < 0 else marker
        self.changelog_offset = offset
        return ""

    def _set_aside(self) -> None:
        """Moves the directory out of the way, for whoever wants to look; only the last one is kept."""
        self.marker, self.changelog_offset = None, 0
        with contextlib.suppress(Exception):
            self._db.close()
        aside = self._path.with_name(f"{self._path.name}.{_ASIDE}")
        shutil.rmtree(aside, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            self._path.rename(aside)

    def _failed(self, error: Exception) -> Exception:
        if "No space left" in str(error):
            return DependencyError(
                f"The local state in {self._path} cannot be written: no space is left on the disk.",
                "Make room and start the worker again: what is not on the disk is in the changelog.",
            )
        # The mark makes the next opening set the directory aside, in this process or in the next.
        with contextlib.suppress(OSError):
            (self._path / _ASIDE).touch()
        return StoreDamagedError(f"{type(error).__name__}: {error}")


def open_patiently(path: Path, *, identity: str, now_ms: int, patience_s: float = IN_USE_S) -> RocksStore | None:
    """Opens a store, waiting for a worker of this machine that has just lost the partition to let go of it. Blocks.

    Args:
        path: its directory.
        identity: as of :class:`RocksStore`.
        now_ms: wall clock, UTC epoch ms.
        patience_s: how long to wait.

    Returns:
        The store; none if the other does not let go (it sleeps, or hangs): the changelog alone is enough.
    """
    deadline = clock.monotonic_s() + patience_s
    while True:
        try:
            return RocksStore(path, identity=identity, now_ms=now_ms)
        except StoreInUseError:
            if clock.monotonic_s() > deadline:
                log.warning("store_in_use", directory=path.name)
                return None
            time.sleep(_ASK_AGAIN_S)


def _sentence(error: Exception) -> str:
    """Returns what RocksDB said, without the file it was about."""
    return str(error).split(": While", 1)[0]


def _open(path: Path) -> Any:
    """Opens a database.

    Raises:
        StoreDamagedError: it cannot be read, or was found damaged before.
        StoreInUseError: another process has it open.
        SetupError: rocksdict is not installed.
        DependencyError: the disk is full.
    """
    try:
        from rocksdict import BlockBasedOptions, Cache, DBCompressionType, Options, Rdict, WriteOptions
    except ImportError as error:
        raise SetupError("SHEKARA_STORE=rocksdb needs rocksdict.", "Run: pip install rocksdict") from error
    if (path / _ASIDE).exists():
        raise StoreDamagedError("it was found damaged")
    if RocksStore._cache is None:
        RocksStore._cache = Cache(_CACHE_BYTES)
    blocks = BlockBasedOptions()
    blocks.set_block_cache(RocksStore._cache)
    blocks.set_bloom_filter(10, False)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(blocks)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_write_buffer_size(_WRITE_BUFFER_BYTES)
    options.set_max_write_buffer_number(2)
    options.set_keep_log_file_num(2)
    options.set_max_open_files(256)
    write = WriteOptions()
    write.disable_wal = True  # type: ignore[method-assign,assignment]  # the stub says method; it is a property
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        database = Rdict(str(path), options)
    except Exception as error:
        text = str(error)
        if "lock" in text.lower():
            raise StoreInUseError(text) from error
        if "No space left" in text:
            raise DependencyError(
                f"The local state in {path} cannot be opened: no space is left on the disk.", "Make room."
            ) from error
        raise StoreDamagedError(text) from error
    database.set_write_options(write)
    return database
