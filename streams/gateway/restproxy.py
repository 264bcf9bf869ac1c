"""The produce call of Confluent's REST Proxy, version 2, for our input topics: what programs written against it send and expect.

Values come as base64 (``binary``: a whole message in either framing) or as JSON objects (``json``: our JSON form). Keys may be
left out: an event's key is its subject, always.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from streams.gateway.intake import MAX_ITEMS, BodyError, Intake, Item, Refusal
from streams.gateway.publishing import Result
from streams.gateway.tokens import Token
from streams.wire.topics import Topic

BINARY = "application/vnd.kafka.binary.v2+json"
JSON = "application/vnd.kafka.json.v2+json"
ANSWER = "application/vnd.kafka.v2+json"

_REFUSED = 42202
_FAILED = 50002
"""Error codes as REST Proxy has them: HTTP status and two digits. 50002 is its "retriable Kafka error"."""


def items(body: bytes, media: str, topic: Topic, intake: Intake, token: Token) -> list[Item]:
    """Returns the items of a produce request.

    Raises:
        BodyError: it is not of the REST Proxy's form.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    records = content.get("records") if isinstance(content, dict) else None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise BodyError(422, 'Expected {"records": [{"value": …}, …]}.')
    if not 0 < len(records) <= MAX_ITEMS:
        raise BodyError(413 if records else 422, f"Expected 1 to {MAX_ITEMS} records; came {len(records)}.")
    return [_item(record, media, topic, intake, token) for record in records]


def _item(record: dict[str, Any], media: str, topic: Topic, intake: Intake, token: Token) -> Item:
    value, key = record.get("value"), record.get("key")
    if media == BINARY:
        try:
            item = intake.avro_item(base64.b64decode(value, validate=True), token)  # type: ignore[arg-type]
            key = None if key is None else base64.b64decode(key, validate=True)
        except (TypeError, ValueError, binascii.Error):
            return Refusal("unreadable", "value, key: expected base64; got something else")
    else:
        item = intake.json_item(value, token)
        key = key.encode("utf-8", "replace") if isinstance(key, str) else key
    if isinstance(item, Refusal):
        return item
    if item.topic is not topic:
        reason = f"Expected an event of the topic {topic.suffix}; came {item.event_type}, which belongs to {item.topic.suffix}."
        return Refusal("wrong_topic", reason, "", item.event_id)
    if key is not None and key != item.key:
        return Refusal("wrong_key", "key: expected the event's subject, or none; came another.", "key", item.event_id)
    return item


def answer(results: Sequence[Result]) -> dict[str, Any]:
    """Returns the results as REST Proxy writes them."""
    return {"key_schema_id": None, "value_schema_id": None, "offsets": [_offset(result) for result in results]}


def _offset(result: Result) -> dict[str, Any]:
    if result.landed is not None:
        return {"partition": result.landed.partition, "offset": result.landed.offset, "error_code": None, "error": None}
    code = _REFUSED if isinstance(result.item, Refusal) else _FAILED
    sentence = f"{result.item.code}: {result.item.message}" if isinstance(result.item, Refusal) else result.detail
    return {"partition": None, "offset": None, "error_code": code, "error": sentence}


def is_ours(media: str) -> bool:
    """Returns whether a media type is one of REST Proxy's embedded formats we read."""
    return media in {BINARY, JSON}
