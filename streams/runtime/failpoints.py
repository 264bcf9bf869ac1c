"""Places where a test may kill or stop the process, to prove that nothing is lost whichever instruction was the last.

The names are those of the steps of a checkpoint. Nothing is armed unless ``shekara worker`` is told so on its command
line with a hidden option that only tests use.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Literal, get_args

from streams.errors import UsageError

Point = Literal["before_begin", "after_begin", "after_produce", "after_commit", "after_apply"]
"""Steps of a checkpoint: before the transaction, in it with nothing sent, all sent, committed, state taken over."""

Reach = Callable[[Point], None]

_SIGNALS = {"": signal.SIGKILL, "kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def unarmed(_: Point) -> None:
    """Does nothing."""


def kill_at(spec: str) -> Reach:
    """Returns a function that kills this process (SIGKILL) or stops it (SIGSTOP) the nth time a point is reached.

    Args:
        spec: ``point:n`` or ``point:n:stop``, e.g. ``after_produce:3``; an empty text arms nothing.

    Raises:
        UsageError: there is no such point.
    """
    if not spec:
        return unarmed
    name, _, rest = spec.partition(":")
    count, _, how = rest.partition(":")
    if name not in get_args(Point) or not (count or "1").isdigit() or how not in _SIGNALS:
        raise UsageError(f"A failpoint is one of {', '.join(get_args(Point))}, a colon and a count; {spec!r} is not.")
    left = int(count or "1")

    def reach(point: Point) -> None:
        nonlocal left
        if point == name:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), _SIGNALS[how])

    return reach
