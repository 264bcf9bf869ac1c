"""A folder whose files become events: a USB stick's drop, an export that COBOL writes at night.

A file is taken when it has not changed for a while. Its rows go into the spool; the file then moves to ``done``, its refused rows
with their reasons to ``refused``. Killed in the middle, it is read again from its beginning: its events have the same ids, so
what was taken is not taken twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from streams.clock import now_ms
from streams.documents import TravelDocument
from streams.errors import UsageError
from streams.publish.completion import Completion
from streams.publish.files import EventFile, guess_format, open_events
from streams.publish.holder import Keep
from streams.publish.mapping import ColumnMapping
from streams.publish.sending import Door
from streams.publish.spool import Spool
from streams.publish.spooled import Placed
from streams.records import Record, Tick
from streams.wire import avro
from streams.wire.jsonform import FieldError

SETTLED_MS = 2_000
"""How long a file must not have changed: programs write in pieces, and USB sticks are slow."""

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".avro", ".xlsx", ".edi")
FIXED_SUFFIXES = (".txt", ".dat")
"""Taken only where the mapping says which characters are which column."""
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a row was not taken.

    Attributes:
        code: ``unreadable``, or the code the system would refuse it with.
        message: what was expected and what came. No personal data.
        field: the field at fault, if one is.
    """

    code: str
    message: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """An event the system will take.

    Attributes:
        record: the event.
        document: whose holder it is about, where the row said so.
    """

    record: Record
    document: TravelDocument | None


class Rows:
    """Makes rows into events the system will take, and keeps them in the spool.

    Args:
        completion: rows to records; a fresh one for every file or request, as it counts.
        door: what the system would say.
        spool: where events wait.
        keep: keeps the documents behind the events' subjects; none where there is no vault.
    """

    def __init__(self, completion: Callable[[], Completion], door: Door, spool: Spool, keep: Keep | None = None) -> None:
        self.completion = completion
        self._door = door
        self._spool = spool
        self._keep = keep

    def record(self, completion: Completion, values: Any) -> Ready | Refused:
        """Returns the event of a row, or why there is none; without a ``source_seq`` the spool numbers it."""
        if isinstance(values, FieldError):
            return Refused("unreadable", str(values), values.field)
        if not isinstance(values, dict):
            return Refused("unreadable", "expected a JSON object, got something else")
        try:
            record, document = completion.read(values)
            if isinstance(record, Tick):
                return Refused("unreadable", "type: expected an event of a border system, got tick", "type")
            fault = self._door(record, avro.encode(record))
        except FieldError as error:
            return Refused("unreadable", str(error), error.field)
        if fault is not None:
            return Refused(*fault)
        return Ready(record if values.get("source_seq") is not None else replace(record, source_seq=0), document)

    def keep(self, ready: list[Ready]) -> list[Placed]:
        """Keeps events in the spool, all or none, after their documents in the vault.

        Raises:
            SpoolFullError: the spool or the disk is full.
            SetupError: the vault took nothing, and so the spool did not either.
        """
        if self._keep is not None:
            self._keep([(one.record.subject, one.document) for one in ready if one.document is not None])
        return self._spool.put_many(one.record for one in ready)


@dataclass(slots=True)
class Taken:
    """What became of one file.

    Attributes:
        name: the file's name.
        kept: events kept.
        repeated: events that were known before.
        refused: rows refused.
        trouble: why the file as a whole could not be read; empty otherwise.
        taken_at: when, UTC epoch ms.
    """

    name: str
    kept: int = 0
    repeated: int = 0
    refused: int = 0
    trouble: str = ""
    taken_at: int = field(default_factory=now_ms)


