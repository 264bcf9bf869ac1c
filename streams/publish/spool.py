"""Store and forward: events wait on disk, encrypted and in order, until Kafka has them (ADR 0013).

What ``put`` returned is on disk: it survives kill -9 and loss of power. Nothing waiting is ever dropped: a full spool, and a
full disk, refuse what comes new, with an error the caller sees. ``streams.publish.forwarding`` empties it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.clock import now_ms
from streams.errors import IntegrityError, SetupError, UsageError
from streams.publish import tallies
from streams.publish.publisher import Receipt
from streams.publish.sealing import Keys, UnsealError
from streams.publish.spooled import Placed, SpoolState, Waiting
from streams.publish.tallies import Kept
from streams.publish.tally import Tally
from streams.records import INPUTS, CountStatement, Record, Tick
from streams.wire import avro
from streams.wire.topics import MAX_EVENT_BYTES

MAX_BYTES = 1024 * 1024 * 1024
"""Sealed events a spool holds unless told otherwise: at 210 bytes a crossing five million, four weeks at two a second."""

RECEIPTS_KEPT = 100_000
"""Receipts remembered, the latest: an event put again within them is known to be delivered."""

BALLAST_BYTES = 2 * 1024 * 1024
"""Room held back, so that a full disk does not stop the spool from noting what it has delivered."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS waiting (n INTEGER PRIMARY KEY, event_id BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL,
    put_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS damaged (n INTEGER PRIMARY KEY, event_id BLOB NOT NULL, sealed BLOB NOT NULL,
    put_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sources (source TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS receipts (n INTEGER PRIMARY KEY, event_id BLOB NOT NULL UNIQUE, topic TEXT NOT NULL,
    partition INTEGER NOT NULL, offset INTEGER NOT NULL, put_at INTEGER NOT NULL, arrived_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY, sealed BLOB NOT NULL);
PRAGMA user_version = 1;
"""
_PROBE = b"shekara spool"


class SpoolFullError(SetupError):
    """The spool, or the disk below it, takes nothing more; what it holds is safe and still being sent."""


class Spool:
    """Events on disk, in the order they were put; one process at a time, any of its threads.

    Args:
        path: the SQLite file; made if there is none.
        keys: what seals the events.
        max_bytes: sealed events held at most; beyond it ``put`` raises, nothing is dropped.
        receipts_kept: receipts remembered.

    Raises:
        SetupError: another process has it open, it cannot be written, or it was sealed under other keys.
        IntegrityError: the file is damaged.
    """

    def __init__(self, path: Path, keys: Keys, *, max_bytes: int = MAX_BYTES, receipts_kept: int = RECEIPTS_KEPT) -> None:
        self._path = path
        self._keys = keys
        self._max_bytes = max_bytes
        self._receipts_kept = receipts_kept
        self._lock = threading.RLock()
        self._arrived = threading.Condition()
        self._ballast = path.with_name(path.name + ".ballast")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = sqlite3.connect(path, timeout=2.0, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise SetupError(f"The spool {path} cannot be opened: {error}.", "Check the directory and its owner.") from error
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise
        self._hold_ballast()

    def _prepare(self) -> None:
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")  # one process; and no shared memory, which network drives lack
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")  # every commit is on disk before put returns
            self._db.execute("PRAGMA foreign_keys = OFF")
            self._db.executescript(_SCHEMA + tallies.SCHEMA)
            with suppress(OSError):
                self._path.chmod(0o600)
            fault = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if fault != "ok":
                raise IntegrityError(f"The spool {self._path} is damaged: {fault}.", _DAMAGED)
            self._check_keys()
            self._waiting, self._bytes = self._db.execute(
                "SELECT count(*), coalesce(sum(length(sealed)), 0) FROM waiting"
            ).fetchone()
            self._last_n: int = self._db.execute(
                "SELECT max(coalesce((SELECT max(n) FROM waiting), 0), coalesce((SELECT max(n) FROM receipts), 0), "
                "coalesce((SELECT max(n) FROM damaged), 0))"
            ).fetchone()[0]
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise SetupError(
                    f"Another process has the spool {self._path} open.", "Stop it, or give each its own spool."
                ) from error
            raise SetupError(f"The spool {self._path} cannot be opened: {error}.", "Make room on the disk.") from error
        except sqlite3.DatabaseError as error:
            raise IntegrityError(f"The spool {self._path} is damaged: {error}.", _DAMAGED) from error

    def _check_keys(self) -> None:
        row = self._db.execute("SELECT sealed FROM probe").fetchone()
        if row is None:
            self._db.execute("INSERT INTO probe VALUES (1, ?)", (self._keys.seal(_PROBE, _PROBE),))
            return
        try:
            self._keys.unseal(row[0], _PROBE)
        except UnsealError as error:
            raise SetupError(f"The spool {self._path} was sealed under another key.", error.next_step) from error

    def put(self, record: Record) -> Placed:
        """Takes one event; when this returns it is on disk. As ``put_many``."""
        return self.put_many([record])[0]

    def put_many(self, records: Iterable[Record]) -> list[Placed]:
        """Takes events, all or none, in one write to disk; an event that is here or was delivered is not taken again.

        Args:
            records: input events but ticks; one whose ``source_seq`` is 0 gets its source's next number.

        Raises:
            SpoolFullError: the spool or the disk is full.
            UsageError: an event may not be published, or is too long.
            TypeError, ValueError: a field does not have the schema's type.
        """
        with self._lock:
            before = (self._waiting, self._bytes, self._last_n)
            try:
                with self._change():
                    placed = self._place_all(records)
            except BaseException:
                self._waiting, self._bytes, self._last_n = before
                raise
        self.wake()
        return placed

    def state_counts(self, source: str, make: Callable[[Kept], CountStatement]) -> CountStatement | None:
        """Puts a source's statement of what it has numbered since its last, and counts anew from it: both or neither.

        Args:
            source: its name.
            make: makes the statement; its number is given here.

        Returns:
            The statement as it will be published; none if the source has numbered nothing, or the day has its statement
            already (a clock was set back): what is counted then belongs to the day that is now.

        Raises:
            As ``put_many``.
        """
        with self._lock:
            before = (self._waiting, self._bytes, self._last_n)
            try:
                with self._change():
                    kept = tallies.of(self._db, source)
                    made = None if kept is None else replace(make(kept), source_seq=self.last_number(source) + 1)
                    if made is None:
                        return None
                    if self._known(made) is not None:
                        tallies.belong_to(self._db, source, now_ms())
                        return None
                    tallies.drop(self._db, source)
                    self._place_all([made])
            except BaseException:
                self._waiting, self._bytes, self._last_n = before
                raise
        self.wake()
        return made

    def counted(self) -> list[Kept]:
        """Returns what each source has numbered since its last statement."""
        with self._lock:
            return tallies.all_of(self._db)

    def _place_all(self, records: Iterable[Record]) -> list[Placed]:
        placed, counted = [], dict[str, Tally]()
        for record in records:
            one = self._place(record)
            placed.append(one)
            if one.new:
                counted[record.source] = counted.get(record.source, Tally()).plus(replace(record, source_seq=one.source_seq))
        for source, tally in counted.items():
            tallies.add(self._db, source, tally, now_ms())
        return placed

    def _place(self, record: Record) -> Placed:
        if type(record) not in _TAKEN:
            raise UsageError(f"Expected an event of a border system; came a {record.NAME}.", "See docs/events.md.")
        known = self._known(record)
        if known is not None:
            return known
        if record.source_seq == 0:
            record = replace(record, source_seq=self.last_number(record.source) + 1)
        value = avro.encode(record)
        if len(value) > MAX_EVENT_BYTES:
            raise UsageError(
                f"Expected an event of at most {MAX_EVENT_BYTES} bytes; came {len(value)}.", "Publish one fact each."
            )
        n = self._last_n + 1
        sealed = self._keys.seal(value, _place_of(n, record.event_id))
        if self._bytes + len(sealed) > self._max_bytes:
            raise SpoolFullError(
                f"The spool {self._path} is full: it holds at most {self._max_bytes} bytes, sealed, of events that wait.",
                "Nothing was dropped; what was just given was not taken. Restore the link to Kafka, or raise the limit.",
            )
        now = now_ms()
        self._db.execute("INSERT INTO waiting VALUES (?, ?, ?, ?)", (n, record.event_id, sealed, now))
        self._db.execute(
            "INSERT INTO sources VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET last = max(last, excluded.last)",
            (record.source, record.source_seq),
        )
        self._last_n, self._waiting, self._bytes = n, self._waiting + 1, self._bytes + len(sealed)
        return Placed(record.event_id, record.source_seq, waiting=True, new=True)

    def _known(self, record: Record) -> Placed | None:
        receipt = self.receipt(record.event_id)
        if receipt is not None:
            return Placed(record.event_id, record.source_seq, waiting=False, new=False, receipt=receipt)
        if self._db.execute("SELECT 1 FROM waiting WHERE event_id = ?", (record.event_id,)).fetchone():
            return Placed(record.event_id, record.source_seq, waiting=True, new=False)
        return None

    def last_number(self, source: str) -> int:
        """Returns the last ``source_seq`` a source has used here; 0 for a new source."""
        with self._lock:
            row = self._db.execute("SELECT last FROM sources WHERE source = ?", (source,)).fetchone()
        return int(row[0]) if row else 0

    def receipt(self, event_id: bytes) -> Receipt | None:
        """Returns the receipt of an event Kafka has; none if it waits, was never put, or was delivered long ago."""
        with self._lock:
            row = self._db.execute(
                "SELECT topic, partition, offset, arrived_at FROM receipts WHERE event_id = ?", (event_id,)
            ).fetchone()
        return Receipt(*row) if row else None

    def next_events(self, limit: int) -> list[Waiting]:
        """Returns the oldest events that wait, oldest first; what cannot be unsealed is set aside and counted as damaged."""
        with self._lock:
            rows = self._db.execute(
                "SELECT n, event_id, CAST(sealed AS BLOB), put_at FROM waiting ORDER BY n LIMIT ?", (limit,)
            ).fetchall()
            found, broken = [], []
            for n, event_id, sealed, put_at in rows:
                try:
                    found.append(Waiting(n, event_id, self._keys.unseal(sealed, _place_of(n, event_id)), put_at))
                except UnsealError:
                    broken.append((n, len(sealed)))
            if broken:
                with self._change():
                    for n, _ in broken:
                        self._db.execute("INSERT OR REPLACE INTO damaged SELECT * FROM waiting WHERE n = ?", (n,))
                        self._db.execute("DELETE FROM waiting WHERE n = ?", (n,))
                self._waiting -= len(broken)
                self._bytes -= sum(size for _, size in broken)
        return found

    def settle(self, delivered: Sequence[tuple[Waiting, Receipt]]) -> None:
        """Notes that Kafka has events: they no longer wait, their receipts are kept.

        Raises:
            SpoolFullError: the disk is so full that not even this can be noted; call again with the same.
        """
        if not delivered:
            return
        with self._lock:
            try:
                self._settle(delivered)
            except SpoolFullError:
                self._ballast.unlink(missing_ok=True)
                self._settle(delivered)
            self._hold_ballast()

    def _settle(self, delivered: Sequence[tuple[Waiting, Receipt]]) -> None:
        gone = freed = 0
        with self._change():
            for event, receipt in delivered:
                row = self._db.execute("DELETE FROM waiting WHERE n = ? RETURNING length(sealed)", (event.n,)).fetchone()
                if row is not None:
                    gone, freed = gone + 1, freed + row[0]
                self._db.execute(
                    "INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (event.n, event.event_id, receipt.topic, receipt.partition, receipt.offset, event.put_at, receipt.arrived_at),
                )
            self._db.execute(
                "DELETE FROM receipts WHERE n <= (SELECT n FROM receipts ORDER BY n DESC LIMIT 1 OFFSET ?)",
                (self._receipts_kept,),
            )
        self._waiting, self._bytes = self._waiting - gone, self._bytes - freed

    def state(self) -> SpoolState:
        """Returns what it holds."""
        with self._lock:
            oldest = self._db.execute("SELECT put_at FROM waiting ORDER BY n LIMIT 1").fetchone()
            delivered = self._db.execute("SELECT count(*) FROM receipts").fetchone()[0]
            damaged = self._db.execute("SELECT count(*) FROM damaged").fetchone()[0]
            return SpoolState(self._waiting, self._bytes, self._max_bytes, oldest[0] if oldest else None, delivered, damaged)

    def wait(self, timeout_s: float) -> None:
        """Returns when something was put, or after a time."""
        with self._arrived:
            if not self._waiting:
                self._arrived.wait(timeout_s)

    def wake(self) -> None:
        """Lets whoever is in ``wait`` go on."""
        with self._arrived:
            self._arrived.notify_all()

    def close(self) -> None:
        """Closes the file; what waits stays."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @contextmanager
    def _change(self) -> Iterator[None]:
        """One transaction: all of the block, or nothing of it."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):  # full, or an I/O error: the disk's answer, not the file's fault
                raise SpoolFullError(
                    f"The disk of the spool {self._path} takes nothing more: {error}.",
                    "Make room on it. Nothing that was taken is lost; what was just given was not taken.",
                ) from error
            raise IntegrityError(f"The spool {self._path} is damaged: {error}.", _DAMAGED) from error
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def _hold_ballast(self) -> None:
        with suppress(OSError):
            if not self._ballast.exists() or self._ballast.stat().st_size < BALLAST_BYTES:
                try:
                    with closing(self._ballast.open("wb")) as file:
                        file.write(bytes(BALLAST_BYTES))
                except OSError:
                    self._ballast.unlink(missing_ok=True)
                    raise


_TAKEN = frozenset(INPUTS) - {Tick}
_DAMAGED = "Keep the file, start with a new one, and have the old one read ('sqlite3 FILE .recover'); events in it are sealed."


def _place_of(n: int, event_id: bytes) -> bytes:
    """Binds sealed bytes to their place in the order, so that rows cannot be exchanged."""
    return n.to_bytes(8, "big") + event_id
