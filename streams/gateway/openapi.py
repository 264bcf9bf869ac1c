"""The gateway described as OpenAPI 3.1, from the schemas it reads: the description cannot be of something else."""

from __future__ import annotations

from typing import Any

from streams.documents.reading import FIELDS, MAX_TEXT
from streams.gateway import cloudevents, intake, limits, restproxy
from streams.gateway.tokens import TYPES
from streams.wire.avro import KINDS, schema_of
from streams.wire.jsonform import Field, Form, fields_of
from streams.wire.topics import TOPICS

_FORMS: dict[Form, dict[str, Any]] = {
    "id": {"type": "string", "format": "uuid"},
    "instant": {"oneOf": [{"type": "string", "format": "date-time"}, {"type": "integer", "description": "epoch milliseconds"}]},
    "date": {"type": "string", "format": "date"},
    "integer": {"type": "integer"},
    "flag": {"type": "boolean"},
    "text": {"type": "string"},
    "bytes": {"type": "string", "contentEncoding": "base64"},
    "texts": {"type": "array", "items": {"type": "string"}},
    "ids": {"type": "array", "items": {"type": "string", "format": "uuid"}},
}


def event_schema(name: str) -> dict[str, Any]:
    """Returns the JSON Schema of an event type in our JSON form."""
    avro = schema_of(name)
    docs = {field["name"]: field.get("doc", "") for field in avro["fields"]}
    fields = fields_of(KINDS[name])
    return {
        "type": "object",
        "description": avro["doc"],
        "properties": {"type": {"const": name}} | {field.name: _property(field, docs[field.name]) for field in fields},
        "required": ["type", *(field.name for field in fields if not field.nullable)],
        "additionalProperties": False,
    }


def _property(field: Field, doc: str) -> dict[str, Any]:
    form: dict[str, Any] = {"type": "string", "enum": list(field.symbols)} if field.symbols else dict(_FORMS[field.form])
    return ({"anyOf": [form, {"type": "null"}]} if field.nullable else form) | {"description": doc}


