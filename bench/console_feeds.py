"""Hundreds of live feeds on one console, each held to the whole; see `bench.console`.

The client must not be what is measured: one thread plays every browser over plain sockets, looks at what arrives with one
regular expression and parses nothing. What came counts when its place was told, as in a browser.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psutil
from confluent_kafka import Producer

from streams.clock import now_ms
from streams.local import admin, jars, java, topics
from streams.local.broker import Broker
from streams.records import Alert
from streams.settings import Settings
from streams.wire import avro
from streams.wire.topics import ALERTS
from tests.unit.warehouse.made import make

PARTITIONS = 4
SETTLE_S = 30
LANGUAGES = ("kk", "ru", "en")
VIEWS = ("", "severity=high", "state=open&rule=work_without_permit")
"""Views that show every version sent: what feeds share, they share by language and view."""
_RETRY_S = 2.0
"""What the console tells browsers to wait after a break."""
_TOLD = re.compile(rb'^data: \{"id": "([0-9a-f-]{36})", "version": (\d+), "shown": true|^id: (\S+)|^event: (reload|over)', re.M)

Key = tuple[bytes, bytes]
"""An alert's id and a version, as they stand in the stream."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is put on the console.

    Attributes:
        feeds: open feeds; each breaks once and comes back.
        rate: versions of alerts a second.
        seconds: how long.
        stalled: so many feeds read nothing at all for a fifth of the time, in the middle.
    """

    feeds: int
    rate: float
    seconds: float
    stalled: int = 0


class Sender(threading.Thread):
    """Writes versions of alerts to the topic at a steady rate.

    Args:
        settings: where Kafka is.
        load: how many.
    """

    def __init__(self, settings: Settings, load: Load) -> None:
        super().__init__(daemon=True)
        self._producer = Producer({"bootstrap.servers": settings.kafka, "linger.ms": 0})
        self._topic = ALERTS.name(settings.namespace)
        self._rate, self._count = load.rate, int(load.rate * load.seconds)
        self.sent: dict[Key, float] = {}

    def run(self) -> None:
        """Sends; every fifth is a second version of one sent before."""
        begun = time.monotonic()
        for number in range(self._count):
            time.sleep(max(0.0, begun + number / self._rate - time.monotonic()))
            which, version = (number - 4, 2) if number % 5 == 4 else (number, 1)
            alert_id = which.to_bytes(16, "big")
            subject = f"p1-{which:032x}"
            one = make(
                Alert, alert_id=alert_id, version=version, subject=subject, rule="work_without_permit", family="breach",
                state="raised" if version == 1 else "amended", grade="established", severity="high", oblast="KZ-75",
                decided_at=now_ms(),
            )  # fmt: skip
            self.sent[str(UUID(bytes=alert_id)).encode(), str(version).encode()] = time.monotonic()
            self._producer.produce(self._topic, avro.encode(one), key=subject.encode(), partition=which % PARTITIONS)
            self._producer.poll(0)
        self._producer.flush(30)


@dataclass(eq=False)
class Browser:
    """One feed as a browser follows it.

    Attributes:
        address: host and port of the console.
        request: what it sends first, without its place.
        break_at: when its connection breaks, by `time.monotonic`.
        still: between these it reads nothing.
        seen: versions, by how often they came.
        delays: milliseconds from sending to arrival, of what was sent while it was connected.
        caught_up: the same of what was sent while it was away.
        breaks: how often it came back.
        back_at: when it connects again; 0: it is connected.
    """

    address: tuple[str, int]
    request: str
    break_at: float
    still: tuple[float, float] = (0.0, 0.0)
    seen: dict[Key, int] = field(default_factory=dict)
    delays: array[float] = field(default_factory=lambda: array("d"))
    caught_up: array[float] = field(default_factory=lambda: array("d"))
    breaks: int = 0
    back_at: float = 0.0
    connection: socket.socket | None = None
    _connected_at: float = 0.0
    _place: str = ""
    _rest: bytes = b""
    _pending: list[tuple[Key, float]] = field(default_factory=list)

    def connect(self) -> socket.socket:
        """Opens the feed where it was left."""
        self.connection = socket.create_connection(self.address, timeout=30)
        last = f"Last-Event-ID: {self._place}\r\n" if self._place else ""
        self.connection.sendall(f"{self.request}{last}\r\n".encode())
        self.connection.setblocking(False)
        self._rest, self._pending, self.back_at = b"", [], 0.0
        self._connected_at = time.monotonic()
        return self.connection

    def close(self) -> None:
        """Breaks the connection: what came without a place behind it will come again."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def read(self, sent: dict[Key, float]) -> bool:
        """Takes what arrived.

        Args:
            sent: when what was sent.

        Returns:
            Whether the connection still stands.

        Raises:
            AssertionError: the feed was told to load its page again, or that its session is over.
        """
        if self.connection is None:
            return False
        arrived = self.connection.recv(1 << 18)
        at = time.monotonic()
        whole, newline, rest = (self._rest + arrived).rpartition(b"\n")
        self._rest = rest
        for found in _TOLD.finditer(whole + newline):
            alert_id, version, place, said = found.groups()
            if alert_id:
                self._pending.append(((alert_id, version), at))
            elif place:
                self._place = place.decode()
                for key, came in self._pending:
                    self.seen[key] = self.seen.get(key, 0) + 1
                    delays = self.delays if sent[key] >= self._connected_at else self.caught_up
                    delays.append((came - sent[key]) * 1000)
                self._pending.clear()
            else:
                raise AssertionError(f"a feed was told: {said.decode()}")
        return bool(arrived)


