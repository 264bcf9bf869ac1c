"""A ClickHouse server over its native protocol (clickhouse-driver). One client, one thread, never in an event loop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from clickhouse_driver import Client
from clickhouse_driver.errors import Error as DriverError
from clickhouse_driver.errors import NetworkError, PartiallyConsumedQueryError, ServerException, SocketTimeoutError

from streams.errors import DependencyError, SetupError
from streams.warehouse.block import Block, Result
from streams.warehouse.engine import DATABASE
from streams.warehouse.errors import NOT_NOW_CODES, RefusedError, sentence_of

_WRONG_CREDENTIALS = frozenset({192, 193, 194, 195, 516})

# The driver logs what it raises, with a traceback; whoever catches our errors has said it in one sentence.
logging.getLogger("clickhouse_driver").setLevel(logging.CRITICAL)

CONNECT_S = 5
ANSWER_S = 60


class Server:
    """An ``Engine`` over a ClickHouse server; keeps one connection for each thread that uses it.

    Args:
        url: ``clickhouse://user:password@host:port/database``, ``clickhouses://`` for TLS. Never logged.
        settings: engine settings sent with every query, by name.
        create: whether to create the database when it is not there.

    Raises:
        SetupError: the URL is not one, or the server refuses user, password or database.
        DependencyError: nothing answers there.
    """

    label = "server"

    def __init__(self, url: str, settings: Mapping[str, int | str] | None = None, *, create: bool = True) -> None:
        self._options, self.database, self.address = _parsed(url)
        self._settings = dict(settings or {})
        self._threads = threading.local()
        self._clients: list[Client] = []
        self._guard = threading.Lock()
        if create:
            self._create_database()
        self.version = tuple(int(part) for part in str(self.select("SELECT version()").rows[0][0]).split(".")[:2])

    def command(self, sql: str) -> None:
        """Runs one statement that has no answer."""
        self._execute(sql)

    def select(self, sql: str) -> Result:
        """Runs one query."""
        rows, columns = self._execute(sql, with_column_types=True)
        return Result(tuple(name for name, _ in columns), tuple(kind for _, kind in columns), [tuple(row) for row in rows])

    def insert(self, table: str, block: Block, *, token: str = "") -> int:
        """Inserts one block: the driver's encoder writes the same columns to the socket as ``block.encode`` writes to bytes."""
        settings: dict[str, Any] = {}
        if self.version >= (22, 0):
            settings = {"async_insert": 0, "insert_deduplicate": 1} | ({"insert_deduplication_token": token} if token else {})
        if not block.rows:
            return 0
        sql = f"INSERT INTO `{self.database}`.`{table}` ({block.names}) VALUES"
        self._execute(sql, block.copy_of_data(), columnar=True, settings=settings)
        return block.rows

    def close(self) -> None:
        """Closes every thread's connection."""
        with self._guard:
            clients, self._clients = self._clients, []
        for client in clients:
            client.disconnect()
        self._threads = threading.local()

    def _client(self) -> Client:
        client = getattr(self._threads, "client", None)
        if client is None:
            client = self._connect(self.database)
            self._threads.client = client
            with self._guard:
                self._clients.append(client)
        return client

    def _connect(self, database: str) -> Client:
        return Client(**self._options, database=database, settings={"insert_block_size": 1 << 30, "strings_encoding": "utf-8"})

    def _execute(self, sql: str, data: Any = None, *, settings: Mapping[str, Any] | None = None, **options: Any) -> Any:
        return self._run(self._client(), sql, data, settings=settings, **options)

    def _run(
        self, client: Client, sql: str, data: Any = None, *, settings: Mapping[str, Any] | None = None, **options: Any
    ) -> Any:
        try:
            return client.execute(sql, data, settings=self._settings | dict(settings or {}), **options)
        except ServerException as error:
            raise self._answered_no(error) from error
        except (NetworkError, SocketTimeoutError, PartiallyConsumedQueryError, EOFError, OSError) as error:
            client.disconnect()
            raise DependencyError(
                f"ClickHouse at {self.address} does not answer: {type(error).__name__}.",
                "Check SHEKARA_CLICKHOUSE and that the server runs; 'shekara doctor' looks at each part.",
            ) from error
        except (DriverError, ValueError, TypeError, AttributeError, OverflowError) as error:
            client.disconnect()  # the encoder stopped in the middle of a block
            raise RefusedError(f"A value does not fit its column: {error}.") from error

    def _answered_no(self, error: ServerException) -> Exception:
        said = sentence_of(str(error.message))
        if error.code in _WRONG_CREDENTIALS:
            return SetupError(
                f"ClickHouse at {self.address} refused the user or password of SHEKARA_CLICKHOUSE.",
                "Use clickhouse://user:password@host:port/database; special characters in the password are %-encoded.",
            )
        if error.code in NOT_NOW_CODES:
            return DependencyError(f"ClickHouse at {self.address} cannot do it now: {said}.")
        return RefusedError(f"ClickHouse refused: {said}.", code=error.code)

    def _create_database(self) -> None:
        client = self._connect("default")
        try:
            there = self._run(client, "SELECT count() FROM system.databases WHERE name = %(name)s", {"name": self.database})
            if not there[0][0]:
                self._run(client, f"CREATE DATABASE IF NOT EXISTS `{self.database}`")
        finally:
            client.disconnect()


def _parsed(url: str) -> tuple[dict[str, Any], str, str]:
    """Returns the driver's options, the database, and the address without secrets.

    Raises:
        SetupError: it is no such URL; the sentence does not repeat it, because it may hold a password.
    """
    form = "Expected clickhouse://user:password@host:9000/database (clickhouses:// for TLS)"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SetupError(f"SHEKARA_CLICKHOUSE is not a URL with a valid port. {form}.") from error
    if parts.scheme not in ("clickhouse", "clickhouses"):
        scheme = f"'{parts.scheme}://'" if "://" in url else "no scheme"
        raise SetupError(f"SHEKARA_CLICKHOUSE has {scheme}. {form}.", "The native protocol is spoken, not HTTP.")
    if not parts.hostname:
        raise SetupError(f"SHEKARA_CLICKHOUSE names no host. {form}.")
    secure = parts.scheme == "clickhouses"
    port = port or (9440 if secure else 9000)
    options: dict[str, Any] = {
        "host": parts.hostname,
        "port": port,
        "user": unquote(parts.username or "default"),
        "password": unquote(parts.password or ""),
        "secure": secure,
        "connect_timeout": CONNECT_S,
        "send_receive_timeout": ANSWER_S,
        "client_name": "shekara",
    }
    for name, value in parse_qsl(parts.query):
        if name not in ("ca_certs", "certfile", "keyfile", "compression"):
            raise SetupError(
                f"SHEKARA_CLICKHOUSE has the unknown option '{name}'.", "Known: ca_certs, certfile, keyfile, compression."
            )
        options[name] = value
    database = parts.path.strip("/") or DATABASE
    if not database.replace("_", "").isalnum():
        raise SetupError(f"SHEKARA_CLICKHOUSE names the database '{database}': expected letters, digits and underscores.")
    return options, database, f"{parts.hostname}:{port}"


def as_user(url: str, user: str, password: str) -> str:
    """Returns the URL with another user: the same server, database and options."""
    parts = urlsplit(url)
    place = f"{parts.hostname}{f':{parts.port}' if parts.port else ''}"
    return parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{place}").geturl()
