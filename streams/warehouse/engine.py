"""What the rest of the room needs from a ClickHouse, embedded or a server."""

from __future__ import annotations

from typing import Protocol

from streams.warehouse.block import Block, Result

DATABASE = "shekara"
"""Name of the database where the address names none."""


class Engine(Protocol):
    """A ClickHouse. Not to be shared between threads unless an adapter says so.

    Attributes:
        label: ``embedded`` or ``server``, for messages and metrics.
        database: name of the database every unqualified table is in.
    """

    label: str
    database: str

    def command(self, sql: str) -> None:
        """Runs one statement that has no answer.

        Raises:
            RefusedError: the engine says the statement is wrong.
            DependencyError: the engine did not answer.
        """

    def select(self, sql: str) -> Result:
        """Runs one query and returns its whole answer; raises as ``command``."""

    def insert(self, table: str, block: Block, *, token: str = "") -> int:
        """Inserts one block as one unit, synchronously: when it returns the rows are on disk.

        Args:
            table: table in ``database``.
            block: rows; left unchanged, so that a retry sends the same.
            token: names the block; the engine drops one it has already taken under this name.

        Returns:
            The number of rows sent.

        Raises:
            RefusedError: a value or the table does not fit; ``about_data`` tells which.
            DependencyError: the engine did not answer; the block may or may not have been taken.
        """

    def close(self) -> None:
        """Gives back what the adapter holds; safe to call twice."""