def document(namespace: str, version: str) -> dict[str, Any]:
    """Returns the OpenAPI document.

    Args:
        namespace: prefix of the topics.
        version: of this program.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Shekara gateway",
            "version": version,
            "description": "Events over HTTP. What is answered with accepted lies in Kafka, acknowledged by all replicas.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}],
        "paths": {
            "/v1/events": {"post": _events()},
            "/topics/{topic}": {"post": _produce(namespace)},
            "/v1/schemas": {"get": _open("The schemas: id, name, version, fingerprint.")},
            "/v1/schemas/{name}": {
                "get": _open("The Avro schema of an event type.", _path("name", {"enum": sorted(KINDS)}), more=_absent())
            },
            "/schemas/ids/{id}": {
                "get": _open("A schema as a Confluent registry answers.", _path("id", {"type": "integer"}), more=_absent())
            },
            "/livez": {"get": _open("Whether the process lives.")},
            "/readyz": {"get": _open("Whether Kafka answers.", more={"503": {"description": "It does not, and why."}})},
            "/metrics": {"get": _open("Figures for Prometheus.")},
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "shekara gateway token add"}},
            "schemas": {name: event_schema(name) for name in TYPES}
            | {
                "Event": {"oneOf": [_ref(name) for name in TYPES], "discriminator": {"propertyName": "type"}},
                "Document": _document(),
                "Results": _results(),
                "Problem": _problem(),
            },
        },
    }


def _document() -> dict[str, Any]:
    """Returns the fields an event may have in place of ``subject``; the gateway publishes none of them."""
    text = {"type": "string", "maxLength": MAX_TEXT}
    lines = {"oneOf": [text, {"type": "array", "items": text}], "description": "Machine-readable zone (ICAO 9303), line by line."}
    return {
        "type": "object",
        "description": "In place of subject: a machine-readable zone, or number and issuing country with what else is known.",
        "properties": {name: lines if name == "mrz" else text for name in FIELDS},
        "anyOf": [{"required": ["mrz"]}, {"required": ["document_number", "issuing_country"]}],
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _events() -> dict[str, Any]:
    many = {"type": "array", "items": _ref("Event"), "minItems": 1, "maxItems": intake.MAX_ITEMS}
    results = {"content": {"application/json": {"schema": _ref("Results")}}}
    return {
        "operationId": "publishEvents",
        "summary": "Publish one event or many; the same event sent again is published once.",
        "description": "Where the gateway has the key, an event of a person may have Document's fields in place of subject.",
        "requestBody": {
            "required": True,
            "content": {
                intake.JSON: {"schema": {"oneOf": [_ref("Event"), many, {"type": "object", "properties": {"events": many}}]}},
                intake.LINES: {"schema": {"type": "string", "description": "One JSON object a line."}},
                intake.AVRO: {"schema": {"type": "string", "description": "Avro single-object messages, back to back."}},
                cloudevents.ONE: {"schema": {"type": "object"}},
                cloudevents.BATCH: {"schema": {"type": "array", "items": {"type": "object"}}},
            },
        },
        "responses": {
            "202": {"description": "All are in Kafka."} | results,
            "207": {"description": "Some are in Kafka, some refused."} | results,
            "422": {"description": "All are refused: send none of them again as they are."} | results,
            "503": {"description": "Kafka did not acknowledge some: send the same again."} | results,
        }
        | _refusals(),
    }


def _produce(namespace: str) -> dict[str, Any]:
    records = {
        "type": "object",
        "properties": {"records": {"type": "array", "items": {"type": "object"}}},
        "required": ["records"],
    }
    return {
        "operationId": "produce",
        "summary": "Produce as with Confluent's REST Proxy v2.",
        "parameters": [_path("topic", {"enum": [topic.name(namespace) for topic in TOPICS if topic.role == "input"]})],
        "requestBody": {
            "required": True,
            "content": {restproxy.BINARY: {"schema": records}, restproxy.JSON: {"schema": records}},
        },
        "responses": {
            "200": {
                "description": "Offsets, or an error for each record.",
                "content": {restproxy.ANSWER: {"schema": {"type": "object"}}},
            }
        }
        | _refusals()
        | {
            status: {"description": words} | _either()
            for status, words in (
                ("404", "None of our input topics."),
                ("413", f"More than {intake.MAX_ITEMS} records or {limits.MAX_BODY_BYTES} bytes."),
                ("415", "Another content type."),
                ("422", "Not of the REST Proxy's form."),
            )
        },
    }


def _either() -> dict[str, Any]:
    """Returns the content of an error as REST Proxy writes it, or as the rest of the gateway does."""
    proxy = {"type": "object", "properties": {"error_code": {"type": "integer"}, "message": {"type": "string"}}}
    return {"content": {restproxy.ANSWER: {"schema": proxy}, "application/problem+json": {"schema": _ref("Problem")}}}


def _absent() -> dict[str, Any]:
    return {"404": {"description": "There is none."} | _either()}


def _refusals() -> dict[str, Any]:
    content = {"content": {"application/problem+json": {"schema": _ref("Problem")}}}
    retry = {"headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}}
    return {
        "400": {"description": "The body cannot be cut into events."} | content,
        "401": {"description": "No token, or none of this gateway."} | content,
        "408": {"description": f"The body took longer than {limits.BODY_S:.0f} s."} | content,
        "413": {"description": f"More than {intake.MAX_ITEMS} events or {limits.MAX_BODY_BYTES} bytes."} | content,
        "415": {"description": "Another content type."} | content,
        "429": {"description": "Too much at once: nothing was published."} | content | retry,
    }


def _open(summary: str, *parameters: dict[str, Any], more: dict[str, Any] | None = None) -> dict[str, Any]:
    responses = {"200": {"description": summary}} | (more or {})
    return {"summary": summary, "security": [], "parameters": list(parameters), "responses": responses}


def _path(name: str, schema: dict[str, Any], description: str = "") -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": description}


def _results() -> dict[str, Any]:
    item = {
        "type": "object",
        "properties": {
            "index": {"type": "integer"},
            "status": {"enum": ["accepted", "duplicate", "refused", "failed"]},
            "event_id": {"type": "string", "format": "uuid"},
            "topic": {"type": "string"},
            "partition": {"type": "integer"},
            "offset": {"type": "integer"},
            "arrived_at": {"type": "string", "format": "date-time"},
            "code": {"type": "string", "description": "A code of docs/events.md."},
            "field": {"type": "string"},
            "message": {"type": "string"},
        },
        "required": ["index", "status"],
    }
    counts = {name: {"type": "integer"} for name in ("accepted", "duplicate", "refused", "failed")}
    return {"type": "object", "properties": counts | {"items": {"type": "array", "items": item}}, "required": [*counts, "items"]}


def _problem() -> dict[str, Any]:
    properties = {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}
