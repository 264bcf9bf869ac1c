"""In which order the lane of the links decides: by the time of the logs they come from, not by which log was read further.

Every people's partition hands on its ticks. What a partition wrote between two of its ticks belongs to the first of them; once
all partitions have handed on a later one, nothing of that time can come any more, and it is decided in an order that depends on
the records alone. So the same logs give the same versions, however fast each was read (ADR 0066).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from streams import labour
from streams.detect.logtime import LogTime
from streams.records import EmployerDeclaration, LabourLink, Tick
from streams.wire import avro
from streams.wire.partition import partition_of

WAITING = b"w"
"""First byte of the key a record waits under; behind it its time, so that keys are in the order of deciding."""

CLOCK = b"\x00clock/"
"""Begins the key of a partition's last tick."""

_TIME = Struct(">q")
_VALUE = Struct(">qq")
_SIGN = 1 << 62
"""Keeps times before 1970 in order as bytes."""


class Waiting(NamedTuple):
    """A record whose time has not come.

    Attributes:
        key: what it waits under.
        offset: its place in the log of links.
        timestamp: the broker's timestamp of it, UTC epoch ms.
        value: its bytes.
    """

    key: bytes
    offset: int
    timestamp: int
    value: bytes

    def packed(self) -> bytes:
        """Returns what is kept under the key."""
        return _VALUE.pack(self.offset, self.timestamp) + self.value


def waiting_of(key: bytes, data: bytes) -> Waiting:
    """Returns the record that `Waiting.packed` gave."""
    offset, timestamp = _VALUE.unpack_from(data)
    return Waiting(key, offset, timestamp, data[_VALUE.size :])


class Merge:
    """The clocks of the partitions, and what waits for them.

    Args:
        partitions: how many the log of persons has.
    """

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._ticks: dict[int, Tick] = {}
        self._keys: list[bytes] = []

    def restore(self, key: bytes, value: bytes) -> bool:
        """Takes what was kept; returns whether it is of this kind."""
        if key.startswith(WAITING):
            insort(self._keys, key)
            return True
        if key.startswith(CLOCK):
            tick = avro.decode(value)
            if isinstance(tick, Tick):
                self._ticks[int(key[len(CLOCK) :])] = tick
            return True
        return False

    def wait(self, record: labour.Fact, offset: int, timestamp: int, value: bytes, now: LogTime) -> Waiting:
        """Returns a record with the key it has to wait under.

        A link waits for the time its partition had reached. Declarations and allocations come from logs without ticks: they wait
        for the time they were recorded, or for the next tick where that has passed.
        """
        if isinstance(record, LabourLink):
            known = self._ticks.get(partition_of(record.subject.encode(), self._partitions))
            at_ms = 0 if known is None else known.occurred_at
            name = b"l" + record.kind.encode() + record.link_id + record.subject.encode() + record.version.to_bytes(4, "big")
        else:
            at_ms = max(record.recorded_at, now.now_ms)
            name = (b"d" if isinstance(record, EmployerDeclaration) else b"a") + record.event_id + offset.to_bytes(8, "big")
        key = WAITING + _TIME.pack(at_ms + _SIGN) + name
        place = bisect_left(self._keys, key)
        if self._keys[place : place + 1] != [key]:
            self._keys.insert(place, key)
        return Waiting(key, offset, timestamp, value)

    def tick(self, partition: int, tick: Tick) -> bool:
        """Takes a partition's tick; returns whether its clock moved."""
        known = self._ticks.get(partition)
        if known is not None and tick.occurred_at <= known.occurred_at:
            return False
        self._ticks[partition] = tick
        return True

    def reached(self) -> Tick | None:
        """Returns the last tick that all partitions have handed on; none before they all have handed on one."""
        if any(partition not in self._ticks for partition in range(self._partitions)):
            return None
        return min(self._ticks.values(), key=lambda tick: tick.occurred_at)

    def due(self, before_ms: int) -> Iterator[bytes]:
        """Yields, and forgets, the keys of what belongs to a time before an instant, in the order of deciding."""
        end = WAITING + _TIME.pack(before_ms + _SIGN)
        while self._keys and self._keys[0] < end:
            yield self._keys.pop(0)


def clock_key(partition: int) -> bytes:
    """Returns the key a partition's last tick is kept under."""
    return CLOCK + str(partition).encode()


def tick_key(partition: int) -> bytes:
    """Returns the key of the message in which a partition hands a tick on."""
    return b"tick/" + str(partition).encode()


def partition_of_tick(key: bytes | None) -> int | None:
    """Returns which partition handed a tick on; none if the message's key names none."""
    number = (key or b"").removeprefix(b"tick/")
    return int(number) if number.isdigit() else None
