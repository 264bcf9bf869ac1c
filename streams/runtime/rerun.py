"""Runs one partition of a source again, up to an offset, as fast as it can be read: for replays into another namespace.

Recovery, decisions and checkpoints are a worker's own (ADR 0020): one transaction a batch, with a marker. So a replay that
was interrupted goes on behind its last batch, and a second one of the same namespace fences the first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams import clock
from streams.errors import DependencyError, IntegrityError
from streams.runtime.batch import Batch, Raw
from streams.runtime.checkpoint import Checkpoint
from streams.runtime.partition import Clients, Lane
from streams.runtime.store import MemoryStore, Source, check_against_source, recover

_WAIT_S = 0.2
_PATIENCE_S = 60.0


def rerun(
    lane: Lane,
    partition: int,
    end: int,
    clients: Clients,
    *,
    transactional_id: str,
    batch_records: int,
    progress: Callable[[int], None],
) -> None:
    """Processes a partition's records below an offset that were not processed yet. Blocks until they are.

    Args:
        lane: source topic, changelog, and what decides.
        partition: its number.
        end: first offset that is not processed.
        clients: makes connections.
        transactional_id: of this partition in this replay, and of nothing else.
        batch_records: records of one batch, at most.
        progress: told the next offset, at the start and after each batch.

    Raises:
        IntegrityError: the source no longer holds what was not processed yet.
        DependencyError: the broker did not answer.
        FencedError: another replay into the same namespace has begun.
    """
    from confluent_kafka import TopicPartition

    checkpoint = Checkpoint(clients.producer(transactional_id), lane.changelog, partition)
    checkpoint.open()
    reader = clients.reader()
    try:
        store = MemoryStore()
        recover(store, reader, lane.changelog, partition)
        low, high = reader.get_watermark_offsets(TopicPartition(lane.topic, partition), timeout=_PATIENCE_S)
        following = check_against_source(store.marker, Source(lane.topic, partition, low, high)) if high > low else end
        core = lane.core(partition, store)
        core.restore()
        progress(following)
        reader.assign([TopicPartition(lane.topic, partition, following)])
        while following < end:
            batch = _next(reader, (lane.topic, partition), (following, end), batch_records)
            outcome = core.process(batch, clock.now_ms())
            store.apply(outcome.changes, marker=outcome.last_offset, changelog_offset=checkpoint.commit(outcome))
            following = batch.next_offset
            progress(following)
    finally:
        reader.close()
        checkpoint.close()


def _next(reader: Any, place: tuple[str, int], bounds: tuple[int, int], records: int) -> Batch:
    """Reads the next run of offsets below an end; the last one ends there, whatever the log holds in its place."""
    from confluent_kafka import KafkaError

    topic, partition = place
    first, end = bounds
    deadline = clock.monotonic_s() + _PATIENCE_S
    while True:
        raws: list[Raw] = []
        ended = False
        for message in reader.consume(records, timeout=_WAIT_S):
            error = message.error()
            if error is None:
                if message.offset() < end:
                    raws.append(Raw(message.offset(), message.timestamp()[1], message.key(), message.value()))
                else:
                    ended = True
            elif error.code() == KafkaError._PARTITION_EOF:
                ended = True
            elif error.code() == KafkaError.OFFSET_OUT_OF_RANGE:
                raise IntegrityError(f"Retention deleted offsets of partition {partition} of {topic} while they were read again.")
            elif not error.retriable():
                raise DependencyError(f"Partition {partition} of {topic} cannot be read: {error.str()}.")
        if ended or (raws and raws[-1].offset + 1 >= end):
            # Marks of transactions may stand between the last record and the end.
            return Batch(topic, partition, first, end, raws)
        if raws:
            return Batch(topic, partition, first, raws[-1].offset + 1, raws)
        if clock.monotonic_s() > deadline:
            raise DependencyError(f"Partition {partition} of {topic} gave nothing for {_PATIENCE_S:.0f} s below offset {end}.")
