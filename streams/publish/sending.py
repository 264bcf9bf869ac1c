"""Rows of a file to Kafka: every row is published or refused with a reason; none is skipped in silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

from streams.documents import TravelDocument
from streams.publish.completion import Completion
from streams.publish.files import EventFile, Row
from streams.publish.holder import Keep
from streams.publish.publisher import Publisher
from streams.records import Record, Tick
from streams.wire import avro
from streams.wire.jsonform import FieldError
from streams.wire.topics import MAX_EVENT_BYTES, topic_of

MAX_ERRORS_KEPT = 1000
"""Refusals kept for the report; all are counted, and all lines go to the file of refused rows."""

KEEP_EACH = 500
"""Documents kept in the vault at once."""

Door = Callable[[Record, bytes], tuple[str, str] | None]
"""What the system would say of a record and its bytes: code and reason of its refusal, or nothing."""


@dataclass(frozen=True, slots=True)
class LineError:
    """Why one row was refused.

    Attributes:
        line: its number in the file.
        field: the field at fault; empty where the row as a whole is.
        code: code of the refusal if the row reads well but the system would refuse it; otherwise ``unreadable``.
        message: what was expected and what came. No personal data.
    """

    line: int
    field: str
    code: str
    message: str

    def plain(self) -> dict[str, Any]:
        """Returns it as a JSON object."""
        return {"line": self.line, "field": self.field, "code": self.code, "message": self.message}


@dataclass(slots=True)
class Outcome:
    """What became of a file.

    Attributes:
        rows: rows read.
        published: rows handed to Kafka (in a dry run: that would have been).
        refused: rows refused.
        passed: rows before ``--from-line``.
        last_line: last row dealt with.
        by_type: rows published, by event type.
        errors: the first refusals.
    """

    rows: int = 0
    published: int = 0
    refused: int = 0
    passed: int = 0
    last_line: int = 0
    by_type: dict[str, int] = field(default_factory=dict)
    errors: list[LineError] = field(default_factory=list)


@dataclass(slots=True)
class Sending:
    """Sends the rows of one file.

    Attributes:
        completion: rows to records.
        door: what the system would say; asked before anything is sent.
        publisher: none for a dry run.
        namespace: prefix of the topics.
        rejects: where refused rows are written, as they stand in the file; none if nowhere.
        on_error: told of every refusal at once.
        on_progress: told the bytes read so far.
        from_line: rows before this line are passed over, but numbered and counted.
        outcome: what has become of the rows so far; also after an exception.
        keep: keeps the documents behind the subjects of what is sent; none where there is no vault.
    """

    completion: Completion
    door: Door
    publisher: Publisher | None
    namespace: str
    rejects: IO[bytes] | None
    on_error: Callable[[LineError], None]
    on_progress: Callable[[int], None]
    from_line: int = 1
    outcome: Outcome = field(default_factory=Outcome)
    keep: Keep | None = None
    _documents: list[tuple[str, TravelDocument]] = field(default_factory=list)

    def send(self, events: EventFile) -> Outcome:
        """Sends every row; what was sent is acknowledged when it returns.

        Raises:
            UndeliveredError: Kafka did not acknowledge.
            SetupError: a row needs what the settings lack, e.g. the key for pseudonyms.
        """
        outcome = self.outcome
        try:
            for row in events.rows:
                outcome.rows += 1
                self._row(row, events)
                outcome.last_line = row.line
                if outcome.rows % 256 == 0:
                    self.on_progress(row.read_bytes)
        finally:
            # Also when interrupted: what was sent has its document in the vault.
            self._keep_documents()
        if self.publisher is not None:
            self.publisher.flush()
        return outcome

    def _keep_documents(self) -> None:
        if self.keep is not None and self._documents:
            self.keep(self._documents)
            self._documents = []

    def _row(self, row: Row, events: EventFile) -> None:
        if isinstance(row.values, FieldError):
            self._refuse(row, events, LineError(row.line, row.values.field, "unreadable", str(row.values)))
            return
        try:
            record, document = self.completion.read(row.values)
        except FieldError as error:
            self._refuse(row, events, LineError(row.line, error.field, "unreadable", str(error)))
            return
        if row.line < self.from_line:
            self.outcome.passed += 1
            return
        value = avro.encode(record)
        fault = self.door(record, value)
        if fault is None and len(value) > MAX_EVENT_BYTES:
            fault = "over_long", f"expected at most {MAX_EVENT_BYTES} bytes as Avro; came {len(value)}."
        if fault is not None:
            name, colon, _ = fault[1].partition(":")
            self._refuse(row, events, LineError(row.line, name if colon and " " not in name else "", *fault))
            return
        if document is not None and self.keep is not None and self.publisher is not None:
            self._documents.append((record.subject, document))
            if len(self._documents) == KEEP_EACH:
                self._keep_documents()
        if self.publisher is not None:
            if isinstance(record, Tick):
                self.publisher.publish(record)
            else:
                self.publisher.publish_encoded(topic_of(record.NAME).name(self.namespace), record.subject.encode(), value)
        self.outcome.published += 1
        self.outcome.by_type[record.NAME] = self.outcome.by_type.get(record.NAME, 0) + 1

    def _refuse(self, row: Row, events: EventFile, error: LineError) -> None:
        if row.line < self.from_line:
            self.outcome.passed += 1
            return
        if self.rejects is not None:
            if self.outcome.refused == 0:
                self.rejects.write(events.header)
            if row.raw is not None:
                self.rejects.write(row.raw if row.raw.endswith(b"\n") else row.raw + b"\n")
        self.outcome.refused += 1
        if len(self.outcome.errors) < MAX_ERRORS_KEPT:
            self.outcome.errors.append(error)
        self.on_error(error)
