"""The lanes of ``make bench-publish``: each figure is a median of runs in alternation, ratios are taken within a round.

By CPU-second of the process that publishes, its threads included, because other work on the machine disturbs the wall clock.
"""

from __future__ import annotations

import gc
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import psutil
from kafka import KafkaProducer

from streams.decode import Decoder, Rejected, load_sources
from streams.gateway.intake import AVRO, JSON
from streams.gateway.tokens import TYPES, add
from streams.policy.load import load
from streams.publish import Publisher
from streams.publish.forwarding import Forwarder
from streams.publish.publisher import BATCH_BYTES, LINGER_MS
from streams.publish.sealing import Keys
from streams.publish.spool import Spool
from streams.records import BorderCrossing, Record
from streams.settings import Settings
from streams.wire import avro, connection
from streams.wire.jsonform import to_json
from streams.wire.signing import BATCH_EVENTS, HEADER, Signer
from streams.wire.topics import PEOPLE
from tests.unit.decode.lawful import RECEIVED_AT, lawful

BATCH = 1000
"""Events in one request to the gateway, and in one write to the spool."""

CALLERS = 2
"""Connections to the gateway at once: while one waits for Kafka the other is read."""

Work = Callable[[], None]
Lane = Callable[[Settings, Sequence[Record]], Work]
"""Opens a connection and returns what is measured: publishing every record until all are acknowledged."""


