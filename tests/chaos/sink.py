"""The warehouse's process with a trap: it is killed right after an insert, or on either side of a transaction's commit.

Run as ``python -m tests.chaos.sink NAMESPACE BOOTSTRAP HOME [--die-after INSERTS] [--die commit|committed] [--dishonest]``.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from streams import bootstrap
from streams.settings import Settings
from streams.warehouse import source
from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
from streams.warehouse.refusals import Refusals
from streams.warehouse.sink import Sink
from tests.chaos.conftest import LAYOUTS


class Trap:
    """An engine whose process dies when so many blocks are on disk.

    Args:
        engine: where blocks go.
        inserts: how many; 0 for none.
    """

    def __init__(self, engine: Embedded, inserts: int) -> None:
        self._engine = engine
        self._left = inserts

    def insert(self, table: str, block: Any, *, token: str = "") -> int:
        """Inserts a block; perhaps it is the last."""
        rows = self._engine.insert(table, block, token=token)
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return rows


class Doomed(Refusals):
    """The letters of a process that dies in their transaction.

    Args:
        settings: of the namespace.
        die: ``commit``: the letters are on the broker, the transaction is open; ``committed``: right behind it; else never.
    """

    def __init__(self, settings: Settings, die: str) -> None:
        super().__init__(settings, bootstrap.refusals(settings).worker_refuses, transaction_s=2.0)
        self._die = die

    def producer(self) -> Any:
        """Returns a producer that may be the process's last."""
        return _Last(super().producer(), self._die)


class _Last:
    def __init__(self, producer: Any, die: str) -> None:
        self._producer = producer
        self._die = die

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    def commit_transaction(self, timeout_s: float) -> None:
        if self._die == "commit":
            self._producer.flush(timeout_s)
            os.kill(os.getpid(), signal.SIGKILL)
        self._producer.commit_transaction(timeout_s)
        if self._die == "committed":
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> int:
    """Runs the sink until everything is delivered, or until it dies."""
    parser = argparse.ArgumentParser()
    parser.add_argument("namespace")
    parser.add_argument("bootstrap")
    parser.add_argument("home", type=Path)
    parser.add_argument("--die-after", type=int, default=0)
    parser.add_argument("--die", choices=("", "commit", "committed"), default="")
    parser.add_argument("--dishonest", action="store_true", help="refuse every heartbeat whose offset ends in 3")
    parser.add_argument("--rows", type=int, default=300)
    given = parser.parse_args()
    settings = Settings().model_copy(update={"kafka": given.bootstrap, "namespace": given.namespace})
    engine = Embedded(given.home)
    migrate(engine)
    if given.dishonest:
        engine.command("ALTER TABLE raw_post_heartbeat ADD CONSTRAINT IF NOT EXISTS honest CHECK offset % 10 != 3")
    sink = Sink(
        Trap(engine, given.die_after),  # type: ignore[arg-type]
        source.consumer(settings, session_s=6.0),  # the shortest a broker takes: the next one waits for it
        LAYOUTS,
        Doomed(settings, given.die),
        batch_rows=given.rows,
        batch_s=0.1,
        stop=threading.Event(),
        until_caught_up=True,
    )
    sink.run(source.topics(settings))
    engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
