"""A Faust transport that hands agents one event per fetched slice of a partition.

Faust delivers records one by one; for small events its book-keeping then costs far more than the work. This plug-in
delivers, for the topics that ask for it, one event whose value is a :class:`~streams.runtime.batch.Batch`: the records
themselves, untouched, and the run of offsets they came from. Every other topic keeps the per-record path. Any Faust
project can use it::

    app = faust.App("shop", broker="shekara://localhost:9092")
    orders = app.topic("orders", schema=Batches(max_records=2000))

    @app.agent(orders)
    async def count(stream):
        async for event in stream.noack().events():
            handle(event.value.records)
            event.ack()

What is promised for a batched topic:

* The batches of one assignment are unbroken: ``first_offset`` of one is ``next_offset`` of the one before. After a seek,
  or where the broker's retention overtook the consumer, it is not, and can be seen not to be.
* A batch is committed once it *and every batch before it* was acknowledged; the offset committed is its ``next_offset``.
* While ``max_in_flight`` records of a partition are delivered and not acknowledged, the partition is not read; the
  others are.
* Records of aborted transactions are never delivered.

Registered as an entry point of ``faust.transports``, and again by importing this module, so that it is found where the
distribution's metadata are missing (a zip, a source tree).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

import aiokafka
from aiokafka.errors import ConsumerStoppedError
from faust.exceptions import ImproperlyConfigured
from faust.serializers.schemas import Schema
from faust.transport.conductor import Conductor
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.runtime.batch import Batch

SCHEME = "shekara"

_SATURATED_POLL_S = 0.01
"""How soon a partition that was full is looked at again; only while one is full."""


class Batches(Schema[Any, Any]):
    """The schema of a topic that is read by the batch: keys and values stay what the broker holds.

    Args:
        max_records: records in one batch, at most.
        max_in_flight: records of one partition delivered and not yet acknowledged, about; the partition is not read
            while there are as many. Twice ``max_records`` keeps an agent busy while the next batch is fetched.
    """

    def __init__(self, *, max_records: int = 2000, max_in_flight: int | None = None) -> None:
        super().__init__()
        self.max_records = max_records
        self.max_in_flight = max_in_flight if max_in_flight is not None else 2 * max_records

    def loads_key(self, app: Any, message: Any, **_: Any) -> Any:
        """Returns the key as it came (a batch has none)."""
        return message.key

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:
        """Returns the batch."""
        return message.value


class _Pending:
    """The batches of one partition that were delivered, oldest first, and how far they are acknowledged."""

    __slots__ = ("acknowledged_to", "messages")

    def __init__(self) -> None:
        self.messages: deque[Any] = deque()
        self.acknowledged_to: int | None = None

    def settle(self) -> None:
        """Drops the leading acknowledged batches, remembering where they ended."""
        messages = self.messages
        while messages and messages[0].acked:
            self.acknowledged_to = messages.popleft().value.next_offset


_LOGGER = logging.getLogger("faust.transport.shekara")


def _slim(result: Any) -> None:
    """Lets a fetched slice hand out aiokafka's own records, not a Python copy of each: a batch asks for nothing more."""
    unpacking = getattr(result, "_partition_records", None)
    if unpacking is not None:
        unpacking._consumer_record = _as_it_is