def crossings(count: int, first: int = 1) -> list[Record]:
    """Returns crossings of half as many people: each enters, and leaves when all have entered."""
    people = max(1, count // 2)
    return [
        lawful(BorderCrossing, event_id=n.to_bytes(16, "big"), subject=f"p1-{n % people:032x}", source_seq=n)
        for n in range(first, first + count)
    ]


def bare(settings: Settings, records: Sequence[Record]) -> Work:
    """kafka-python alone, with the same encoding and the same options."""
    producer = KafkaProducer(
        **connection.kafka_python(settings),
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        batch_size=BATCH_BYTES,
        linger_ms=LINGER_MS,
        metrics_enabled=False,
    )
    topic = PEOPLE.name(settings.namespace)
    producer.partitions_for(topic)

    def work() -> None:
        for record in records:
            producer.send(topic, avro.encode(record), record.subject.encode())
        producer.flush()
        producer.close()

    return work


def sdk(settings: Settings, records: Sequence[Record], signer: Signer | None = None) -> Work:
    """The Publisher."""
    publisher = Publisher(settings, signer=signer)

    def work() -> None:
        publisher.publish_many(records)
        publisher.close()

    return work


def signing_sdk(settings: Settings, records: Sequence[Record]) -> Work:
    """The Publisher, signing every event."""
    return sdk(settings, records, Signer("bench", bytes(32)))


LANES: dict[str, Lane] = {"bare": bare, "sdk": sdk, "sdk_signing": signing_sdk}


def clients(settings: Settings, events: int, runs: int) -> dict[str, Any]:
    """Runs the lanes in alternation; returns each lane's figures and its share of the bare client's speed, round by round."""
    records = crossings(events)
    gc.collect()
    gc.freeze()  # what is made for the measurement must not be looked through within it
    rounds: list[dict[str, tuple[float, float]]] = []
    for number in range(runs + 1):
        names = list(LANES)
        order = names[number % len(names) :] + names[: number % len(names)]
        found = {name: timed(LANES[name](settings, records)) for name in order}
        if number:  # the first round warms everything up
            rounds.append(found)
            _tell("clients", number, {name: events / cpu_s for name, (_, cpu_s) in found.items()})
    gc.unfreeze()
    lanes = {name: _rates(events, [one[name] for one in rounds]) for name in LANES}
    for name in LANES:
        lanes[name]["share_of_bare"] = _spread([one["bare"][1] / one[name][1] for one in rounds])
    return {"lanes": lanes}


def signatures(folder: Path, events: int = 6400, repeats: int = 40) -> dict[str, Any]:
    """What signing and checking cost an event, µs: the least CPU time of repeats in alternation, no Kafka.

    Short repeats and many: on a machine with other work some of them are left alone.
    """
    signer = Signer("bench", bytes(32))
    values = [avro.encode(record) for record in crossings(events)]
    parts = [values[start : start + BATCH_EVENTS] for start in range(0, events, BATCH_EVENTS)]
    headers = [signer.header(part) for part in parts]
    # Each event brings bytes of its own, as from the broker.
    copies = [bytes(bytearray(headers[index // BATCH_EVENTS])) for index in range(events)]
    register = folder / "sources.yaml"

    def deciding(mode: str) -> Work:
        key = f"{{kid: bench, public: {signer.public.hex()}, from: 2000-01-01T00:00:00Z}}"
        register.write_text(f"sources:\n  'post:*': {{types: [border_crossing], signatures: {mode}, keys: [{key}]}}\n")
        decode = Decoder(load("kz").codes, load_sources(register)).decode

        def work() -> None:
            for value, header in zip(values, copies, strict=True):
                found = decode(value, received_at=RECEIVED_AT, topic=PEOPLE, headers=((HEADER, header),))
                assert not isinstance(found, Rejected)

        return work

    def sign() -> None:
        for part in parts:
            signer.header(part)

    gc.collect()
    gc.freeze()
    costs: dict[str, list[float]] = {"sign": [], "off": [], "strict": []}
    for _ in range(repeats):
        for name, work in (("sign", sign), ("off", deciding("off")), ("strict", deciding("strict"))):
            costs[name].append(timed(work)[1] / events * 1e6)
    gc.unfreeze()
    least = {name: min(found) for name, found in costs.items()}
    return {
        "sign_us": round(least["sign"], 2),
        "check_us": round(least["strict"] - least["off"], 2),
        "decode_us": round(least["off"], 2),
        "events_a_signature": BATCH_EVENTS,
        "repeats": repeats,
    }


def spool(settings: Settings, events: int, runs: int) -> dict[str, Any]:
    """The spool, filled by thousands and drained."""
    filled, drained = [], []
    for number in range(runs):
        records = crossings(events, 100_000_000 + number * events)
        path = settings.home / f"spool-{number}.db"
        with Spool(path, Keys([bytes(32)])) as kept:
            filled.append(timed(lambda kept=kept, records=records: _fill(kept, records)))  # type: ignore[misc]
            drained.append(timed(lambda kept=kept: _drain(kept, settings)))  # type: ignore[misc]
        size = path.stat().st_size
        path.unlink()
        _tell("spool", number + 1, {"put": events / filled[-1][1], "drain": events / drained[-1][1]})
    found = {"put": _rates(events, filled), "drain": _rates(events, drained)}
    return found | {"bytes_an_event": round(size / events)}


def _fill(kept: Spool, records: list[Record]) -> None:
    for start in range(0, len(records), BATCH):
        kept.put_many(records[start : start + BATCH])


def _drain(kept: Spool, settings: Settings) -> None:
    with Forwarder(kept, settings) as forwarder:
        assert forwarder.drain(600)


def gateway(settings: Settings, core: set[int], events: int, runs: int) -> dict[str, Any]:
    """``shekara gateway run`` on one core, callers and broker elsewhere; returns its figures by media type.

    By wall clock its speed is that of the whole way; by its own CPU-seconds that of one core with nothing else on it.
    """
    tokens = settings.home / "tokens.json"
    _, token = add(tokens, "post:*", TYPES, 1e9)
    environment = os.environ | {"SHEKARA_NAMESPACE": settings.namespace, "SHEKARA_HOME": str(settings.home)}
    command = [sys.executable, "-m", "streams", "gateway", "run", "--port", "0", "--tokens", str(tokens)]
    served = subprocess.Popen(
        [*command, "--bootstrap", settings.kafka],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.sched_setaffinity(served.pid, core)  # before it has started a thread
    assert served.stderr is not None
    try:
        url = served.stderr.readline().split()[1].removesuffix("/v1/events")
        process = psutil.Process(served.pid)
        found: dict[str, list[tuple[float, float]]] = {JSON: [], AVRO: []}
        for number in range(runs + 1):
            for media, rates in found.items():
                first = 1_000_000_000 + (2 * number + (media == AVRO)) * events
                bodies = _bodies(media, crossings(events, first))
                before, began = _cpu_s(process), time.perf_counter()
                _post(url, token, media, bodies)
                took = (time.perf_counter() - began, _cpu_s(process) - before)
                if number:
                    rates.append(took)
            if number:
                _tell("gateway", number, {media: events / rates[-1][1] for media, rates in found.items()})
        return {media: _rates(events, rates) for media, rates in found.items()} | {"rss_mb": process.memory_info().rss // 2**20}
    finally:
        served.terminate()
        served.wait(60)


def _bodies(media: str, records: list[Record]) -> list[bytes]:
    batches = [records[start : start + BATCH] for start in range(0, len(records), BATCH)]
    if media == JSON:
        return [json.dumps([to_json(record) for record in batch]).encode() for batch in batches]
    return [b"".join(map(avro.encode, batch)) for batch in batches]


def _post(url: str, token: str, media: str, bodies: list[bytes]) -> None:
    at, waiting, faults = urlsplit(url), list(bodies), list[str]()

    def call() -> None:
        caller = http.client.HTTPConnection(at.hostname or "", at.port)
        headers = {"Content-Type": media, "Authorization": f"Bearer {token}"}
        while waiting and not faults:
            try:
                body = waiting.pop()
            except IndexError:
                break
            caller.request("POST", "/v1/events", body, headers)
            answer = caller.getresponse()
            content = answer.read()
            if answer.status != 202:
                faults.append(f"{answer.status}: {content[:500]!r}")
        caller.close()

    callers = [threading.Thread(target=call) for _ in range(CALLERS)]
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    assert not faults, faults


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def timed(work: Work) -> tuple[float, float]:
    """Returns the seconds something took, by the clock and of this process's CPU time."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _rates(events: int, took: list[tuple[float, float]]) -> dict[str, Any]:
    """Returns events a second by wall clock and by CPU-second, from seconds of each run."""
    by_wall, by_cpu = ([events / one[which] for one in took] for which in (0, 1))
    return {"events_per_s": _spread(by_wall, 0), "events_per_cpu_s": _spread(by_cpu, 0)}


def _spread(values: list[float], digits: int = 2) -> dict[str, float]:
    return {name: round(pick(values), digits) for name, pick in (("median", median), ("least", min), ("most", max))}


def _tell(what: str, number: int, by_cpu: dict[str, float]) -> None:
    figures = ", ".join(f"{name} {rate:,.0f}" for name, rate in by_cpu.items())
    print(f"{what}, run {number}: {figures} events/CPU-s", file=sys.stderr, flush=True)
