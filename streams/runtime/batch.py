"""The unit of work: an unbroken run of offsets of one partition, with the records found in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol


class RawRecord(Protocol):
    """A record as the broker keeps it; aiokafka's own record objects qualify, so nothing is copied."""

    @property
    def offset(self) -> int:
        """Its place in the partition."""

    @property
    def timestamp(self) -> int:
        """The broker's timestamp, UTC epoch ms."""

    @property
    def key(self) -> bytes | None:
        """Its key, as it came."""

    @property
    def value(self) -> bytes | None:
        """Its bytes, as they came; none is a tombstone."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Its headers, as they came."""


class Raw(NamedTuple):
    """A raw record made by hand: for tests, simulations and replays."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything a partition holds from ``first_offset`` up to, not including, ``next_offset``.

    Offsets in that range without a record held none when they were read (transaction marks, records of aborted
    transactions, compaction), so batches whose ranges touch have lost nothing between them.

    Attributes:
        topic: source topic.
        partition: source partition.
        first_offset: first offset of the run.
        next_offset: first offset behind the run.
        records: the records, by ascending offset.
    """

    topic: str
    partition: int
    first_offset: int
    next_offset: int
    records: Sequence[RawRecord]

    @property
    def skipped_offsets(self) -> int:
        """Returns how many offsets of the run hold no record."""
        return self.next_offset - self.first_offset - len(self.records)

    def after(self, offset: int) -> Batch:
        """Returns the part of the run behind an offset; the batch itself when all of it lies behind."""
        if offset < self.first_offset:
            return self
        start = min(offset + 1, self.next_offset)
        return Batch(self.topic, self.partition, start, self.next_offset, [r for r in self.records if r.offset > offset])


def parts(batch: Batch, records: int) -> Iterator[Batch]:
    """Yields a batch in pieces of at most so many records; pieces touch, so nothing is lost between them.

    Args:
        batch: what to cut.
        records: records in one piece, at least 1.
    """
    first = batch.first_offset
    for start in range(0, len(batch.records), records):
        piece = batch.records[start : start + records]
        following = batch.next_offset if start + records >= len(batch.records) else batch.records[start + records].offset
        yield Batch(batch.topic, batch.partition, first, following, piece)
        first = following
    if not batch.records:
        yield batch


def joined(batches: Sequence[Batch]) -> Batch:
    """Returns one batch of several that touch, in their order.

    Raises:
        ValueError: two do not touch.
    """
    for one, following in pairwise(batches):
        if one.next_offset != following.first_offset:
            raise ValueError(f"a batch ends at {one.next_offset} and the next begins at {following.first_offset}")
    first, last = batches[0], batches[-1]
    records = [record for batch in batches for record in batch.records]
    return Batch(first.topic, first.partition, first.first_offset, last.next_offset, records)
