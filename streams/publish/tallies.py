"""The spool's memory of what each source has numbered since its last statement, in the spool's own file and transactions."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from streams.publish.tally import DIGEST_BYTES, Tally

SCHEMA = """
CREATE TABLE IF NOT EXISTS tallies (source TEXT PRIMARY KEY, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    events INTEGER NOT NULL, crossings INTEGER NOT NULL, digest BLOB NOT NULL, since_at INTEGER NOT NULL) WITHOUT ROWID;
"""


_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Kept:
    """What one source has numbered since its last statement.

    Attributes:
        source: its name.
        tally: counts and digest.
        since_at: when the first of it was put, UTC epoch ms.
    """

    source: str
    tally: Tally
    since_at: int


def add(db: sqlite3.Connection, source: str, more: Tally, now_ms: int) -> None:
    """Counts what was put; within the transaction that puts it."""
    kept = of(db, source)
    tally, since_at = (more, now_ms) if kept is None else (kept.tally.and_then(more), kept.since_at)
    if since_at > now_ms + _DAY_MS:
        since_at = now_ms  # a clock that was far ahead has been set right: no day would end for as long otherwise
    digest = tally.digest.to_bytes(DIGEST_BYTES, "big")
    values = (source, tally.first_seq, tally.last_seq, tally.events, tally.crossings, digest, since_at)
    db.execute("INSERT OR REPLACE INTO tallies VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def of(db: sqlite3.Connection, source: str) -> Kept | None:
    """Returns what is kept of a source; none if it has numbered nothing."""
    row = db.execute("SELECT * FROM tallies WHERE source = ?", (source,)).fetchone()
    return None if row is None else _kept(row)


def all_of(db: sqlite3.Connection) -> list[Kept]:
    """Returns what is kept of every source, by name."""
    return [_kept(row) for row in db.execute("SELECT * FROM tallies ORDER BY source")]


def belong_to(db: sqlite3.Connection, source: str, now_ms: int) -> None:
    """Lets what is counted belong to the day that is now; within a transaction."""
    db.execute("UPDATE tallies SET since_at = ? WHERE source = ?", (now_ms, source))


def drop(db: sqlite3.Connection, source: str) -> None:
    """Begins anew; within the transaction that puts the statement."""
    db.execute("DELETE FROM tallies WHERE source = ?", (source,))


def _kept(row: tuple[str, int, int, int, int, bytes, int]) -> Kept:
    source, first, last, events, crossings, digest, since_at = row
    return Kept(source, Tally(first, last, events, crossings, int.from_bytes(digest, "big")), since_at)
