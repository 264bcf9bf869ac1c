"""A ClickHouse cluster for tests: a keeper and two servers, which are two replicas of one shard, on free loopback ports.

``SHEKARA_CLICKHOUSE_BINARY`` names the program (the one file that is server, keeper and client); without it the tests skip.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from streams.errors import DependencyError
from streams.local.child import Child
from streams.warehouse import migrate
from streams.warehouse.server import Server
from tests.contract.clickhouse import free_ports

NAME = "main"
"""Name of the cluster."""

BINARY = "SHEKARA_CLICKHOUSE_BINARY"
TOO_OLD = "SHEKARA_CLICKHOUSE_BINARY_MAY_BE_OLD"
READY_S = 60.0

_LOG = """
  <logger><level>information</level><log>{home}/server.log</log><errorlog>{home}/server.err.log</errorlog></logger>
  <listen_host>127.0.0.1</listen_host>
"""

_KEEPER = """<clickhouse>
  {log}
  <keeper_server>
    <tcp_port>{port}</tcp_port>
    <server_id>1</server_id>
    <storage_path>{home}/coordination</storage_path>
    <raft_configuration><server><id>1</id><hostname>127.0.0.1</hostname><port>{raft}</port></server></raft_configuration>
  </keeper_server>
</clickhouse>
"""

# The pools are small: two servers share a machine with everything else that tests start.
_SERVER = """<clickhouse>
  {log}
  <tcp_port>{tcp}</tcp_port>
  <http_port>{http}</http_port>
  <interserver_http_port>{interserver}</interserver_http_port>
  <interserver_http_host>127.0.0.1</interserver_http_host>
  <path>{home}/data/</path>
  <tmp_path>{home}/tmp/</tmp_path>
  <user_files_path>{home}/files/</user_files_path>
  <format_schema_path>{home}/schemas/</format_schema_path>
  <user_directories>
    <users_xml><path>{home}/users.xml</path></users_xml>
    <local_directory><path>{home}/access/</path></local_directory>
  </user_directories>
  <default_profile>default</default_profile>
  <default_database>default</default_database>
  <timezone>UTC</timezone>
  <mark_cache_size>16777216</mark_cache_size>
  <max_server_memory_usage>3000000000</max_server_memory_usage>
  <background_pool_size>2</background_pool_size>
  <background_schedule_pool_size>8</background_schedule_pool_size>
  <merge_tree><number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
  <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
  <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition></merge_tree>
  <zookeeper><node><host>127.0.0.1</host><port>{keeper}</port></node><session_timeout_ms>5000</session_timeout_ms></zookeeper>
  <macros><shard>1</shard><replica>{name}</replica></macros>
  <distributed_ddl><path>/clickhouse/task_queue/ddl</path></distributed_ddl>
  <remote_servers><{cluster}><secret>{secret}</secret><shard><internal_replication>true</internal_replication>{replicas}</shard>
  </{cluster}></remote_servers>
</clickhouse>
"""

_USERS = """<clickhouse>
  <profiles><default/></profiles>
  <users><admin>
    <password>{password}</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
    <access_management>1</access_management><named_collection_control>1</named_collection_control>
    <show_named_collections>1</show_named_collections><show_named_collections_secrets>1</show_named_collections_secrets>
  </admin></users>
  <quotas><default/></quotas>
