"""A vault in ClickHouse: where gateways and consoles of several machines share it, in a database and under a user of its own.

Not a table of the warehouse: whoever may read the warehouse can then never be granted the vault by a slip.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from streams.clock import now_ms
from streams.vault.store import Pair, Row
from streams.warehouse.block import Block
from streams.warehouse.columns import Column, quote
from streams.warehouse.engine import Engine

TABLES = (
    "CREATE TABLE IF NOT EXISTS document (subject String, sealed String, born_mark String, personal_mark String, "
    "seen_on Int32, kept_at Int64, version UInt64) ENGINE = ReplacingMergeTree(version) ORDER BY subject",
    "CREATE TABLE IF NOT EXISTS pair (first String, second String, score Float64, evidence String, state String, "
    "found_at Int64, decided_by String, decided_at Int64, reason String, version UInt64) "
    "ENGINE = ReplacingMergeTree(version) ORDER BY (first, second)",
    "CREATE TABLE IF NOT EXISTS note (name String, value Int64, version UInt64) "
    "ENGINE = ReplacingMergeTree(version) ORDER BY name",
)
"""Bytes stand as hexadecimal text: a String of any bytes is not read back by every client."""

_DOCUMENT = tuple(
    Column(name, kind, "")
    for name, kind in (
        ("subject", "String"), ("sealed", "String"), ("born_mark", "String"), ("personal_mark", "String"), ("seen_on", "Int32"),
        ("kept_at", "Int64"), ("version", "UInt64"),
    )
)  # fmt: skip
_PAIR = tuple(
    Column(name, kind, "")
    for name, kind in (
        ("first", "String"), ("second", "String"), ("score", "Float64"), ("evidence", "String"), ("state", "String"),
        ("found_at", "Int64"), ("decided_by", "String"), ("decided_at", "Int64"), ("reason", "String"), ("version", "UInt64"),
    )
)  # fmt: skip
_NOTE = tuple(Column(name, kind, "") for name, kind in (("name", "String"), ("value", "Int64"), ("version", "UInt64")))
_READ = "SELECT subject, sealed, born_mark, personal_mark, seen_on, kept_at FROM document FINAL"
_AT_ONCE = 2_000
"""Names in one query: well below the 256 KiB a query may have."""


class ClickHouseStore:
    """A `Store` in a ClickHouse database; several processes may use it.

    Of two that keep the same document at the same moment the later one's reading stays; within one process none is lost.

    Args:
        engine: a connection whose database is the vault's.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.RLock()
        self._version = 0
        for statement in TABLES:
            engine.command(statement)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One writer of this process at a time; every table is written as one block."""
        with self._lock:
            yield

    def _next(self) -> int:
        with self._lock:
            self._version = max(self._version + 1, now_ms() * 1_000)
            return self._version

    def _insert(self, table: str, columns: Sequence[Column], rows: list[tuple[Any, ...]]) -> None:
        if rows:
            self._engine.insert(table, Block(tuple(columns), [list(values) for values in zip(*rows, strict=True)]))

    def _rows(self, where: str) -> list[Row]:
        found = self._engine.select(f"{_READ} WHERE {where}").rows
        return [
            Row(subject, bytes.fromhex(sealed), bytes.fromhex(born), bytes.fromhex(personal), int(seen_on), int(kept_at))
            for subject, sealed, born, personal, seen_on, kept_at in found
        ]

    def get(self, subjects: Collection[str]) -> dict[str, Row]:
        """Returns rows by pseudonym."""
        return {row.subject: row for some in _parts(subjects) for row in self._rows(f"subject IN ({_texts(some)})")}

    def put(self, rows: Sequence[Row]) -> None:
        """Writes rows."""
        version = self._next()
        self._insert(
            "document",
            _DOCUMENT,
            [
                (row.subject, row.sealed.hex(), row.born_mark.hex(), row.personal_mark.hex(), row.seen_on, row.kept_at, version)
                for row in rows
            ],
        )

    def marked(self, marks: Collection[bytes]) -> list[Row]:
        """Returns the rows with any of these marks."""
        found: dict[str, Row] = {}
        for some in _parts([mark.hex() for mark in marks]):
            names = _texts(some)
            # Not every version of a row has the mark: the newest decides.
            rows = self._rows(
                f"subject IN (SELECT subject FROM document WHERE born_mark IN ({names}) OR personal_mark IN ({names})) "  # noqa: S608
                f"AND (born_mark IN ({names}) OR personal_mark IN ({names}))"
            )
            found |= {row.subject: row for row in rows}
        return list(found.values())

    def walk(self, after: str, limit: int) -> list[Row]:
        """Returns rows in order, behind one."""
        return self._rows(f"subject > {quote(after)} ORDER BY subject LIMIT {limit:d}")

    def changed_since(self, at_ms: int) -> list[Row]:
        """Returns the rows that changed."""
        return self._rows(f"kept_at >= {at_ms:d} ORDER BY kept_at")

    def last_seen_before(self, day: int) -> list[str]:
        """Returns pseudonyms of rows last given before a day."""
        return [row.subject for row in self._rows(f"seen_on < {day:d}")]

    def erase(self, subjects: Collection[str]) -> None:
        """Removes every version of rows, and their pairs; returns once the files are written anew without them."""
        for some in _parts(subjects):
            names = _texts(some)
            self._engine.command(f"ALTER TABLE document DELETE WHERE subject IN ({names}) SETTINGS mutations_sync = 2")
            self._engine.command(
                f"ALTER TABLE pair DELETE WHERE first IN ({names}) OR second IN ({names}) SETTINGS mutations_sync = 2"
            )

    def count(self) -> int:
        """Returns how many rows there are."""
        return int(self._engine.select("SELECT uniqExact(subject) FROM document").rows[0][0])

    def pairs(self) -> list[Pair]:
        """Returns every pair."""
        columns = ", ".join(column.name for column in _PAIR[:-1])
        found = self._engine.select(f"SELECT {columns} FROM pair FINAL ORDER BY score DESC, first, second").rows  # noqa: S608
        return [Pair(*row) for row in found]

    def put_pairs(self, pairs: Sequence[Pair]) -> None:
        """Writes pairs; of the same pair twice the last counts."""
        version = self._next()
        newest = {(one.first, one.second): one for one in pairs}
        self._insert(
            "pair",
            _PAIR,
            [
                (one.first, one.second, one.score, one.evidence, one.state, one.found_at, *_decided(one), version)
                for one in newest.values()
            ],
        )

    def note(self, name: str) -> int:
        """Returns a number noted under a name."""
        rows = self._engine.select(f"SELECT value FROM note FINAL WHERE name = {quote(name)}").rows  # noqa: S608
        return int(rows[0][0]) if rows else 0

    def set_note(self, name: str, value: int) -> None:
        """Notes a number."""
        self._insert("note", _NOTE, [(name, value, self._next())])

    def close(self) -> None:
        """Closes the connection."""
        self._engine.close()


def _decided(pair: Pair) -> tuple[str, int, str]:
    return pair.decided_by, pair.decided_at, pair.reason


def _parts(values: Collection[str]) -> Iterator[Sequence[str]]:
    whole = sorted(values)
    for first in range(0, len(whole), _AT_ONCE):
        yield whole[first : first + _AT_ONCE]


def _texts(values: Sequence[str]) -> str:
    return ", ".join(quote(value) for value in values)
