"""The console under load: ``python -m bench.console feeds`` and ``python -m bench.console check``.

``feeds``: hundreds of live feeds follow the alerts topic of a real Kafka through one console; each breaks once and resumes.
Every feed is held to the whole: nothing lost, nothing doubled. ``check``: what officers in the field wait for while the worker
is busy. Both write into a report (JSON).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from confluent_kafka import Producer

from streams.clock import now_ms
from streams.console.desk import furnish
from streams.local import admin, jars, java, topics
from streams.local.broker import Broker
from streams.policy.load import load
from streams.records import Alert
from streams.settings import Settings
from streams.wire import avro
from streams.wire.topics import ALERTS
from tests.unit.warehouse.made import make

REPORT = Path(__file__).with_name("console.json")
PARTITIONS = 4
SETTLE_S = 30
_TOLD = re.compile(rb'data: \{"id": "([0-9a-f-]{36})", "version": (\d+)')
"""One process plays every browser: it must not be what is measured."""


def main() -> None:
    """Runs what was asked for and adds it to the report."""
    parser = argparse.ArgumentParser(prog="python -m bench.console", description=__doc__)
    parser.add_argument("--report", type=Path, default=REPORT, help="JSON file the figures go to")
    parts = parser.add_subparsers(dest="part", required=True)
    feeds = parts.add_parser("feeds", help="live feeds: nothing lost, nothing doubled, delay, memory")
    feeds.add_argument("--feeds", type=int, default=200)
    feeds.add_argument("--rate", type=float, default=50.0, help="versions of alerts a second")
    feeds.add_argument("--seconds", type=float, default=300.0)
    check = parts.add_parser("check", help="answers of /api/check while the stream of the stack in SHEKARA_HOME runs")
    check.add_argument("--rate", type=float, default=1000.0, help="events a second")
    check.add_argument("--checks", type=float, default=20.0, help="checks a second")
    check.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    if given.part == "feeds":
        found = measure_feeds(given.feeds, given.rate, given.seconds)
    else:
        from bench.console_check import measure_check

        found = measure_check(given.rate, given.checks, given.seconds)
    known = json.loads(given.report.read_text("utf-8")) if given.report.exists() else {}
    known[given.part] = found | {"machine": machine(), "measured_on": time.strftime("%Y-%m-%d", time.gmtime())}
    given.report.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
    print(json.dumps(known[given.part], indent=1, sort_keys=True))
    sys.exit(1 if found.get("lost") or found.get("doubled") else 0)


def machine() -> dict[str, Any]:
    """Returns where it was measured."""
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system(), "load": os.getloadavg()[0]}


def quantiles(values: list[float]) -> dict[str, float]:
    """Returns median, 99th percentile and greatest of some milliseconds."""
    values = sorted(values)
    at = lambda share: round(values[min(len(values) - 1, int(share * len(values)))], 2)  # noqa: E731
    return {"p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": round(values[-1], 2)} if values else {}


def browsers(settings: Settings, count: int, *, demo: bool = False) -> list[tuple[str, str]]:
    """Returns cookies and tokens of signed-in operators, made in the console's own store."""
    desk = furnish(settings, load("kz"), demo=demo)
    if not desk.accounts.all():
        desk.accounts.invite("administrator", "administrator", "", now_ms())
    found = []
    for number in range(count):
        account, _ = desk.accounts.invite(f"bench-{os.getpid()}-{number}", "operator", "", now_ms())
        token = desk.sessions.begin(account, now_ms())
        session = desk.sessions.find(token, now_ms())
        found.append((token, session.csrf if session else ""))
    desk.close()
    return found


@dataclass
class Seen:
    """What one feed has seen.

    Attributes:
        numbers: versions seen, by how often.
        delays: milliseconds from sending to arrival.
        breaks: how often it came back.
    """

    numbers: dict[tuple[str, int], int] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)
    breaks: int = 0


class Sender(threading.Thread):
    """Writes versions of alerts to the topic at a steady rate."""

    def __init__(self, settings: Settings, rate: float, seconds: float) -> None:
        super().__init__(daemon=True)
        self._producer = Producer({"bootstrap.servers": settings.kafka, "linger.ms": 0})
        self._topic = ALERTS.name(settings.namespace)
        self._rate, self._count = rate, int(rate * seconds)
        self.seconds = seconds
        self.sent: dict[tuple[str, int], float] = {}

    def run(self) -> None:
        """Sends; every fifth is a second version of one sent before."""
        from uuid import UUID

        begun = time.monotonic()
        for number in range(self._count):
            time.sleep(max(0.0, begun + number / self._rate - time.monotonic()))
            which, version = (number - 4, 2) if number % 5 == 4 else (number, 1)
            alert_id = which.to_bytes(16, "big")
            state = "raised" if version == 1 else "amended"
            subject = f"p1-{which:032x}"
            one = make(
                Alert, alert_id=alert_id, version=version, subject=subject, rule="work_without_permit", family="breach",
                state=state, grade="established", severity="high", oblast="KZ-75", decided_at=now_ms(),
            )  # fmt: skip
            self.sent[str(UUID(bytes=alert_id)), version] = time.monotonic()
            self._producer.produce(self._topic, avro.encode(one), key=subject.encode(), partition=which % PARTITIONS)
            self._producer.poll(0)
        self._producer.flush(30)


