"""The console's own store: accounts, sessions, notes, audit. Alerts and cases are in the log.

One interface, two databases: SQLite in a file of the console's own (`streams.console.sqlite`), and PostgreSQL by URL, which
several consoles may share (`streams.console.postgresql`). Both obey the same laws (`tests/contract/test_console_store.py`).

**Source**: ADR 0140.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from streams.console.tables import STEPS
from streams.errors import IntegrityError, SetupError
from streams.settings import Settings

Row = tuple[Any, ...]


class Writer(Protocol):
    """One transaction that may write."""

    def rows(self, statement: str, *values: object) -> list[Row]:
        """Reads within the transaction."""

    def run(self, statement: str, *values: object) -> int:
        """Writes; returns how many rows changed."""


class Store(Protocol):
    """Where the console keeps its own data; safe for several threads.

    Every method raises ``DependencyError`` if the database does not answer within ten seconds.
    """

    def rows(self, statement: str, *values: object) -> list[Row]:
        """Reads what is committed; placeholders are ``?``."""

    def writing(self) -> AbstractContextManager[Writer]:
        """Returns a context: a transaction, alone among all consoles' writers, committed at its end, undone by an exception."""

    def alone(self, name: str) -> AbstractContextManager[None]:
        """Returns a context in which no other console on this store does what has this name; waits for it. Not for nesting."""

    def close(self) -> None:
        """Gives back files and connections."""


def open_store(settings: Settings, folder: Path, *, prepare: bool = True) -> Store:
    """Opens the store the settings name.

    Args:
        settings: ``console_store``: a URL of PostgreSQL; empty: SQLite.
        folder: where SQLite's file is.
        prepare: whether tables may be made and changed; without, a store of an earlier form is refused.

    Raises:
        SetupError: the URL or the path will not do, or a later version of the program wrote the store.
        DependencyError: the server refuses or does not answer.
    """
    url = settings.console_store.get_secret_value()
    if url:
        from streams.console.postgresql import PostgresqlStore

        return PostgresqlStore(url, prepare=prepare)
    from streams.console.sqlite import SqliteStore

    return SqliteStore(folder / "console.db")


def missing_steps(applied: Sequence[Row], where: str) -> list[int]:
    """Returns the numbers of the steps to apply.

    Args:
        applied: ``step, digest`` of those that were.
        where: the store, for the sentences.

    Raises:
        SetupError: a later version of the program wrote the store.
        IntegrityError: a step is not the one that was applied.
    """
    known = {int(step): str(digest) for step, digest in applied}
    latest = max(known, default=0)
    if latest > len(STEPS):
        raise SetupError(
            f"The console's store {where} has form {latest}; this program knows form {len(STEPS)}.",
            "Start the version of the program that wrote it, or a later one.",
        )
    for step, digest in known.items():
        if STEPS[step - 1].digest != digest:
            raise IntegrityError(f"Step {step} of the console's store {where} is not the one this program knows.")
    return [step for step in range(1, len(STEPS) + 1) if step not in known]


def plain(values: Sequence[object]) -> list[Any]:
    """Returns values as the columns take them: truth as a number, and texts without what no database can hold.

    A browser may send anything: what is left of a broken text equals nothing that was ever kept.
    """
    return [_one(value) for value in values]


def _one(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return value
