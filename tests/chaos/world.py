"""Workers, a broker and disks in one thread: every step, crash and rebalance in the order somebody chooses.

The code under test is the worker's own: ``Ownership``, ``Partition``, ``Checkpoint``, ``recover``, ``PeopleCore``. Only what
is outside of it is made: the transport here, Kafka in ``fake_kafka``, disks and threads in ``machine``.
"""

from __future__ import annotations

import asyncio
from typing import Any

from streams.agents.people import PeopleCore
from streams.decode import Decoder
from streams.errors import DependencyError, FencedError
from streams.policy.load import load
from streams.records import Tick
from streams.runtime.batch import Batch, Raw
from streams.runtime.ownership import Ownership, Place
from streams.runtime.partition import Lane
from streams.runtime.store import MARKER_KEY, MemoryStore, Store, StoreDamagedError, unpack_marker
from streams.wire import avro
from streams.wire.partition import partition_of
from streams.wire.topics import PEOPLE, PEOPLE_CHANGELOG, TOPICS
from tests.chaos import oracle
from tests.chaos.checker import topic_differences
from tests.chaos.fake_kafka import CrashError, Entry, FakeKafka, FakeProducer, FakeReader, Fate
from tests.chaos.machine import Disk, DiskStore, Hands
from tests.integration.counting import Counting
from tests.integration.rig import BASE_MS, crossing, person

NAMESPACE = "sim"
PARTITIONS = 2
_SOURCE, _CHANGELOG = PEOPLE.name(NAMESPACE), PEOPLE_CHANGELOG.name(NAMESPACE)
_WIDE = {topic.name(NAMESPACE) for topic in TOPICS if topic.partitioned}
_PLACES = [Place(_SOURCE, number) for number in range(PARTITIONS)]
_POLICY = load("kz")
_DECODER = Decoder(_POLICY.codes)
_MANY = 10_000
_CURABLE = (CrashError, FencedError, DependencyError, StoreDamagedError)
"""What may end a worker in a simulation: whoever starts it again finds everything."""


def _script(partition: int, length: int = 120) -> list[tuple[bytes, bytes]]:
    """Returns what is published to a partition: events of three people, some with deadlines, ticks, and garbage."""
    home = [subject for subject in map(person, range(50)) if partition_of(subject.encode(), PARTITIONS) == partition][:3]
    found = []
    for number in range(length):
        subject = home[number % 3]
        event = crossing(1000 * partition + number, subject, "timer" if number % 5 == 0 else "post:test", BASE_MS + number)
        found.append((subject.encode(), avro.encode(event)))
        if number % 7 == 3:
            at = BASE_MS + number - 2
            tick = Tick((9000 * partition + number + 1).to_bytes(16, "big"), "wall", at, at, "test", number, at, ())
            found.append((b"tick", avro.encode(tick)))
        if number % 11 == 5:
            found.append((b"x", b"garbage"))
    return found


_SCRIPTS = [_script(partition) for partition in range(PARTITIONS)]


class Event:
    """What the transport delivers."""

    def __init__(self, batch: Batch) -> None:
        self.value = batch
        self.acked = False

    def ack(self) -> bool:
        """Says that the batch is done."""
        self.acked = True
        return True


