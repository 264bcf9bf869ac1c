"""The posts' log: how far every post vouches for its records; and the ticks written from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Lock
from typing import Any

import structlog

from streams import clock, metrics
from streams.agents.door import Decodes, Door
from streams.detect.coverage_ledger import CoverageLedger
from streams.errors import DependencyError
from streams.records import PostHeartbeat, PostOutage, Tick
from streams.runtime.batch import Batch
from streams.runtime.checkpoint import Outcome
from streams.runtime.ownership import Ownership, Place
from streams.runtime.store import Store
from streams.wire import avro
from streams.wire.topics import POSTS

log = structlog.get_logger(__name__)

_DELIVERY_S = 30.0


class PostsCore:
    """The loop of the posts' log.

    Args:
        partition: its number.
        store: its state, one value a post.
        decoder: decodes raw records.
        namespace: prefix of every topic.
    """

    def __init__(self, partition: int, store: Store, *, decoder: Decodes, namespace: str) -> None:
        self._store = store
        self._door = Door(decoder, POSTS, namespace)
        self.partition = partition
        self._ledger = CoverageLedger()
        self._lock = Lock()  # batches are decided in a thread, ticks are made in the event loop

    def tick(self, now_ms: int) -> Tick:
        """Returns the tick record of an instant."""
        with self._lock:
            return self._ledger.tick(now_ms)

    def restore(self) -> None:
        """Takes the ledger back from the state."""
        self._ledger = CoverageLedger()
        for key, value in self._store.items():
            self._ledger.unpack(key.decode(), value)

    def process(self, batch: Batch, now_ms: int) -> Outcome:
        """Takes in a batch of what posts say about themselves."""
        outcome = Outcome(batch.next_offset - 1)
        for raw in batch.records:
            record = self._door.open(raw, batch, outcome)
            if isinstance(record, PostHeartbeat | PostOutage):
                with self._lock:
                    if self._ledger.take(record):
                        outcome.changes[record.subject.encode()] = self._ledger.pack(record.subject)
        self._door.close(batch, outcome, now_ms)
        return outcome


TickMaker = Callable[[int], Tick | None]
"""Makes the tick record of an instant (UTC epoch ms), or none."""


class TickWriter:
    """Writes the time and the coverage to every partition of the person log, while it is told to.

    Plain idempotent writes, not a transaction: the log's clock ignores a tick that is older than the last, so a repeated
    or a late one changes nothing.

    Args:
        producer: makes an idempotent confluent-kafka producer.
        topic: full name of the person log.
        interval_s: seconds between ticks.
        fatal: told the error that must stop the process.
    """

    def __init__(
        self, producer: Callable[[], Any], topic: str, interval_s: float, fatal: Callable[[BaseException], None]
    ) -> None:
        self._make = producer
        self._topic = topic
        self._interval_s = interval_s
        self._fatal = fatal
        self._task: asyncio.Task[None] | None = None

    def start(self, tick: TickMaker) -> None:
        """Begins to write; nothing changes if it has begun.

        Args:
            tick: makes the tick of an instant; none while the coverage is being recovered, then nothing is written.
        """
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(tick), name="ticks")

    async def stop(self) -> None:
        """Stops writing."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self, make: TickMaker) -> None:
        loop = asyncio.get_running_loop()
        try:
            producer = await loop.run_in_executor(None, self._make)
            while True:
                tick = make(clock.now_ms())
                if tick is not None:
                    await loop.run_in_executor(None, self._write, producer, avro.encode(tick))
                    await asyncio.sleep(self._interval_s)
                else:
                    await asyncio.sleep(min(0.1, self._interval_s))
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            # Without ticks no deadline fires: stop rather than look alive.
            self._fatal(error)

    def _write(self, producer: Any, value: bytes) -> None:
        """Writes one tick to every partition and waits until the broker has them. Blocks."""
        from confluent_kafka import KafkaException

        failures: list[str] = []

        def on_delivery(error: Any, _: Any) -> None:
            if error is not None:
                failures.append(error.name())

        try:
            partitions = producer.list_topics(self._topic, timeout=_DELIVERY_S).topics[self._topic].partitions
            for partition in sorted(partitions):
                producer.produce(self._topic, value, b"tick", partition, on_delivery=on_delivery)
            left = producer.flush(_DELIVERY_S)
        except KafkaException as error:
            raise DependencyError(f"Ticks could not be written to {self._topic}: {error.args[0].name()}.") from error
        if left or failures:
            raise DependencyError(
                f"Ticks could not be written to {self._topic}: {failures[0] if failures else 'the broker does not answer'}.",
                "Look at the broker; deadlines fire again once the worker is restarted.",
            )
        metrics.TICKS.inc(len(partitions))


def write_ticks(ownership: Ownership, writer: TickWriter) -> None:
    """Writes ticks whenever, and only while, this process owns the posts' log."""

    def tick(now_ms: int) -> Tick | None:
        for partition in ownership:
            if partition.ready and isinstance(partition.core, PostsCore):
                return partition.core.tick(now_ms)
        return None

    async def follow(owned: frozenset[Place]) -> None:
        if any(place.topic.endswith(f".{POSTS.suffix}") for place in owned):
            writer.start(tick)
        else:
            await writer.stop()

    ownership.listeners.append(follow)
