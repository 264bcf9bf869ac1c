"""From one console's file to a store that several share: everything or nothing, and the chain of the audit with its signatures.

**Source**: ADR 0140.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from streams.console.store import Store
from streams.console.tables import STEPS
from streams.errors import UsageError

_TABLE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)")
_SHORT_LIVED = ("provider_attempt", "half_session")
"""What began at the old store is begun again at the new one."""


def tables() -> list[str]:
    """Returns the store's tables."""
    return [found[1] for step in STEPS for statement in step.statements if (found := _TABLE.match(statement))]


def move(source: Store, target: Store, tell: Callable[[str, int], object] = lambda *_: None) -> dict[str, int]:
    """Copies every row of a store into an empty one; the source stays as it is.

    Args:
        source: from where; no console may write to it meanwhile.
        target: to where.
        tell: is told each table and how many rows it has, before they are copied.

    Returns:
        The number of rows by table.

    Raises:
        UsageError: the target is in use.
    """
    counts: dict[str, int] = {}
    with target.writing() as writer:
        if writer.rows("SELECT 1 FROM account LIMIT 1") or writer.rows("SELECT 1 FROM audit LIMIT 1"):
            raise UsageError(
                "The store that SHEKARA_CONSOLE_STORE names is in use: it has accounts or an audit of its own.",
                "Two audits cannot become one chain: give it an empty database.",
            )
        writer.run("DELETE FROM setting")
        for table in tables():
            if table in _SHORT_LIVED:
                continue
            rows = source.rows(f"SELECT * FROM {table}")  # noqa: S608  # names of our own
            tell(table, len(rows))
            places = ", ".join("?" * len(rows[0])) if rows else ""
            for row in rows:
                writer.run(f"INSERT INTO {table} VALUES ({places})", *row)  # noqa: S608
            counts[table] = len(rows)
    return counts
