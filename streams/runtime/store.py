"""The state of one partition: packed values by key, the marker that says how far they go, and their recovery.

State is whatever the changelog partition of the same number says, read with ``read_committed``. The marker is a record
of that changelog like any other, so state and marker can never disagree (ADR 0020).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from streams.errors import DependencyError, IntegrityError

MARKER_KEY = b"\x00marker"
"""Changelog key of the marker. No pseudonym begins with a zero byte."""

_READ_AT_ONCE = 5_000
# consume() waits for all it was asked for: short, or the end of a small changelog costs as long.
_READ_WAIT_S = 0.05
_PATIENCE_S = 60.0


def pack_marker(offset: int) -> bytes:
    """Returns the marker's value for the last source offset that is in the state."""
    return offset.to_bytes(8, "big", signed=True)


def unpack_marker(value: bytes) -> int:
    """Returns the last source offset that is in the state.

    Raises:
        IntegrityError: the value is no marker.
    """
    if len(value) != 8:
        raise IntegrityError(
            f"The changelog's marker should be 8 bytes and is {len(value)}: something else has written to the changelog.",
            "Stop all workers, find who writes to the changelog topic, and rebuild it from the log.",
        )
    return int.from_bytes(value, "big", signed=True)


class Store(Protocol):
    """Where the state of one partition lives while this process owns it.

    Attributes:
        marker: last source offset that is in the state; none before the first batch.
        changelog_offset: next changelog offset to read on recovery; 0 for an empty store.
    """

    marker: int | None
    changelog_offset: int

    def get(self, key: bytes) -> bytes | None:
        """Returns the value of a key; none if there is none."""

    def apply(
        self, changes: Mapping[bytes, bytes | None], *, marker: int | None = None, changelog_offset: int | None = None
    ) -> None:
        """Takes over the changes of one batch, all or none.

        Args:
            changes: the last value by key; none removes the key.
            marker: last source offset that is in the state with them; as before if none.
            changelog_offset: next changelog offset to read with them; as before if none.
        """

    def items(self) -> Iterable[tuple[bytes, bytes]]:
        """Returns every key and value, in no particular order."""

    def __len__(self) -> int:
        """Returns how many keys there are, about."""

    def close(self) -> None:
        """Lets go of the state; what is kept on a disk stays there."""


class StoreDamagedError(Exception):
    """A store on a disk cannot be read; it is set aside and made anew from the changelog."""


class MemoryStore:
    """The state in this process's memory; recovery reads the changelog from where it was left."""

    def __init__(self) -> None:
        self.marker: int | None = None
        self.changelog_offset = 0
        self._data: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        """Returns the value of a key; none if there is none."""
        return self._data.get(key)

    def apply(
        self, changes: Mapping[bytes, bytes | None], *, marker: int | None = None, changelog_offset: int | None = None
    ) -> None:
        """Takes over the changes of one batch, all or none.

        Args:
            changes: the last value by key; none removes the key.
            marker: last source offset that is in the state with them; as before if none.
            changelog_offset: next changelog offset to read with them; as before if none.
        """
        if marker is not None:
            self.marker = marker
        if changelog_offset is not None:
            self.changelog_offset = changelog_offset
        data = self._data
        if None not in changes.values():
            data.update(cast("Mapping[bytes, bytes]", changes))
            return
        for key, value in changes.items():
            if value is None:
                data.pop(key, None)
            else:
                data[key] = value

    def items(self) -> Iterable[tuple[bytes, bytes]]:
        """Returns every key and value, in no particular order."""
        return self._data.items()

    def __len__(self) -> int:
        """Returns how many keys there are."""
        return len(self._data)

    def close(self) -> None:
        """Lets go of the state."""
        self._data.clear()


@dataclass(frozen=True, slots=True)
class Source:
    """What the broker holds of a source partition.

    Attributes:
        topic: its topic.
        partition: its number.
        low: first offset it still holds.
        high: the offset the next record will get.
        committed: what the workers' group has committed; none if nothing.
    """

    topic: str
    partition: int
    low: int
    high: int
    committed: int | None = None


