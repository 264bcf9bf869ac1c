"""A real ClickHouse server for tests: the user's, or Debian's package started here on free loopback ports."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.errors import DependencyError
from streams.warehouse.server import Server

READY_S = 30.0

_CONFIG = """<?xml version="1.0"?>
<yandex>
  <logger><level>warning</level><log>{home}/server.log</log><errorlog>{home}/server.err.log</errorlog></logger>
  <listen_host>127.0.0.1</listen_host>
  <tcp_port>{tcp}</tcp_port>
  <http_port>{http}</http_port>
  <interserver_http_port>{interserver}</interserver_http_port>
  <interserver_http_host>127.0.0.1</interserver_http_host>
  <path>{home}/data/</path>
  <tmp_path>{home}/tmp/</tmp_path>
  <user_files_path>{home}/files/</user_files_path>
  <users_config>{home}/users.xml</users_config>
  <default_profile>default</default_profile>
  <default_database>default</default_database>
  <mark_cache_size>5368709</mark_cache_size>
  <timezone>UTC</timezone>
</yandex>
"""

_USERS = """<?xml version="1.0"?>
<yandex>
  <profiles><default><max_memory_usage>1000000000</max_memory_usage></default></profiles>
  <users><shekara>
    <password>s%cret/with:signs</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
  </shekara>
  <default><password>never</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>
  </users>
  <quotas><default/></quotas>
</yandex>
"""

PASSWORD = "s%25cret%2Fwith%3Asigns"


def free_ports(count: int) -> list[int]:
    """Returns loopback ports that are free now."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in taken]
    for one in taken:
        one.close()
    return ports


class Installed:
    """A server of the installed binary, on free loopback ports.

    Args:
        home: its directory.
        binary: its program.
    """

    def __init__(self, home: Path, binary: str) -> None:
        self._home = home
        self._binary = binary
        self.port, http, interserver = free_ports(3)
        for name in ("data", "tmp", "files"):
            (home / name).mkdir(parents=True)
        (home / "config.xml").write_text(_CONFIG.format(home=home, tcp=self.port, http=http, interserver=interserver))
        (home / "users.xml").write_text(_USERS)
        self.url = self.url_through(f"127.0.0.1:{self.port}")
        self.start()

    @staticmethod
    def url_through(address: str) -> str:
        """Returns the URL of the server as reached at ``host:port``."""
        return f"clickhouse://shekara:{PASSWORD}@{address}/suite"

    def start(self) -> None:
        """Starts it on its data, and waits until it answers."""
        with (self._home / "out.log").open("ab") as out:
            command = [self._binary, f"--config-file={self._home}/config.xml"]
            self.process = subprocess.Popen(command, cwd=self._home, stdout=out, stderr=out)
        deadline = time.monotonic() + READY_S
        while True:
            try:
                Server(self.url).close()
                break
            except DependencyError:
                assert self.process.poll() is None, (self._home / "out.log").read_text()[-2000:]
                assert time.monotonic() < deadline, "clickhouse-server did not answer"
                time.sleep(0.1)

    def kill(self) -> None:
        """Ends it at once, whatever it is doing."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Ends it."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()


def installed(home: Path) -> Installed:
    """Starts a server of the installed binary; skips the test where there is none."""
    binary = shutil.which("clickhouse-server") or shutil.which("clickhouse-server", path="/usr/sbin:/usr/bin")
    if binary is None:
        pytest.skip("no clickhouse-server on this machine (apt-get install clickhouse-server) and SHEKARA_CLICKHOUSE is not set")
    return Installed(home, binary)


@contextmanager
def server_url(home: Path) -> Iterator[str]:
    """Gives the URL of a server: SHEKARA_CLICKHOUSE if it is set, else one started from the installed binary."""
    yours = os.environ.get("SHEKARA_CLICKHOUSE", "")
    if yours:
        yield yours
        return
    server = installed(home)
    try:
        yield server.url
    finally:
        server.stop()
