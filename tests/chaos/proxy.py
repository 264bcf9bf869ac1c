"""A loopback TCP proxy whose link can be cut, hung, slowed down, or cut in the middle of what is being sent."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

_CHUNK = 32 * 1024


class Proxy:
    """Passes connections on to a server, as badly as it is told to. Runs in threads of its own until closed.

    Args:
        target: returns the port of the server on loopback; asked for every connection.

    Attributes:
        delay_s: added to every piece passed on, each way.
        bytes_per_s: of each connection and direction, at most; 0 for no limit.
        hangs: whether what is sent is kept back and nothing is answered.
        left_bytes: how many bytes clients may still send before the link is cut; none for no limit.
        cuts: how often that happened.
    """

    def __init__(self, target: Callable[[], int]) -> None:
        self._target = target
        self.delay_s = 0.0
        self.bytes_per_s = 0
        self.hangs = False
        self.left_bytes: int | None = None
        self.cuts = 0
        self._open = True
        self._closed = False
        self._guard = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    @property
    def address(self) -> str:
        """Returns ``host:port`` for clients."""
        return f"127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Drops every connection, and every new one at once."""
        self._open = False
        self._drop()

    def mend(self) -> None:
        """Passes everything on again."""
        self.left_bytes, self.hangs = None, False
        self.delay_s, self.bytes_per_s = 0.0, 0
        self._open = True

    def close(self) -> None:
        """Stops listening."""
        self._closed = True
        self._open = False
        self._listener.close()
        self._drop()

    def _drop(self) -> None:
        with self._guard:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for one in pair:
                # The reset reaches both sides at once, as when a cable is pulled and the machine told so.
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self._open:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target()), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._guard:
                self._pairs.append((client, server))
            for source, sink, counted in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pump, args=(source, sink, counted), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                while self.hangs and self._open:
                    time.sleep(0.02)
                if self.delay_s:
                    time.sleep(self.delay_s)
                if self.bytes_per_s:
                    time.sleep(len(data) / self.bytes_per_s)
                if counted and self.left_bytes is not None:
                    self.left_bytes -= len(data)
                    if self.left_bytes <= 0:
                        # Half of the piece arrives, then nothing: what was being sent breaks off in its middle.
                        sink.sendall(data[: len(data) // 2])
                        self.left_bytes = None
                        self.cuts += 1
                        break
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
