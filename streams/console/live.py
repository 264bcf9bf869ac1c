"""Live: what the agents write to the alerts topic, to every open feed, none lost and none doubled (ADR 0092).

One thread reads the topic (only what is committed) into one bounded run of entries; every feed walks along it with a place of
its own, told in offsets by partition. A feed that was away longer than the run reaches back is told to load its page again:
it never skips in silence.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import structlog

from streams.clock import monotonic_s
from streams.errors import DependencyError
from streams.records import Alert
from streams.settings import Settings
from streams.wire.avro import MalformedError, decode
from streams.wire.topics import ALERTS

log = structlog.get_logger(__name__)

KEPT = 20_000
"""Versions kept for feeds that come back: about seven minutes at 50 a second."""

AT_ONCE = 200
"""Entries a feed is told in one piece."""
PACE_S = 0.05
"""Feeds are woken no more often: nobody sees the difference, and two hundred of them are woken for several versions at once."""

Position = dict[int, int]
"""Last offset seen, by partition."""

_POSITION = re.compile(r"(?:\d{1,6}:-?\d{1,18}(?:_\d{1,6}:-?\d{1,18})*)?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of one alert in the topic.

    Attributes:
        partition: where it stands.
        offset: where it stands.
        value: the version as it came: a fifth of the memory of its fields, and the run is long.
        received_at: when the broker received it, UTC epoch ms.
    """

    partition: int
    offset: int
    value: bytes
    received_at: int = 0

    @property
    def alert(self) -> Alert:
        """Returns the version."""
        return _alert(self.value)


@lru_cache(maxsize=512)
def _alert(value: bytes) -> Alert:
    found = decode(value)
    if not isinstance(found, Alert):
        raise TypeError(type(found).__name__)
    return found


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is news to a feed.

    Attributes:
        entries: in the order they were read; empty: nothing.
        span: numbers of the first entry and behind the last, if all between are news: feeds with the same span may share what
            is written of it; none if some are left out.
    """

    entries: list[Entry]
    span: tuple[int, int] | None = None


class Run:
    """The newest entries, in the order they were read. Safe for one writer and many readers.

    Args:
        kept: entries kept.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._entries: deque[Entry] = deque()
        self._kept = kept
        self._first = 0
        self._floor: Position = {}
        self._lock = threading.Lock()

    def begin(self, floor: Position) -> None:
        """Says behind which offsets the run begins."""
        with self._lock:
            self._floor = dict(floor)

    def append(self, entries: list[Entry]) -> None:
        """Adds entries; the oldest fall out."""
        with self._lock:
            self._entries.extend(entries)
            while len(self._entries) > self._kept:
                old = self._entries.popleft()
                self._floor[old.partition] = old.offset
                self._first += 1

    def reaches_back_to(self, position: Position) -> bool:
        """Returns whether nothing behind a position is missing from the run (partitions not named: seen from their begin)."""
        with self._lock:
            return all(position.get(partition, -1) >= offset for partition, offset in self._floor.items())

    def after(self, number: int, most: int = AT_ONCE) -> tuple[list[Entry], int] | None:
        """Returns entries from a number on and the number behind them; none if some have fallen out.

        Args:
            number: of the first entry wanted.
            most: at most so many: who comes back after a while is told piece by piece.
        """
        with self._lock:
            if number < self._first:
                return None
            start = number - self._first
            found = [self._entries[index] for index in range(start, min(start + most, len(self._entries)))]
            return found, number + len(found)

    @property
    def first(self) -> int:
        """Returns the number of the oldest entry."""
        with self._lock:
            return self._first


