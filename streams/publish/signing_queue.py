"""Events on their way to Kafka gathered into lists that are signed as one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from streams.wire.signing import BATCH_EVENTS, HEADER, Signer


class Unsigned(NamedTuple):
    """One event that waits for its list to be full.

    Attributes:
        topic: full name.
        key: the message's key.
        value: the message's value.
        partition: none: as the key says.
        delivered: as in ``Publisher.publish_encoded``.
    """

    topic: str
    key: bytes
    value: bytes
    partition: int | None
    delivered: Any


HandOver = Callable[[Unsigned, list[tuple[str, bytes]]], None]
"""Sends one event with its headers."""


class SigningQueue:
    """Signs what was put together and hands it over in the order it was put.

    A list is signed when it is full, when it has waited ``linger_s``, and on ``flush``. Safe for use from several threads.

    Args:
        signer: the source's key.
        hand_over: sends one event; what it raises reaches whoever put the last event of the list or flushed, else the next who
            puts.
        linger_s: how long an event waits for others.
    """

    def __init__(self, signer: Signer, hand_over: HandOver, linger_s: float) -> None:
        self._signer = signer
        self._hand_over = hand_over
        self._linger_s = linger_s
        self._waiting: list[Unsigned] = []
        self._lock = threading.RLock()
        self._arrived = threading.Event()
        self._stop = False
        self._trouble: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="signing", daemon=True)
        self._thread.start()

    def put(self, event: Unsigned) -> None:
        """Takes one event."""
        with self._lock:
            self._raise()
            self._waiting.append(event)
            if len(self._waiting) >= BATCH_EVENTS:
                self.flush()
            elif len(self._waiting) == 1:
                self._arrived.set()

    def flush(self) -> None:
        """Signs and hands over what waits."""
        with self._lock:
            self._raise()
            waiting, self._waiting = self._waiting, []
            if waiting:
                headers = [(HEADER, self._signer.header([event.value for event in waiting]))]
                for event in waiting:
                    self._hand_over(event, headers)

    def close(self) -> None:
        """Ends the thread; what still waits is not sent: flush first."""
        self._stop = True
        self._arrived.set()
        self._thread.join(10.0)

    def _raise(self) -> None:
        if self._trouble is not None:
            trouble, self._trouble = self._trouble, None
            raise trouble

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            self._arrived.wait()
            self._arrived.clear()
            if self._stop:
                return
            pause.wait(self._linger_s)
            try:
                self.flush()
            except BaseException as error:
                # Nobody called: whoever puts or flushes next hears it.
                self._trouble = error
