"""Serves the gateway: on loopback unless told otherwise, and beyond it only with TLS."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from streams.errors import SetupError


@dataclass(frozen=True, slots=True)
class Listening:
    """Where and how to listen.

    Attributes:
        host: an address of this machine.
        port: 0 takes a free one.
        certificate: PEM, with its chain.
        key: PEM.
        client_ca: PEM; callers must then show a certificate of it (mutual TLS).
    """

    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None

    def check(self) -> None:
        """Raises:
        SetupError: tokens would travel in the clear, or TLS is half set up.
        """
        if (self.certificate is None) != (self.key is None):
            raise SetupError("TLS needs both a certificate and its key.", "Give --tls-certificate and --tls-key.")
        if self.certificate is None and not _is_loopback(self.host):
            raise SetupError(
                f"The gateway would answer on {self.host} without TLS, and tokens would travel in the clear.",
                "Give --tls-certificate and --tls-key, or listen on 127.0.0.1 behind a proxy that speaks TLS.",
            )
        if self.client_ca is not None and self.certificate is None:
            raise SetupError("Callers' certificates need TLS.", "Give --tls-certificate and --tls-key.")
        for path in (self.certificate, self.key, self.client_ca):
            if path is not None and not path.is_file():
                raise SetupError(f"There is no file {path}.", "Give the path of a PEM file.")


class Server:
    """Serves an application on a thread of its own until it is closed.

    Args:
        served: the application.
        listening: where and how.

    Raises:
        SetupError: the port is taken, or TLS cannot be set up.
    """

    def __init__(self, served: Starlette, listening: Listening) -> None:
        listening.check()
        family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((listening.host, listening.port))
            self._socket.listen(2048)  # whoever is told the address may call at once
        except OSError as error:
            self._socket.close()
            raise SetupError(
                f"The gateway cannot listen on {listening.host}:{listening.port}: {error.strerror or error}.",
                "Choose another port with --port, or 0 for a free one.",
            ) from error
        tls: dict[str, Any] = {}
        if listening.certificate is not None:
            tls = {"ssl_certfile": str(listening.certificate), "ssl_keyfile": str(listening.key)}
            if listening.client_ca is not None:
                tls |= {"ssl_ca_certs": str(listening.client_ca), "ssl_cert_reqs": ssl.CERT_REQUIRED}
        config = uvicorn.Config(
            served,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=35,
            lifespan="off",
            **tls,
        )
        try:
            config.load()
        except (OSError, ssl.SSLError) as error:
            self._socket.close()
            raise SetupError(f"TLS cannot be set up: {error}.", "Check the PEM files.") from error
        self._scheme = "https" if tls else "http"
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: self._server.run(sockets=[self._socket]), name="http", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Returns where it answers."""
        host, port = self._socket.getsockname()[:2]
        return f"{self._scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def running(self) -> bool:
        """Returns whether it still serves."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stops serving; what is under way is answered first."""
        self._server.should_exit = True
        self._thread.join(40.0)
        self._socket.close()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
