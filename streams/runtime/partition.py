"""One owned partition: recover its state, then batch by batch decide, checkpoint and acknowledge.

The order is the promise. An event is acknowledged only after the transaction with everything that came of it was
committed; whatever goes wrong before leaves the event unacknowledged and stops the process (ADR 0020).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import stamina
import structlog

from streams import clock, metrics
from streams.errors import DependencyError, IntegrityError
from streams.runtime.allocator import give_back
from streams.runtime.batch import Batch, joined, parts
from streams.runtime.checkpoint import Checkpoint, Outcome
from streams.runtime.failpoints import Reach, unarmed
from streams.runtime.store import MemoryStore, Source, Store, StoreDamagedError, check_against_source, recover

log = structlog.get_logger(__name__)

_HEALINGS = 10

_DECIDE_S = 0.2
"""How long deciding one unit may take: it bounds how late an alert is under load, and how long a stop takes."""

_SMALLEST = 20
_ANSWER_S = 30.0
_PATIENCE_S = 30.0
_T = TypeVar("_T")


class Core(Protocol):
    """The pure loop of one partition: no I/O, no clock, so it can be tested and simulated without Kafka."""

    def restore(self) -> None:
        """Rebuilds whatever is derived from the state, after it was recovered."""

    def process(self, batch: Batch, now_ms: int) -> Outcome:
        """Decides a batch; the state's changes are in the outcome, and in the store only once they are committed.

        Args:
            batch: the next unbroken run of offsets.
            now_ms: wall clock, UTC epoch ms; only for the ledger, never for a decision.
        """


class Clients(Protocol):
    """Makes connections to Kafka; blocking, called in a thread."""

    def producer(self, transactional_id: str) -> Any:
        """Returns a transactional confluent-kafka producer."""

    def reader(self) -> Any:
        """Returns a confluent-kafka consumer that is assigned by hand and reads only what is committed."""


@dataclass(frozen=True, slots=True)
class Lane:
    """How one source topic is processed.

    Attributes:
        topic: source topic.
        changelog: its changelog, with as many partitions.
        core: makes the loop of one partition, given the partition and its store.
    """

    topic: str
    changelog: str
    core: Callable[[int, Store], Core]


class Event(Protocol):
    """What the transport delivers."""

    @property
    def value(self) -> Batch:
        """The batch."""

    def ack(self) -> bool:
        """Says that the batch is done; its offset may be committed."""


class Partition:
    """Runs one partition from its assignment until it is taken away.

    Args:
        lane: how its topic is processed.
        number: its number.
        store: state kept from an earlier assignment; none to open it.
        open_store: opens the state as the disk has it, or an empty one; asked again after it was found damaged.
        clients: makes connections.
        executor: where blocking work is done.
        decider: where batches are decided, one at a time: the event loop stays free, and threads do not fight for it.
        transactional_id: the same for this partition in every process.
        rewind: reads the partition again from an offset.
        fatal: told the error that must stop the process.
        batch_records: records handled as one unit, about: what waits is joined up to this.
        reach: failpoints.
    """

    def __init__(
        self,
        lane: Lane,
        number: int,
        store: Store | None,
        *,
        clients: Clients,
        executor: Executor,
        decider: Executor,
        transactional_id: str,
        open_store: Callable[[], Store] = MemoryStore,
        rewind: Callable[[int], Any],
        fatal: Callable[[BaseException], None],
        batch_records: int = 2000,
        reach: Reach = unarmed,
    ) -> None:
        self.lane = lane
        self.number = number
        self.store: Store = store if store is not None else MemoryStore()
        self._open_store = open_store if store is None else None
        self._reopen_store = open_store
        self.ready = False
        self.next_offset: int | None = None
        self._clients = clients
        self._executor = executor
        self._decider = decider
        self._unit_records = batch_records
        self._transactional_id = transactional_id
        self._rewind = rewind
        self._fatal = fatal
        self._batch_records = batch_records
        self._reach = reach
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._stopping = False
        self._healings = 0
        self._checkpoint: Checkpoint | None = None
        self.core: Core | None = None
        self._task: asyncio.Task[None] | None = None
        self._labels = (lane.topic, str(number))

    @property
    def place(self) -> tuple[str, int]:
        """Returns its topic and number."""
        return self.lane.topic, self.number

    def start(self) -> None:
        """Begins to recover, then to work."""
        self._task = asyncio.create_task(self._run(), name=f"{self.lane.topic}-{self.number}")

    def submit(self, event: Event) -> None:
        """Takes over an event; how many wait is bounded by the transport."""
        if not self._stopping:
            self._queue.put_nowait(event)

    async def stop(self, patience_s: float) -> bool:
        """Ends after the batch in hand; what waits is dropped, not acknowledged.

        Args:
            patience_s: how long the batch in hand may take.

        Returns:
            Whether it ended in time.
        """
        self._stopping = True
        self.ready = False
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)
        if self._task is None:
            return True
        done, _ = await asyncio.wait([self._task], timeout=patience_s)
        return bool(done)

    async def _run(self) -> None:
        try:
            if await self._in_thread(self._open):
                self.ready = True
                log.info("partition_ready", topic=self.lane.topic, partition=self.number, keys=len(self.store))
            while not self._stopping:
                event = await self._queue.get()
                if event is None:
                    break
                await self._take(self._waiting(event))
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            # Whatever it is, the process stops and nothing is acknowledged.
            self._stopping = True
            self._fatal(error)
        finally:
            self.ready = False
            checkpoint, self._checkpoint = self._checkpoint, None
            if checkpoint is not None:
                await self._in_thread(checkpoint.close)

    def _open(self) -> bool:
        """Takes the partition over and recovers its state. Blocks."""
        started = clock.monotonic_s()
        lane, number = self.lane, self.number
        checkpoint = Checkpoint(self._clients.producer(self._transactional_id), lane.changelog, number, reach=self._reach)
        checkpoint.open()
        self._checkpoint = checkpoint
        try:
            recovered = self._recover()
        except StoreDamagedError as error:
            # The changelog is the state; what lies on the disk only saves reading it.
            log.warning("store_set_aside", topic=lane.topic, partition=number, why=str(error))
            self.store.close()
            self._open_store = self._reopen_store
            recovered = self._recover()
        if not recovered:
            return False
        give_back()
        metrics.RECOVERY_SECONDS.labels(*self._labels).set(clock.monotonic_s() - started)
        return True

    def _recover(self) -> bool:
        """Brings the state up to the end of the changelog; returns false if it was told to stop. Blocks."""
        if self._open_store is not None:
            self.store = self._open_store()
            self._open_store = None
        reader = self._clients.reader()
        try:
            if not recover(self.store, reader, self.lane.changelog, self.number, stopped=lambda: self._stopping):
                return False
            source = self._source(reader)
            self.next_offset = check_against_source(self.store.marker, source)
        finally:
            reader.close()
        if self.store.marker is None and source.low > 0:
            # The first worker of a namespace: what the log lost before it cannot be told from what never mattered to it.
            log.warning("log_begins_late", topic=self.lane.topic, partition=self.number, first_offset=source.low)
        if source.committed is not None and source.committed > self.next_offset:
            # Offsets are committed after the state: the broker has lost the end of the changelog, e.g. with its power.
            log.warning(
                "deciding_again",
                topic=self.lane.topic,
                partition=self.number,
                from_offset=self.next_offset,
                to_offset=source.committed - 1,
            )
        self.core = self.lane.core(self.number, self.store)
        self.core.restore()
        return True

    def _source(self, reader: Any) -> Source:
        from confluent_kafka import KafkaException, TopicPartition

        place = TopicPartition(self.lane.topic, self.number)
        low = high = committed = -1
        try:
            # A broker that has just come back does not know yet whose group it coordinates.
            for attempt in stamina.retry_context(
                on=KafkaException, attempts=None, timeout=_PATIENCE_S, wait_initial=0.1, wait_max=1.0
            ):
                with attempt:
                    low, high = reader.get_watermark_offsets(place, timeout=_ANSWER_S)
                    committed = reader.committed([place], timeout=_ANSWER_S)[0].offset
        except KafkaException as error:
            raise DependencyError(
                f"Kafka does not say how far {self.lane.topic} was read: {error.args[0].name()}.",
                "Look at the broker's log, then restart the worker: it goes on where it was.",
            ) from error
        return Source(self.lane.topic, self.number, low, high, committed if committed >= 0 else None)

    def _waiting(self, first: Event) -> list[Event]:
        """Returns an event and those behind it that make one unit with it.

        A checkpoint costs about the same for one record as for a thousand: whatever arrived during the last one shares
        the next one, so that a partition under load is late by two checkpoints, not by one for each fetch.
        """
        events, records = [first], len(first.value.records)
        while records < self._unit_records and not self._queue.empty():
            event = self._queue.get_nowait()
            if event is None:
                self._queue.put_nowait(None)
                break
            events.append(event)
            records += len(event.value.records)
        return events

    async def _take(self, events: list[Event]) -> None:
        expected = self._reached()
        run: list[Batch] = []
        acknowledge: list[Event] = []
        hole: Batch | None = None
        for event in events:
            batch = event.value
            if batch.first_offset > expected:
                hole = batch
                break
            acknowledge.append(event)
            if batch.next_offset > expected:
                run.append(batch.after(expected - 1))
                expected = batch.next_offset
        if run:
            self._healings = 0
            whole = joined(run)
            unit = self._unit_records
            for part in parts(whole, unit if len(whole.records) > 2 * unit else 2 * unit):
                if self._stopping:
                    break
                await self._decide(part)
        reached = self._reached()
        for event in acknowledge:
            if event.value.next_offset <= reached:
                event.ack()
        if hole is not None:
            await self._heal(hole)
        elif not run and not self._stopping and self._queue.empty():
            # Read again after a restart or a rebalance, and the marker says it is done: go on behind it.
            await self._rewind(expected)

    def _reached(self) -> int:
        if self.next_offset is None:  # pragma: no cover - _open set it
            raise AssertionError
        return self.next_offset

    async def _decide(self, batch: Batch) -> None:
        core, checkpoint = self.core, self._checkpoint
        if core is None or checkpoint is None:  # pragma: no cover - _open set them
            raise AssertionError
        started = clock.monotonic_s()
        outcome = await self._in_thread(lambda: core.process(batch, clock.now_ms()), self._decider)
        decided = clock.monotonic_s()
        changelog_end = await self._in_thread(lambda: checkpoint.commit(outcome))
        # In a thread: a store on a disk may have to wait for it.
        await self._in_thread(
            lambda: self.store.apply(outcome.changes, marker=outcome.last_offset, changelog_offset=changelog_end)
        )
        self.next_offset = batch.next_offset
        self._reach("after_apply")
        self._measure(batch, outcome, decided - started, clock.monotonic_s() - decided)
        if len(batch.records) >= _SMALLEST:
            affordable = int(len(batch.records) * _DECIDE_S / max(decided - started, 1e-6))
            self._unit_records = max(_SMALLEST, min(self._batch_records, affordable, 2 * self._unit_records))

    def _measure(self, batch: Batch, outcome: Outcome, process_s: float, checkpoint_s: float) -> None:
        topic = self.lane.topic
        metrics.EVENTS.labels(topic).inc(outcome.processed)
        metrics.BATCH_RECORDS.labels(topic).observe(len(batch.records))
        metrics.PROCESS_SECONDS.labels(topic).observe(process_s)
        metrics.CHECKPOINT_SECONDS.labels(topic).observe(checkpoint_s)
        metrics.STATE_KEYS.labels(*self._labels).set(len(self.store))

    async def _heal(self, batch: Batch) -> None:
        """Goes back to the offset that is due next, if the log still holds it; never goes on over a hole."""
        expected = self.next_offset
        self._healings += 1
        where = f"partition {self.number} of {self.lane.topic}"
        source = await self._in_thread(self._look)
        if expected is None or source.low > expected:
            raise IntegrityError(
                f"Retention deleted offsets {expected} to {source.low - 1} of {where} before they were processed.",
                "Restore them from a backup, or start a new namespace (SHEKARA_NAMESPACE) from what the log still holds; "
                "then set retention.ms=-1 on the topic (docs/operating.md).",
            )
        if self._healings > _HEALINGS:
            raise IntegrityError(
                f"Offset {expected} of {where} does not come, however often it is asked for; offset {batch.first_offset} does.",
                "Compare the topic with its replicas (kafka-dump-log); going on would lose records.",
            )
        metrics.READ_AGAIN.labels(self.lane.topic).inc()
        log.warning("reading_again", topic=self.lane.topic, partition=self.number, expected=expected, came=batch.first_offset)
        while not self._queue.empty():
            self._queue.get_nowait()
        if self._stopping:
            self._queue.put_nowait(None)
            return
        await self._rewind(expected)

    def _look(self) -> Source:
        reader = self._clients.reader()
        try:
            return self._source(reader)
        finally:
            reader.close()

    async def _in_thread(self, work: Callable[[], _T], executor: Executor | None = None) -> _T:
        return await asyncio.get_running_loop().run_in_executor(executor or self._executor, work)