class Worker:
    """One process: its loop, its hands, its partitions."""

    def __init__(self, world: World, number: int, *, on_disk: bool) -> None:
        self.world = world
        self.number = number
        self.asleep = False
        self.gone = False
        self.halted: BaseException | None = None
        self.positions: dict[Place, int] = {}
        self.flying: dict[Place, list[Event]] = {}
        self.armed: dict[str, tuple[int, Fate]] = {}
        self.hands = Hands()
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda *_: None)
        self._on_disk = on_disk
        self.ownership = Ownership(
            [Lane(_SOURCE, _CHANGELOG, world.core)],
            self,
            rewind=self._rewind,
            open_store=self._open_store,
            fatal=self._fatal,
            batch_records=6,
            reach=self._reach,
            patience_s=1e6,
        )
        self.ownership._executor = self.hands  # type: ignore[assignment]
        self.ownership._decider = self.hands  # type: ignore[assignment]

    def producer(self, transactional_id: str) -> Any:
        """Returns a producer."""
        return FakeProducer(self.world.kafka, transactional_id, self.fate, lambda topic: PARTITIONS if topic in _WIDE else 1)

    def reader(self) -> Any:
        """Returns a reader."""
        return FakeReader(self.world.kafka, self.fate)

    def fate(self, what: str) -> Fate:
        """Returns what becomes of a request, as it was armed."""
        armed = self.armed.get(what)
        if armed is None:
            return "well"
        count, fate = armed
        if count > 0:
            self.armed[what] = (count - 1, fate)
            return "well"
        del self.armed[what]
        return fate

    def spin(self) -> None:
        """Lets the event loop turn until nothing is left to do but the hands' work."""
        ready = self.loop._ready  # type: ignore[attr-defined]  # the one way to know that there is nothing left
        while True:
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()
            if not ready:
                return

    def work(self, pieces: int = 1) -> None:
        """Does some of the work that waits; dies where a crash was armed."""
        for _ in range(pieces):
            if self.gone or not self.hands.waiting:
                break
            try:
                self.hands.work()
            except CrashError:
                self.world.bury(self)
                return
            self.spin()
            if self.halted is not None:
                self.world.bury(self)
                return

    def see_through(self, coroutine: Any) -> None:
        """Runs something of the ownership to its end, doing whatever work it waits for."""
        task = self.loop.create_task(coroutine)
        self.spin()
        while self.hands.waiting and not task.done() and not self.gone:
            self.work()
        assert task.done() or self.gone, "it waits for something nobody does"
        if task.done() and not task.cancelled():
            task.result()

    def close(self) -> None:
        """Takes away what is left of a process that ended; no work of it is done any more."""
        self.hands.idle = True
        self.hands.waiting.clear()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.spin()
        self.loop.close()

    def deliver(self, place: Place, offsets: int, *, lost: bool = False) -> None:
        """Delivers the next offsets of a partition, or loses them on the way as Faust can around a rebalance."""
        if self.gone or place not in self.positions:
            return
        first = self.positions[place]
        log = self.world.kafka.logs[place]
        following = min(len(log), first + offsets)
        records = [
            Raw(offset, BASE_MS, log[offset].key, log[offset].value) for offset in range(first, following) if log[offset].visible
        ]
        if not records:
            return
        self.positions[place] = following
        if lost:
            return
        event = Event(Batch(*place, first, following, records))
        self.flying[place].append(event)
        self.ownership.submit(event)
        self.spin()

    def commit(self) -> None:
        """Commits the group's offsets up to the last batch that was acknowledged with all before it."""
        for place, flying in self.flying.items():
            while flying and flying[0].acked:
                offset = flying.pop(0).value.next_offset
                if self.world.owners.get(place) is self:
                    self.world.kafka.committed[place] = offset

    def _open_store(self, place: Place) -> Store:
        disk = self.world.disks[place.partition]
        if not self._on_disk or (disk.owner is not None and disk.owner is not self):
            return MemoryStore()
        return DiskStore(disk, self)

    async def _rewind(self, place: Place, offset: int) -> None:
        if place in self.positions:
            self.positions[place] = offset
            self.flying[place] = []

    def _fatal(self, error: BaseException) -> None:
        self.halted = self.halted or error

    def _reach(self, point: str) -> None:
        fate = self.fate(point)
        if fate == "crash":
            raise CrashError
        if fate == "lost_answer":
            # Frozen here for a while: the others take over, and go on, before this one comes to itself.
            self.world.overtake(self)


