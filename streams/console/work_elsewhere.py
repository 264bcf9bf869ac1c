"""What colleagues at another console of the same store do with an alert, shown here soon: the store is asked for it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from streams.console.work import Work
from streams.errors import ShekaraError

log = structlog.get_logger(__name__)

EACH_S = 2.0


def follow_work(work: Work, wake: Callable[[], object], each_s: float = EACH_S) -> Callable[[], None]:
    """Follows the work until told to stop.

    Args:
        work: ours.
        wake: called when it changed elsewhere: open feeds look again.
        each_s: how often the store is asked.

    Returns:
        What stops it.
    """
    stop = threading.Event()

    def follow() -> None:
        while not stop.wait(each_s):
            try:
                if work.look():
                    wake()
            except ShekaraError as error:
                log.warning("the work of other consoles", error=type(error).__name__)

    thread = threading.Thread(target=follow, name="work elsewhere", daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join(15.0)

    return end
