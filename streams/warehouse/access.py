"""Who may read and write what on a ClickHouse server: the roles, and the statements that make them.

The statements are generated from the migrations, so no table is forgotten: each is granted to somebody on purpose.
``python -m streams.warehouse.access`` prints them; they are kept in ``deploy/clickhouse/access.sql``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from streams.policy.load import load
from streams.warehouse.columns import OUTPUT_TABLES, quote
from streams.warehouse.counted import BY_PERSON
from streams.warehouse.counts import STAGING
from streams.warehouse.engine import DATABASE
from streams.warehouse.migrate import read

PREFIX = "shekara_"

READING = (
    "readonly = 2, max_execution_time = 60 MIN 1 MAX 300, max_result_rows = 1000000 MIN 1 MAX 10000000, "
    "max_memory_usage = 4000000000 MIN 1 MAX 8000000000, allow_ddl = 0 CONST, "
    "max_bytes_before_external_group_by = 1600000000, max_bytes_before_external_sort = 1600000000"
)
"""Limits of a role that reads. Readers may change them up to the MAX: Grafana sends its own time limit with each query."""

COUNTED = (*BY_PERSON, "raw_correction", "raw_identity_link")
"""Facts the counting reads whole."""

_LETTER = "topic, partition, offset, timestamp_at, code, reason, event_type, source, log_partition, log_offset, received_at"
_PLACE = "topic, partition, offset"
_SEEN = f"{_PLACE}, source, source_seq, event_id, occurred_at, received_at"
"""What the counting and the source watch read of every event: its place in the log, its number at its source, and when."""

WATCHED = ("raw_post_heartbeat", "raw_post_outage")
"""What posts say of themselves: the number watch reads it whole."""

OBLAST_TABLES = ("alerts", "alerts_latest", "cases", "counts")
"""Tables whose rows have an oblast each: an oblast's analysts read these, and what is computed from these alone."""

OBLAST_VIEWS = (
    *(
        "alerts_now",
        "cases_now",
        "core_same_person",
        "core_alerts_of_people",
        "core_cases_of_people",
        "core_presence",
        "core_presence_by_standing",
        "mart_daily_flows",
        "mart_open_stays",
        "mart_alerts",
        "mart_follow_up",
    ),
    *("mart_follow_up_times", "mart_case_outcomes", "mart_non_refoulement", "mart_foreigners_present", "mart_entries_during_ban"),
    *("mart_foreigners_present_by_purpose", "mart_foreigners_present_by_country", "mart_overstays_by_oblast"),
    *("mart_overstays_by_grade", "mart_overstays_by_group", "mart_overstays_ended", "mart_unregistered_workers"),
    *("mart_unregistered_workers_by_oblast", "mart_unregistered_workers_by_sector", "mart_work_breaches"),
    *("mart_retractions_by_rule", "mart_retractions_by_reason", "mart_trafficking_indicators"),
)


@dataclass(frozen=True, slots=True)
class Role:
    """A role.

    Attributes:
        name: without the prefix.
        does: what it is for, one sentence.
        grants: what stands between GRANT and TO.
        reads: whether the limits of ``READING`` hold.
        oblast: the only oblast whose rows it sees; empty: all.
    """

    name: str
    does: str
    grants: tuple[str, ...]
    reads: bool = True
    oblast: str = ""


@cache
def relations() -> tuple[str, ...]:
    """Returns the name of every table and view the migrations make, in their order."""
    made = re.compile(r"CREATE (?:TABLE IF NOT EXISTS|OR REPLACE VIEW) (\w+)")
    text = "\n".join(statement for migration in read() for statement in migration.statements)
    return (*dict.fromkeys(made.findall(text)), "schema_migrations")


