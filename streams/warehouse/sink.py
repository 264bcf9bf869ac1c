"""From the log to ClickHouse: read, insert, and only then commit.

A unit is everything read since the last commit. It goes to ClickHouse as one block per table; when every block is on disk the
offsets are committed. Killed in between, the unit is read again, in whatever other cut, and changes nothing: a row's key is its
place in the log (events) or its identity and version (decisions), and tables replace rows by key. A row ClickHouse does not take
goes to the dead letters, in one transaction with the offsets.
"""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, Protocol

import stamina
import structlog

from streams import metrics
from streams.clock import monotonic_s
from streams.errors import DependencyError
from streams.records import DeadLetter
from streams.warehouse.block import Block
from streams.warehouse.columns import INSTANT, WORD, Column
from streams.warehouse.engine import Engine
from streams.warehouse.errors import RefusedError
from streams.warehouse.keeper import Keeper
from streams.warehouse.refusals import CODE, Refusals
from streams.warehouse.rows import Layout, Row, position_of
from streams.warehouse.source import positions, subscribe
from streams.wire.avro import MalformedError, Message, decode_fields
from streams.wire.letter import Received, letter_about

log = structlog.get_logger(__name__)

POLL_RECORDS = 2_000
POLL_S = 0.25
"""How long a poll may keep a stop waiting."""

UNIT_BYTES = 64 * 1024 * 1024
"""Bytes of messages in one unit, at most: dead letters may be 16 MiB each."""

_REFUSED_COLUMNS = (
    Column("topic", WORD, ""),
    Column("partition", "Int32", ""),
    Column("offset", "Int64", ""),
    Column("event_type", WORD, ""),
    Column("received_at", INSTANT, ""),
    Column("reason", "String", ""),
)


class Log(Protocol):
    """The part of confluent-kafka's consumer that is used here; ``Refusals`` asks it for its group besides."""

    def consume(self, num_messages: int, timeout: float) -> list[Any]: ...
    def commit(self, *, offsets: list[Any], asynchronous: bool) -> Any: ...
    def pause(self, partitions: list[Any]) -> None: ...
    def resume(self, partitions: list[Any]) -> None: ...
    def assignment(self) -> list[Any]: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class Unit:
    """What has been read and not committed.

    Attributes:
        rows: deliveries by record class, each a row of fields and position.
        messages: the messages they came in: what a dead letter has to hold.
        letters: about the rows ClickHouse refused.
        next: next offset to read, by topic and partition.
        count: deliveries.
        size: bytes of their messages.
        since_s: when the first was read, on the monotonic clock.
    """

    rows: dict[type[Message], list[Row]] = field(default_factory=lambda: defaultdict(list))
    messages: list[Any] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    next: dict[tuple[str, int], int] = field(default_factory=dict)
    count: int = 0
    size: int = 0
    since_s: float = 0.0


