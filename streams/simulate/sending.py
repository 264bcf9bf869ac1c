"""From a simulated country to the log: as fast as it goes, at a pace, or live for the last day."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from streams import clock
from streams.errors import UsageError
from streams.publish.publisher import Publisher
from streams.simulate.country import Simulation
from streams.simulate.draft import DAY_MS, SECOND_MS, Corrupt
from streams.simulate.run import TellTruth
from streams.wire.topics import topic_of

Progress = Callable[[int, int], None]
"""Takes how many messages were handed over (a tick counts once), and the simulated instant (UTC epoch ms)."""

_REPORT_EVERY = 250
_FUTURE_MS = DAY_MS


@dataclass(slots=True)
class Sent:
    """What was published, all of it acknowledged.

    Attributes:
        by_topic: messages by topic suffix; a tick counts once for every partition it went to.
        dead_letters: corrupt messages by the code of the dead letter that must come of each.
        seconds: wall-clock seconds it took.
        last_ms: the last tick, UTC epoch ms of the simulated time: the log's clock at the end.
    """

    by_topic: dict[str, int] = field(default_factory=dict)
    dead_letters: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    last_ms: int = 0

    @property
    def messages(self) -> int:
        """Every message, as the offsets of the topics count them."""
        return sum(self.by_topic.values())


class Pace:
    """Lets simulated time pass no faster than asked.

    Args:
        first_ms: simulated instant of the start, UTC epoch ms.
        last_ms: simulated instant of the end.
        speed: simulated seconds in one real second; none for as fast as it goes.
        live_last_s: real seconds the last simulated day takes; 0 to treat it like any other.
    """

    def __init__(self, first_ms: int, last_ms: int, *, speed: float | None = None, live_last_s: float = 0.0) -> None:
        if speed is not None and speed <= 0:
            raise UsageError(f"The speed is {speed}; expected simulated seconds in one real second, above 0.")
        self._speed = speed
        self._live_last_s = live_last_s
        self._first_ms = first_ms
        self._live_ms = last_ms - DAY_MS
        self._began_s = clock.monotonic_s()
        self._live_began_s: float | None = None

    def wait_s(self, at_ms: int) -> float:
        """Returns how many seconds to wait before what arrives at a simulated instant may be sent."""
        now_s = clock.monotonic_s()
        if self._live_last_s > 0 and at_ms >= self._live_ms:
            if self._live_began_s is None:
                self._live_began_s = now_s
            due_s = self._live_began_s + (at_ms - self._live_ms) / DAY_MS * self._live_last_s
        elif self._speed is not None:
            due_s = self._began_s + (at_ms - self._first_ms) / SECOND_MS / self._speed
        else:
            return 0.0
        return max(0.0, due_s - now_s)


def publish(
    simulation: Simulation,
    publisher: Publisher,
    namespace: str,
    *,
    progress: Progress | None = None,
    pace: Pace | None = None,
    truth: TellTruth | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Sent:
    """Publishes a simulated country and waits until Kafka has acknowledged everything.

    Args:
        simulation: the country.
        publisher: connected to the user's Kafka.
        namespace: prefix of the topics, as the publisher has it.
        progress: told of every few hundred messages.
        pace: how fast; as fast as it goes if none.
        truth: takes the truth, line by line.
        stopped: asked between messages; true ends the publishing early (what was handed over is still acknowledged).

    Returns:
        What was sent.

    Raises:
        UsageError: the simulation ends in the future, where events are refused.
        UndeliveredError: Kafka did not acknowledge something.
        DependencyError: Kafka does not answer, or a topic is missing.
    """
    refuse_future(simulation)
    sent = Sent(dead_letters=simulation.totals.dead_letters)
    began_s = clock.monotonic_s()
    suffixes: dict[type, str] = {}
    handed = 0
    for arrival in simulation.arrivals(truth):
        if pace is not None:
            _sleep(pace.wait_s(arrival.at_ms), stopped)
        if stopped():
            break
        message = arrival.message
        before = publisher.sent
        if isinstance(message, Corrupt):
            suffix = message.topic.suffix
            publisher.publish_encoded(message.topic.name(namespace), message.key, message.value)
        else:
            kind = type(message)
            suffix = suffixes.get(kind) or suffixes.setdefault(kind, topic_of(kind).suffix)
            publisher.publish(message)
        sent.by_topic[suffix] = sent.by_topic.get(suffix, 0) + publisher.sent - before
        sent.last_ms = arrival.at_ms
        handed += 1
        if progress is not None and handed % _REPORT_EVERY == 0:
            progress(handed, arrival.at_ms)
    publisher.flush()
    if progress is not None:
        progress(handed, sent.last_ms)
    sent.dead_letters = dict(simulation.totals.dead_letters)
    sent.seconds = clock.monotonic_s() - began_s
    return sent


def refuse_future(simulation: Simulation) -> None:
    """Refuses a simulation whose events would be dead letters for lying ahead of their arrival.

    Raises:
        UsageError: it ends more than a day from now.
    """
    end_ms = simulation.world.end_ms
    if end_ms > clock.now_ms() + _FUTURE_MS:
        end = datetime.fromtimestamp(end_ms / SECOND_MS, UTC).date().isoformat()
        raise UsageError(
            f"The simulation ends on {end}, which is in the future: workers refuse events dated after they arrive.",
            "Choose an earlier --start or fewer --days.",
        )


def _sleep(seconds: float, stopped: Callable[[], bool]) -> None:
    """Waits, but not longer than a fifth of a second after it is asked to stop."""
    ends_s = clock.monotonic_s() + seconds
    while seconds > 0 and not stopped():
        time.sleep(min(seconds, 0.2))
        seconds = ends_s - clock.monotonic_s()
