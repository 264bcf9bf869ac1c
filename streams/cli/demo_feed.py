"""The country speaks: a thread that publishes the simulation, first as fast as it is taken, its last day at a live pace."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from streams.clock import monotonic_s
from streams.errors import ShekaraError
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.publish import Publisher
    from streams.simulate import Simulation
    from streams.simulate.draft import Message

_DAY_MS = 86_400_000


class Feed:
    """Publishes a simulation.

    The last simulated day waits for ``go_live``, so that alerts of that day are timed without the backlog of the others.

    Args:
        settings: name the Kafka and the namespace.
        simulation: what to publish.
        live_s: real seconds of the last simulated day.
    """

    def __init__(self, settings: Settings, simulation: Simulation, live_s: float) -> None:
        self._settings = settings
        self._live_s = live_s
        self._simulation = simulation
        self._live_from_ms = simulation.plan().last_ms - _DAY_MS
        self._bulk: Publisher | None = None
        self._live: Publisher | None = None
        self._go = threading.Event()
        self._stop = threading.Event()
        self._failure: ShekaraError | None = None
        self.bulk_done = threading.Event()
        self.finished = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    @property
    def acknowledged(self) -> int:
        """Returns the messages all replicas have confirmed."""
        return sum(one.acknowledged for one in (self._bulk, self._live) if one is not None)

    @property
    def sent(self) -> int:
        """Returns the messages handed to the client."""
        return sum(one.sent for one in (self._bulk, self._live) if one is not None)

    def start(self) -> None:
        """Starts publishing."""
        self._thread.start()

    def go_live(self) -> None:
        """Lets the last simulated day begin."""
        self._go.set()

    def stop(self) -> None:
        """Ends publishing, wherever it is."""
        self._stop.set()
        self._go.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def check(self) -> None:
        """Raises what stopped the feed, if something did.

        Raises:
            DependencyError: Kafka did not take a record.
        """
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._publish()
        except ShekaraError as error:
            self._failure = error
        except Exception as error:
            self._failure = ShekaraError(f"The simulation failed: {type(error).__name__}: {error}.", "Report this with its seed.")

    def _publish(self) -> None:
        from streams.publish import Publisher

        self._bulk = Publisher(self._settings, source="simulation")
        begun_s = 0.0
        for arrival in self._simulation.arrivals():
            if self._stop.is_set():
                return
            if arrival.at_ms < self._live_from_ms:
                self._send(self._bulk, arrival.message)
                continue
            if self._live is None:
                self._bulk.flush()
                self.bulk_done.set()
                self._live = Publisher(self._settings, source="simulation-live", linger_ms=0)
                self._go.wait()
                begun_s = monotonic_s()
            ahead_s = begun_s + self._live_s * (arrival.at_ms - self._live_from_ms) / _DAY_MS - monotonic_s()
            if ahead_s > 0 and self._stop.wait(ahead_s):
                return
            self._send(self._live, arrival.message)
        for publisher in (self._bulk, self._live):
            if publisher is not None:
                publisher.close()
        self.bulk_done.set()
        self.finished.set()

    def _send(self, publisher: Publisher, message: Message) -> None:
        from streams.simulate.draft import Corrupt

        if isinstance(message, Corrupt):
            publisher.publish_encoded(message.topic.name(self._settings.namespace), message.key, message.value)
        else:
            publisher.publish(message)
