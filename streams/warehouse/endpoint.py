"""The read-only SQL endpoint: enough of ClickHouse's HTTP interface for curl, pandas, Grafana, DBeaver and client libraries.

On loopback, behind a token that lies in a file only its owner can read. Whoever can read that file can read the warehouse.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
import secrets
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from streams import metrics
from streams.errors import DependencyError, SetupError, ShekaraError
from streams.warehouse.errors import RefusedError
from streams.warehouse.readonly import Reader

LOOPBACK = "127.0.0.1"
MAX_BODY_BYTES = 1024 * 1024
_AUTHENTICATION_FAILED = 516
_TIMEOUT_EXCEEDED = 159
_MEMORY_LIMIT_EXCEEDED = 241

_NAMES = {
    62: "SYNTAX_ERROR",
    73: "UNKNOWN_FORMAT",
    159: "TIMEOUT_EXCEEDED",
    164: "READONLY",
    516: "AUTHENTICATION_FAILED",
}
"""ClickHouse's names of the codes our own refusals carry."""

_CONTENT_TYPES = {
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TabSeparatedWithNames": "text/tab-separated-values; charset=UTF-8",
    "TabSeparatedWithNamesAndTypes": "text/tab-separated-values; charset=UTF-8",
    "Parquet": "application/octet-stream",
    "Arrow": "application/octet-stream",
    "Native": "application/octet-stream",
    "RowBinary": "application/octet-stream",
}


def token_in(path: Path) -> str:
    """Returns the token of a file, made now if there is none; only the owner can read the file.

    Raises:
        SetupError: others can read it, or it cannot be read or written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.exists():
            if path.stat().st_mode & 0o077:
                raise SetupError(f"Others can read the token in {path}.", f"Remove it: a new one is made. rm {path}")
            token = path.read_text(encoding="ascii").strip()
            if token:
                return token
        token = secrets.token_urlsafe(32)
        scratch = path.with_suffix(".new")
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(token + "\n")
        scratch.replace(path)
    except OSError as error:
        raise SetupError(f"The token of the SQL endpoint cannot be kept in {path}: {error.strerror or error}.") from error
    return token


def application(reader: Reader, token: str, ready: Callable[[], str]) -> Starlette:
    """Returns the web application.

    Args:
        reader: what runs the queries.
        token: what a caller must know.
        ready: returns why the process is not ready, or an empty text.
    """

    async def query(request: Request) -> Response:
        if not _knows(request, token):
            metrics.SQL_QUERIES.labels("unauthorised").inc()
            return _refusal(
                401,
                _AUTHENTICATION_FAILED,
                "Authentication failed: send the token of <home>/run/sql.token as X-ClickHouse-Key, Bearer token or password.",
            )
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_BODY_BYTES:
                return _refusal(413, 62, f"A query may have {MAX_BODY_BYTES} bytes.")
        sql = "\n".join(part for part in (request.query_params.get("query", ""), body.decode("utf-8", "replace")) if part.strip())
        if not sql.strip():
            return PlainTextResponse("Ok.\n")
        output = request.query_params.get("default_format") or request.headers.get("x-clickhouse-format") or "TabSeparated"
        parameters = {name[6:]: value for name, value in request.query_params.items() if name.startswith("param_")}
        return await run_in_threadpool(_answer, reader, sql, output, parameters)

    async def ping(_: Request) -> Response:
        return PlainTextResponse("Ok.\n")

    async def readyz(_: Request) -> Response:
        trouble = ready()
        return PlainTextResponse(f"{trouble or 'ok'}\n", 503 if trouble else 200)

    async def figures(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/", query, methods=["GET", "POST"]),
            Route("/ping", ping),
            Route("/livez", ping),
            Route("/readyz", readyz),
            Route("/metrics", figures),
        ]
    )


def _answer(reader: Reader, sql: str, output: str, parameters: dict[str, str]) -> Response:
    try:
        content = reader.answer(sql, output, parameters)
    except RefusedError as error:
        metrics.SQL_QUERIES.labels("refused").inc()
        return _refusal(403 if error.code == 164 else 400, max(error.code, 0) or 1, str(error))
    except DependencyError as error:
        metrics.SQL_QUERIES.labels("failed").inc()
        # Reaching a limit again would help nobody: clients try 503 again by themselves, 400 and 408 they do not.
        if "Query memory limit exceeded" in str(error):
            return _refusal(400, _MEMORY_LIMIT_EXCEEDED, str(error))
        return _refusal(408 if "Timeout exceeded" in str(error) else 503, _TIMEOUT_EXCEEDED, str(error))
    except ShekaraError as error:
        metrics.SQL_QUERIES.labels("failed").inc()
        return _refusal(500, 1, str(error))
    metrics.SQL_QUERIES.labels("answered").inc()
    return Response(
        content,
        headers={
            "Content-Type": _CONTENT_TYPES.get(output, "text/plain; charset=UTF-8"),
            "Cache-Control": "no-store",
            "X-ClickHouse-Format": output,
            "X-ClickHouse-Timezone": "UTC",
            "X-ClickHouse-Server-Display-Name": "shekara",
            "X-ClickHouse-Query-Id": str(uuid4()),
        },
    )


def _refusal(status: int, code: int, sentence: str) -> Response:
    headers = {"X-ClickHouse-Exception-Code": str(code), "Cache-Control": "no-store"}
    if not re.search(r"\([A-Z0-9_]{3,}\)", sentence):  # clients find the code by the name behind the sentence
        sentence = f"{sentence} ({_NAMES.get(code, 'UNKNOWN_EXCEPTION')})"
    return PlainTextResponse(f"Code: {code}. DB::Exception: {sentence}\n", status, headers=headers)


def _knows(request: Request, token: str) -> bool:
    """Tells whether the caller has the token; never looks for it in the URL, where it would end up in logs."""
    offered = request.headers.get("x-clickhouse-key", "")
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        offered = value.strip()
    elif scheme.lower() == "basic":
        try:
            offered = base64.b64decode(value, validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return False
    return hmac.compare_digest(offered.encode(), token.encode())


class Endpoint:
    """Serves an application on loopback, on a thread of its own, until it is closed.

    Args:
        served: the application.
        port: 0 takes a free one.

    Raises:
        SetupError: the port is taken.
    """

    def __init__(self, served: Starlette, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((LOOPBACK, port))
        except OSError as error:
            self._socket.close()
            raise SetupError(
                f"The SQL endpoint cannot listen on {LOOPBACK}:{port}: {error.strerror or error}.",
                "Choose another port with SHEKARA_SQL_PORT, or 0 for a free one.",
            ) from error
        config = uvicorn.Config(
            served, log_config=None, access_log=False, server_header=False, date_header=False, timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="sql", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])

    @property
    def url(self) -> str:
        """Returns where it answers."""
        return f"http://{LOOPBACK}:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """Stops serving; queries that run have a second to end."""
        self._server.should_exit = True
        self._thread.join(3.0)
        self._socket.close()


def headers_for(token: str) -> dict[str, Any]:
    """Returns the headers with which a client of ours shows the token."""
    return {"X-ClickHouse-User": "reader", "X-ClickHouse-Key": token}
