"""Workers under somebody who starts them again, as systemd, Kubernetes or ``shekara worker --processes`` do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams.errors import DependencyError, FencedError
from streams.settings import Settings
from tests.chaos.checker import read_topics
from tests.chaos.feed import Account, Feed
from tests.chaos.oracle import READ
from tests.chaos.report import thinned
from tests.integration.rig import Process, ask, until

CURABLE = {FencedError.exit_code, DependencyError.exit_code}
"""Exit codes after which a worker is started again; any other one is a failure of the scenario."""


@dataclass(slots=True)
class _Member:
    process: Process
    again: list[str]


class Crew:
    """The workers of one namespace.

    Args:
        settings: broker and namespace.
        folder: for their logs.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._members: dict[str, _Member] = {}
        self._started = 0
        self.restarts = 0
        self.account = Account(settings)
        self._began_s = time.monotonic()
        self._points: list[list[float]] = []
        self._kills: list[float] = []

    def start(self, name: str, *options: str, again: tuple[str, ...] | None = None) -> Process:
        """Starts a worker.

        Args:
            name: how the crew calls it.
            options: of ``tests.chaos.worker``.
            again: its options when it is started again; the same if none.
        """
        self._started += 1
        argv = ["-m", "tests.chaos.worker", self._settings.namespace, self._settings.kafka, *options]
        process = Process(argv, self._folder / f"worker-{self._started}-{name}.log")
        self._members[name] = _Member(process, list(options if again is None else again))
        return process

    def __getitem__(self, name: str) -> Process:
        """Returns a worker's process."""
        return self._members[name].process

    def is_ready(self, name: str) -> bool:
        """Returns whether a worker has its partitions and their state; starts it again if it has ended."""
        self.tend()
        announced = (line["probes"] for line in self[name].lines() if line.get("event") == "starting")
        url = next(announced, "")
        return bool(url) and ask(f"{url}/readyz")[0] == 200

    def kill(self, name: str) -> None:
        """Ends a worker at once, whatever it is doing; it stays in the crew."""
        self[name].kill()
        self._kills.append(round(time.monotonic() - self._began_s, 1))

    def sample(self, feed: Feed) -> int:
        """Adds a point to the curve; returns how many records are accounted for."""
        accounted = self.account.done()
        self._points.append([round(time.monotonic() - self._began_s, 1), feed.sent, accounted])
        return accounted

    def curve(self) -> dict[str, Any]:
        """Returns when who was killed, and by seconds the records published and accounted for."""
        return {"kills": self._kills, "points": thinned(self._points)}

    def dismiss(self, name: str) -> Process:
        """Takes a worker out of the crew; it runs on."""
        return self._members.pop(name).process

    def tend(self) -> None:
        """Starts again whoever stopped for a reason a restart cures.

        Raises:
            AssertionError: somebody stopped for another reason.
        """
        for name, member in list(self._members.items()):
            code = member.process.popen.poll()
            if code is None:
                continue
            assert code in CURABLE, f"{name} ended with {code}: {member.process.log.read_text(encoding='utf-8')[-4000:]}"
            self.restarts += 1
            self.start(name, *member.again)

    def finish(self, feed: Feed, within_s: float = 120.0, *, twice: int = 0) -> None:
        """Waits until every record is accounted for: those published, and those the workers tell each other.

        Args:
            feed: what was published.
            within_s: how long it may take.
            twice: records that were accounted for once before and are decided again.
        """

        def done() -> bool:
            self.tend()
            accounted = self.sample(feed)
            return accounted >= feed.sent + twice and accounted >= records_of(self._settings) + twice

        until(done, "every record is accounted for", within_s)

    def until_done(self, records: int, within_s: float = 120.0) -> None:
        """Waits until at least so many records are accounted for."""

        def done() -> bool:
            self.tend()
            return self.account.done() >= records

        until(done, f"{records} records are accounted for", within_s)

    def disband(self) -> None:
        """Ends everybody at once."""
        for member in self._members.values():
            member.process.kill()
        self.account.close()


def records_of(settings: Settings) -> int:
    """Returns how many records lie in the topics workers read."""
    return sum(len(messages) for messages in read_topics(settings, [topic.suffix for topic in READ]).values())


@contextmanager
def crew_of(settings: Settings, folder: Path) -> Iterator[Crew]:
    """Gives a crew; ends everybody."""
    crew = Crew(settings, folder)
    try:
        yield crew
    finally:
        crew.disband()
