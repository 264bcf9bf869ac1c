"""Tables and their columns, derived from the Avro schemas: there is no second list of columns anywhere.

The migrations hold the DDL that was generated from here when a table was founded; a test compares what the engine has
after all migrations with what this module derives, name by name, type by type, comment by comment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

INSTANT = "DateTime64(3, 'UTC')"
"""An instant: kept in UTC, to the millisecond."""

DAY = "Date32"
"""A calendar day."""

WORD = "LowCardinality(String)"
"""A code out of few: enums too, because a new symbol must not need a migration (ADR 0051)."""

_LOW_CARDINALITY = frozenset(
    {"source", "post", "citizenship", "category", "oblast", "sector", "country", "from_country", "to_country", "from_oblast"}
    | {"to_oblast", "purpose", "rule", "group", "article", "policy_version", "reason", "path", "code", "event_type", "topic"}
)
"""String fields with few different values; `subject`, `employer` and the like have millions."""

_FREE_TEXT = frozenset({("dead_letter", "reason"), ("case_decision", "reason"), ("employer_decision", "reason")})
"""Where a field of that name holds sentences."""

OUTPUT_TABLES = {
    "alert": "alerts",
    "finding": "findings",
    "case": "cases",
    "dead_letter": "dead_letters",
    "batch": "batches",
    "feedback": "feedback",
}
"""Table of each record this system writes; an input event's is ``raw_<event type>``."""

_PLACE = {"border_crossing": "post", "post_heartbeat": "subject", "post_outage": "subject", "count_statement": "subject"}
"""Field that names the border post, by event type."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: as in Avro, or one of the sink's own.
        type: ClickHouse type.
        comment: what it means; the schema's ``doc``.
    """

    name: str
    type: str
    comment: str


@dataclass(frozen=True, slots=True)
class Table:
    """One fact table.

    Attributes:
        name: e.g. ``raw_border_crossing``.
        event_type: the record's ``NAME``.
        comment: the schema's ``doc``.
        fields: the columns that are Avro fields, in the schema's order.
        derived: what the sink computes from the record: local day, oblast.
        position: where the record stands in the log.
        place: field that says where it happened; empty where nothing does.
    """

    name: str
    event_type: str
    comment: str
    fields: tuple[Column, ...]
    derived: tuple[Column, ...]
    position: tuple[Column, ...]
    place: str

    @property
    def columns(self) -> tuple[Column, ...]:
        """Returns all columns in the order of the table."""
        return self.fields + self.derived + self.position


_POSITION = (
    Column("topic", WORD, "Topic the record was read from."),
    Column("partition", "Int32", "Partition of the topic."),
    Column("offset", "Int64", "Offset in the partition: with topic and partition the identity of this delivery."),
    Column("received_at", INSTANT, "When the broker received the record (its timestamp): UTC."),
)
_OUTPUT_POSITION = (
    Column("log_partition", "Int32", "Partition of the output topic this version stands in."),
    Column("log_offset", "Int64", "Offset of this version in the output topic."),
    Column("received_at", INSTANT, "When the broker received this version (its timestamp): UTC."),
)
_OCCURRED_ON = Column(
    "occurred_on",
    DAY,
    "Local calendar day of occurred_at in the zone of the event's post or oblast (the country's where it names none).",
)
_OBLAST_OF_POST = Column(
    "oblast",
    WORD,
    "Oblast the post lay in on occurred_on, ISO 3166-2:KZ, from the policy's posts; empty if the post is not known.",
)


def table_of(schema: Mapping[str, Any], event_type: str) -> Table:
    """Derives the table of one event type.

    Args:
        schema: the Avro schema as published, with every ``doc``.
        event_type: the record's ``NAME``.

    Raises:
        TypeError: the schema uses a type no column has been chosen for.
    """
    named: dict[str, Any] = {}
    fields = tuple(
        Column(field["name"], _type_of(field["type"], event_type, field["name"], named), field["doc"])
        for field in schema["fields"]
    )
    names = {column.name for column in fields}
    if event_type in OUTPUT_TABLES:
        return Table(OUTPUT_TABLES[event_type], event_type, schema["doc"], fields, (), _OUTPUT_POSITION, "")
    place = _PLACE.get(event_type) or ("oblast" if "oblast" in names else "")
    derived = (_OCCURRED_ON, _OBLAST_OF_POST) if event_type in _PLACE else (_OCCURRED_ON,)
    return Table(f"raw_{event_type}", event_type, schema["doc"], fields, derived, _POSITION, place)


def _type_of(avro: Any, event_type: str, name: str, named: dict[str, Any]) -> str:
    if isinstance(avro, list):
        inner = [branch for branch in avro if branch != "null"]
        if len(inner) != 1 or len(avro) != 2:
            raise TypeError(f"{event_type}.{name}: expected null and one type, got {avro!r}")
        return _nullable(_type_of(inner[0], event_type, name, named))
    if isinstance(avro, str):
        return _type_of(named[avro], event_type, name, {}) if avro in named else _primitive(avro, event_type, name)
    if "name" in avro:
        named[avro["name"]] = avro
    match avro.get("logicalType"), avro["type"]:
        case "timestamp-millis", _:
            return INSTANT
        case "date", _:
            return DAY
        case "uuid", "fixed":
            return "UUID"
        case _, "enum":
            return WORD
        case _, "array":
            return f"Array({_type_of(avro['items'], event_type, name, named)})"
        case _, "record":
            inner_fields = (
                f"{field['name']} {_plain(_type_of(field['type'], '', field['name'], named))}" for field in avro["fields"]
            )
            return f"Tuple({', '.join(inner_fields)})"
        case _, str(kind):
            return _primitive(kind, event_type, name)
    raise TypeError(f"{event_type}.{name}: no column type for {avro!r}")


def _primitive(kind: str, event_type: str, name: str) -> str:
    match kind:
        case "string":
            low = name in _LOW_CARDINALITY and (event_type, name) not in _FREE_TEXT
            return WORD if low else "String"
        case "bytes":
            return "String"
        case "int":
            return "Int32"
        case "long":
            return "Int64"
        case "boolean":
            return "Bool"
    raise TypeError(f"{event_type}.{name}: no column type for Avro's {kind}")


def _nullable(inner: str) -> str:
    return f"LowCardinality(Nullable({inner[15:-1]}))" if inner.startswith("LowCardinality(") else f"Nullable({inner})"


def _plain(inner: str) -> str:
    """Returns a type as it may stand in a tuple: without a dictionary of its own."""
    return inner[15:-1] if inner.startswith("LowCardinality(") else inner


def quote(text: str) -> str:
    """Returns a ClickHouse string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
