"""The console's own store: accounts, sessions, notes, audit. Alerts and cases are in the log.

Two databases can stand behind `Store`: SQLite, which is here, and PostgreSQL, for which the statements keep to what both know.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from streams.console.tables import SECOND_FACTOR, WORK
from streams.errors import SetupError

Row = tuple[Any, ...]

FORM = 1
"""Form of the tables below; a store of a later form is refused."""

_TABLES = """
CREATE TABLE IF NOT EXISTS account (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL, oblast TEXT NOT NULL, officer TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL, failures INTEGER NOT NULL, locked_until_at BIGINT NOT NULL, created_at BIGINT NOT NULL,
    disabled INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS invitation (
    digest TEXT PRIMARY KEY, account_id TEXT NOT NULL, expires_at BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS session (
    digest TEXT PRIMARY KEY, account_id TEXT NOT NULL, csrf TEXT NOT NULL, created_at BIGINT NOT NULL, seen_at BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS audit (
    seq INTEGER PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL,
    reason TEXT NOT NULL, previous TEXT NOT NULL, digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS note (
    id TEXT PRIMARY KEY, case_id TEXT NOT NULL, officer TEXT NOT NULL, written_at BIGINT NOT NULL, content TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS note_of_case ON note (case_id, written_at);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS decision (
    event_id TEXT PRIMARY KEY, source_seq BIGINT NOT NULL UNIQUE, occurred_at BIGINT NOT NULL, case_id TEXT NOT NULL,
    decision TEXT NOT NULL, officer TEXT NOT NULL, content TEXT NOT NULL, taken_at BIGINT NOT NULL, sent INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS decision_of_case ON decision (case_id, source_seq);
"""


class Writer(Protocol):
    """One transaction that may write."""

    def rows(self, statement: str, *values: object) -> list[Row]:
        """Reads within the transaction."""

    def run(self, statement: str, *values: object) -> int:
        """Writes; returns how many rows changed."""


class Store(Protocol):
    """Where the console keeps its own data; safe for several threads."""

    def rows(self, statement: str, *values: object) -> list[Row]:
        """Reads; placeholders are ``?``."""

    def writing(self) -> Any:
        """Returns a context: a transaction, alone among writers, committed at its end, undone by an exception."""

    def close(self) -> None:
        """Gives back files and connections."""


class _Transaction:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, *values: object) -> list[Row]:
        return self._connection.execute(statement, values).fetchall()

    def run(self, statement: str, *values: object) -> int:
        return self._connection.execute(statement, values).rowcount


class SqliteStore:
    """A file only its owner can read; one connection, one user at a time: an operations centre writes a few rows a second.

    Args:
        path: the file; it and its folder are created.

    Raises:
        SetupError: it cannot be opened, or a later version of the program wrote it.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            form = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if form > FORM:
                raise SetupError(
                    f"The console's store {path} has form {form}; this program knows form {FORM}.",
                    "Start the version of the program that wrote it.",
                )
            self._connection.executescript(_TABLES + WORK + SECOND_FACTOR)
            self._connection.execute(f"PRAGMA user_version={FORM}")
        except (OSError, sqlite3.Error) as error:
            raise SetupError(
                f"The console's store {path} cannot be opened: {error}.", "Check the path and its rights."
            ) from error

    def rows(self, statement: str, *values: object) -> list[Row]:
        """Reads."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """One transaction."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield _Transaction(self._connection)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._connection.close()