class Inbox:
    """Watches one folder.

    Args:
        folder: where files are dropped; ``done`` and ``refused`` are made below it.
        rows: what makes events of rows.
        event_type: type of rows that do not say.
        mapping: translation of columns.
        settled_ms: how long a file must not have changed.
    """

    def __init__(
        self,
        folder: Path,
        rows: Rows,
        *,
        event_type: str = "",
        mapping: ColumnMapping | None = None,
        settled_ms: int = SETTLED_MS,
    ) -> None:
        self._folder = folder
        self._rows = rows
        self._event_type = event_type
        self._mapping = mapping or ColumnMapping()
        self._settled_ms = settled_ms
        self._seen: dict[Path, tuple[tuple[int, int], int]] = {}

    def sweep(self) -> list[Taken]:
        """Takes every file that has settled, oldest first; returns what became of each.

        Raises:
            SpoolFullError: the spool or the disk is full; the file stays and is read again.
            OSError: the folder cannot be read or written.
        """
        found = []
        for path in self._settled():
            taken = self._take(path)
            if taken.trouble:
                _move(path, self._folder / "refused")
                _note(self._folder / "refused" / f"{path.name}.reason.txt", taken.trouble)
            else:
                _move(path, self._folder / "done")
            self._seen.pop(path, None)
            found.append(taken)
        return found

    def _settled(self) -> list[Path]:
        self._folder.mkdir(parents=True, exist_ok=True)
        now = now_ms()
        paths: list[tuple[int, Path]] = []
        present = {}
        suffixes = SUFFIXES + (FIXED_SUFFIXES if self._mapping.fixed else ())
        for path in self._folder.iterdir():
            if path.suffix.lower() not in suffixes or path.name.startswith(".") or not path.is_file():
                continue
            status = path.stat()
            look = (status.st_size, status.st_mtime_ns)
            before, since = self._seen.get(path, (None, now))
            present[path] = (look, since if before == look else now)
            if now - present[path][1] >= self._settled_ms:
                paths.append((status.st_mtime_ns, path))
        self._seen = present
        return [path for _, path in sorted(paths)]

    def _take(self, path: Path) -> Taken:
        taken = Taken(path.name)
        with path.open("rb") as file:
            first = file.read(64)
            file.seek(0)
            try:
                events = open_events(file, guess_format(path, first, self._mapping), self._event_type, self._mapping)
                self._read(events, taken, self._folder / "refused" / path.name)
            except UsageError as error:
                taken.trouble = str(error)
        return taken

    def _read(self, events: EventFile, taken: Taken, refused_path: Path) -> None:
        completion = self._rows.completion()
        chunk: list[Ready] = []
        refused: list[tuple[int, bytes | None, Refused]] = []
        for row in events.rows:
            ready = self._rows.record(completion, row.values)
            if isinstance(ready, Refused):
                refused.append((row.line, row.raw, ready))
                continue
            chunk.append(ready)
            if len(chunk) == _CHUNK:
                self._keep(chunk, taken)
                chunk = []
        self._keep(chunk, taken)
        taken.refused = len(refused)
        if refused:
            refused_path.parent.mkdir(exist_ok=True)
            with _fresh(refused_path).open("wb") as rejects:
                rejects.write(events.header)
                for _, raw, _ in refused:
                    if raw is not None:
                        rejects.write(raw.rstrip(b"\r\n") + b"\n")
            reasons = "".join(f"line {line}: {why.code}: {why.message}\n" for line, _, why in refused)
            _note(refused_path.with_name(refused_path.name + ".reason.txt"), reasons)

    def _keep(self, records: list[Ready], taken: Taken) -> None:
        for placed in self._rows.keep(records):
            if placed.new:
                taken.kept += 1
            else:
                taken.repeated += 1


def _move(path: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    path.rename(_fresh(folder / path.name))


def _fresh(path: Path) -> Path:
    """Returns a path where nothing is: files of one name come every night."""
    number, fresh = 1, path
    while fresh.exists():
        number += 1
        fresh = path.with_name(f"{path.stem}.{number}{path.suffix}")
    return fresh


def _note(path: Path, text: str) -> None:
    _fresh(path).write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def parsed(body: bytes) -> list[Any]:
    """Returns the rows of a JSON body: one object, a list of them, or one a line.

    Raises:
        UsageError: it is none of these.
    """
    try:
        text = body.decode("utf-8-sig")
        try:
            content = json.loads(text)
        except json.JSONDecodeError:
            content = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"Expected a JSON object, a list of them, or one a line; got something else ({type(error).__name__})."
        ) from None
    rows = content if isinstance(content, list) else [content]
    if not rows:
        raise UsageError("Expected at least one event; the body has none.")
    return rows
