"""A Kafka small enough to run thousands of times a minute: transactions, fencing, read_committed, and what can go wrong.

Used by the simulation only: everything else in this folder runs on the real one. What it promises is what Kafka promises a
transactional producer: records of a transaction become visible together or not at all, whoever initialises a transactional
id fences the one before and aborts what it left open, and an acknowledgement can get lost on its way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from confluent_kafka import KafkaError, KafkaException

from streams.wire.partition import partition_of

Fate = Literal["well", "crash", "crash_after", "lost_answer", "retriable", "abortable", "down"]
"""What becomes of a request: it works; the process dies before or after; its answer is lost; it is refused."""


class CrashError(BaseException):
    """The process dies here: nothing of it runs on."""


@dataclass(slots=True)
class _Transaction:
    state: Literal["open", "committed", "aborted"] = "open"
    touched: set[tuple[str, int]] = field(default_factory=set)


@dataclass(slots=True)
class Entry:
    """One offset of a partition; without a transaction it is visible at once, a mark is never."""

    key: bytes | None = None
    value: bytes | None = None
    transaction: _Transaction | None = None
    mark: bool = False

    @property
    def visible(self) -> bool:
        """Returns whether a reader with ``read_committed`` is given it."""
        return not self.mark and (self.transaction is None or self.transaction.state == "committed")


class Message:
    """What a consumer gives, as far as it is looked at."""

    def __init__(self, partition: int, offset: int, entry: Entry) -> None:
        self.partition, self.offset = (lambda: partition), (lambda: offset)
        self.key, self.value = (lambda: entry.key), (lambda: entry.value)

    def error(self) -> None:
        """Returns none: the end of a partition is no message here."""
        return


class FakeKafka:
    """The broker.

    Args:
        partitions: of every topic that has as many as the source; the others have one.
    """

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.logs: dict[tuple[str, int], list[Entry]] = defaultdict(list)
        self.committed: dict[tuple[str, int], int] = {}
        self._epochs: dict[str, int] = defaultdict(int)
        self._open: dict[str, _Transaction] = {}

    def visible(self, topic: str) -> list[Message]:
        """Returns every committed record of a topic."""
        return [
            Message(place[1], offset, entry)
            for place, log in sorted(self.logs.items())
            if place[0] == topic
            for offset, entry in enumerate(log)
            if entry.visible
        ]

    def take_over(self, name: str) -> int:
        """Fences whoever had a transactional id; returns the new epoch."""
        self._epochs[name] += 1
        self.end(name, "aborted")
        return self._epochs[name]

    def is_current(self, name: str, epoch: int) -> bool:
        """Returns whether an epoch is the latest of its transactional id."""
        return self._epochs[name] == epoch

    def append(self, name: str, place: tuple[str, int], key: bytes | None, value: bytes | None) -> int:
        """Appends a record to an open transaction; returns its offset."""
        transaction = self._open.setdefault(name, _Transaction())
        transaction.touched.add(place)
        self.logs[place].append(Entry(key, value, transaction))
        return len(self.logs[place]) - 1

    def end(self, name: str, state: Literal["committed", "aborted"]) -> None:
        """Ends the open transaction of a transactional id, if there is one."""
        transaction = self._open.pop(name, None)
        if transaction is not None:
            transaction.state = state
            for place in sorted(transaction.touched):
                self.logs[place].append(Entry(mark=True))


def _error(code: int, *, fatal: bool = False, retriable: bool = False, abort: bool = False) -> KafkaException:
    return KafkaException(KafkaError(code, "simulated", fatal=fatal, retriable=retriable, txn_requires_abort=abort))


class FakeProducer:
    """A transactional producer.

    Args:
        kafka: the broker.
        name: transactional id.
        fate: asked before every request what becomes of it.
        partitions: of a topic.
    """

    def __init__(self, kafka: FakeKafka, name: str, fate: Callable[[str], Fate], partitions: Callable[[str], int]) -> None:
        self._kafka = kafka
        self._name = name
        self._fate = fate
        self._partitions = partitions
        self._epoch = -1
        self._callbacks: list[Callable[[], None]] = []

    def init_transactions(self, _: float) -> None:
        """Takes the transactional id over."""

        def effect() -> None:
            self._epoch = self._kafka.take_over(self._name)

        self._request("init", effect, fenceable=False)

    def begin_transaction(self) -> None:
        """Begins; local, as in librdkafka."""
        self._callbacks = []

    def produce(self, topic: str, value: bytes | None, key: bytes | None, partition: int = -1, on_delivery: Any = None) -> None:
        """Hands a record over; a fenced producer is told at the commit."""
        if self._fate("produce") == "crash":
            raise CrashError
        if not self._kafka.is_current(self._name, self._epoch):
            return
        if partition < 0:
            partition = partition_of(key or b"", self._partitions(topic))
        offset = self._kafka.append(self._name, (topic, partition), key, value)
        if on_delivery is not None:
            entry = self._kafka.logs[topic, partition][offset]
            self._callbacks.append(lambda: on_delivery(None, Message(partition, offset, entry)))

    def commit_transaction(self, _: float) -> None:
        """Makes the transaction visible."""
        for callback in self._callbacks:
            callback()
        self._request("commit", lambda: self._kafka.end(self._name, "committed"))

    def abort_transaction(self, _: float) -> None:
        """Makes it void."""
        self._callbacks = []
        self._request("abort", lambda: self._kafka.end(self._name, "aborted"))

    def purge(self) -> None:
        """Forgets what was not sent."""

    def flush(self, _: float) -> int:
        """Has nothing left."""
        return 0

    def _request(self, what: str, effect: Callable[[], None], *, fenceable: bool = True) -> None:
        fate = self._fate(what)
        if fate == "crash":
            raise CrashError
        if fenceable and not self._kafka.is_current(self._name, self._epoch):
            raise _error(KafkaError._FENCED, fatal=True)
        if fate == "retriable":
            raise _error(KafkaError._TIMED_OUT, retriable=True)
        if fate == "down":
            raise _error(KafkaError._ALL_BROKERS_DOWN)
        if fate == "abortable" and what == "commit":
            raise _error(KafkaError._TIMED_OUT, abort=True)
        effect()
        if fate == "crash_after":
            raise CrashError
        if fate == "lost_answer":
            raise _error(KafkaError._TIMED_OUT, retriable=True)


class FakeReader:
    """A consumer assigned by hand, with ``read_committed``."""

    def __init__(self, kafka: FakeKafka, fate: Callable[[str], Fate]) -> None:
        self._kafka = kafka
        self._fate = fate
        self._place = ("", 0)
        self._position = 0

    def get_watermark_offsets(self, place: Any, timeout: float) -> tuple[int, int]:
        """Returns where a partition begins and ends."""
        return 0, len(self._kafka.logs[place.topic, place.partition])

    def committed(self, places: list[Any], timeout: float) -> list[Any]:
        """Returns the group's offsets."""
        for place in places:
            place.offset = self._kafka.committed.get((place.topic, place.partition), -1001)
        return places

    def assign(self, places: list[Any]) -> None:
        """Reads from an offset on."""
        self._place, self._position = (places[0].topic, places[0].partition), places[0].offset

    def consume(self, count: int, timeout: float) -> list[Any]:
        """Returns the next records, a few at a time; marks at the end are passed with the end of the partition."""
        if self._fate("consume") == "crash":
            raise CrashError
        log = self._kafka.logs[self._place]
        found: list[Any] = []
        while self._position < len(log) and len(found) < 7:
            entry = log[self._position]
            if entry.visible:
                found.append(Message(self._place[1], self._position, entry))
            self._position += 1
        return found if found else [_End(self._position)]

    def unassign(self) -> None:
        """Reads nothing any more."""

    def close(self) -> None:
        """Lets go."""


class _End:
    """The end of a partition, as librdkafka tells it."""

    def __init__(self, offset: int) -> None:
        self.offset = lambda: offset

    def error(self) -> KafkaError:
        """Returns the end."""
        return KafkaError(KafkaError._PARTITION_EOF)
