"""The small service beside a border post's program: takes events by folder and by local HTTP, keeps them, forwards them.

Standard library's HTTP server, on loopback, behind a token: old machines need nothing more than Python.
"""

from __future__ import annotations

import hmac
import json
import threading
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams import metrics
from streams.clock import now_ms
from streams.errors import SetupError, ShekaraError, UsageError
from streams.publish.forwarding import Forwarder
from streams.publish.inbox import Inbox, Refused, Rows, Taken, parsed
from streams.publish.spool import Spool, SpoolFullError
from streams.publish.spooled import Placed
from streams.publish.statements import Statements
from streams.records import CountStatement
from streams.wire.jsonform import date_text

LOOPBACK = "127.0.0.1"
MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_ROWS = 5_000
REMEMBERED = 20
"""Files and statements shown in the state, the latest."""
_SWEEP_S = 1.0


class Edge:
    """The parts of the service, running.

    Args:
        spool: where events wait.
        forwarder: empties it; started here.
        rows: makes events of rows.
        inbox: the folder; none if there is none.
        statements: makes the posts' daily statements of counts; none if somebody else does.
        token: what local callers must show.
        port: of the local HTTP; 0 takes a free one.

    Raises:
        SetupError: the port is taken.
    """

    def __init__(
        self,
        spool: Spool,
        forwarder: Forwarder,
        rows: Rows,
        inbox: Inbox | None,
        statements: Statements | None = None,
        *,
        token: str,
        port: int,
    ) -> None:
        self._spool = spool
        self._forwarder = forwarder
        self._rows = rows
        self._inbox = inbox
        self._statements = statements
        self.token = token
        self._files: list[Taken] = []
        self._stated: list[CountStatement] = []
        self._inbox_trouble = self._statements_trouble = ""
        self._stop = threading.Event()
        handler = type("Handler", (_Handler,), {"edge": self})
        try:
            self._server = ThreadingHTTPServer((LOOPBACK, port), handler)
        except OSError as error:
            raise SetupError(
                f"The edge cannot listen on {LOOPBACK}:{port}: {error.strerror or error}.", "Choose another port with --port."
            ) from error
        self._server.daemon_threads = True
        self._threads = [threading.Thread(target=self._server.serve_forever, name="edge-http", daemon=True)]
        if inbox is not None:
            self._threads.append(threading.Thread(target=self._watch, name="edge-inbox", daemon=True))
        if statements is not None:
            self._make_statements()  # what is due from before the start comes before anything new
            self._threads.append(threading.Thread(target=self._state_every_day, name="edge-statements", daemon=True))
        forwarder.start()
        for thread in self._threads:
            thread.start()

    @property
    def url(self) -> str:
        """Returns where it answers."""
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stops; what waits stays in the spool."""
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join(10)
        self._forwarder.stop()

    def state(self) -> dict[str, Any]:
        """Returns how it does, as JSON; nothing in it is about a person."""
        spool, link = self._spool.state(), self._forwarder.state
        oldest_s = 0.0 if spool.oldest_at is None else max(0.0, (now_ms() - spool.oldest_at) / 1000)
        metrics.EDGE_WAITING.set(spool.waiting)
        metrics.EDGE_OLDEST_SECONDS.set(oldest_s)
        metrics.EDGE_DAMAGED.set(spool.damaged)
        metrics.EDGE_LINK_UP.set(link.up)
        if link.drift is not None:
            metrics.EDGE_CLOCK_AHEAD_SECONDS.set(link.drift.ahead_ms / 1000)
        return {
            "spool": asdict(spool) | {"oldest_s": oldest_s},
            "link": asdict(link),
            "inbox": {"trouble": self._inbox_trouble, "files": [asdict(taken) for taken in self._files]},
            "statements": {"trouble": self._statements_trouble, "made": [_told(one) for one in self._stated]},
        }

    def trouble(self) -> str:
        """Returns why events would not be taken; empty if they would. A link that is down is no such reason."""
        state = self._spool.state()
        return "the spool is full" if state.waiting_bytes >= state.max_bytes * 0.99 else self._inbox_trouble

    def take(self, body: bytes) -> tuple[HTTPStatus, dict[str, Any]]:
        """Keeps the events of a request; returns status and answer.

        Raises:
            UsageError: the body cannot be read.
            SpoolFullError: nothing was taken.
        """
        rows = parsed(body)
        if len(rows) > MAX_ROWS:
            raise UsageError(f"Expected at most {MAX_ROWS} events in a request; came {len(rows)}.")
        completion = self._rows.completion()
        found = [self._rows.record(completion, row) for row in rows]
        placed = iter(self._rows.keep([one for one in found if not isinstance(one, Refused)]))
        items = [
            {"index": i} | (_refused(one) if isinstance(one, Refused) else _kept(next(placed))) for i, one in enumerate(found)
        ]
        refused = sum(isinstance(one, Refused) for one in found)
        if not refused:
            return HTTPStatus.ACCEPTED, {"items": items}
        return HTTPStatus.UNPROCESSABLE_ENTITY if refused == len(found) else HTTPStatus.MULTI_STATUS, {"items": items}

    def _watch(self) -> None:
        assert self._inbox is not None  # noqa: S101  # started only with one
        while not self._stop.wait(_SWEEP_S):
            try:
                self._files = (self._inbox.sweep() + self._files)[:REMEMBERED]
                self._inbox_trouble = ""
            except (ShekaraError, OSError) as error:
                # The stick was pulled out, or the spool is full: the state tells, and the next sweep tries again.
                self._inbox_trouble = str(error)

    def _make_statements(self) -> None:
        assert self._statements is not None  # noqa: S101  # called only with some
        try:
            self._stated = (self._statements.make_due()[::-1] + self._stated)[:REMEMBERED]
            self._statements_trouble = ""
        except (ShekaraError, OSError) as error:
            self._statements_trouble = str(error)

    def _state_every_day(self) -> None:
        while not self._stop.wait(_SWEEP_S):
            self._make_statements()


def _told(one: CountStatement) -> dict[str, Any]:
    """Returns a statement as the state shows it."""
    about = {"source": one.source, "day": date_text(one.day_on), "source_seq": one.source_seq, "signed": one.kid is not None}
    return about | {"first_seq": one.first_seq, "last_seq": one.last_seq, "events": one.events, "crossings": one.crossings}


def _kept(placed: Placed) -> dict[str, Any]:
    status = "stored" if placed.new else "duplicate"
    answer = {"status": status, "event_id": str(UUID(bytes=placed.event_id)), "source_seq": placed.source_seq}
    return answer | ({} if placed.receipt is None else {"delivered": asdict(placed.receipt)})


def _refused(why: Refused) -> dict[str, Any]:
    return {"status": "refused", "code": why.code, "message": why.message} | ({"field": why.field} if why.field else {})


class _Handler(BaseHTTPRequestHandler):
    edge: Edge
    server_version = "shekara"
    sys_version = ""
    timeout = 30
    _read = False

    def do_GET(self) -> None:
        match self.path:
            case "/livez":
                self._say(HTTPStatus.OK, b"ok\n")
            case "/readyz":
                trouble = self.edge.trouble()
                self._say(HTTPStatus.SERVICE_UNAVAILABLE if trouble else HTTPStatus.OK, f"{trouble or 'ok'}\n".encode())
            case "/metrics":
                self.edge.state()
                self._say(HTTPStatus.OK, generate_latest(), CONTENT_TYPE_LATEST)
            case "/v1/state":
                if self._knows():
                    self._json(HTTPStatus.OK, self.edge.state())
            case _:
                self._problem(HTTPStatus.NOT_FOUND, "POST /v1/events; GET /v1/state, /livez, /readyz, /metrics.")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not self._knows():
            return
        if self.path != "/v1/events":
            self._problem(HTTPStatus.NOT_FOUND, "POST /v1/events.")
        elif not length.isdecimal():
            self._problem(HTTPStatus.LENGTH_REQUIRED, "Expected a Content-Length.")
        elif int(length) > MAX_BODY_BYTES:
            self._problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Expected at most {MAX_BODY_BYTES} bytes; {length} are announced."
            )
        else:
            body = self.rfile.read(int(length))
            self._read = True
            if len(body) == int(length):
                self._take(body)

    def _take(self, body: bytes) -> None:
        try:
            status, answer = self.edge.take(body)
        except SpoolFullError as error:
            self._problem(HTTPStatus.INSUFFICIENT_STORAGE, str(error), retry_s=60)
        except UsageError as error:
            self._problem(HTTPStatus.BAD_REQUEST, str(error))
        except ShekaraError as error:
            self._problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), retry_s=60)
        else:
            self._json(status, answer)

    def _drain(self) -> None:
        """Reads what a caller still sends, within reason: one that is cut off while sending never sees the answer."""
        length = self.headers.get("Content-Length", "")
        left = min(int(length), 4 * MAX_BODY_BYTES) if length.isdecimal() and not self._read else 0
        while left > 0 and (piece := self.rfile.read(min(left, 65_536))):
            left -= len(piece)
        self._read = True

    def _knows(self) -> bool:
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(value.strip().encode(), self.edge.token.encode()):
            return True
        self._problem(HTTPStatus.UNAUTHORIZED, "Expected 'Authorization: Bearer <token>' with the token of this edge's file.")
        return False

    def _problem(self, status: HTTPStatus, detail: str, retry_s: int = 0) -> None:
        self._drain()
        self.close_connection = True  # a body may be left unread
        content = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
        self._say(
            status, json.dumps(content).encode(), "application/problem+json", {"Retry-After": str(retry_s)} if retry_s else {}
        )

    def _json(self, status: HTTPStatus, content: Any) -> None:
        self._say(status, json.dumps(content).encode(), "application/json")

    def _say(
        self, status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8", more: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (
            {"Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": "no-store"} | (more or {})
        ).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keeps quiet: what counts is in the state and the metrics."""