</clickhouse>
"""


class Node:
    """One process of the cluster; started again it goes on with its data.

    Args:
        binary: the program.
        kind: ``keeper`` or ``server``.
        home: its directory, with its configuration in it.
        answers: raises ``DependencyError`` until it can be asked.
    """

    def __init__(self, binary: str, kind: str, home: Path, answers: Callable[[], None]) -> None:
        self._home = home
        self._answers = answers
        command = [binary, kind, f"--config-file={home}/config.xml"]
        # Without its watchdog: what is killed is the server itself.
        self._child = Child(home.name, command, log=home / "out.log", env={"CLICKHOUSE_WATCHDOG_ENABLE": "0"})

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        self._child.start()
        deadline = time.monotonic() + READY_S
        while True:
            try:
                self._answers()
                break
            except DependencyError:
                assert self._child.running, "\n".join(self._child.tail(30))
                assert time.monotonic() < deadline, f"{self._home.name} did not answer"
                time.sleep(0.1)

    def kill(self) -> None:
        """Ends it at once, whatever it is doing."""
        os.kill(self._child.pid, 9)
        self._child.wait(10)

    def stop(self) -> None:
        """Ends it."""
        self._child.stop(15)


class Replica(Node):
    """One server.

    Attributes:
        url: of its database ``shekara``, as an administrator.
    """

    def __init__(self, binary: str, home: Path, ports: tuple[int, int, int], password: str, values: dict[str, Any]) -> None:
        tcp, http, interserver = ports
        home.mkdir()
        self.url = f"clickhouse://admin:{password}@127.0.0.1:{tcp}/shekara"
        (home / "config.xml").write_text(
            _SERVER.format(
                log=_LOG.format(home=home), home=home, name=home.name, tcp=tcp, http=http, interserver=interserver, **values
            )
        )
        (home / "users.xml").write_text(_USERS.format(password=password))
        super().__init__(binary, "server", home, self._answer)

    def server(self) -> Server:
        """Returns a new connection to it."""
        return Server(self.url, create=False)

    def _answer(self) -> None:
        one = Server(self.url.replace("/shekara", "/default"), create=False)
        one.close()


class Cluster:
    """The whole of it.

    Args:
        home: its directory.
        binary: the program.
    """

    def __init__(self, home: Path, binary: str) -> None:
        password = secrets.token_urlsafe(16)
        keeper, raft, *ports = free_ports(8)
        first, second = (ports[0], ports[1], ports[2]), (ports[3], ports[4], ports[5])
        replicas = "".join(f"<replica><host>127.0.0.1</host><port>{port}</port></replica>" for port in (first[0], second[0]))
        values = {"keeper": keeper, "cluster": NAME, "replicas": replicas, "secret": secrets.token_urlsafe(16)}
        self._keeper_home = home / "keeper"
        self._keeper_home.mkdir()
        (self._keeper_home / "config.xml").write_text(
            _KEEPER.format(log=_LOG.format(home=self._keeper_home), home=self._keeper_home, port=keeper, raft=raft)
        )
        self.keeper = Node(binary, "keeper", self._keeper_home, lambda: _listens(keeper))
        self.one = Replica(binary, home / "one", first, password, values)
        self.two = Replica(binary, home / "two", second, password, values)

    def start(self) -> None:
        """Starts everything."""
        for node in (self.keeper, self.one, self.two):
            node.start()

    def stop(self) -> None:
        """Ends everything."""
        for node in (self.two, self.one, self.keeper):
            node.stop()


def _listens(port: int) -> None:
    import socket

    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError as error:
        raise DependencyError("The keeper does not listen yet.") from error


@contextmanager
def running(home: Path) -> Iterator[Cluster]:
    """Gives a cluster without any database of ours; its version is looked at here, and by the migrations no more."""
    cluster = Cluster(home, binary())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "OLDEST", (0, 0))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


def binary() -> str:
    """Returns the program; skips the test where there is none, or where it is too old for the schema."""
    path = os.environ.get(BINARY, "")
    if not path:
        pytest.skip(f"{BINARY} names no clickhouse (one file: server, keeper, client), so there is no cluster to try")
    said = subprocess.run([path, "local", "--query", "SELECT version()"], capture_output=True, text=True, timeout=60, check=False)
    found = tuple(int(part) for part in re.findall(r"\d+", said.stdout)[:2])
    assert found, said.stderr[-1000:]
    if found < migrate.OLDEST and not os.environ.get(TOO_OLD):
        oldest = ".".join(map(str, migrate.OLDEST))
        pytest.skip(
            f"{BINARY} is {said.stdout.strip()}, the schema is meant for {oldest} or newer; {TOO_OLD}=1 tries it all the same"
        )
    return path
