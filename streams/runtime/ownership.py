"""Which partitions this process owns: taken over when Faust is assigned them, let go when they are revoked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import structlog

from streams import metrics
from streams.errors import DependencyError
from streams.runtime.failpoints import Reach, unarmed
from streams.runtime.partition import Clients, Event, Lane, Partition
from streams.runtime.store import MemoryStore, Store

log = structlog.get_logger(__name__)

_THREADS = 32


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


Listener = Callable[[frozenset[Place]], Awaitable[None]]


class Ownership:
    """The partitions of this process.

    Args:
        lanes: how each source topic is processed.
        clients: makes connections to Kafka.
        rewind: reads a partition again from an offset.
        open_store: opens a partition's state; in memory if not given.
        fatal: told the error that must stop the process.
        batch_records: records handled as one unit, about.
        reach: failpoints.
        patience_s: how long a batch in hand may take when its partition is revoked.
    """

    def __init__(
        self,
        lanes: Iterable[Lane],
        clients: Clients,
        *,
        rewind: Callable[[Place, int], Awaitable[None]],
        open_store: Callable[[Place], Store] = lambda _: MemoryStore(),
        fatal: Callable[[BaseException], None],
        batch_records: int = 2000,
        reach: Reach = unarmed,
        patience_s: float = 30.0,
    ) -> None:
        self.lanes: Mapping[str, Lane] = {lane.topic: lane for lane in lanes}
        self.assigned_once = False
        self.listeners: list[Listener] = []
        self._clients = clients
        self._rewind = rewind
        self._open_store = open_store
        self._fatal = fatal
        self._batch_records = batch_records
        self._reach = reach
        self._patience_s = patience_s
        self._running: dict[Place, Partition] = {}
        self._kept: dict[Place, Store] = {}
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="checkpoint")
        self._decider = ThreadPoolExecutor(1, thread_name_prefix="decide")

    def __iter__(self) -> Iterator[Partition]:
        """Returns the partitions owned now."""
        return iter(list(self._running.values()))

    @property
    def ready(self) -> bool:
        """Returns whether this process took part in a group and every partition it got has its state."""
        return self.assigned_once and all(partition.ready for partition in self._running.values())

    def submit(self, event: Event) -> None:
        """Hands a batch to its partition; one that is not owned any more is dropped, not acknowledged."""
        batch = event.value
        partition = self._running.get(Place(batch.topic, batch.partition))
        if partition is not None:
            partition.submit(event)

    async def assigned(self, places: Iterable[tuple[str, int]]) -> None:
        """Takes over what was assigned. State of a partition that stays here is kept and brought up to date."""
        wanted = {Place(*place) for place in places if place[0] in self.lanes}
        await self._stop([place for place in self._running if place not in wanted], keep=False)
        for place in list(self._kept):
            if place not in wanted:
                self._kept.pop(place).close()
        for place in sorted(wanted - self._running.keys()):
            self._running[place] = self._start(place, self._kept.pop(place, None))
        self.assigned_once = True
        log.info("assigned", partitions=len(self._running))
        for listener in self.listeners:
            await listener(frozenset(self._running))

    async def revoked(self, places: Iterable[tuple[str, int]]) -> None:
        """Lets partitions go, after the batch each has in hand; their state is kept in case they come back."""
        await self._stop([place for place in (Place(*each) for each in places) if place in self._running], keep=True)
        for listener in self.listeners:
            await listener(frozenset(self._running))

    async def stop(self, patience_s: float) -> None:
        """Lets everything go; for the end of the process."""
        self._patience_s = patience_s
        await self.revoked(list(self._running))
        loop = asyncio.get_running_loop()
        kept = [self._kept.pop(place) for place in list(self._kept)]
        await asyncio.gather(*(loop.run_in_executor(self._executor, store.close) for store in kept))
        for executor in (self._executor, self._decider):
            executor.shutdown(wait=False, cancel_futures=True)

    def _start(self, place: Place, store: Store | None) -> Partition:
        partition = Partition(
            self.lanes[place.topic],
            place.partition,
            store,
            clients=self._clients,
            executor=self._executor,
            decider=self._decider,
            transactional_id=f"{place.topic}.{place.partition}",
            open_store=lambda: self._open_store(place),
            rewind=lambda offset: self._rewind(place, offset),
            fatal=self._fatal,
            batch_records=self._batch_records,
            reach=self._reach,
        )
        partition.start()
        return partition

    async def _stop(self, places: list[Place], *, keep: bool) -> None:
        stopping = {place: self._running.pop(place) for place in places}
        ended = await asyncio.gather(*(partition.stop(self._patience_s) for partition in stopping.values()))
        for (place, partition), in_time in zip(stopping.items(), ended, strict=True):
            for gauge in metrics.OF_A_PARTITION:
                gauge.remove(place.topic, str(place.partition))
            if not in_time:
                self._fatal(
                    DependencyError(
                        f"A checkpoint of partition {place.partition} of {place.topic} did not end in {self._patience_s:g} s.",
                        "Look at the broker; the worker goes on where it was once it is restarted.",
                    )
                )
            elif keep:
                self._kept[place] = partition.store
            else:
                partition.store.close()
