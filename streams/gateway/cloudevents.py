"""CloudEvents 1.0 as another way to write our events: JSON format and HTTP binary mode in, Kafka binary mode out.

``id`` is the ``event_id``, ``type`` is ``shekara.v1.<event type>`` (or the event type alone), ``source`` and ``subject`` are
ours, ``time`` is ``occurred_at``; ``data`` has the other fields. An attribute may stand in ``data`` too if it is the same there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from uuid import UUID

from streams.wire.jsonform import FieldError, instant_text, shown
from streams.wire.schemas import NAMESPACE

if TYPE_CHECKING:
    from streams.gateway.intake import Message

ONE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

_ATTRIBUTES = {"id": "event_id", "source": "source", "subject": "subject", "time": "occurred_at"}
_KNOWN = {*_ATTRIBUTES, "type", "specversion", "datacontenttype", "dataschema", "data"}


def structured(headers: Mapping[str, str], data: Any) -> dict[str, Any]:
    """Returns the event of a binary-mode request (attributes in ``ce-*`` headers) as the JSON format has it.

    Args:
        headers: by lower-case name.
        data: the body, parsed.
    """
    event = {name[3:]: unquote(value) for name, value in headers.items() if name.startswith("ce-")}
    return event | {"data": data}


def row_of(event: Any) -> dict[str, Any]:
    """Returns an event as a row of our JSON form.

    Raises:
        FieldError: it is no CloudEvent, or says two things of one field.
    """
    if not isinstance(event, dict):
        raise FieldError("", "a CloudEvent as a JSON object", shown(event))
    if event.get("specversion") != "1.0":
        raise FieldError("specversion", "1.0", shown(event.get("specversion")))
    for name in event.keys() - _KNOWN:
        # Extensions are lawful and say nothing to us; anything else is a field that was meant for data.
        if not (name.isascii() and name.isalnum() and name == name.lower() and len(name) <= 20):
            raise FieldError(str(name)[:40], "a CloudEvents attribute (our fields belong into data)", "a value")
    data = event.get("data", {})
    if not isinstance(data, dict):
        raise FieldError("data", "a JSON object with the event's other fields", shown(data))
    kind = event.get("type")
    if not isinstance(kind, str):
        raise FieldError("type", f"{NAMESPACE}.<event type>", shown(kind))
    row: dict[str, Any] = dict(data)
    given = {"type": kind.removeprefix(f"{NAMESPACE}.")}
    given |= {field: event[attribute] for attribute, field in _ATTRIBUTES.items() if attribute in event}
    for field, value in given.items():
        if row.setdefault(field, value) != value:
            raise FieldError(field, "the same in the CloudEvent's attribute and in data", "two values")
    return row


def kafka_headers(message: Message) -> list[tuple[str, bytes]]:
    """Returns the headers that make a message a CloudEvent to whoever reads Kafka's binary mode; its value stays as it is.

    Args:
        message: what will be published.
    """
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": str(UUID(bytes=message.event_id)),
        "ce_source": message.source,
        "ce_type": f"{NAMESPACE}.{message.event_type}",
        "ce_time": str(instant_text(message.occurred_at)),
        "content-type": "avro/binary",
    }
    return [(name, value.encode()) for name, value in attributes.items()]
