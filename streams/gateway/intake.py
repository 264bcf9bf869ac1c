"""What a caller sent to what will be published: each item becomes a message for Kafka or a refusal with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from streams.clock import now_ms
from streams.decode import Decoder, Rejected
from streams.documents import TravelDocument
from streams.documents.reading import FIELDS
from streams.gateway import cloudevents
from streams.gateway.tokens import Token
from streams.publish.holder import Holders, Keep
from streams.records import Record
from streams.wire import avro
from streams.wire.jsonform import FieldError, from_json, shown
from streams.wire.topics import Topic, topic_of

MAX_ITEMS = 5_000
"""Events in one request."""

JSON = "application/json"
LINES = "application/x-ndjson"
AVRO = "avro/binary"
MEDIA = (JSON, LINES, AVRO, cloudevents.ONE, cloudevents.BATCH)
"""What ``POST /v1/events`` reads."""

CODES: dict[str, str] = {
    "unreadable": "A field is missing, unknown or not of its type.",
    "source_not_allowed": "The token may not speak for this source.",
    "type_not_allowed": "The token may not send this event type.",
    "event_id_reused": "The event id stands for another event already.",
    "not_delivered": "Kafka did not acknowledge the event in time; send the same again.",
}
"""Reasons only a gateway has, besides those of ``streams.decode``."""


class BodyError(Exception):
    """A body that cannot even be cut into items.

    Args:
        status: the HTTP status.
        detail: what was expected and what came.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an item is not published.

    Attributes:
        code: stable, of ``CODES`` or of ``streams.decode.CODES``.
        message: what was expected and what came. No personal data.
        field: the field at fault, if one is.
        event_id: of the item, if it could be told.
    """

    code: str
    message: str
    field: str = ""
    event_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """An item ready for Kafka.

    Attributes:
        topic: the topic.
        key: the event's subject.
        value: in single-object encoding.
        event_id: of the event.
        event_type: of the event.
        source: of the event.
        occurred_at: of the event, UTC epoch ms.
        document: whose holder it is about, where the caller said so; for the vault, never for Kafka.
    """

    topic: Topic
    key: bytes
    value: bytes
    event_id: bytes
    event_type: str
    source: str
    occurred_at: int
    document: TravelDocument | None = None


Item = Message | Refusal


class Intake:
    """Reads and checks items.

    Args:
        decoder: the very door of the system: what it would refuse is refused here.
        holders: makes pseudonyms of document data; none where this gateway has no key.
        vault: keeps the documents behind the pseudonyms; none where there is no vault.
    """

    def __init__(self, decoder: Decoder, holders: Holders | None, vault: Keep | None = None) -> None:
        self._decoder = decoder
        self._holders = holders
        self._vault = vault

    def has_to_keep(self, items: Iterable[Item]) -> bool:
        """Returns whether `keep` would write: most requests bring pseudonyms and need not wait for a thread."""
        return self._vault is not None and any(isinstance(item, Message) and item.document is not None for item in items)

    def keep(self, items: Iterable[Item]) -> None:
        """Keeps the documents of what will be published, all or none; before Kafka has it, so that no event lacks its document.

        Raises:
            SetupError: the vault took none; nothing may be published then.
        """
        held = [(item.key.decode(), item.document) for item in items if isinstance(item, Message) and item.document is not None]
        if held and self._vault is not None:
            self._vault(held)

    def read(self, body: bytes, media: str, headers: Mapping[str, str], token: Token) -> list[Item]:
        """Returns the items of a body, in its order.

        Raises:
            BodyError: it is not of its media type, empty, or has too many items.
        """
        if media == AVRO:
            return self._all(avro.split(body), lambda value: self.avro_item(value, token))
        if media == LINES:
            rows = [_parsed(line) if line.strip() else None for line in body.split(b"\n")]
            return self._all([row for row in rows if row is not None], lambda row: self.json_item(row, token))
        content = _parsed(body)
        if isinstance(content, _Unparsed):
            raise BodyError(400, content.reason)
        binary = media == JSON and "ce-type" in headers
        if binary:
            content = cloudevents.structured(headers, content)
        if binary or media in {cloudevents.ONE, cloudevents.BATCH}:
            rows = content if isinstance(content, list) else [content]
            return self._all(rows, lambda row: self._cloud_item(row, token))
        if isinstance(content, dict) and set(content) == {"events"} and isinstance(content["events"], list):
            content = content["events"]
        rows = content if isinstance(content, list) else [content]
        return self._all(rows, lambda row: self.json_item(row, token))

    def _all(self, rows: list[Any], read: Callable[[Any], Item]) -> list[Item]:
        if not rows:
            raise BodyError(400, "Expected at least one event; the body has none.")
        if len(rows) > MAX_ITEMS:
            raise BodyError(413, f"Expected at most {MAX_ITEMS} events in a request; came {len(rows)}. Send several requests.")
        return [read(row) for row in rows]

    def _cloud_item(self, row: Any, token: Token) -> Item:
        try:
            return self.json_item(cloudevents.row_of(row), token)
        except FieldError as error:
            return Refusal("unreadable", str(error), error.field)

    def json_item(self, row: Any, token: Token) -> Item:
        """Returns the item of one JSON object (``type`` and the schema's fields)."""
        if isinstance(row, _Unparsed):
            return Refusal("unreadable", row.reason)
        if not isinstance(row, dict):
            return Refusal("unreadable", f"expected a JSON object, got {shown(row)}")
        try:
            row, document = self._with_subject(row)
            record = from_json(str(row.get("type", "")), row)
        except FieldError as error:
            return Refusal("unreadable", str(error), error.field, _id_in(row))
        return self._checked(cast("Record", record), avro.encode(record), token, document)

    def avro_item(self, value: bytes, token: Token) -> Item:
        """Returns the item of one message, in either framing."""
        try:
            record = avro.decode(value)
        except avro.MalformedError as error:
            return Refusal(error.code, error.reason)
        return self._checked(cast("Record", record), value, token)

    def _checked(self, record: Record, value: bytes, token: Token, document: TravelDocument | None = None) -> Item:
        event_id: bytes | None = getattr(record, "event_id", None)
        if record.NAME not in token.types:
            allowed = ", ".join(token.types)
            return Refusal("type_not_allowed", f"type: expected one of {allowed}; came {record.NAME}.", "type", event_id)
        if not token.may_speak_for(record.source):
            return Refusal("source_not_allowed", f"source: expected {token.source}, as the token says.", "source", event_id)
        topic = topic_of(record.NAME)
        outcome = self._decoder.decode(value, received_at=now_ms(), topic=topic, headers=None)
        if isinstance(outcome, Rejected):
            return Refusal(outcome.code, outcome.reason, outcome.reason.partition(":")[0].partition(",")[0], event_id)
        key, at = record.subject.encode(), record.occurred_at
        return Message(topic, key, value, record.event_id, record.NAME, record.source, at, document)

    def _with_subject(self, row: dict[str, Any]) -> tuple[dict[str, Any], TravelDocument | None]:
        """Turns document data into the pseudonym, where this gateway has the key."""
        if not any(name in row for name in FIELDS):
            return row, None
        if self._holders is None:
            raise FieldError("document_number", "a subject: this gateway has no key to make pseudonyms", "a document's data")
        return self._holders.replaced(row)


@dataclass(frozen=True, slots=True)
class _Unparsed:
    reason: str


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_no_constant)
    except UnicodeDecodeError:
        return _Unparsed("expected JSON in UTF-8, got other bytes")
    except RecursionError:
        return _Unparsed("expected JSON, got one nested too deeply")
    except ValueError as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        return _Unparsed(f"expected JSON, got something else{where}")


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _id_in(row: Mapping[str, Any]) -> bytes | None:
    try:
        return UUID(row["event_id"]).bytes
    except (KeyError, ValueError, AttributeError, TypeError):
        return None


def by_event(items: Iterable[Item]) -> dict[bytes, list[int]]:
    """Returns the indexes of the messages of each event id."""
    found: dict[bytes, list[int]] = {}
    for index, item in enumerate(items):
        if isinstance(item, Message):
            found.setdefault(item.event_id, []).append(index)
    return found
