"""A vault in a SQLite file: beside a gateway or an edge, and for the embedded set-up."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple
from pathlib import Path
from typing import Any

from streams.errors import DependencyError, SetupError
from streams.vault.store import Pair, Row

_TABLES = """
CREATE TABLE IF NOT EXISTS document (subject TEXT PRIMARY KEY, sealed BLOB NOT NULL, born_mark BLOB NOT NULL,
    personal_mark BLOB NOT NULL, seen_on INTEGER NOT NULL, kept_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS document_born ON document (born_mark);
CREATE INDEX IF NOT EXISTS document_personal ON document (personal_mark);
CREATE INDEX IF NOT EXISTS document_kept ON document (kept_at);
CREATE INDEX IF NOT EXISTS document_seen ON document (seen_on);
CREATE TABLE IF NOT EXISTS pair (first TEXT NOT NULL, second TEXT NOT NULL, score REAL NOT NULL, evidence TEXT NOT NULL,
    state TEXT NOT NULL, found_at INTEGER NOT NULL, decided_by TEXT NOT NULL, decided_at INTEGER NOT NULL,
    reason TEXT NOT NULL, PRIMARY KEY (first, second)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
_COLUMNS = "subject, sealed, born_mark, personal_mark, seen_on, kept_at"
_WAIT_S = 10.0
_AT_ONCE = 500
"""Values in one statement; SQLite takes 32 766."""


class SqliteStore:
    """A `Store` in a file that only its owner can read; several processes may have it open.

    Args:
        path: the file; made if there is none.

    Raises:
        SetupError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            self._db = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            # What is erased is overwritten, not only forgotten.
            self._db.execute("PRAGMA secure_delete = ON")
            self._db.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise SetupError(f"The vault {path} cannot be opened: {error}.", "Check the directory and its owner.") from error

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction; within another one of this thread it is part of it."""
        with self._lock, self._told():
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise DependencyError(f"The vault {self._path} cannot be used: {error}.", "Is the disk full?") from error

    def _rows(self, statement: str, *values: Any) -> list[Row]:
        with self._lock, self._told():
            return [Row(*row) for row in self._db.execute(statement, values)]

    def get(self, subjects: Collection[str]) -> dict[str, Row]:
        """Returns rows by pseudonym."""
        found: dict[str, Row] = {}
        for some in _parts(subjects):
            rows = self._rows(f"SELECT {_COLUMNS} FROM document WHERE subject IN ({_places(some)})", *some)  # noqa: S608
            found |= {row.subject: row for row in rows}
        return found

    def put(self, rows: Sequence[Row]) -> None:
        """Writes rows."""
        with self.writing():
            self._db.executemany(
                "INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?, ?, ?)",
                [(row.subject, row.sealed, row.born_mark, row.personal_mark, row.seen_on, row.kept_at) for row in rows],
            )

    def marked(self, marks: Collection[bytes]) -> list[Row]:
        """Returns the rows with any of these marks."""
        found: dict[str, Row] = {}
        for some in _parts(marks):
            for column in ("born_mark", "personal_mark"):
                rows = self._rows(f"SELECT {_COLUMNS} FROM document WHERE {column} IN ({_places(some)})", *some)  # noqa: S608
                found |= {row.subject: row for row in rows}
        return list(found.values())

    def walk(self, after: str, limit: int) -> list[Row]:
        """Returns rows in order, behind one."""
        return self._rows(f"SELECT {_COLUMNS} FROM document WHERE subject > ? ORDER BY subject LIMIT ?", after, limit)  # noqa: S608

    def changed_since(self, at_ms: int) -> list[Row]:
        """Returns the rows that changed."""
        return self._rows(f"SELECT {_COLUMNS} FROM document WHERE kept_at >= ? ORDER BY kept_at", at_ms)  # noqa: S608

    def last_seen_before(self, day: int) -> list[str]:
        """Returns pseudonyms of rows last given before a day."""
        with self._lock, self._told():
            return [row[0] for row in self._db.execute("SELECT subject FROM document WHERE seen_on < ?", (day,))]

    def erase(self, subjects: Collection[str]) -> None:
        """Removes rows and their pairs; what the log of changes still held of them is overwritten too."""
        with self.writing():
            for some in _parts(subjects):
                places = _places(some)
                self._db.execute(f"DELETE FROM document WHERE subject IN ({places})", some)  # noqa: S608
                self._db.execute(f"DELETE FROM pair WHERE first IN ({places}) OR second IN ({places})", some + some)  # noqa: S608
        # Another process that reads may hold the log: it is cut at the next time then.
        with self._lock, suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def count(self) -> int:
        """Returns how many rows there are."""
        with self._lock, self._told():
            return int(self._db.execute("SELECT count(*) FROM document").fetchone()[0])

    def pairs(self) -> list[Pair]:
        """Returns every pair."""
        with self._lock, self._told():
            return [Pair(*row) for row in self._db.execute("SELECT * FROM pair ORDER BY score DESC, first, second")]

    def put_pairs(self, pairs: Sequence[Pair]) -> None:
        """Writes pairs."""
        with self.writing():
            self._db.executemany(
                "INSERT OR REPLACE INTO pair VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [astuple(one) for one in pairs],
            )

    def note(self, name: str) -> int:
        """Returns a number noted under a name."""
        with self._lock, self._told():
            row = self._db.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else 0

    def set_note(self, name: str, value: int) -> None:
        """Notes a number."""
        with self.writing():
            self._db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()


def _parts(values: Collection[Any]) -> Iterator[tuple[Any, ...]]:
    whole = tuple(sorted(values))
    for first in range(0, len(whole), _AT_ONCE):
        yield whole[first : first + _AT_ONCE]


def _places(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
