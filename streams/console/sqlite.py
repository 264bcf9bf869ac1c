"""The console's store in a file of its own: SQLite, for one console."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.clock import now_ms
from streams.console.store import Row, Writer, missing_steps, plain
from streams.console.tables import FORM, STEPS
from streams.errors import DependencyError, SetupError

_WAIT_S = 10.0
"""How long a writer waits for another process that writes, e.g. an interrupted one that still ends."""


class _Transaction:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, *values: object) -> list[Row]:
        return self._connection.execute(statement, plain(values)).fetchall()

    def run(self, statement: str, *values: object) -> int:
        return self._connection.execute(statement, plain(values)).rowcount


class SqliteStore:
    """A file only its owner can read; one connection, one user at a time: an operations centre writes a few rows a second.

    Args:
        path: the file; it and its folder are created.

    Raises:
        SetupError: it cannot be opened, or a later version of the program wrote it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._names: dict[str, threading.Lock] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=_WAIT_S)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
        except (OSError, sqlite3.Error) as error:
            raise SetupError(
                f"The console's store {path} cannot be opened: {error}.", "Check the path and its rights."
            ) from error
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        with self.writing() as writer:
            writer.run(FORM)
            for step in missing_steps(writer.rows("SELECT step, digest FROM form"), str(self._path)):
                one = STEPS[step - 1]
                for statement in one.statements:
                    writer.run(statement)
                writer.run("INSERT INTO form VALUES (?, ?, ?, ?)", step, one.name, one.digest, now_ms())
            # Programs from before the table of steps look here.
            writer.run(f"PRAGMA user_version={len(STEPS)}")

    def rows(self, statement: str, *values: object) -> list[Row]:
        """Reads."""
        with self._lock, self._told():
            return self._connection.execute(statement, plain(values)).fetchall()

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """One transaction."""
        with self._lock, self._told():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield _Transaction(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Alone in this process: the file is one console's."""
        with self._lock:
            lock = self._names.setdefault(name, threading.Lock())
        with lock:
            yield

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            # Locked by another process, a full disk, a file that went away: not a fault of the statement.
            raise DependencyError(
                f"The console's store {self._path} does not answer: {error}.", "Is another program using it, or the disk full?"
            ) from error
