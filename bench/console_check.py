"""How long an officer in the field waits for a check while the stream runs; see `bench.console`."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any
from uuid import uuid4

import httpx

from streams.local.stack import find_stack
from streams.publish.publisher import Publisher
from streams.records import BorderCrossing
from streams.settings import Settings

ACCOUNTS = 40
"""A check has a pace per account: many officers ask."""


def measure_check(rate: float, checks: float, seconds: float) -> dict[str, Any]:
    """Returns how long answers took while crossings were published to a running stack.

    Args:
        rate: crossings a second.
        checks: checks a second.
        seconds: how long.
    """
    from bench.console import browsers, quantiles
    from streams.console.reading import Reading

    settings = Settings()
    stack = find_stack(settings)
    settings = stack.settings(settings)
    reading = Reading(settings)
    people = [row["subject"] for row in reading.ask("SELECT DISTINCT subject FROM core_border_crossing LIMIT 2000")]
    officers = itertools.cycle(browsers(settings, ACCOUNTS, demo=True))
    stop = threading.Event()
    sent = [0]

    def publish() -> None:
        now = reading.clock()
        with Publisher(settings, source="post:bench", linger_ms=20) as publisher:
            begun = time.monotonic()
            while not stop.is_set():
                due = int((time.monotonic() - begun) * rate)
                events = [crossing(now) for _ in range(min(due - sent[0], 500))]
                if events:
                    publisher.publish_many(events)
                    sent[0] += len(events)
                time.sleep(0.02)

    publisher = threading.Thread(target=publish)
    publisher.start()
    waited: list[float] = []
    statuses: dict[str, int] = {}
    begun = time.monotonic()
    with httpx.Client(base_url=stack.console_url, timeout=30) as client:
        for number in itertools.count():
            at = begun + number / checks
            if at - begun > seconds:
                break
            time.sleep(max(0.0, at - time.monotonic()))
            cookie, csrf = next(officers)
            headers = {"cookie": f"shekara_session={cookie}", "x-csrf-token": csrf}
            started = time.perf_counter()
            answer = client.post("/api/check", json={"subject": people[number % len(people)]}, headers=headers)
            waited.append((time.perf_counter() - started) * 1000)
            said = answer.json().get("status", str(answer.status_code))
            statuses[said] = statuses.get(said, 0) + 1
    stop.set()
    publisher.join()
    return {
        "checks": len(waited),
        "answers": statuses,
        "events_published": sent[0],
        "events_per_s": round(sent[0] / (time.monotonic() - begun), 1),
        "wait": quantiles(waited),
    }


def crossing(now: int) -> BorderCrossing:
    """Returns the entry of somebody new."""
    return BorderCrossing(
        uuid4().bytes, f"p1-{uuid4().hex}", now, now, "post:bench", 1,
        "entry", "KZ-75-A1", "UZB", "private", "passport", "air", None, None,
    )  # fmt: skip
