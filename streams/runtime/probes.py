"""What a supervisor and Prometheus ask this process: ``/livez``, ``/readyz``, ``/metrics``.

A small server on a thread of its own, so that it answers (and can say "not alive") while the event loop hangs.
It serves figures only, by default on loopback only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from streams.errors import SetupError

Check = Callable[[], str]
"""Returns an empty text when all is well, otherwise what is not, in a few words."""


class Probes:
    """Serves the probes until it is closed.

    Args:
        host: address to listen on.
        port: 0 takes a free one.
        live: whether the process does its work; failing means: restart me.
        ready: whether it can take work; failing means: wait.
        registry: the metrics to show.

    Raises:
        SetupError: the port is taken.
    """

    def __init__(self, host: str, port: int, *, live: Check, ready: Check, registry: CollectorRegistry = REGISTRY) -> None:
        checks = {"/livez": live, "/readyz": ready}

        class Handler(BaseHTTPRequestHandler):
            server_version = "shekara"
            sys_version = ""

            def do_GET(self) -> None:
                path = self.path.split("?", 1)[0]
                if path == "/metrics":
                    self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(registry))
                elif path in checks:
                    trouble = checks[path]()
                    status = HTTPStatus.SERVICE_UNAVAILABLE if trouble else HTTPStatus.OK
                    self._answer(status, "text/plain; charset=utf-8", f"{trouble or 'ok'}\n".encode())
                else:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"/livez /readyz /metrics\n")

            def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Keeps quiet: probes come every few seconds."""

        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as error:
            raise SetupError(
                f"The probes cannot listen on {host}:{port}: {error.strerror or error}.",
                "Choose another port with --metrics-port, or 0 for a free one.",
            ) from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="probes", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Returns the port it listens on."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stops serving."""
        self._server.shutdown()
        self._server.server_close()
