"""Our sink, from messages as Kafka gives them, against the bare driver, from rows in its own types; both to rows on disk."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from bench.stage import crossing
from streams import bootstrap
from streams.policy.load import load
from streams.runtime.collector import collect_seldom
from streams.settings import Settings
from streams.warehouse import driver_columns
from streams.warehouse.block import Block
from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
from streams.warehouse.rows import Position, layouts, row_of
from streams.warehouse.sink import Sink
from streams.wire import avro

ROWS = 200_000
BATCH = 20_000
RUNS = 3
TOPIC = "bench.people"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Message:
    """A message of confluent-kafka, as far as the sink asks it."""

    __slots__ = ("_offset", "_value")

    def __init__(self, value: bytes, offset: int) -> None:
        self._value, self._offset = value, offset

    def topic(self) -> str:
        return TOPIC

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def error(self) -> None:
        return None

    def value(self) -> bytes:
        return self._value

    def timestamp(self) -> tuple[int, int]:
        return (2, 1_740_812_500_000)


class Held:
    """A consumer whose messages have come already: Kafka costs nothing, so nothing hides behind it."""

    def __init__(self, values: list[bytes], stop: threading.Event) -> None:
        self._values, self._at, self._stop = values, 0, stop

    def subscribe(self, *_: Any, **__: Any) -> None:
        """Joins nothing."""

    def consume(self, most: int, _: float) -> list[Message]:
        first, self._at = self._at, min(self._at + most, len(self._values))
        if first == self._at:
            self._stop.set()
        return [Message(self._values[offset], offset) for offset in range(first, self._at)]

    def commit(self, **_: Any) -> None:
        """Nothing to tell."""

    def assignment(self) -> list[Any]:
        return []

    def pause(self, _: list[Any]) -> None:
        """Never called: the engine answers."""

    def resume(self, _: list[Any]) -> None:
        """Never called."""

    def close(self) -> None:
        """Holds nothing."""


def rates() -> dict[str, Any]:
    """Returns rows per second of wall and of CPU, by lane, and the ratios; medians of runs in turn."""
    layout = next(one for one in layouts(load("kz")).values() if one.table.event_type == "border_crossing")
    records = [crossing(number, ROWS // 10) for number in range(ROWS)]
    values = [avro.encode(record) for record in records]
    blocks = [
        layout.block([row_of(Position(TOPIC, 0, at, 1_740_812_500_000), records[at]) for at in range(start, start + BATCH)])
        for start in range(0, ROWS, BATCH)
    ]
    rows = [list(zip(*_in_the_drivers_types(block), strict=True)) for block in blocks]
    runs: dict[str, list[tuple[float, float]]] = {"sink": [], "bare driver": [], "ready blocks": []}
    for _ in range(RUNS):
        runs["bare driver"].append(_timed(lambda engine: _bare(engine, blocks, rows)))
        runs["sink"].append(_timed(lambda engine: _sink(engine, values)))
        runs["ready blocks"].append(_timed(lambda engine: _ready(engine, blocks)))
    found: dict[str, Any] = {"rows": ROWS, "batch": BATCH, "lanes": {}}
    for lane, taken in runs.items():
        wall, cpu = median(one[0] for one in taken), median(one[1] for one in taken)
        found["lanes"][lane] = {"rows_per_s": round(ROWS / wall), "rows_per_cpu_s": round(ROWS / cpu)}
        print(f"{lane:<14} {ROWS / wall:>10,.0f} rows/s {ROWS / cpu:>10,.0f} rows/CPU-s")
    for lane in ("bare driver", "ready blocks"):
        ratio = [a[1] / b[1] for a, b in zip(runs[lane], runs["sink"], strict=True)]
        found[f"sink_to_{lane.replace(' ', '_')}_by_cpu"] = round(median(ratio), 2)
    return found


def _timed(work: Callable[[Embedded], None]) -> tuple[float, float]:
    with TemporaryDirectory(prefix="bench-sink-") as home:
        engine = Embedded(Path(home) / "clickhouse")
        try:
            migrate(engine)
            gc.collect()
            gc.freeze()  # what the measurement holds is no lane's to look through
            collect_seldom()  # as ``shekara warehouse`` does; for every lane
            wall, cpu = time.perf_counter(), time.process_time()
            work(engine)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            assert engine.select("SELECT count() FROM raw_border_crossing").rows == [(ROWS,)]
        finally:
            engine.close()
    return wall, cpu


def _sink(engine: Embedded, values: list[bytes]) -> None:
    stop = threading.Event()
    refusals = bootstrap.refusals(Settings())  # connects to nothing as long as no row is refused
    Sink(engine, Held(values, stop), layouts(load("kz")), refusals, batch_rows=BATCH, batch_s=1e9, stop=stop).run([TOPIC])


def _ready(engine: Embedded, blocks: list[Block]) -> None:
    for block in blocks:
        engine.insert("raw_border_crossing", block)


def _bare(engine: Embedded, blocks: list[Block], rows: list[list[tuple[Any, ...]]]) -> None:
    """What a program does that gives the driver rows of UUIDs, dates and datetimes: the driver's own columns, the same engine."""
    driver_columns.install(ours=False)
    try:
        for block, some in zip(blocks, rows, strict=True):
            engine.insert("raw_border_crossing", Block(block.columns, list(zip(*some, strict=True))))
    finally:
        driver_columns.install()


def _in_the_drivers_types(block: Block) -> list[list[Any]]:
    made = []
    for column, values in zip(block.columns, block.data, strict=True):
        if column.type.removeprefix("Nullable(").startswith("UUID"):
            made.append([None if value is None else UUID(bytes=value) for value in values])
        elif column.type == "Date32":
            made.append([date(1970, 1, 1) + timedelta(days=value) for value in values])
        elif column.type.startswith("DateTime64"):
            made.append([EPOCH + timedelta(milliseconds=value) for value in values])
        else:
            made.append(list(values))
    return made
