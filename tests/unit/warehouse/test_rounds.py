"""Whoever looks again and again goes on after a failure, ends when told, and does not take the warehouse's time."""

from __future__ import annotations

import threading
import time
from contextlib import closing

from streams.errors import DependencyError
from streams.warehouse.rounds import Rounds


def test_a_look_that_fails_is_made_up_for_by_the_next() -> None:
    looks = threading.Semaphore(0)

    def look() -> None:
        looks.release()
        raise DependencyError("nobody answers")

    with closing(Rounds("rounds", look, 0.001)):
        for _ in range(3):
            assert looks.acquire(timeout=10)


def test_after_the_end_nobody_looks() -> None:
    rounds = Rounds("rounds that end", lambda: None, 0.001)
    assert "rounds that end" in {thread.name for thread in threading.enumerate()}
    rounds.close()
    assert "rounds that end" not in {thread.name for thread in threading.enumerate()}


def test_a_long_look_is_followed_by_nine_times_the_rest() -> None:
    """Measured from the end of a look to the next: a slow machine only makes it longer."""
    ends: list[float] = []
    rests: list[float] = []
    seen = threading.Event()

    def look() -> None:
        if ends:
            rests.append(time.monotonic() - ends[-1])
            seen.set()
        time.sleep(0.05)
        ends.append(time.monotonic())

    with closing(Rounds("rounds", look, 0.001)):
        assert seen.wait(10)
    assert rests[0] >= 9 * 0.05