class World:
    """Everything there is; whoever holds it decides what happens next."""

    def __init__(self) -> None:
        self.kafka = FakeKafka(PARTITIONS)
        self.disks = [Disk() for _ in range(PARTITIONS)]
        self.workers: list[Worker] = []
        self.owners: dict[Place, Worker] = {}
        self.crashes = 0
        self._published = [0] * PARTITIONS
        self._numbers = 0
        self._nested = False

    def core(self, partition: int, store: Store) -> PeopleCore:
        """Returns the loop of one partition: ours, with a person that counts."""
        return PeopleCore(
            partition,
            store,
            decoder=_DECODER,
            person=Counting(),
            policy=_POLICY,
            namespace=NAMESPACE,
            partitions=PARTITIONS,
        )

    def publish(self, partition: int, records: int, *, hole: bool = False) -> None:
        """Publishes the next records of the script; before them, an offset that holds none."""
        log = self.kafka.logs[_PLACES[partition]]
        if hole:
            log.append(Entry(mark=True))
        first = self._published[partition]
        for key, value in _SCRIPTS[partition][first : first + records]:
            log.append(Entry(key, value))
            self._published[partition] += 1

    def join(self, *, on_disk: bool = False) -> Worker:
        """Starts a worker; it gets partitions at the next rebalance."""
        worker = Worker(self, self._numbers, on_disk=on_disk)
        self._numbers += 1
        self.workers.append(worker)
        return worker

    @property
    def awake(self) -> list[Worker]:
        """Returns the workers the group counts on."""
        return [worker for worker in self.workers if not worker.gone and not worker.asleep]

    def rebalance(self, turn: int = 0) -> None:
        """Revokes everything from everybody who hears it, then assigns anew."""
        for worker in self.awake:
            worker.positions.clear()
            worker.flying.clear()
            worker.see_through(worker.ownership.revoked(list(_PLACES)))
        members = self.awake
        self.owners = {}
        if not members:
            return
        shares: dict[int, list[Place]] = {index: [] for index in range(len(members))}
        for number, place in enumerate(_PLACES):
            shares[(number + turn) % len(members)].append(place)
        for index, worker in enumerate(members):
            for place in shares[index]:
                self.owners[place] = worker
                worker.positions[place] = self.kafka.committed.get(place, 0)
                worker.flying[place] = []
            worker.see_through(worker.ownership.assigned(shares[index]))

    def overtake(self, worker: Worker) -> None:
        """Freezes a worker in the middle of what it does, while the others go on without it."""
        if self._nested:
            return
        self._nested = True
        worker.asleep = True
        if not self.awake:
            self.join()
        self.rebalance()
        for other in self.awake:
            for place in list(other.positions):
                other.deliver(place, 9)
            other.work(12)
        worker.asleep = False
        self._nested = False

    def bury(self, worker: Worker, loss: int = 1) -> None:
        """Ends a worker at once: nothing of it runs on, and its disk loses the last batches."""
        assert worker.halted is None or isinstance(worker.halted, _CURABLE), worker.halted
        worker.gone = True
        self.crashes += 1
        worker.hands.waiting.clear()
        for disk in self.disks:
            if disk.owner is worker:
                disk.lose(loss)
                disk.owner = None
        for place in [place for place, owner in self.owners.items() if owner is worker]:
            del self.owners[place]

    def leave(self, worker: Worker) -> None:
        """Stops a worker cleanly."""
        worker.see_through(worker.ownership.stop(1e6))
        if not worker.gone:
            self.bury(worker, 0)
            self.crashes -= 1

    def check_always(self) -> None:
        """Fails if anything was acknowledged or committed that no transaction holds."""
        for place in _PLACES:
            marker = self._marker(place.partition)
            assert self.kafka.committed.get(place, 0) <= marker + 1
            for worker in self.workers:
                for event in worker.flying.get(place, ()):
                    assert not event.acked or event.value.next_offset <= marker + 1

    def settle(self) -> None:
        """Lets sleepers wake, one fresh worker finish, and compares all with the oracle."""
        for worker in self.workers:
            worker.asleep = False
            worker.work(40)
            if not worker.gone:
                self.leave(worker)
        last = self.join(on_disk=True)
        self.rebalance()
        for _ in range(_MANY):
            last.work(20)
            if all(self._marker(place.partition) + 1 >= self._end(place) for place in _PLACES):
                break
            assert not last.gone, last.halted
            for place in _PLACES:
                last.deliver(place, 50)
        last.commit()
        self.check_always()
        self.leave(last)
        differences = self.differences()
        assert differences == [], differences

    def close(self) -> None:
        """Closes what the workers left open."""
        for worker in self.workers:
            worker.close()

    def differences(self) -> list[str]:
        """Returns where the topics differ from the oracle."""
        log: oracle.Log = {
            (PEOPLE.suffix, place.partition): [
                oracle.Raw(offset, BASE_MS, entry.key, entry.value)
                for offset, entry in enumerate(self.kafka.logs[place])
                if entry.visible
            ]
            for place in _PLACES
        }
        truth = oracle.judge(log, _POLICY, Counting())
        topics = {topic.suffix: self.kafka.visible(topic.name(NAMESPACE)) for topic in TOPICS if topic.role != "input"}
        return topic_differences(truth, topics)

    def _marker(self, partition: int) -> int:
        for entry in reversed(self.kafka.logs[_CHANGELOG, partition]):
            if entry.visible and entry.key == MARKER_KEY:
                return unpack_marker(entry.value or b"")
        return -1

    def _end(self, place: Place) -> int:
        log = self.kafka.logs[place]
        return max((offset + 1 for offset, entry in enumerate(log) if entry.visible), default=0)
