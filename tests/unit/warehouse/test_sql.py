"""Statements are told apart as ClickHouse does it, and a cluster changes only what is marked."""

from __future__ import annotations

import re

import pytest

from streams.warehouse.migrate import DIRECTORY, read
from streams.warehouse.sql import bracketed, for_cluster, split


@pytest.mark.parametrize(
    ("script", "statements"),
    [
        ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("SELECT 1;;  ;\n", ["SELECT 1"]),
        ("SELECT ';', ';;' ; SELECT 2", ["SELECT ';', ';;'", "SELECT 2"]),
        (r"SELECT 'it\'s; ok', 'a''b;c'; SELECT 2", [r"SELECT 'it\'s; ok', 'a''b;c'", "SELECT 2"]),
        ('SELECT `a;b`, "c;d"; SELECT 2', ['SELECT `a;b`, "c;d"', "SELECT 2"]),
        ("-- only; a comment\n", []),
        ("-- first; line\nSELECT 1", ["-- first; line\nSELECT 1"]),
        ("SELECT /* ; */ 1; SELECT 2", ["SELECT /* ; */ 1", "SELECT 2"]),
        ("SELECT $a$ ; $a$; SELECT 2", ["SELECT $a$ ; $a$", "SELECT 2"]),
        ("SELECT 4 - 2 / 1; SELECT 2", ["SELECT 4 - 2 / 1", "SELECT 2"]),
        ("", []),
    ],
)
def test_a_script_is_split_where_a_statement_ends(script: str, statements: list[str]) -> None:
    assert list(split(script)) == statements


def test_a_cluster_gets_its_clauses_where_the_marks_are() -> None:
    statement = "CREATE TABLE t /*cluster*/ (a Int8)\nENGINE = /*replicated*/ReplacingMergeTree(v)\nORDER BY a"
    assert for_cluster(statement, "") == statement
    assert for_cluster(statement, "main") == (
        "CREATE TABLE t ON CLUSTER 'main' (a Int8)\n"
        "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', v)\nORDER BY a"
    )
    assert for_cluster("ENGINE = /*replicated*/ReplacingMergeTree()", "main").endswith("'{replica}')")


def test_every_statement_of_a_migration_may_run_twice_and_on_a_cluster() -> None:
    for migration in read():
        assert migration.statements, migration.file
        for statement in migration.statements:
            bare = "\n".join(line for line in statement.splitlines() if not line.startswith("--"))
            assert "IF NOT EXISTS" in bare or "OR REPLACE" in bare or "IF EXISTS" in bare, f"{migration.file}: {bare[:80]}"
            assert "/*cluster*/" in bare, f"{migration.file}: {bare[:80]}"
            # Marked local is only what one process fills and empties within a second.
            said = re.findall(r"(\S*?)\w*MergeTree", bare)
            assert all(mark in ("/*replicated*/", "/*local*/") for mark in said), f"{migration.file}: {bare[:80]}"
            assert "/*local*/" not in bare or "TABLE IF NOT EXISTS counts_" in bare, f"{migration.file}: {bare[:80]}"
    assert DIRECTORY.is_dir()


def test_a_views_query_stands_in_brackets_so_that_no_server_takes_its_comment_for_an_alias() -> None:
    statement = (
        "CREATE OR REPLACE VIEW v /*cluster*/\n(\n    a Int8 COMMENT 'it''s; a'\n)\nAS SELECT a FROM t\nCOMMENT 'it\\'s v'"
    )
    assert bracketed(statement) == (
        "CREATE OR REPLACE VIEW v /*cluster*/\n(\n    a Int8 COMMENT 'it''s; a'\n)\nAS (\nSELECT a FROM t\n)\nCOMMENT 'it\\'s v'"
    )
    table = "CREATE TABLE t (a Int8 COMMENT 'a') ENGINE = MergeTree ORDER BY a\nCOMMENT 't'"
    assert bracketed(table) == table
    for migration in read():
        for one in migration.statements:
            assert "OR REPLACE VIEW" not in one or re.search(r"\nAS\s\(\n.*\n\)\nCOMMENT '", one, re.DOTALL), (
                f"{migration.file}: {one[:80]}"
            )
