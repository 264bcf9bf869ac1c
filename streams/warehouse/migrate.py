"""Numbered SQL files, applied once, in order, and never changed afterwards.

ClickHouse has no transactions over DDL. So every statement must be one that may run twice (``IF NOT EXISTS``,
``OR REPLACE``): a migration that broke half-way runs again from its start.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.clock import now_ms
from streams.errors import IntegrityError, SetupError
from streams.warehouse.block import Block
from streams.warehouse.columns import INSTANT, Column, Table, quote
from streams.warehouse.engine import Engine
from streams.warehouse.sql import bracketed, for_cluster, split

DIRECTORY = Path(__file__).with_name("migrations")

OLDEST = (25, 3)
"""The oldest ClickHouse this schema is meant for; it is tested on the embedded engine's version (26)."""

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")

_APPLIED = """
CREATE TABLE IF NOT EXISTS schema_migrations /*cluster*/
(
    number UInt32 COMMENT 'Number of the migration, from its file name.',
    name String COMMENT 'Its name.',
    checksum String COMMENT 'SHA-256 of the file as it was applied.',
    applied_at DateTime64(3, 'UTC') COMMENT 'When it was applied: UTC.'
)
ENGINE = /*replicated*/ReplacingMergeTree(applied_at)
ORDER BY number
COMMENT 'Which migrations this database has.'
"""

_COLUMNS = (
    Column("number", "UInt32", ""),
    Column("name", "String", ""),
    Column("checksum", "String", ""),
    Column("applied_at", INSTANT, ""),
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One file.

    Attributes:
        number: from its name.
        name: from its name.
        checksum: SHA-256 of its bytes, hexadecimal.
        statements: its statements.
    """

    number: int
    name: str
    checksum: str
    statements: tuple[str, ...]

    @property
    def file(self) -> str:
        """Returns the file's name."""
        return f"{self.number:04}_{self.name}.sql"


def read(directory: Path = DIRECTORY) -> tuple[Migration, ...]:
    """Reads the migrations of a directory in order.

    Raises:
        SetupError: a file's name is not NNNN_name.sql, or a number is missing or there twice.
    """
    found: list[Migration] = []
    for path in sorted(directory.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise SetupError(f"{path}: expected a name like 0007_add_visas.sql.")
        content = path.read_bytes()
        found.append(
            Migration(
                int(match[1]),
                match[2],
                hashlib.sha256(content).hexdigest(),
                tuple(bracketed(statement) for statement in split(content.decode("utf-8"))),
            )
        )
    expected = 1
    for migration in found:
        if migration.number != expected and not (migration.number % 100 == 0 and migration.number > expected):
            raise SetupError(
                f"{directory / migration.file}: expected number {expected:04}; numbers run without gaps, one file each, "
                "but a new hundred may begin."
            )
        expected = migration.number + 1
    return tuple(found)


def migrate(
    engine: Engine,
    migrations: Sequence[Migration] | None = None,
    *,
    cluster: str = "",
    tell: Callable[[Migration], None] = lambda _: None,
) -> int:
    """Brings a database up to date.

    Args:
        engine: where.
        migrations: as ``read`` returns them; those of this program by default.
        cluster: name of the cluster to create everything on; empty for a single node.
        tell: called before each migration that is applied.

    Returns:
        How many were applied.

    Raises:
        SetupError: the engine is older than ``OLDEST``.
        IntegrityError: a file that this database already has was changed, or the database has more than this program.
        RefusedError, DependencyError: a statement failed.
    """
    wanted = read() if migrations is None else tuple(migrations)
    _require_modern(engine)
    if engine.select("EXISTS TABLE schema_migrations").rows != [(1,)]:  # the sink's user may not create tables
        if cluster:  # whoever connects makes the database on one server only
            engine.command(for_cluster(f"CREATE DATABASE IF NOT EXISTS {engine.database} /*cluster*/", cluster))
        engine.command(for_cluster(_APPLIED, cluster))
    applied = {
        number: (name, checksum)
        for number, name, checksum in engine.select(
            "SELECT number, argMax(name, applied_at), argMax(checksum, applied_at) FROM schema_migrations GROUP BY number"
        ).rows
    }
    _compare(wanted, applied)
    todo = [migration for migration in wanted if migration.number not in applied]
    for migration in todo:
        tell(migration)
        for statement in migration.statements:
            engine.command(for_cluster(statement, cluster))
        engine.insert(
            "schema_migrations",
            Block(_COLUMNS, [[migration.number], [migration.name], [migration.checksum], [now_ms()]]),
        )
    return len(todo)


def _require_modern(engine: Engine) -> None:
    version = str(engine.select("SELECT version()").rows[0][0])
    found = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if found < OLDEST:
        raise SetupError(
            f"ClickHouse {version} is too old: {'.'.join(map(str, OLDEST))} or newer is needed.",
            "Upgrade the server, or leave SHEKARA_CLICKHOUSE empty to use the embedded engine.",
        )


def refresh_comments(engine: Engine, tables: Iterable[Table], *, cluster: str = "") -> int:
    """Gives columns the words their schema has today: a better sentence in a schema needs no migration.

    Returns:
        How many columns got new words.
    """
    changed = 0
    for table in tables:
        place = f"database = {quote(engine.database)} AND table = {quote(table.name)}"
        there = dict(engine.select(f"SELECT name, comment FROM system.columns WHERE {place}").rows)  # noqa: S608  # quoted
        for column in table.columns:
            if there.get(column.name, column.comment) != column.comment:
                statement = f"ALTER TABLE {table.name} /*cluster*/ COMMENT COLUMN `{column.name}` {quote(column.comment)}"
                engine.command(for_cluster(statement, cluster))
                changed += 1
    return changed


def _compare(wanted: Sequence[Migration], applied: dict[int, tuple[str, str]]) -> None:
    for migration in wanted:
        before = applied.get(migration.number)
        if before is not None and before[1] != migration.checksum:
            raise IntegrityError(
                f"Migration {migration.file} was changed after it was applied: this database has SHA-256 {before[1][:12]}…, "
                f"the file now has {migration.checksum[:12]}….",
                "Restore the file from version control and put the change into a new migration.",
            )
    unknown = sorted(applied.keys() - {migration.number for migration in wanted})
    if unknown:
        raise IntegrityError(
            f"This database has migration {unknown[0]:04}_{applied[unknown[0]][0]}, which this version of Shekara does not know.",
            "A newer version has been here: update Shekara.",
        )