class Bell:
    """Wakes every feed of one event loop together, at most every `PACE_S`: what comes in between goes out in one piece.

    Args:
        loop: the event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()
        self._planned = False
        self._rung_s = -1e9

    def ring_soon(self) -> bool:
        """Wakes, from any thread; returns whether there is still somebody to be woken."""
        try:
            self._loop.call_soon_threadsafe(self._plan)
        except RuntimeError:  # the loop has ended
            return False
        return True

    async def wait(self, patience_s: float) -> None:
        """Waits for the next ring, at most so long."""
        event = self._event
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await event.wait()

    def _plan(self) -> None:
        if not self._planned:
            self._planned = True
            self._loop.call_later(max(0.0, self._rung_s + PACE_S - monotonic_s()), self._ring)

    def _ring(self) -> None:
        self._planned, self._rung_s = False, monotonic_s()
        event, self._event = self._event, asyncio.Event()
        event.set()


class Live:
    """Reads the alerts topic in a thread and wakes the feeds.

    Args:
        settings: must name a Kafka.
        reach_back: how many versions per partition are read again at the start, for feeds that were open before.
        run: where entries are kept.
    """

    def __init__(self, settings: Settings, *, reach_back: int = 2_000, run: Run | None = None) -> None:
        self.run = run or Run()
        self.trouble = "the alerts topic has not been reached yet"
        self._settings = settings
        self._reach_back = reach_back
        self._next: Position = {}
        self._stop = threading.Event()
        self._bells: dict[asyncio.AbstractEventLoop, Bell] = {}
        self._bells_lock = threading.Lock()
        self._thread = threading.Thread(target=self._follow, name="live", daemon=True)

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def close(self) -> None:
        """Stops reading."""
        self._stop.set()
        self._thread.join(5.0)

    def bell(self) -> Bell:
        """Returns what wakes the feeds of the running event loop."""
        loop = asyncio.get_running_loop()
        with self._bells_lock:
            return self._bells.setdefault(loop, Bell(loop))

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except DependencyError as error:
                self.trouble = error.what
                log.warning("alerts topic", what=error.what)
            except Exception as error:
                self.trouble = f"reading the alerts topic broke: {type(error).__name__}"
                log.error("alerts topic broke", error=type(error).__name__)  # noqa: TRY400  # messages may quote data
            self._stop.wait(2.0)

    def _read(self) -> None:
        from confluent_kafka import TopicPartition

        from streams.warehouse import source

        name = ALERTS.name(self._settings.namespace)
        consumer = source.consumer(self._settings, group_id=f"{self._settings.namespace}-console", start="latest")
        try:
            found = consumer.list_topics(name, timeout=10.0).topics[name]
            if found.error is not None:
                raise DependencyError(f"Topic {name} does not exist.", "Create the topics with 'shekara init'.")
            begin: Position = {}
            for partition in found.partitions:
                low, high = consumer.get_watermark_offsets(TopicPartition(name, partition), timeout=10.0)
                begin[partition] = max(low, high - self._reach_back)
            if self._next:
                begin |= self._next  # after trouble: where we were
            else:
                self.run.begin({partition: offset - 1 for partition, offset in begin.items()})
            self._next = begin
            consumer.assign([TopicPartition(name, partition, offset) for partition, offset in begin.items()])
            self.trouble = ""
            while not self._stop.is_set():
                self._take(consumer.consume(500, 0.1))
        finally:
            consumer.close()

    def _take(self, messages: list[Any]) -> None:
        entries = []
        for message in messages:
            if message.error() is not None:
                continue
            self._next[message.partition()] = message.offset() + 1
            try:
                alert = decode(message.value())
            except MalformedError:
                continue  # the warehouse counts what does not decode
            if isinstance(alert, Alert):
                entries.append(Entry(message.partition(), message.offset(), message.value(), message.timestamp()[1]))
        if entries:
            self.run.append(entries)
            self.wake()

    def wake(self) -> None:
        """Lets every feed look whether there is something for it."""
        with self._bells_lock:
            for loop, bell in list(self._bells.items()):
                if not bell.ring_soon():
                    del self._bells[loop]


class Feed:
    """One open feed's place along the run.

    A feed that takes long to write what it was given stays behind alone: it asks for the next stretch when it has written the
    last, and finds it in the run.

    Args:
        live: what is followed.
        position: the last it has seen.
    """

    def __init__(self, live: Live, position: Position) -> None:
        self._live = live
        self._number = live.run.first
        self.position = dict(position)

    def is_complete(self) -> bool:
        """Returns whether nothing was missed so far."""
        return self._live.run.reaches_back_to(self.position)

    async def next(self, patience_s: float, also: Callable[[], bool] = lambda: False) -> Stretch | None:
        """Waits for entries not seen yet.

        Args:
            patience_s: how long, at most; then the stretch is empty.
            also: whether there is something else to tell, for which the stretch may be empty too.

        Returns:
            The entries; none if some have fallen out of the run: the page must be loaded again.
        """
        bell = self._live.bell()
        deadline = monotonic_s() + patience_s
        while True:
            start = self._number
            found = self._live.run.after(start)
            if found is None:
                return None
            entries, self._number = found
            position = self.position
            fresh = [entry for entry in entries if entry.offset > position.get(entry.partition, -1)]
            for entry in fresh:
                position[entry.partition] = entry.offset
            if fresh:
                return Stretch(fresh, (start, self._number) if len(fresh) == len(entries) else None)
            if entries:  # seen before: a feed that comes back walks along the run
                await asyncio.sleep(0)
                continue
            if also() or monotonic_s() >= deadline:
                return Stretch([])
            await bell.wait(max(deadline - monotonic_s(), 0.001))


def write_position(position: Position) -> str:
    """Returns a position as it stands in an event's id: ``0:12_1:7``."""
    return "_".join(f"{partition}:{offset}" for partition, offset in sorted(position.items()))


def read_position(text: str) -> Position | None:
    """Returns the position an id tells; none if it is no id of ours."""
    if not _POSITION.fullmatch(text):
        return None
    return {int(partition): int(offset) for partition, _, offset in (part.partition(":") for part in text.split("_") if part)}
