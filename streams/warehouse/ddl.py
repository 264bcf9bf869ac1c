"""The statements that found a fact table and its view; what a migration for a new event type begins with.

``python -m streams.warehouse.ddl raw border_crossing …`` prints the tables of the event types named, ``core`` instead of ``raw``
their views, ``codecs`` how the columns of tables that are there already shall be packed. A migration is never edited
afterwards: a new field is ``ALTER TABLE … ADD COLUMN IF NOT EXISTS`` in a new one; a test compares the result with the schema.
"""

from __future__ import annotations

import sys

from streams.records import Correction, PersonEvent
from streams.warehouse.columns import DAY, INSTANT, OUTPUT_TABLES, Column, Table, quote
from streams.warehouse.rows import tables
from streams.wire.avro import KINDS

_OUTPUT_KEYS = {
    "alert": "alert_id, version",
    "finding": "alert_id, version",
    "case": "case_id, version",
    "dead_letter": "topic, partition, offset",
    "batch": "topic, partition, first_offset, last_offset",
    "feedback": "topic, partition, offset, state",
}


def codec_of(column: Column) -> str:
    """Returns how a column is packed on disk; empty: as the engine packs by itself (ids have nothing to pack).

    Rows stand in the order of the log, so instants, days and numbers grow: their differences are small.
    **Source**: docs/warehouse-speed.md, bytes per event before and after.
    """
    if column.type == INSTANT or (column.type == "Int64" and column.name.endswith(("offset", "seq"))):
        return "CODEC(Delta(8), ZSTD(1))"
    if column.type == DAY:
        return "CODEC(Delta(4), ZSTD(1))"
    return "" if "UUID" in column.type else "CODEC(ZSTD(1))"


def pack(table: Table) -> str:
    """Returns the statement that packs the columns of a table that is there by ``codec_of``; parts change as they are merged."""
    changes = [f"    MODIFY COLUMN IF EXISTS `{column.name}` {codec_of(column)}" for column in table.columns if codec_of(column)]
    return f"ALTER TABLE {table.name} /*cluster*/\n" + ",\n".join(changes) + ";\n"


def create_table(table: Table) -> str:
    """Returns the statement that founds a fact table.

    A record delivered again, in whatever batch, has the same sorting key and replaces itself.
    """
    output = table.event_type in OUTPUT_TABLES
    lines = [
        f"    `{column.name}` {column.type} COMMENT {quote(column.comment)} {codec_of(column)}".rstrip()
        for column in table.columns
    ]
    engine = "ReplacingMergeTree(log_offset)" if output else "ReplacingMergeTree"
    # Years, not months: a load of decades of history must stay under 100 partitions in one block.
    partition = "" if output else "PARTITION BY toYear(occurred_at)\n"
    return (
        f"CREATE TABLE IF NOT EXISTS {table.name} /*cluster*/\n(\n" + ",\n".join(lines) + "\n)\n"
        f"ENGINE = /*replicated*/{engine}{'' if output else '()'}\n{partition}"
        f"ORDER BY ({_OUTPUT_KEYS[table.event_type] if output else 'topic, partition, offset'})\n"
        f"SETTINGS non_replicated_deduplication_window = 1000\nCOMMENT {quote(table.comment)};\n"
    )


def create_view(table: Table) -> str:
    """Returns the statement of an input event's ``core_`` view: the facts that count.

    A fact counts once however often it was published, not at all when the worker put it into the dead letters, and not
    when a correction withdraws it. **Source**: docs/rules.md, "Facts, days, time".
    """
    lines = [f"    `{column.name}` {column.type} COMMENT {quote(column.comment)}" for column in table.columns]
    names = ", ".join(f"r.`{column.name}` AS `{column.name}`" for column in table.columns)
    person = issubclass(KINDS[table.event_type], PersonEvent) and table.event_type != Correction.NAME
    withdrawn = (
        "LEFT JOIN core_withdrawals AS w ON w.subject = r.subject AND w.event_id = r.event_id\n"
        "WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))\n"
        if person
        else ""
    )
    columns = ",\n".join(lines)
    # Names come from our own schemas.
    return f"""\
CREATE OR REPLACE VIEW {table.name.replace("raw_", "core_", 1)} /*cluster*/
(
{columns}
)
AS SELECT {names}
FROM
(
    SELECT * FROM {table.name}
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
{withdrawn}COMMENT {quote("Facts that count, each once: " + table.comment)};
"""  # noqa: S608


if __name__ == "__main__":
    derived = tables()
    write = {"raw": create_table, "core": create_view, "codecs": pack}[sys.argv[1]]
    sys.stdout.write("\n".join(write(derived[name]) for name in sys.argv[2:]))