def _as_it_is(_: Any, record: Any) -> Any:
    return record


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread in which aiokafka lives: fetches slices, and knows exactly which offsets each one spans."""

    logger = _LOGGER
    fetch_max_wait_ms: ClassVar[int] = 100
    """How long the broker may hold a fetch with nothing to give; also how long a partition can wait behind others."""

    def __post_init__(self) -> None:
        """Prepares the order in which partitions take turns."""
        super().__post_init__()
        self._turn = 0

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        # aiokafka keeps these in its fetcher, which is built from the constructor's arguments when the consumer
        # starts; Faust offers no setting for either.
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = self.fetch_max_wait_ms
        return consumer

    def highwater(self, tp: TP) -> int:
        """Returns the end of what may be read: the last stable offset."""
        offset: int = self._ensure_consumer().last_stable_offset(tp)
        return offset

    async def get_batches(self, partitions: Mapping[TP, int | None], wait_s: float) -> dict[TP, list[Any]]:
        """Fetches from some partitions, waiting until any of them has something.

        Args:
            partitions: what to read; the value is the most records of a batch, or none for the per-record path.
            wait_s: seconds to wait at most.

        Returns:
            By partition one batch, or the records where the partition is on the per-record path.
        """
        found: dict[TP, list[Any]] = await self.call_thread(self._fetch, self._ensure_consumer(), partitions, wait_s)
        return found

    async def _fetch(
        self, consumer: aiokafka.AIOKafkaConsumer, partitions: Mapping[TP, int | None], wait_s: float
    ) -> dict[TP, list[Any]]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_s
        fetcher = consumer._fetcher
        while True:
            if not self.consumer.flow_active:
                return {}
            if consumer._closed or fetcher._closed:
                raise ConsumerStoppedError
            subscriptions = fetcher._subscriptions
            if subscriptions.reassignment_in_progress:
                return {}
            with subscriptions.fetch_context():
                found = await self._drain(fetcher, partitions)
                left = deadline - loop.time()
                if found or left <= 0:
                    return found
                await asyncio.wait([fetcher._create_fetch_waiter()], timeout=left)

    async def _drain(self, fetcher: Any, partitions: Mapping[TP, int | None]) -> dict[TP, list[Any]]:
        """Takes what has already arrived. Nothing is awaited between reading a position and taking the records."""
        found: dict[TP, list[Any]] = {}
        arrived = [tp for tp in fetcher._records if TP(tp.topic, tp.partition) in partitions]
        self._turn += 1
        turn = self._turn % len(arrived) if arrived else 0
        subscription = fetcher._subscriptions.subscription
        for key in arrived[turn:] + arrived[:turn]:
            tp = TP(key.topic, key.partition)
            limit = partitions[tp]
            assignment = subscription.assignment
            if assignment is None or key not in assignment.tps:
                continue
            state = assignment.state_value(key)
            before = state._position
            if found and not hasattr(fetcher._records.get(key), "getall"):
                continue  # an error, raised by the next call: what was taken must be delivered first
            if limit is not None:
                _slim(fetcher._records.get(key))
            taken = (await fetcher.fetched_records({key}, timeout=0, max_records=limit)).get(key, [])
            after = state._position
            if limit is None:
                if taken:
                    found[tp] = taken
                continue
            if before is not None and after is not None and after != before:
                # With only transaction marks or aborted records it is an empty run: whoever waits for the log's end to be
                # accounted for must not wait for a record that may never come.
                found[tp] = [Batch(tp.topic, tp.partition, before, after, taken)]
        return found


class Consumer(driver.Consumer):
    """Delivers batches, bounds what is in flight, and commits what was acknowledged without a hole."""

    logger = _LOGGER

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._pending: dict[TP, _Pending] = {}
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def batches_of(self, topic: str) -> Batches | None:
        """Returns how a topic is batched; none for the per-record path.

        Raises:
            ImproperlyConfigured: some readers of the topic want batches and others want records.
        """
        channels = cast("Conductor", self.app.topics)._topic_name_index.get(topic, ())
        schemas = [channel.schema for channel in channels]
        batched = [schema for schema in schemas if isinstance(schema, Batches)]
        if batched and len(batched) != len(schemas):
            raise ImproperlyConfigured(f"Topic {topic!r} is read both by the batch and by the record; choose one.")
        return batched[0] if batched else None

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109 - the driver's signature
        wanted: dict[TP, int | None] = {}
        saturated = False
        for tp in active_partitions or ():
            batches = self.batches_of(tp.topic)
            if batches is None:
                wanted[tp] = None
            elif self._in_flight(tp) >= batches.max_in_flight:
                saturated = True
            else:
                wanted[tp] = batches.max_records
        if saturated:
            timeout = min(timeout, _SATURATED_POLL_S)
        if not wanted:
            await self.sleep(timeout)
            return {}
        thread = cast("ConsumerThread", self._thread)
        return await thread.get_batches(wanted, timeout)

    def _in_flight(self, tp: TP) -> int:
        pending = self._pending.get(tp)
        if pending is None:
            return 0
        pending.settle()
        return sum(len(message.value.records) for message in pending.messages)

    def _to_message(self, tp: TP, record: Any) -> Any:
        if not isinstance(record, Batch):
            return super()._to_message(tp, record)
        timestamp_ms = record.records[-1].timestamp if record.records else 0
        message = ConsumerMessage(
            record.topic,
            record.partition,
            record.next_offset - 1,
            timestamp_ms / 1000.0,
            0,
            None,
            None,
            cast("bytes", record),
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )
        self._pending.setdefault(tp, _Pending()).messages.append(message)
        return message

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        # A batch carries its own run of offsets: what lies before its last one is no gap.
        if self.batches_of(tp.topic) is None:
            await super()._add_gap(tp, offset_from, offset_to)

    def _new_offset(self, tp: TP) -> int | None:
        pending = self._pending.get(tp)
        if pending is None:
            offset: int | None = super()._new_offset(tp)
            return offset
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        pending.settle()
        return pending.acknowledged_to

    def _forget(self, partitions: Iterable[TP]) -> None:
        for tp in partitions:
            self._pending.pop(tp, None)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Forgets what is in flight: Faust drops it, and whoever owns the partition next reads it again."""
        await super().on_partitions_revoked(revoked)
        self._forget(list(self._pending))

    async def perform_seek(self) -> None:
        """Goes back to the committed offsets, forgetting what was delivered beyond them."""
        self._forget(list(self._pending))
        await super().perform_seek()

    async def rewind(self, tp: TP, offset: int) -> None:
        """Reads a partition again from an offset; what was delivered and not acknowledged is forgotten.

        Args:
            tp: an assigned partition.
            offset: the next offset to read.
        """
        self._forget([tp])
        await self.seek_wait({tp: offset})
        # Faust drops what lies below the last offset it read; here that is the one before the next.
        self._read_offset[tp] = offset - 1 if offset else None


class Transport(driver.Transport):
    """aiokafka, by the batch where a topic asks for it."""

    Consumer: ClassVar[type[Any]] = Consumer
    driver_version = f"aiokafka={aiokafka.__version__} by the batch"


def register() -> None:
    """Makes ``shekara://`` known to Faust, whether or not the entry point of the distribution is visible."""
    TRANSPORTS._maybe_finalize()
    TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"


register()
