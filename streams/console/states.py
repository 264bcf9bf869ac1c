"""What is known about every person, as the worker keeps it: read from its changelog, so that a check answers at once (ADR 0095).

The changelog holds each person's facts and conclusions, packed, newest last. Here they lie by pseudonym in a file only its
owner can read, which is a cache: delete it, and it is read again.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import structlog

from streams.errors import SetupError, ShekaraError
from streams.settings import Settings
from streams.wire.topics import PEOPLE_CHANGELOG

log = structlog.get_logger(__name__)

_MARKER_MARK = b"\x00"
"""No pseudonym begins with a zero byte; the worker's own records do."""

_TABLES = """
CREATE TABLE IF NOT EXISTS state (subject BLOB PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS place (partition INTEGER PRIMARY KEY, next INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS origin (name TEXT PRIMARY KEY);
"""


class States:
    """Follows the changelog in a thread and answers by pseudonym.

    Args:
        settings: must name a Kafka.
        path: the cache's file.

    Raises:
        SetupError: the file cannot be opened.
    """

    def __init__(self, settings: Settings, path: Path) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._stop = threading.Event()
        self._ends: dict[int, int] = {}
        self._next: dict[int, int] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            self._data = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._data.execute("PRAGMA journal_mode=WAL")
            self._data.execute("PRAGMA synchronous=OFF")
            self._data.executescript(_TABLES)
            # A connection of its own: who asks does not wait until what was read has been written.
            self._asked = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False, isolation_level=None
            )
        except (OSError, sqlite3.Error) as error:
            raise SetupError(
                f"The cache of states {path} cannot be opened: {error}.", f"Delete {path}: it is read again."
            ) from error
        self._thread = threading.Thread(target=self._follow, name="states", daemon=True)

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def close(self) -> None:
        """Stops reading."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
        with self._lock, self._asking:
            self._asked.close()
            self._data.close()

    @property
    def caught_up(self) -> bool:
        """Returns whether all that was in the changelog at the start has been read: before that, "unknown" means nothing."""
        return bool(self._ends) and all(self._next.get(partition, 0) >= end for partition, end in self._ends.items())

    def get(self, subject: str) -> bytes | None:
        """Returns a person's packed state; none if nothing is known."""
        with self._asking:
            row = self._asked.execute("SELECT content FROM state WHERE subject = ?", (subject.encode(),)).fetchone()
        return row[0] if row else None

    def take(self, messages: list[Any]) -> None:
        """Takes over what was read: changes and how far they go, together or not at all."""
        changes: dict[bytes, bytes | None] = {}
        reached: dict[int, int] = {}
        for message in messages:
            key = message.key()
            if not key.startswith(_MARKER_MARK):
                changes[key] = message.value()
            reached[message.partition()] = message.offset() + 1
        gone = [(key,) for key, value in changes.items() if value is None]
        kept = [(key, value) for key, value in changes.items() if value is not None]
        with self._lock:
            # The end of a partition may have been told in the same breath, and lies behind the last message.
            reached = {one: max(self._next.get(one, 0), offset) for one, offset in reached.items()}
            self._data.execute("BEGIN")
            try:
                self._data.executemany("DELETE FROM state WHERE subject = ?", gone)
                self._data.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", kept)
                self._next |= reached
                self._data.executemany("INSERT OR REPLACE INTO place VALUES (?, ?)", list(self._next.items()))
            except BaseException:
                self._data.execute("ROLLBACK")
                raise
            self._data.execute("COMMIT")

    def _belongs_to(self, origin: str) -> None:
        """Empties the cache if it was read from another Kafka or namespace."""
        with self._lock:
            if self._data.execute("SELECT name FROM origin").fetchall() != [(origin,)]:
                for table in ("state", "place", "origin"):
                    self._data.execute(f"DELETE FROM {table}")  # noqa: S608
                self._data.execute("INSERT INTO origin VALUES (?)", (origin,))
            self._next = dict(self._data.execute("SELECT partition, next FROM place").fetchall())

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except ShekaraError as error:
                log.warning("changelog", what=error.what)
            except Exception as error:
                log.error("changelog broke", error=type(error).__name__)  # noqa: TRY400  # messages may quote data
            self._stop.wait(2.0)

    def _read(self) -> None:
        from confluent_kafka import KafkaError, TopicPartition

        from streams.warehouse import source

        name = PEOPLE_CHANGELOG.name(self._settings.namespace)
        consumer = source.consumer(self._settings, group_id=f"{self._settings.namespace}-console-states")
        try:
            found = consumer.list_topics(name, timeout=10.0)
            self._belongs_to(f"{found.cluster_id}/{name}")
            begin, ends = [], {}
            for partition in found.topics[name].partitions:
                low, high = consumer.get_watermark_offsets(TopicPartition(name, partition), timeout=10.0)
                ends[partition] = high
                begin.append(TopicPartition(name, partition, min(max(self._next.get(partition, 0), low), high)))
            consumer.assign(begin)
            self._ends = ends
            while not self._stop.is_set():
                messages = []
                for message in consumer.consume(500, 0.1):
                    if message.error() is None:
                        messages.append(message)
                    elif message.error().code() == KafkaError._PARTITION_EOF:  # librdkafka's own name
                        # The end may be a transaction's mark, which is never handed over.
                        self._next[message.partition()] = max(self._next.get(message.partition(), 0), message.offset())
                if messages:
                    self.take(messages)
        finally:
            consumer.close()
