"""A simulated country as files: Avro container files by event type, or JSON lines by topic."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import IO, Any, Literal, Protocol

from fastavro.write import Writer

from streams.errors import UsageError
from streams.records import Record
from streams.simulate.country import Simulation
from streams.simulate.draft import Corrupt
from streams.simulate.run import TellTruth
from streams.simulate.sending import Progress
from streams.wire.avro import schema_of
from streams.wire.jsonform import to_json
from streams.wire.topics import topic_of

Format = Literal["avro", "jsonl"]

CORRUPT_FILE = "corrupt.jsonl"
"""The spoilt messages, as they would be sent: topic, key, value in hexadecimal, and the dead letter they must become."""

_REPORT_EVERY = 1_000


class _Sink(Protocol):
    def write(self, record: Record) -> None: ...

    def close(self) -> None: ...


class _Avro:
    """One container file of one event type."""

    def __init__(self, path: Path, kind: type[Record]) -> None:
        self._names = tuple(field.name for field in fields(kind))
        self._values = attrgetter(*self._names)
        self._file = path.open("wb")
        self._writer = Writer(self._file, dict(schema_of(kind)), codec="deflate")

    def write(self, record: Record) -> None:
        row = dict(zip(self._names, self._values(record), strict=True))
        if row.get("gaps"):
            row["gaps"] = [_plain(gap) for gap in row["gaps"]]
        self._writer.write(row)

    def close(self) -> None:
        self._writer.flush()
        self._file.close()


class _Lines:
    """One file of JSON lines, of every event type of one topic, in the order of the log."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")

    def write(self, record: Record) -> None:
        self._file.write(json.dumps(to_json(record), ensure_ascii=False, separators=(",", ":")) + "\n")

    def close(self) -> None:
        self._file.close()


def _plain(item: Any) -> dict[str, Any]:
    return {field.name: getattr(item, field.name) for field in fields(item)}


def write(
    simulation: Simulation,
    directory: Path,
    file_format: Format,
    *,
    progress: Progress | None = None,
    truth: TellTruth | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> dict[str, int]:
    """Writes a simulated country into a directory.

    Args:
        simulation: the country.
        directory: made if it is not there; must hold no files yet.
        file_format: ``avro``: a container file for each event type; ``jsonl``: a file for each topic, in the order of the log.
        progress: told of every thousand messages.
        truth: takes the truth, line by line.
        stopped: asked between messages; true ends the writing early.

    Returns:
        Messages by file name.

    Raises:
        UsageError: the directory holds something already, or cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise UsageError(f"The directory {directory} is not empty.", "Name a new one: nothing is overwritten.")
        return _write(simulation, directory, file_format, progress, truth, stopped=stopped)
    except OSError as error:
        raise UsageError(f"Cannot write into {directory}: {error.strerror or error}.", "Name another directory.") from error


def _write(
    simulation: Simulation,
    directory: Path,
    file_format: Format,
    progress: Progress | None,
    truth: TellTruth | None,
    *,
    stopped: Callable[[], bool],
) -> dict[str, int]:
    counts: dict[str, int] = {}
    sinks: dict[str, _Sink] = {}
    with ExitStack() as stack:
        corrupt: IO[str] | None = None
        for number, arrival in enumerate(simulation.arrivals(truth), start=1):
            if stopped():
                break
            message = arrival.message
            if isinstance(message, Corrupt):
                if corrupt is None:
                    corrupt = stack.enter_context((directory / CORRUPT_FILE).open("w", encoding="utf-8"))
                name = CORRUPT_FILE
                corrupt.write(
                    json.dumps(
                        {
                            "topic": message.topic.suffix,
                            "key": message.key.hex(),
                            "value": message.value.hex(),
                            "code": message.code,
                        }
                    )
                    + "\n"
                )
            else:
                stem = message.NAME if file_format == "avro" else topic_of(type(message)).suffix
                name = f"{stem}.{file_format}"
                sink = sinks.get(name)
                if sink is None:
                    path = directory / name
                    sink = sinks[name] = _Avro(path, type(message)) if file_format == "avro" else _Lines(path)
                    stack.callback(sink.close)
                sink.write(message)
            counts[name] = counts.get(name, 0) + 1
            if progress is not None and number % _REPORT_EVERY == 0:
                progress(number, arrival.at_ms)
    return dict(sorted(counts.items()))
