"""The console's store in PostgreSQL: several consoles may share it, and still only one of them writes at a time.

Writers queue behind one lock of the database, so that the audit is one chain and a number at the source is given once; the lock
ends with its transaction or connection, whatever becomes of the console that held it.

**Source**: ADR 0140.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from zlib import crc32

import psycopg
from psycopg import errors
from psycopg_pool import ConnectionPool

from streams.clock import now_ms
from streams.console.postgresql_url import Place, read_url
from streams.console.store import Row, Writer, missing_steps, plain
from streams.console.tables import FORM, STEPS
from streams.errors import DependencyError, SetupError

CONNECTIONS = 8
"""Kept open by one console, at most."""
WAIT_S = 10
"""How long a page waits behind other writers."""
CONNECT_S = 5
"""How long a page waits for a connection: a server that is away is told soon, and asked again by the next page."""
_SPACE = 0x53484B
"""Of our locks among the database's."""
_WRITERS = 0
_SESSION = (
    f"SET lock_timeout = '{WAIT_S}s'",
    "SET statement_timeout = '30s'",
    "SET idle_in_transaction_session_timeout = '60s'",
)

Connection = psycopg.Connection[Row]


class _Transaction:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, *values: object) -> list[Row]:
        return self._connection.execute(_spelled(statement), plain(values)).fetchall()

    def run(self, statement: str, *values: object) -> int:
        return self._connection.execute(_spelled(statement), plain(values)).rowcount


class PostgresqlStore:
    """A database on a server.

    Args:
        url: as `read_url` takes it.
        prepare: whether tables may be made and changed.

    Raises:
        SetupError: the URL will not do, the tables may not be made, or a later version of the program wrote them.
        DependencyError: the server refuses or does not answer; the sentence says where and why, never with which password.
    """

    def __init__(self, url: str, *, prepare: bool = True) -> None:
        self._place = read_url(url)
        parameters: dict[str, Any] = {
            "connect_timeout": str(CONNECT_S),
            "application_name": "shekara-console",
            **self._place.parameters,
        }
        with _told(self._place), psycopg.connect(autocommit=True, **parameters) as connection:
            _prepare(connection, self._place, apply=prepare)
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            kwargs={"autocommit": True, **parameters},
            min_size=1,
            max_size=CONNECTIONS,
            timeout=CONNECT_S,
            reconnect_timeout=CONNECT_S,
            name="console",
            configure=_configure,
            # After a restart of the server a page gets a fresh connection instead of an error.
            check=ConnectionPool.check_connection,
            open=True,
        )

    def rows(self, statement: str, *values: object) -> list[Row]:
        """Reads."""
        with _told(self._place), self._pool.connection() as connection:
            return connection.execute(_spelled(statement), plain(values)).fetchall()

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """One transaction, behind the lock of the writers."""
        with _told(self._place), self._pool.connection() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_SPACE, _WRITERS))
            yield _Transaction(connection)

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Alone among the consoles of this database."""
        number = crc32(name.encode()) >> 1 or 1
        with _told(self._place), self._pool.connection() as connection:
            connection.execute("SELECT pg_advisory_lock(%s, %s)", (_SPACE, number))
            try:
                yield
            finally:
                # A connection that broke has given the lock back already.
                with contextlib.suppress(psycopg.OperationalError):
                    connection.execute("SELECT pg_advisory_unlock(%s, %s)", (_SPACE, number))

    def close(self) -> None:
        """Closes the connections."""
        self._pool.close()


def _configure(connection: Connection) -> None:
    for statement in _SESSION:
        connection.execute(statement.encode())


def _prepare(connection: Connection, place: Place, *, apply: bool) -> None:
    """Brings the tables to the form this program knows: by one console at a time, all of it or nothing."""
    with connection.transaction():
        transaction = _Transaction(connection)
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_SPACE, _WRITERS))
        made = connection.execute("SELECT to_regclass('form')").fetchall()[0][0] is not None
        missing = missing_steps(transaction.rows("SELECT step, digest FROM form") if made else [], place.name)
        if missing and not apply:
            raise SetupError(f"The console's store {place.name} is of an earlier form.", "Start 'shekara console' once.")
        if missing:
            transaction.run(FORM)
        for step in missing:
            one = STEPS[step - 1]
            for statement in one.statements:
                transaction.run(statement)
            transaction.run("INSERT INTO form VALUES (?, ?, ?, ?)", step, one.name, one.digest, now_ms())


@lru_cache(maxsize=512)
def _spelled(statement: str) -> bytes:
    """Returns a statement with the placeholders the driver knows; none of ours has a question mark in a text."""
    return statement.replace("%", "%%").replace("?", "%s").encode()


@contextmanager
def _told(place: Place) -> Iterator[None]:
    try:
        yield
    except errors.InsufficientPrivilege as error:
        raise SetupError(
            f"The console may not do this in its store {place.name}: {_said(error, place)}.",
            "Let its user own the database: CREATE DATABASE … OWNER ….",
        ) from None
    except (psycopg.OperationalError, errors.ReadOnlySqlTransaction) as error:
        raise DependencyError(
            f"The console's store {place.name} did not answer or refused: {_said(error, place)}.",
            "Look at the server, the user and the database that SHEKARA_CONSOLE_STORE names.",
        ) from None


def _said(error: Exception, place: Place) -> str:
    """Returns the server's own words in one line, without the password whatever they are."""
    text = " ".join(str(error).split()).rstrip(".")
    return text.replace(place.password, "…") if place.password else text
