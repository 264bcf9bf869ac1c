"""Real parts for tests: one Apache Kafka for the whole session, a fresh namespace for whoever asks."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from streams.local import admin, jars, java, topics
from streams.local.broker import Broker
from streams.settings import Settings

# A shell that starts this run in the background hands down "ignore SIGINT", and every child would inherit it:
# the tests of a clean Ctrl-C would then test nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True, slots=True)
class Kafka:
    """The session's broker.

    Attributes:
        bootstrap: ``host:port``.
        home: a directory for data of whoever uses it.
    """

    bootstrap: str
    home: Path
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def settings(self, *, partitions: int = 4, namespace: str = "", create: bool = True, **changes: object) -> Settings:
        """Returns settings that point to this broker, in a namespace nobody else uses, with its topics created.

        Args:
            partitions: of the person log.
            namespace: name to use; a fresh one if empty.
            create: whether the topics are created.
            changes: any other setting.
        """
        namespace = namespace or f"t{next(self._numbers)}"
        values = {
            "kafka": self.bootstrap,
            "namespace": namespace,
            "partitions": partitions,
            "home": self.home / namespace,
        } | changes
        settings = Settings().model_copy(update=values)
        if create:
            with admin.connect(self.bootstrap, settings) as client:
                topics.create(client, namespace, partitions=partitions, replication=1)
        return settings

    def namespace(self, *, partitions: int = 4) -> str:
        """Returns the name of a fresh namespace with its topics created."""
        return self.settings(partitions=partitions).namespace


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """Starts Apache Kafka once for the session."""
    settings = Settings()
    home = tmp_path_factory.mktemp("kafka")
    broker = Broker(home / "broker", java=java.find(settings.java_home), classpath=jars.ensure(settings.cache))
    broker.start()
    try:
        broker.wait_ready(settings)
        yield Kafka(bootstrap=broker.bootstrap, home=home)
    finally:
        broker.stop()