async def follow(url: str, cookie: str, seen: Seen, sender: Sender, until: asyncio.Event, *, break_at: float) -> None:
    """Follows a feed as a browser does: what came since the last place counts only when the next place is told."""
    place = ""
    while not until.is_set():
        reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
        last = f"Last-Event-ID: {place}\r\n" if place else ""
        ask = f"GET /feed/live?from= HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: shekara_session={cookie}\r\n{last}\r\n"
        writer.write(ask.encode())
        pending: list[tuple[tuple[str, int], float]] = []
        rest = b""
        try:
            while not until.is_set():
                if not seen.breaks and time.monotonic() > break_at:
                    seen.breaks += 1
                    break
                try:
                    rest += await asyncio.wait_for(reader.read(1 << 18), 1.0)
                except TimeoutError:
                    continue
                at = time.monotonic()
                *lines, rest = rest.split(b"\n")
                for line in lines:
                    if found := _TOLD.match(line):
                        pending.append(((found[1].decode(), int(found[2])), at))
                    elif line.startswith(b"id: "):
                        place = line[4:].decode().strip()
                        for key, came in pending:
                            seen.numbers[key] = seen.numbers.get(key, 0) + 1
                            seen.delays.append((came - sender.sent[key]) * 1000)
                        pending = []
                    elif line in (b"event: reload", b"event: over"):
                        raise AssertionError(f"a feed was told: {line.decode()}")
        finally:
            writer.close()


async def follow_all(url: str, cookies: list[str], sender: Sender, sizes: list[float], pid: int) -> list[Seen]:
    """Follows with every cookie until all was sent and a little longer."""
    seconds = sender.seconds
    until = asyncio.Event()
    everybody = [Seen() for _ in cookies]
    begun = time.monotonic()
    breaks = [begun + 5 + random.random() * max(seconds - 10, 1) for _ in cookies]
    tasks = [
        asyncio.create_task(follow(url, cookie, seen, sender, until, break_at=at))
        for cookie, seen, at in zip(cookies, everybody, breaks, strict=True)
    ]
    await asyncio.sleep(3)
    sender.start()
    process = psutil.Process(pid)
    while sender.is_alive():
        await asyncio.sleep(1)
        sizes.append(process.memory_info().rss / 2**20)
        broken = [task for task in tasks if task.done()]
        if broken:
            await broken[0]
    for _ in range(SETTLE_S):
        await asyncio.sleep(1)
        if all(len(seen.numbers) == len(sender.sent) for seen in everybody):
            break
    until.set()
    await asyncio.gather(*tasks)
    return everybody


def measure_feeds(feeds: int, rate: float, seconds: float) -> dict[str, Any]:
    """Returns what was lost, doubled, how late it came, and the console's memory."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        plain = Settings()
        broker = Broker(home / "broker", java=java.find(plain.java_home), classpath=jars.ensure(plain.cache))
        broker.start()
        console = None
        try:
            broker.wait_ready(plain)
            settings = plain.model_copy(update={"kafka": broker.bootstrap, "namespace": "bench", "home": home / "home"})
            with admin.connect(broker.bootstrap, settings) as client:
                topics.create(client, "bench", partitions=PARTITIONS, replication=1)
            cookies = [cookie for cookie, _ in browsers(settings, feeds)]
            console, url = start_console(settings, home)
            sizes: list[float] = []
            cpu = psutil.Process(console.pid).cpu_times()
            sender = Sender(settings, rate, seconds)
            everybody = asyncio.run(follow_all(url, cookies, sender, sizes, console.pid))
            spent = psutil.Process(console.pid).cpu_times()
        finally:
            if console is not None:
                console.terminate()
                console.wait(20)
            broker.stop()
    tenth = max(len(sizes) // 10, 1)
    early, late = sizes[tenth : 2 * tenth] or sizes, sizes[-tenth:]
    return {
        "feeds": feeds,
        "rate_per_s": rate,
        "seconds": seconds,
        "versions_sent": len(sender.sent),
        "deliveries": sum(len(one.numbers) for one in everybody),
        "lost": sum(len(sender.sent) - len(one.numbers) for one in everybody),
        "doubled": sum(count - 1 for one in everybody for count in one.numbers.values()),
        "resumed": sum(one.breaks for one in everybody),
        "delay": quantiles([delay for one in everybody for delay in one.delays]),
        "console_memory_mb": {
            "after_a_tenth": round(sum(early) / len(early), 1),
            "at_the_end": round(sum(late) / len(late), 1),
            "peak": round(max(sizes), 1),
        },
        "console_cores": round((spent.user + spent.system - cpu.user - cpu.system) / seconds, 2),
    }


def start_console(settings: Settings, home: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Starts a console and returns it with its address."""
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


if __name__ == "__main__":
    main()
