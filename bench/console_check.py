"""How long an officer in the field waits for a check while the stream runs; see `bench.console`.

Checks begin when they are due, whether those before have been answered or not, and are reckoned from then: a console that
stood still would show in every check that was due meanwhile. Events are published by a process of their own.
"""

from __future__ import annotations

import http.client
import itertools
import json
import multiprocessing
import os
import threading
import time
from multiprocessing.synchronize import Event
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psutil

from streams.local.stack import find_stack
from streams.publish.publisher import Publisher
from streams.records import BorderCrossing
from streams.settings import Settings

ACCOUNTS = 40
"""A check has a pace per account: many officers ask."""
AT_ONCE = 8
"""Connections that officers' devices keep open."""


def publish(rate: float, now: int, stop: Event, sent: Any) -> None:
    """Publishes crossings of people not seen before until told to stop.

    Args:
        rate: crossings a second.
        now: when they happen, UTC epoch ms.
        stop: says so.
        sent: counts them, shared with the other process.
    """
    stack = find_stack(Settings())
    with Publisher(stack.settings(Settings()), source="post:bench", linger_ms=20) as publisher:
        begun = time.monotonic()
        while not stop.is_set():
            due = int((time.monotonic() - begun) * rate)
            events = [crossing(now) for _ in range(min(due - sent.value, 500))]
            if events:
                publisher.publish_many(events)
                sent.value += len(events)
            time.sleep(0.02)


def measure_check(rate: float, checks: float, seconds: float) -> dict[str, Any]:
    """Returns how long answers took while crossings were published to a running stack.

    Args:
        rate: crossings a second.
        checks: checks a second.
        seconds: how long.
    """
    from bench.console import officers, quantiles
    from streams.console.reading import Reading

    settings = Settings()
    stack = find_stack(settings)
    reading = Reading(stack.settings(settings))
    people = [row["subject"] for row in reading.ask("SELECT DISTINCT subject FROM core_border_crossing LIMIT 2000")]
    askers = itertools.cycle(officers(settings, ACCOUNTS, demo=True))
    context = multiprocessing.get_context("spawn")
    stop, sent = context.Event(), context.Value("q", 0)
    publishing = context.Process(target=publish, args=(rate, reading.clock(), stop, sent))
    publishing.start()
    while not sent.value and publishing.is_alive():
        time.sleep(0.1)
    pids = {name: one.pid for name, one in stack.processes.items()}
    before = {name: psutil.Process(pid).cpu_times() for name, pid in pids.items()}
    loads = [os.getloadavg()[0]]
    counted, begun = sent.value, time.monotonic()
    numbers = itertools.count()
    due = [(begun + number / checks, people[number % len(people)], next(askers)) for number in range(int(seconds * checks))]
    waited: list[float] = []
    statuses: dict[str, int] = {}
    lock = threading.Lock()

    def ask() -> None:
        parts = urlsplit(stack.console_url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        while (number := next(numbers)) < len(due):
            at, subject, (cookie, csrf) = due[number]
            time.sleep(max(0.0, at - time.monotonic()))
            headers = {"cookie": f"shekara_session={cookie}", "x-csrf-token": csrf, "content-type": "application/json"}
            connection.request("POST", "/api/check", json.dumps({"subject": subject}), headers)
            answer = connection.getresponse()
            content = answer.read()
            took = (time.monotonic() - at) * 1000
            said = json.loads(content).get("status", str(answer.status))
            with lock:
                waited.append(took)
                statuses[said] = statuses.get(said, 0) + 1
        connection.close()

    asking = [threading.Thread(target=ask) for _ in range(AT_ONCE)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    lasted = time.monotonic() - begun
    published = sent.value - counted
    spent = {name: psutil.Process(pid).cpu_times() for name, pid in pids.items()}
    stop.set()
    publishing.join()
    loads.append(os.getloadavg()[0])
    return {
        "checks": len(waited),
        "answers": statuses,
        "events_published": published,
        "events_per_s": round(published / lasted, 1),
        "wait": quantiles(waited),
        "cores": {
            name: round((spent[name].user + spent[name].system - before[name].user - before[name].system) / lasted, 2)
            for name in sorted(pids)
        },
        "load_before_and_after": [round(one, 1) for one in loads],
    }


def crossing(now: int) -> BorderCrossing:
    """Returns the entry of somebody new."""
    return BorderCrossing(
        uuid4().bytes, f"p1-{uuid4().hex}", now, now, "post:bench", 1,
        "entry", "KZ-75-A1", "UZB", "private", "passport", "air", None, None,
    )  # fmt: skip
