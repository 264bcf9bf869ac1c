"""The warehouse's process with a trap: it is killed right after an insert, before anything is committed.

Run as ``python -m tests.chaos.sink NAMESPACE BOOTSTRAP HOME [--die-after INSERTS]``.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from streams.settings import Settings
from streams.warehouse import source
from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
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


def main() -> int:
    """Runs the sink until everything is delivered, or until it dies."""
    parser = argparse.ArgumentParser()
    parser.add_argument("namespace")
    parser.add_argument("bootstrap")
    parser.add_argument("home", type=Path)
    parser.add_argument("--die-after", type=int, default=0)
    parser.add_argument("--rows", type=int, default=300)
    given = parser.parse_args()
    settings = Settings().model_copy(update={"kafka": given.bootstrap, "namespace": given.namespace})
    engine = Embedded(given.home)
    migrate(engine)
    sink = Sink(
        Trap(engine, given.die_after),  # type: ignore[arg-type]
        source.consumer(settings),
        LAYOUTS,
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
