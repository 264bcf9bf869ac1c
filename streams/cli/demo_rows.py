"""Counts what has arrived in the warehouse, as any client would."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.local.stack import Stack
    from streams.settings import Settings

# Only tables that keep records: what the marts count with between two changes has no rows of its own and no FINAL.
_TABLES = """
SELECT name FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%ReplacingMergeTree' AND name != 'schema_migrations'
ORDER BY name
"""


def rows_by_table(stack: Stack, settings: Settings) -> dict[str, int]:
    """Returns the rows of every table of the warehouse that has some; a row delivered twice counts once.

    Args:
        stack: the running stack.
        settings: say whether the ClickHouse is somebody's own.

    Raises:
        DependencyError: ClickHouse does not answer.
        RefusedError: it refuses.
    """
    from streams.warehouse.ask import Asking

    with Asking(settings, sql_url=stack.sql_url, token_file=stack.token_file) as asker:
        tables = [str(name) for (name,) in asker.select(_TABLES).rows]
        counts = {name: int(asker.select(f"SELECT count() FROM `{name}` FINAL").rows[0][0]) for name in tables}  # noqa: S608
    return {name: count for name, count in counts.items() if count}
