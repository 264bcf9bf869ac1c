"""The ClickHouse engine in this process (chDB). One process owns a data path."""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from streams.errors import DependencyError, SetupError
from streams.warehouse.block import Block, Result, answer, encode
from streams.warehouse.columns import quote
from streams.warehouse.engine import DATABASE
from streams.warehouse.errors import NOT_NOW_CODES, RefusedError, code_of, sentence_of


class Embedded:
    """An ``Engine`` over chDB; its connection may be used from several threads, which then wait for each other.

    Args:
        path: data directory; created when absent.
        database: created when absent; empty uses none (read-only opening of a directory that has none).
        settings: engine settings of this connection, by name.

    Raises:
        SetupError: another process has the directory open, or chDB is not installed.
    """

    label = "embedded"

    def __init__(self, path: Path, database: str = DATABASE, settings: Mapping[str, int | str] | None = None) -> None:
        self.path = path.absolute()
        self.database = database
        self._lock = threading.Lock()
        self._connection: Any = None
        self._lock_file: IO[str] | None = _own(self.path)
        self._preamble = ("SET async_insert = 0", *_assignments(settings or {}))
        try:
            self.command(f"CREATE DATABASE IF NOT EXISTS `{database}`")
            self._preamble += (f"USE `{database}`",)
            self._renew()
        except BaseException:
            self.close()
            raise

    def command(self, sql: str) -> None:
        """Runs one statement that has no answer."""
        self._query(sql, "Null")

    def select(self, sql: str) -> Result:
        """Runs one query."""
        return answer(sql, lambda query: self._query(query, "Native"))

    def formatted(self, sql: str, output_format: str, parameters: Mapping[str, str] | None = None) -> bytes:
        """Runs one query and returns its answer in one of ClickHouse's formats."""
        return self._query(sql, output_format, parameters)

    def insert(self, table: str, block: Block, *, token: str = "") -> int:
        """Inserts one block."""
        settings = " SETTINGS async_insert = 0, insert_deduplicate = 1"
        if token:
            settings += f", insert_deduplication_token = {quote(token)}"
        with _as_file(encode(block)) as path:
            self.command(
                f"INSERT INTO `{self.database}`.`{table}` ({block.names}) FROM INFILE {quote(path)}{settings} FORMAT Native"
            )
        return block.rows

    def reader(self, settings: Mapping[str, int | str]) -> Embedded:
        """Returns a second connection to the same data, which can only read.

        Args:
            settings: limits; fixed for good, because a read-only connection cannot change settings.
        """
        reader = object.__new__(Embedded)
        reader.path, reader.database = self.path, self.database
        reader._lock, reader._lock_file, reader._connection = threading.Lock(), None, None
        reader._preamble = (f"USE `{self.database}`", *_assignments(settings), "SET readonly = 1")
        reader._renew()
        return reader

    def close(self) -> None:
        """Closes the connection and gives up the data directory."""
        with self._lock:
            connection, self._connection = self._connection, _CLOSED
            if connection is not None and connection is not _CLOSED:
                connection.close()
            if self._lock_file is not None:
                self._lock_file.close()
                self._lock_file = None

    def _renew(self) -> None:
        """Replaces the connection; the new one is opened first, so that the engine behind them stays."""
        old, new = self._connection, _connect(self.path)
        for statement in self._preamble:
            new.query(statement, "Null")
        self._connection = new
        if old is not None:
            old.close()

    def _query(self, sql: str, output_format: str, parameters: Mapping[str, str] | None = None) -> bytes:
        with self._lock:
            if self._connection is _CLOSED:
                raise DependencyError(f"The embedded ClickHouse in {self.path} has been closed.")
            try:
                if self._connection is None:
                    self._renew()
                said = self._connection.query(sql, output_format, params=dict(parameters) if parameters else None)
                return bytes(said.bytes())
            except RuntimeError as error:
                # A connection whose query failed half-way puts what was written of its answer before the next answer (ADR 0050).
                self._renew()
                raise _translated(error) from error


_CLOSED = object()


def _assignments(settings: Mapping[str, int | str]) -> Iterator[str]:
    for name, value in settings.items():
        yield f"SET {name} = {quote(value) if isinstance(value, str) else value}"


@contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """Gives bytes a path the engine can read, without touching a disk where Linux allows it.

    chDB's own ``send_insert`` is not used: it reports success when the table refuses the rows (ADR 0050).
    """
    if hasattr(os, "memfd_create"):
        with open(os.memfd_create("block"), "wb") as memory:  # noqa: PTH123  # a descriptor has no path to open
            memory.write(content)
            memory.flush()
            yield f"/proc/self/fd/{memory.fileno()}"
        return
    with tempfile.NamedTemporaryFile(suffix=".native") as file:
        file.write(content)
        file.flush()
        yield file.name


def _translated(error: Exception) -> RefusedError | DependencyError:
    text = str(error)
    code = code_of(text)
    if code in NOT_NOW_CODES:
        return DependencyError(f"ClickHouse (embedded) cannot do it now: {sentence_of(text)}.")
    return RefusedError(f"ClickHouse refused: {sentence_of(text)}.", code=code or -1)


def _own(path: Path) -> IO[str]:
    """Locks the data directory for this process.

    Raises:
        SetupError: another process holds it.
    """
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock_path = path.with_name(path.name + ".lock")
    lock_file = lock_path.open("a+", encoding="ascii")
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock_file.seek(0)
        owner = lock_file.read().strip() or "unknown"
        lock_file.close()
        raise SetupError(
            f"The embedded ClickHouse in {path} is already open in process {owner}; one process owns it.",
            "Ask that process ('shekara sql' finds it), or stop it first.",
        ) from error
    lock_file.truncate(0)
    lock_file.write(str(os.getpid()))
    lock_file.flush()
    return lock_file


def _connect(path: Path) -> Any:
    try:
        from chdb.state.sqlitelike import Connection  # slow to import (1.3 s): only where the engine runs
    except ImportError as error:
        raise SetupError(
            "The embedded ClickHouse engine (chDB) is not installed.",
            "Install shekara[embedded], or set SHEKARA_CLICKHOUSE to use your own server.",
        ) from error
    try:
        return Connection(str(path))
    except RuntimeError as error:
        raise SetupError(
            f"The embedded ClickHouse cannot open {path}: {sentence_of(str(error))}.",
            "Check the directory's rights and the free disk space.",
        ) from error