class Sink:
    """Carries topics to ClickHouse until it is told to stop.

    Args:
        engine: where to; used by this thread only.
        consumer: where from; closed at the end.
        layouts: how records become rows.
        refusals: where rows go that ClickHouse does not take.
        batch_rows: rows of one unit, at most.
        batch_s: seconds a row waits, at most.
        stop: set to end; the unit at hand is still delivered if ClickHouse answers at once.
        until_caught_up: end by itself when everything in the assigned partitions has been delivered.
        keeper: brings the counts behind the marts up to date; before the commit, so that no lag means that they are.
    """

    def __init__(
        self,
        engine: Engine,
        consumer: Log,
        layouts: Mapping[type[Message], Layout],
        refusals: Refusals,
        *,
        batch_rows: int,
        batch_s: float,
        stop: threading.Event,
        until_caught_up: bool = False,
        keeper: Keeper | None = None,
    ) -> None:
        self._engine = engine
        self._consumer = consumer
        self._layouts = layouts
        self._refusals = refusals
        self._batch_rows = batch_rows
        self._batch_s = batch_s
        self._stop = stop
        self._until_caught_up = until_caught_up
        self._keeper = keeper
        self._unit = Unit()
        self._ended: set[tuple[str, int]] = set()
        self._early: list[Any] = []
        self.alive_s = monotonic_s()
        self.trouble = "has not read anything yet"

    def run(self, topics: list[str]) -> None:
        """Consumes until stopped; returns with everything committed that ClickHouse has taken.

        Raises:
            RefusedError: ClickHouse refuses every row of a block, or the table: nothing was committed.
        """
        subscribe(self._consumer, topics, lost=self._forget)
        try:
            while not self._stop.is_set():
                self.step()
            if self._unit.next:
                self._deliver()
        except DependencyError as error:
            # Only after a stop: the rows stay in the log and are read again.
            log.warning("stopped with undelivered rows", rows=self._unit.count, error=error.what)
        finally:
            self._consumer.close()

    def step(self) -> None:
        """Reads once, and delivers when enough has come or waited long enough."""
        unit = self._unit
        wait = POLL_S if not unit.next else min(POLL_S, max(0.0, unit.since_s + self._batch_s - monotonic_s()))
        early, self._early = self._early, []
        for message in early or self._consumer.consume(min(POLL_RECORDS, self._batch_rows), wait):
            self._take(message)
        self.alive_s = monotonic_s()
        metrics.SINK_WAITING_ROWS.set(unit.count)
        if unit.next and (
            unit.count >= self._batch_rows or unit.size >= UNIT_BYTES or monotonic_s() - unit.since_s >= self._batch_s
        ):
            self._deliver()

    def _take(self, message: Any) -> None:
        unit = self._unit
        place = (message.topic(), message.partition())
        error = message.error()
        if error is not None:
            self._take_error(error, place, message.offset())
            return
        self._ended.discard(place)
        if not unit.next:
            unit.since_s = monotonic_s()
        offset = message.offset()
        unit.next[place] = offset + 1
        value = message.value()
        try:
            kind, fields = decode_fields(value or b"")
        except MalformedError:
            # The worker's to judge: it puts the message, whole, into the dead letters, which come here too.
            metrics.SINK_UNREADABLE.labels(place[0]).inc()
            return
        unit.rows[kind].append((*fields, *place, offset, message.timestamp()[1]))
        unit.messages.append(message)
        unit.count += 1
        unit.size += len(value)

    def _take_error(self, error: Any, place: tuple[str, int], offset: int) -> None:
        if error.name() == "_PARTITION_EOF":
            self._ended.add(place)
            if not self._unit.next:
                self._unit.since_s = monotonic_s()
            # Beyond the last record there may be transaction marks: committing their end makes "caught up" exact.
            self._unit.next[place] = offset
        else:
            self.trouble = f"Kafka: {error.name()}"
            log.warning("kafka", error=error.name(), topic=place[0])

    def _forget(self) -> None:
        """Drops the unit: its partitions have another owner now, who reads it again."""
        self._unit = Unit()
        self._early.clear()
        self._ended.clear()
        if self._keeper is not None:
            self._keeper.forget()

    def _deliver(self) -> None:
        """Inserts the unit, then commits its offsets.

        Raises:
            DependencyError: ClickHouse does not answer and a stop was asked for.
        """
        unit = self._unit
        for kind, rows in unit.rows.items():
            layout = self._layouts[kind]
            self._insert(layout, rows, unit)
            metrics.SINK_ROWS.labels(layout.table.name).inc(len(rows))
        if unit is not self._unit:
            return  # a rebalance while we waited for ClickHouse took the partitions away: not ours to commit
        if unit.letters:
            self._ended.discard((self._refusals.topic, 0))  # they come back to us: there is more to deliver
        assigned = {(one.topic, one.partition) for one in self._consumer.assignment()}
        caught_up = bool(assigned) and assigned <= self._ended
        if self._keeper is not None:
            self._keeper.after(unit.next, caught_up=caught_up, alive=self._stay_in_group)
            if unit is not self._unit:
                return
        self._commit(unit)
        if unit is not self._unit:
            return
        self._unit = Unit()
        self.trouble = ""
        metrics.SINK_CAUGHT_UP.set(caught_up)
        if caught_up and self._until_caught_up:
            self._stop.set()

    def _commit(self, unit: Unit) -> None:
        from confluent_kafka import KafkaException

        if unit.letters:
            self._commit_with_letters(unit)
            return
        try:
            self._consumer.commit(offsets=positions(unit.next), asynchronous=False)
        except KafkaException as error:
            # The rows are in ClickHouse; what is not committed is read again and replaces itself.
            log.warning("offsets not committed", error=error.args[0].name())

    def _commit_with_letters(self, unit: Unit) -> None:
        """Commits until Kafka has it: going on without would pass over the letters. Gives up when the unit is no longer ours."""
        for attempt in stamina.retry_context(
            on=self._worth_retrying, attempts=None, timeout=None, wait_initial=0.1, wait_max=2.0, wait_jitter=0.2
        ):
            with attempt:
                if attempt.num > 1:
                    self._stay_in_group()
                    if unit is not self._unit:
                        return
                self._refusals.commit(unit.letters, positions(unit.next), self._consumer)

    def _insert(self, layout: Layout, rows: list[Row], unit: Unit) -> None:
        """Inserts deliveries of one type; rows ClickHouse does not take are found by halving and set aside."""
        table = layout.table.name
        try:
            self._send(table, layout.block(rows), token_of(table, rows))
        except RefusedError as error:
            if not error.about_data:
                raise
            if len(rows) == 1:
                self._set_aside(layout, rows[0], error, unit)
                return
            middle = len(rows) // 2
            self._insert(layout, rows[:middle], unit)
            self._insert(layout, rows[middle:], unit)

    def _set_aside(self, layout: Layout, row: Row, error: RefusedError, unit: Unit) -> None:
        position = position_of(row)
        event_type = layout.table.event_type
        metrics.SINK_REFUSED.labels(layout.table.name).inc()
        log.error(
            "row refused", table=layout.table.name, topic=position.topic, partition=position.partition, offset=position.offset
        )
        reason = (
            f"{layout.table.name} did not take the row (ClickHouse code {error.code or 'none: it could not be encoded'}); the "
            "worker has processed the event. Look at the log of 'shekara warehouse', mend the cause, then replay this letter."
        )
        said = [position.topic, position.partition, position.offset, event_type, position.received_at, reason]
        self._send("refused_rows", Block(_REFUSED_COLUMNS, [[value] for value in said]), "")
        if position.topic == self._refusals.topic:
            return  # a letter about a letter would be refused as it was, and so on for ever
        place = (position.topic, position.partition, position.offset)
        message = next(one for one in unit.messages if (one.topic(), one.partition(), one.offset()) == place)
        received = Received(
            position.topic,
            position.partition,
            position.offset,
            position.received_at,
            message.key(),
            message.value(),
            message.headers() or (),
        )
        if self._refusals.worker_refuses(received):
            return
        source = layout.field(row, "source") or ""
        unit.letters.append(letter_about(received, code=CODE, reason=reason, event_type=event_type, source=source))

    def _send(self, table: str, block: Block, token: str) -> None:
        """Sends one block until ClickHouse has it; the same rows under the same token each time."""
        for attempt in stamina.retry_context(
            on=self._worth_retrying, attempts=None, timeout=None, wait_initial=0.1, wait_max=2.0, wait_jitter=0.2
        ):
            with attempt:
                if attempt.num > 1:
                    metrics.SINK_RETRIES.labels(table).inc()
                    self._stay_in_group()
                with metrics.SINK_INSERT_SECONDS.labels(table).time():
                    self._engine.insert(table, block, token=token)

    def _worth_retrying(self, error: Exception) -> bool:
        if not isinstance(error, DependencyError):
            return False
        self.trouble = error.what
        log.warning("rows wait", error=error.what, waiting_rows=self._unit.count)
        return not self._stop.is_set()

    def _stay_in_group(self) -> None:
        """Lets the group know that this member lives while ClickHouse does not: reads nothing, so memory does not grow."""
        assigned = self._consumer.assignment()
        self._consumer.pause(assigned)
        self._early.extend(self._consumer.consume(1, 0.0))
        self._consumer.resume(assigned)
        self.alive_s = monotonic_s()


def token_of(table: str, rows: list[Row]) -> str:
    """Returns the name of a block by what is in it: for every partition its first and last offset and the number of records."""
    ranges: dict[tuple[str, int], list[int]] = {}
    for (topic, partition), some in groupby(rows, key=itemgetter(-4, -3)):
        run = list(some)  # the log hands out runs of one partition
        offsets = [row[-2] for row in run]
        bounds = ranges.setdefault((topic, partition), [offsets[0], offsets[0], 0, run[0][-1]])
        bounds[0], bounds[1] = min(bounds[0], *offsets), max(bounds[1], *offsets)
        bounds[2] += len(run)
    return hashlib.sha256(repr((table, sorted(ranges.items()))).encode()).hexdigest()
