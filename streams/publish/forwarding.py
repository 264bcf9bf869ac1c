"""Empties a spool into Kafka, in order, for as long as it runs; waits out whatever the link does."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from streams.clock import monotonic_s, now_ms
from streams.errors import ShekaraError
from streams.publish.publisher import Publisher, Receipt
from streams.publish.spool import Spool
from streams.publish.spooled import Waiting
from streams.settings import Settings
from streams.wire import avro
from streams.wire.topics import topic_of

BATCH = 1000
FLUSH_S = 30.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0


@dataclass(frozen=True, slots=True)
class Drift:
    """How far this machine's clock is from the broker's.

    Attributes:
        ahead_ms: positive where this machine is ahead.
        error_ms: how far off the figure may be: half the time the question took.
        measured_at: by this machine's clock, UTC epoch ms.
    """

    ahead_ms: int
    error_ms: int
    measured_at: int


@dataclass(frozen=True, slots=True)
class LinkState:
    """How the way to Kafka is.

    Attributes:
        up: whether the last attempt worked.
        trouble: why not, in one sentence; empty if it is up.
        since_at: since when, UTC epoch ms.
        delivered: events delivered since the start.
        drift: of this machine's clock; none until something was delivered.
    """

    up: bool
    trouble: str
    since_at: int
    delivered: int
    drift: Drift | None


class Forwarder:
    """Sends what waits in a spool, oldest first, on a thread of its own.

    One batch is sent, acknowledged by all replicas and noted before the next begins. After a failure it starts again
    with the oldest event that is not acknowledged, on a new connection: an event may then arrive twice (it is known by its
    ``event_id``), but never before an earlier one of the same subject.

    Args:
        spool: what to empty.
        settings: address, security and namespace of Kafka.
        bootstrap: ``host:port,…``; overrides the settings' address.
        name: the client's name at the broker.
        first_pause_s: pause after a first failure; doubled up to ``LONGEST_PAUSE_S``, shortened by chance.
    """

    def __init__(
        self, spool: Spool, settings: Settings, *, bootstrap: str = "", name: str = "", first_pause_s: float = FIRST_PAUSE_S
    ) -> None:
        self._spool = spool
        self._connect: Callable[[], Publisher] = lambda: Publisher(settings, bootstrap=bootstrap, source=name, linger_ms=5)
        self._namespace = settings.namespace
        self._first_pause_s = first_pause_s
        self._publisher: Publisher | None = None
        self._unsettled: list[tuple[Waiting, Receipt]] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._state = LinkState(up=False, trouble="not tried yet", since_at=now_ms(), delivered=0, drift=None)

    @property
    def state(self) -> LinkState:
        """How the way to Kafka is, now."""
        return self._state

    def start(self) -> Self:
        """Begins to send."""
        self._thread = threading.Thread(target=self._run, name="forwarder", daemon=True)
        self._thread.start()
        return self

    def stop(self, timeout_s: float = 40.0) -> None:
        """Ends; what is not acknowledged stays in the spool."""
        self._stop.set()
        self._spool.wake()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def drain(self, timeout_s: float) -> bool:
        """Returns whether nothing waits any more, within a time; the forwarder must run."""
        deadline = monotonic_s() + timeout_s
        while self._spool.state().waiting:
            if monotonic_s() > deadline or self._stop.wait(0.02):
                return False
        return True

    def send_batch(self) -> int:
        """Sends the oldest events and notes their receipts; for whoever has a loop of his own.

        Returns:
            How many events Kafka acknowledged; 0 if none waits.

        Raises:
            ShekaraError: Kafka or the disk refused; what was acknowledged before that is noted.
        """
        self._note()
        events = self._spool.next_events(BATCH)
        if not events:
            return 0
        if self._publisher is None:
            self._publisher = self._connect()
        publisher, began_at = self._publisher, now_ms()
        done: list[tuple[Waiting, Receipt]] = []
        heard: list[int] = []
        try:
            for event in events:
                record = avro.decode(event.value)
                topic = topic_of(record.NAME).name(self._namespace)
                publisher.publish_encoded(topic, record.subject.encode(), event.value, delivered=_noting(event, done, heard))  # type: ignore[union-attr]
            publisher.flush(FLUSH_S)
        except BaseException:
            self._publisher = None
            publisher.abandon()
            raise
        finally:
            self._unsettled += list(done)
            self._note()
        self._up(len(done), _drift(began_at, done, heard))
        return len(done)

    def _note(self) -> None:
        """Writes receipts to the spool; kept in memory if the disk refuses, so that nothing is sent again for that."""
        self._spool.settle(self._unsettled)
        self._unsettled.clear()

    def _run(self) -> None:
        pause_s = self._first_pause_s
        while not self._stop.is_set():
            try:
                sent = self.send_batch()
            except Exception as error:
                # Whatever it is, the events wait and the state tells: a thread that ended would lose both.
                self._down(str(error) if isinstance(error, ShekaraError) else f"{type(error).__name__}: {error}")
                self._stop.wait(pause_s * random.uniform(0.5, 1.0))  # noqa: S311  # so that posts do not all come back at once
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            else:
                pause_s = self._first_pause_s
                if not sent:
                    self._spool.wait(1.0)
        if self._publisher is not None:
            self._publisher.abandon()

    def _up(self, delivered: int, drift: Drift) -> None:
        state = self._state
        known = state.drift
        # A batch that took long tells little; the best figure is kept for ten minutes.
        if known is not None and known.error_ms < drift.error_ms and drift.measured_at - known.measured_at < 600_000:
            drift = known
        since = state.since_at if state.up else now_ms()
        self._state = LinkState(up=True, trouble="", since_at=since, delivered=state.delivered + delivered, drift=drift)

    def _down(self, trouble: str) -> None:
        state = self._state
        since = now_ms() if state.up else state.since_at
        self._state = LinkState(up=False, trouble=trouble, since_at=since, delivered=state.delivered, drift=state.drift)


def _noting(event: Waiting, done: list[tuple[Waiting, Receipt]], heard: list[int]) -> Callable[[Receipt], None]:
    def note(receipt: Receipt) -> None:
        heard.append(now_ms())
        done.append((event, receipt))

    return note


def _drift(began_at: int, done: list[tuple[Waiting, Receipt]], heard: list[int]) -> Drift:
    """Returns the difference of the clocks: the broker stamped the last message between its sending and the answer."""
    arrived_at, heard_at = done[-1][1].arrived_at, heard[-1]
    return Drift((began_at + heard_at) // 2 - arrived_at, (heard_at - began_at + 1) // 2, heard_at)