def check_against_source(marker: int | None, source: Source) -> int:
    """Returns the next source offset to read, having made sure that the log still holds it.

    Args:
        marker: last source offset in the state; none before the first batch.
        source: what the broker holds.

    Raises:
        IntegrityError: records were deleted before they were read, or the topic is not the one the state came from.
    """
    where = f"partition {source.partition} of {source.topic}"
    if marker is None:
        if source.committed is not None and source.committed > source.low:
            raise IntegrityError(
                f"The workers have processed {where} up to offset {source.committed - 1}, but the changelog holds no state of "
                "it: the changelog topic was deleted or truncated.",
                "Restore the changelog topic; or delete the workers' consumer group: then all is decided again from the log "
                "(docs/operating.md).",
            )
        return source.low
    if source.low > marker + 1:
        raise IntegrityError(
            f"Retention deleted offsets {marker + 1} to {source.low - 1} of {where} before they were processed.",
            "Restore them from a backup, or start a new namespace (SHEKARA_NAMESPACE) from what the log still holds; "
            "then set retention.ms=-1 on the topic (docs/operating.md).",
        )
    if marker >= source.high:
        raise IntegrityError(
            f"The state has processed {where} up to offset {marker}, but the topic ends at {source.high - 1}: "
            "it was deleted and created again, or restored from an older copy.",
            "Restore the topic, or start a new namespace (SHEKARA_NAMESPACE), or delete the changelog topics so that state is "
            "rebuilt from the log.",
        )
    return marker + 1


def recover(
    store: Store,
    consumer: Any,
    topic: str,
    partition: int,
    *,
    progress: Callable[[int], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> bool:
    """Reads a changelog partition into a store, from where the store stands up to the end. Blocks; run it in a thread.

    Call it after the transactional producer of the partition was initialised: that aborts what a previous owner left
    open, so that the end read here is the end.

    Args:
        store: receives the state; its ``changelog_offset`` and ``marker`` are moved on.
        consumer: a confluent-kafka consumer with ``read_committed`` and ``enable.partition.eof``.
        topic: the changelog.
        partition: its partition.
        progress: told how many records were read so far.
        stopped: asked between reads; true ends the recovery early.

    Returns:
        Whether the end was reached; false when it was stopped.

    Raises:
        DependencyError: the broker did not answer.
        IntegrityError: the changelog is shorter than what was read of it before, or its beginning was deleted.
    """
    from confluent_kafka import KafkaError, KafkaException, TopicPartition

    try:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_PATIENCE_S)
    except KafkaException as error:
        raise DependencyError(f"Kafka did not say where partition {partition} of {topic} ends: {error.args[0].str()}.") from error
    if store.changelog_offset > high:
        raise IntegrityError(
            f"Partition {partition} of {topic} ends at offset {high}, but {store.changelog_offset} were read before.",
            "The changelog was truncated or created again: restart the worker so that state is read anew; if it says this again, "
            "delete the worker's directory below SHEKARA_HOME.",
        )
    if store.changelog_offset < low:
        # Compaction keeps the last value of every key and never moves the beginning.
        raise IntegrityError(
            f"Partition {partition} of {topic} begins at offset {low}: what lay before was deleted, and the state with it.",
            "Restore the topic; or delete it and the workers' consumer group, run 'shekara init' and start again: then all is "
            "decided again from the log (docs/operating.md). Its cleanup.policy must be compact.",
        )
    start = store.changelog_offset
    consumer.assign([TopicPartition(topic, partition, start)])
    count = 0
    position = start
    while position < high:
        if stopped():
            return False
        messages = consumer.consume(_READ_AT_ONCE, timeout=_READ_WAIT_S)
        changes: dict[bytes, bytes | None] = {}
        marker: int | None = None
        for message in messages:
            trouble = message.error()
            if trouble is None:
                key, value = message.key(), message.value()
                position = message.offset() + 1
                if key == MARKER_KEY:
                    marker = unpack_marker(value)
                else:
                    changes[key] = value
            elif trouble.code() == KafkaError._PARTITION_EOF:
                position = max(position, message.offset(), high)
            elif not trouble.retriable():
                raise DependencyError(f"Partition {partition} of {topic} cannot be read: {trouble.str()}.")
        store.apply(changes, marker=marker, changelog_offset=position)
        count += len(changes)
        progress(count)
    if position != store.changelog_offset:
        store.apply({}, changelog_offset=position)
    consumer.unassign()
    return True
