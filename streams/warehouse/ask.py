"""Asking the warehouse from the command line: a server, a running stack's endpoint, or the embedded engine itself."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Protocol

from streams.errors import DependencyError, SetupError
from streams.settings import Settings
from streams.warehouse.block import Result, answer
from streams.warehouse.connect import data_path
from streams.warehouse.endpoint import headers_for
from streams.warehouse.errors import RefusedError, code_of, sentence_of

ANSWER_S = 90


class Asker(Protocol):
    """Answers queries that only read."""

    def select(self, sql: str) -> Result:
        """Runs one query.

        Raises:
            RefusedError: it was refused.
            DependencyError: nobody answered.
        """

    def raw(self, sql: str) -> bytes:
        """Runs one query that names its FORMAT and returns the answer as it is; raises as ``select``."""

    def close(self) -> None:
        """Gives back connections."""


class ServerAsker:
    """Asks a ClickHouse server directly; the server's own rights apply besides."""

    def __init__(self, url: str) -> None:
        from streams.warehouse.server import Server

        self._server = Server(url, {"readonly": 2, "max_execution_time": 60}, create=False)

    def select(self, sql: str) -> Result:
        """Runs one query."""
        return self._server.select(sql)

    def raw(self, sql: str) -> bytes:
        """Refuses: the native protocol carries no formats."""
        raise RefusedError("A FORMAT clause cannot be answered over ClickHouse's native protocol.", "Use --csv or --json.")

    def close(self) -> None:
        """Closes the connection."""
        self._server.close()


class HttpAsker:
    """Asks the endpoint of a running stack."""

    def __init__(self, url: str, token_file: Path) -> None:
        self._url = url
        try:
            self._headers = headers_for(token_file.read_text(encoding="ascii").strip())
        except OSError as error:
            raise SetupError(
                f"The token of the SQL endpoint cannot be read from {token_file}: {error.strerror or error}.",
                "Only the user who started the stack can ask it.",
            ) from error

    def select(self, sql: str) -> Result:
        """Runs one query."""
        return answer(sql, lambda query: self._post(query, "Native"))

    def raw(self, sql: str) -> bytes:
        """Runs one query that names its FORMAT."""
        return self._post(sql, "TabSeparated")

    def close(self) -> None:
        """Nothing to give back."""

    def _post(self, sql: str, output: str) -> bytes:
        request = urllib.request.Request(  # noqa: S310  # the URL comes from our own stack file
            f"{self._url}/?default_format={output}", data=sql.encode(), headers=self._headers, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:  # noqa: S310
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            said = error.read().decode("utf-8", "replace")
            if error.code in (400, 403):
                raise RefusedError(sentence_of(said) + ".", code=code_of(said)) from error
            raise DependencyError(f"The warehouse at {self._url} did not answer the query: {sentence_of(said)}.") from error
        except OSError as error:
            raise DependencyError(
                f"The warehouse at {self._url} does not answer: {error}.", "'shekara doctor' looks at each part."
            ) from error


class EmbeddedAsker:
    """Opens the embedded engine's data for the time of the questions."""

    def __init__(self, path: Path) -> None:
        from streams.warehouse.embedded import Embedded
        from streams.warehouse.readonly import Reader

        self._engine = Embedded(path)
        self._reader = Reader(self._engine)

    def select(self, sql: str) -> Result:
        """Runs one query."""
        return answer(sql, lambda query: self._reader.answer(query, "Native"))

    def raw(self, sql: str) -> bytes:
        """Runs one query that names its FORMAT."""
        return self._reader.answer(sql, "TabSeparated")

    def close(self) -> None:
        """Closes the engine."""
        self._reader.close()
        self._engine.close()


class Asking:
    """``with Asking(settings) as asker``: finds whom to ask.

    Args:
        settings: ``clickhouse`` names a server; else the stack that runs in ``home``; else the embedded data in ``home``.

    Raises:
        SetupError: there is no warehouse.
    """

    def __init__(self, settings: Settings, *, sql_url: str = "", token_file: str = "") -> None:
        url = settings.clickhouse.get_secret_value()
        self._asker: Asker
        if url:
            self._asker = ServerAsker(url)
        elif sql_url:
            self._asker = HttpAsker(sql_url, Path(token_file))
        elif data_path(settings).is_dir():
            self._asker = EmbeddedAsker(data_path(settings))
        else:
            raise SetupError(
                f"There is no warehouse: no stack runs in {settings.home.absolute()} and it holds no data.",
                "Start one with 'shekara up' or 'shekara demo', name another home with SHEKARA_HOME, or set SHEKARA_CLICKHOUSE.",
            )

    def __enter__(self) -> Asker:
        return self._asker

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._asker.close()