def _select(tables: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return tuple(f"SELECT ON {DATABASE}.{table}" for table in tables)


def roles() -> tuple[Role, ...]:
    """Returns every role."""
    there = relations()
    raw = [name for name in there if name.startswith("raw_")]
    filled = [*raw, *OUTPUT_TABLES.values(), "refused_rows"]
    analysts = [name for name in there if name not in (*STAGING, "dead_letters", "published_figures")]
    letters = f"SELECT({_LETTER}) ON {DATABASE}.dead_letters"
    return (
        Role(
            "migrator",
            "Brings the database up to date: shekara warehouse --migrate-only.",
            (
                f"CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, ALTER TABLE, ALTER VIEW ON {DATABASE}.*",
                f"TRUNCATE, SELECT, INSERT ON {DATABASE}.*",
                "CLUSTER ON *.*",
                "SELECT ON system.columns",
                "SELECT ON system.databases",
                "SELECT ON system.tables",
            ),
            reads=False,
        ),
        Role(
            "writer",
            "The sink: inserts facts and decisions and keeps the counts; reads no person's facts but those it counts.",
            (
                *(f"INSERT ON {DATABASE}.{table}" for table in filled),
                *(
                    f"SELECT, INSERT ON {DATABASE}.{table}"
                    for table in ("crossings_by_person", "counts", "alerts_latest", "numbers_seen", *STAGING)
                ),
                *(f"TRUNCATE ON {DATABASE}.{table}" for table in STAGING),
                f"ALTER DELETE ON {DATABASE}.counts",
                f"SELECT, INSERT ON {DATABASE}.published_figures",
                f"SELECT ON {DATABASE}.alerts",
                *(f"SELECT ON {DATABASE}.{table}" for table in (*COUNTED, *WATCHED)),
                *(f"SELECT({_SEEN}), SHOW COLUMNS ON {DATABASE}.{table}" for table in raw if table not in (*COUNTED, *WATCHED)),
                f"SELECT({_PLACE}, code, log_partition, log_offset) ON {DATABASE}.dead_letters",
                f"SELECT ON {DATABASE}.schema_migrations",
                "SELECT ON system.columns",
                "SELECT ON system.databases",
            ),
            reads=False,
        ),
        Role(
            "operations",
            "Whether everything arrives: the ledger and the dead letters without their bytes; of facts their place only.",
            (
                *_select(["mart_ledger", "mart_dead_letters", "core_deliveries", "batches", "refused_rows", "schema_migrations"]),
                *(f"SELECT({_PLACE}), SHOW COLUMNS ON {DATABASE}.{table}" for table in raw),
                letters,
                "SELECT ON system.parts",
                "SELECT ON system.merges",
            ),
        ),
        Role(
            "analyst",
            "Everything but the bytes of dead letters, which may hold anything a publisher sent: a document number too.",
            (*_select(analysts), letters),
        ),
        Role(
            "releaser",
            "An analyst who publishes: reads what an analyst reads, and notes what was released.",
            (*_select(analysts), letters, f"SELECT, INSERT ON {DATABASE}.published_figures"),
            reads=False,
        ),
        *(
            Role(
                f"oblast_{oblast.lower().replace('-', '_')}",
                f"An analyst of {oblast}: alerts, cases and counts of that oblast, and the marts of these.",
                _select([*OBLAST_TABLES, *OBLAST_VIEWS]),
                oblast=oblast,
            )
            for oblast in sorted(load("kz").codes.oblasts)
        ),
        Role(
            "publisher",
            "What may be published: figures that went through disclosure control, and the Concept's.",
            _select(["published_figures", "mart_concept_figures"]),
        ),
    )


def statements(cluster: str = "") -> Iterator[str]:
    """Yields the statements that make the roles; they may run again, and take away what is no longer granted.

    Args:
        cluster: name of the cluster to make them on, where each server keeps its own; empty for a single node.
    """
    everyone = roles()
    on = f" ON CLUSTER '{cluster}'" if cluster else ""
    # Never replaced: whatever refers to a profile refers to its id, and would go on without limits.
    yield f"CREATE SETTINGS PROFILE IF NOT EXISTS {PREFIX}reading{on}"
    yield f"ALTER SETTINGS PROFILE {PREFIX}reading{on} SETTINGS {READING}"
    for role in everyone:
        name = PREFIX + role.name
        yield f"CREATE ROLE IF NOT EXISTS {name}{on}"
        yield f"ALTER ROLE {name}{on} SETTINGS " + (f"PROFILE '{PREFIX}reading'" if role.reads else "NONE")
        yield f"REVOKE{on} ALL ON *.* FROM {name}"
        # All at once: on a cluster each statement waits for every server, and until the last one the role may too little.
        yield f"GRANT{on}\n    " + ",\n    ".join(role.grants) + f"\nTO {name}"
    bound = [role for role in everyone if role.oblast]
    tables = ", ".join(f"{DATABASE}.{table}" for table in OBLAST_TABLES)
    for role in bound:
        name = PREFIX + role.name
        yield f"CREATE ROW POLICY OR REPLACE {name}{on} ON {tables} FOR SELECT USING {filter_of(role)} TO {name}"
    # Where a table has row policies, whoever has none may see nothing: the others see all.
    others = ", ".join(PREFIX + role.name for role in bound)
    yield f"CREATE ROW POLICY OR REPLACE {PREFIX}all_oblasts{on} ON {tables} FOR SELECT USING 1 TO ALL EXCEPT {others}"


def filter_of(role: Role) -> str:
    """Returns the condition of the rows a role sees."""
    return f"oblast = {quote(role.oblast)}" if role.oblast else "1"


def trials(role: Role) -> tuple[list[str], list[str]]:
    """Returns statements a role may run, and statements it may not: what ``shekara access check`` and the tests try.

    Where a role is wrong on a server with data, a forbidden statement runs: each is one that then changes nothing.
    """
    allowed = []
    for grant in role.grants:
        match = re.fullmatch(
            rf"SELECT(?:, INSERT)?(?:\((?P<columns>[^)]+)\))?(?:, SHOW COLUMNS)? ON (?P<table>{DATABASE}\.\w+)", grant
        )
        if match:
            allowed.append(f"SELECT {match['columns'] or '*'} FROM {match['table']} LIMIT 0")  # noqa: S608  # names of ours
        match = re.fullmatch(rf"(SELECT, )?INSERT ON (?P<table>{DATABASE}\.\w+)", grant)
        if match and not role.reads:
            nothing = f"* FROM {match['table']} LIMIT 0" if match[1] else "toDateTime64(0, 3) LIMIT 0"
            allowed.append(f"INSERT INTO {match['table']}{'' if match[1] else ' (received_at)'} SELECT {nothing}")
    forbidden = [
        f"SELECT value FROM {DATABASE}.dead_letters LIMIT 1",  # noqa: S608
        f"ALTER TABLE {DATABASE}.alerts DROP COLUMN IF EXISTS there_is_no_such_column",
        f"ALTER TABLE {DATABASE}.alerts DELETE WHERE 0",
        "SELECT * FROM url('http://127.0.0.1:9/', 'CSV', 'a String')",
        "CREATE USER IF NOT EXISTS default",
    ]
    if role.reads:
        forbidden += [
            f"INSERT INTO {DATABASE}.alerts SELECT * FROM {DATABASE}.alerts WHERE 0",  # noqa: S608
            f"OPTIMIZE TABLE {DATABASE}.refused_rows",
            "SET max_execution_time = 301",
            "SET max_memory_usage = 8000000001",
        ]
        allowed.append("SET max_execution_time = 300")
    if role.name in ("operations", "publisher") or role.oblast:
        tables = ["core_border_crossing", "raw_border_crossing", "findings_now"]
        forbidden += [f"SELECT subject FROM {DATABASE}.{table} LIMIT 1" for table in tables]  # noqa: S608
    if role.name == "publisher":
        forbidden += [f"SELECT * FROM {DATABASE}.{table} LIMIT 1" for table in ("mart_alerts", "mart_daily_flows", "counts")]  # noqa: S608
    if role.name == "writer":
        forbidden += [f"SELECT * FROM {DATABASE}.{table} LIMIT 1" for table in ("findings", "cases", "raw_kandas")]  # noqa: S608
    return allowed, forbidden


HEAD = """\
-- Roles on a ClickHouse server of your own. Written by `python -m streams.warehouse.access`; do not edit.
-- Run as an administrator after `shekara warehouse --migrate-only`, and again after each upgrade:
--   clickhouse-client --queries-file deploy/clickhouse/access.sql
-- Then give people roles: CREATE USER aigerim IDENTIFIED WITH sha256_password BY '…' DEFAULT ROLE shekara_analyst;
-- `shekara access check` tries what each role may and may not do. The embedded engine has no users (docs/warehouse.md).
"""


def script() -> str:
    """Returns ``deploy/clickhouse/access.sql``."""
    told = {f"CREATE ROLE IF NOT EXISTS {PREFIX}{role.name}": role.does for role in roles()}
    lines = [HEAD]
    for statement in statements():
        comment = told.get(statement, "")
        lines.append(f"\n-- {comment}\n{statement};" if comment else f"{statement};")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(script())
