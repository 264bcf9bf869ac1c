"""The embedded broker: Apache Kafka, one KRaft node, loopback only."""

from __future__ import annotations

import base64
import os
import re
import socket
import subprocess
import time
from pathlib import Path

from streams.clock import monotonic_s
from streams.errors import SetupError
from streams.local import admin, ports
from streams.local.child import Child
from streams.local.java import Java
from streams.settings import Settings
from streams.wire.topics import MAX_MESSAGE_BYTES

READY_WITHIN_S = 60.0
_FORMAT_WITHIN_S = 60.0
_ENVELOPE_BYTES = 1024 * 1024  # a record's key, headers and the batch around it

_ERROR = re.compile(r"\b(ERROR|FATAL)\b|Exception|Error:|Could not|cannot|No space left")
_NO_SPACE = re.compile(r"No space left on device|Disk quota exceeded")
_PREFIX = re.compile(r"^\[?\d{4}-\d\d-\d\d[ T][\d:,.]+\]?\s+(?:[A-Z]+\s+)?")

_PROPERTIES = """\
# Written at every start; changes here do not last.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{broker},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{advertised}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
# A mistyped topic is an error, never an empty topic.
auto.create.topics.enable=false
message.max.bytes={message}
replica.fetch.max.bytes={message}
# One node: nothing to wait for, nothing to replicate.
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
# Committed offsets outlive a long pause of the stack.
offsets.retention.minutes=525600
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
log.cleaner.dedupe.buffer.size=16777216
# After a kill the next start waits until the controller has forgotten the old broker.
broker.heartbeat.interval.ms=1000
broker.session.timeout.ms=5000
"""

_LOGGING = """\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {logs}/broker.log
appender.file.filePattern = {logs}/broker.%i.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = [%d{{ISO8601}}] %p %m (%c{{1}})%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 5MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
logger.server.name = org.apache.kafka.server
logger.server.level = info
"""


class Broker:
    """Apache Kafka with its data in one directory.

    Its ports are chosen on the first start and kept; a later start finds its data and its ports again.

    Args:
        home: directory of the broker; created.
        java: runtime to use.
        classpath: the broker's jars.
        advertised: ``host:port`` it tells its clients to use, where that is not its own; something there must pass all on.
    """

    def __init__(self, home: Path, *, java: Java, classpath: list[Path], advertised: str = "") -> None:
        self.home = home.absolute()
        self._advertised = advertised
        self._java = java
        self._classpath = ":".join(str(path) for path in classpath)
        self._ports: dict[str, int] = {}
        self.child = Child("broker", self._command("kafka.Kafka", self.home / "server.properties"), log=self.home / "console.log")

    @property
    def bootstrap(self) -> str:
        """Returns ``host:port`` for clients; known after ``start``."""
        return f"{ports.LOOPBACK}:{self._ports['broker']}"

    def start(self) -> None:
        """Formats the data directory on the first start and starts the broker; does not wait until it serves.

        Raises:
            SetupError: a port is taken, the directory cannot be written, or it holds something else.
        """
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            self._ports = ports.keep(self.home / "ports.json", ("broker", "controller"))
            (self.home / "server.properties").write_text(
                _PROPERTIES.format(
                    host=ports.LOOPBACK,
                    data=self.home / "data",
                    message=MAX_MESSAGE_BYTES + _ENVELOPE_BYTES,
                    advertised=self._advertised or self.bootstrap,
                    **self._ports,
                ),
                encoding="utf-8",
            )
            (self.home / "log4j2.properties").write_text(_LOGGING.format(logs=self.home / "logs"), encoding="utf-8")
        except OSError as error:
            raise SetupError(
                f"The broker's directory {self.home} cannot be written: {error.strerror or error}.",
                "Make room or give it the right owner, or choose another directory with SHEKARA_HOME.",
            ) from error
        if not (self.home / "data" / "meta.properties").exists():
            self._format()
        self.child.start()

    def wait_ready(self, settings: Settings, limit_s: float = READY_WITHIN_S) -> None:
        """Returns when the broker answers a metadata request.

        Args:
            settings: for the client.
            limit_s: how long it may take.

        Raises:
            SetupError: it ended, or does not answer in time; the sentence quotes its last error.
        """
        deadline = monotonic_s() + limit_s
        while monotonic_s() < deadline:
            if not self.child.running:
                raise self.failure(f"The embedded broker ended while it started (exit code {self.child.exit_code})")
            if _accepts(self._ports["broker"]):
                try:
                    with admin.connect(self.bootstrap, admin.embedded(settings, self.bootstrap), timeout_ms=5_000) as client:
                        if client.describe_cluster()["brokers"]:
                            return
                except SetupError:
                    continue  # the port is open before the broker has registered itself
            time.sleep(0.05)
        raise self.failure(f"The embedded broker did not answer within {limit_s:.0f} s")

    def stop(self, limit_s: float = 6.0) -> bool:
        """Stops the broker; its data stay.

        Args:
            limit_s: how long it may take to close its logs before it is killed (it then recovers them at its next start).

        Returns:
            Whether it stopped by itself.
        """
        return self.child.stop(limit_s)

    def failure(self, what: str) -> SetupError:
        """Returns an error that quotes the broker's own last error line."""
        said = self.last_error()
        log = self.home / "logs" / "broker.log"
        if _NO_SPACE.search(said):
            return SetupError(
                f"{what}: no space is left on the disk of {self.home}.", "Make room, then start again: what was stored is kept."
            )
        return SetupError(
            f"{what}; its last error: {said or 'it said nothing'}", f"Read {log}; 'shekara doctor' checks what a broker needs."
        )

    def last_error(self) -> str:
        """Returns the last line the broker wrote that reads like an error; its last line if none does."""
        lines: list[str] = []
        for path in (self.home / "logs" / "broker.log", self.home / "console.log"):
            try:
                lines += path.read_text(encoding="utf-8", errors="replace").splitlines()[-400:]
            except OSError:
                continue
        said = [line.strip() for line in lines if line.strip() and not line.startswith(("\t", " "))]
        errors = [line for line in said if _ERROR.search(line)]
        last = (errors or said or [""])[-1]
        return _PREFIX.sub("", last)[:400]

    def _format(self) -> None:
        cluster = base64.urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode()
        if cluster.startswith("-"):  # the tool would read it as an option
            cluster = "A" + cluster[1:]
        command = self._command(
            "kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config", self.home / "server.properties"
        )
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=_FORMAT_WITHIN_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SetupError(f"The broker's data directory could not be formatted: {error}.", "Run 'shekara doctor'.") from error
        if result.returncode != 0:
            self.home.joinpath("console.log").write_text(result.stdout + result.stderr, encoding="utf-8")
            raise self.failure("The broker's data directory could not be formatted")

    def _command(self, main: str, *arguments: str | Path) -> list[str | Path]:
        options = [
            "-Xmx512m",
            "-Xms64m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",  # ADR 40: the optimising compiler costs more than it gains at one machine's load
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={self.home / 'log4j2.properties'}",
        ]
        return [self._java.program, *options, "-cp", self._classpath, main, *arguments]


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((ports.LOOPBACK, port)) == 0