def browsers(url: str, cookies: Sequence[str], load: Load) -> list[Browser]:
    """Returns a browser for every cookie: all languages, all views; each breaks once, at another time."""
    parts = urlsplit(url)
    begun = time.monotonic() + 3
    made = []
    for number, cookie in enumerate(cookies):
        language, view = LANGUAGES[number % 3], VIEWS[number // 3 % 3]
        request = (
            f"GET /feed/live?from=&{view} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Cookie: shekara_session={cookie}; shekara_language={language}\r\n"
        )
        break_at = begun + load.seconds * (0.1 + 0.8 * number / len(cookies))
        still = (begun + load.seconds * 0.4, begun + load.seconds * 0.6) if number < load.stalled else (0.0, 0.0)
        made.append(Browser((parts.hostname or "", parts.port or 80), request, break_at, still))
    return made


def follow(everybody: list[Browser], sender: Sender, each_second: list[float], process: psutil.Process) -> None:
    """Follows with every browser until everything sent has come, or for `SETTLE_S` after the last was sent.

    Args:
        everybody: the browsers.
        sender: begun when all are connected.
        each_second: the console's memory in MB is added once a second.
        process: the console.
    """
    with selectors.DefaultSelector() as ready, contextlib.ExitStack() as opened:
        for one in everybody:
            opened.callback(one.close)
            ready.register(one.connect(), selectors.EVENT_READ, one)
        time.sleep(1)
        sender.start()
        next_look, end = time.monotonic() + 1, float("inf")
        while (at := time.monotonic()) < end:
            for key, _ in ready.select(0.05):
                one = key.data
                if one.still[0] <= at < one.still[1]:
                    ready.unregister(one.connection)  # it reads nothing; looked at again below
                    one.back_at = one.still[1]
                elif not one.read(sender.sent):
                    _leave(ready, one)
            if at < next_look:
                continue
            next_look += 1
            for one in everybody:
                if one.back_at and at >= one.back_at:
                    ready.register(one.connection or one.connect(), selectors.EVENT_READ, one)
                    one.back_at = 0.0
                elif not one.breaks and at > one.break_at and not one.back_at:
                    one.breaks += 1
                    _leave(ready, one)
            if sender.is_alive():
                each_second.append(process.memory_info().rss / 2**20)
            elif end == float("inf"):
                end = at + SETTLE_S
            if not sender.is_alive() and all(len(one.seen) == len(sender.sent) for one in everybody):
                break


def _leave(ready: selectors.BaseSelector, one: Browser) -> None:
    if one.connection is not None:
        ready.unregister(one.connection)
    one.close()
    one.back_at = time.monotonic() + _RETRY_S


@contextlib.contextmanager
def kafka_of_our_own() -> Iterator[tuple[Settings, Path]]:
    """Within the block a broker runs with the topics made; yields how it is reached, and a folder."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        plain = Settings()
        broker = Broker(home / "broker", java=java.find(plain.java_home), classpath=jars.ensure(plain.cache))
        broker.start()
        try:
            broker.wait_ready(plain)
            settings = plain.model_copy(update={"kafka": broker.bootstrap, "namespace": "bench", "home": home / "home"})
            with admin.connect(broker.bootstrap, settings) as client:
                topics.create(client, "bench", partitions=PARTITIONS, replication=1)
            yield settings, home
        finally:
            broker.stop()


def measure_feeds(load: Load) -> dict[str, Any]:
    """Returns what was lost, doubled, how late it came, and what it cost the console and the client."""
    from bench.console import officers, quantiles

    _allow_files(load.feeds * 2 + 200)
    with kafka_of_our_own() as (settings, home):
        cookies = [cookie for cookie, _ in officers(settings, load.feeds)]
        console, url = start_console(settings, home)
        try:
            sizes: list[float] = []
            process = psutil.Process(console.pid)
            before, ours, begun = process.cpu_times(), time.process_time(), time.monotonic()
            sender = Sender(settings, load)
            everybody = browsers(url, cookies, load)
            loads = [os.getloadavg()[0]]
            follow(everybody, sender, sizes, process)
            loads.append(os.getloadavg()[0])
            after, lasted = process.cpu_times(), time.monotonic() - begun
        finally:
            console.terminate()
            try:
                console.wait(20)
            except subprocess.TimeoutExpired:  # on a busy machine: what was measured is not lost by it
                console.kill()
                console.wait()
    tenth = max(len(sizes) // 10, 1)
    early, late = sizes[tenth : 2 * tenth] or sizes, sizes[-tenth:]
    return {
        "feeds": load.feeds,
        "rate_per_s": load.rate,
        "seconds": load.seconds,
        "versions_sent": len(sender.sent),
        "deliveries": sum(len(one.seen) for one in everybody),
        "lost": sum(len(sender.sent) - len(one.seen) for one in everybody),
        "doubled": sum(count - 1 for one in everybody for count in one.seen.values()),
        "resumed": sum(one.breaks for one in everybody),
        "stalled_for_a_fifth_of_the_time": load.stalled,
        "delay": quantiles([delay for one in everybody if not one.still[1] for delay in one.delays]),
        "delay_of_what_came_while_away": quantiles([delay for one in everybody if not one.still[1] for delay in one.caught_up]),
        "console_memory_mb": {
            "after_a_tenth": round(sum(early) / len(early), 1),
            "at_the_end": round(sum(late) / len(late), 1),
            "peak": round(max(sizes), 1),
        },
        "console_cores": round((after.user + after.system - before.user - before.system) / lasted, 2),
        "client_cores": round((time.process_time() - ours) / lasted, 2),
        "load_before_and_after": [round(one, 1) for one in loads],
    }


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard) if hard > 0 else wanted, hard))


def start_console(settings: Settings, home: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Starts a console and returns it with its address.

    Raises:
        SystemExit: it does not start; with what it said.
    """
    log = home / "console.log"
    given = {"SHEKARA_KAFKA": settings.kafka, "SHEKARA_HOME": str(settings.home), "SHEKARA_NAMESPACE": settings.namespace}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams", "console"], stdout=output, stderr=output, env=os.environ | given
        )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if line.startswith("console http"):
                url = line.split()[1]
                if ready(url):
                    return process, url
        time.sleep(0.2)
    raise SystemExit(f"The console did not start:\n{log.read_text()}")


def ready(url: str) -> bool:
    """Returns whether the console is."""
    import httpx

    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.HTTPError:
        return False
