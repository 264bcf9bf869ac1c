"""Publishing measured: the SDK against the bare client below it, the gateway, the spool. ``python -m bench.publish [EVENTS]``.

One process, one broker on the same machine; figures are by CPU-second of this process too, because other work disturbs the wall.
"""

from __future__ import annotations

import http.client
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from kafka import KafkaProducer

from streams.decode import Decoder, Rejected, load_sources
from streams.gateway.application import Gateway, application
from streams.gateway.delivery import Delivery
from streams.gateway.intake import AVRO, JSON, Intake
from streams.gateway.serve import Listening, Server
from streams.gateway.tokens import TYPES, Tokens, add
from streams.local import admin, jars, java, topics
from streams.local.broker import Broker
from streams.publish import Publisher
from streams.publish.forwarding import Forwarder
from streams.publish.publisher import BATCH_BYTES, LINGER_MS
from streams.publish.sealing import Keys
from streams.publish.spool import Spool
from streams.records import Record
from streams.records.crossings import BorderCrossing
from streams.settings import Settings
from streams.wire import avro, connection
from streams.wire.jsonform import to_json
from streams.wire.signing import BATCH_EVENTS, HEADER, Signer
from streams.wire.topics import PEOPLE
from tests.unit.decode.lawful import RECEIVED_AT, SomeCodes, lawful

BATCH = 1000


def crossings(count: int, first: int) -> list[Record]:
    """Returns crossings of five thousand people."""
    return [
        lawful(BorderCrossing, event_id=n.to_bytes(16, "big"), subject=f"p1-{n % 5000:032x}", source_seq=n)
        for n in range(first, first + count)
    ]


def measured(name: str, count: int, work: Callable[[], None]) -> None:
    """Runs and prints one line."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name:<28} {count / wall:>9,.0f} events/s {count / cpu:>9,.0f} events/CPU-s", flush=True)


def bare(settings: Settings, records: list[Record]) -> Callable[[], None]:
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


def sdk(settings: Settings, records: list[Record]) -> Callable[[], None]:
    """The Publisher."""
    publisher = Publisher(settings)

    def work() -> None:
        publisher.publish_many(records)
        publisher.close()

    return work


def signed_sdk(settings: Settings, records: list[Record]) -> Callable[[], None]:
    """The Publisher, signing."""
    publisher = Publisher(settings, signer=Signer("bench", bytes(32)))

    def work() -> None:
        publisher.publish_many(records)
        publisher.close()

    return work


def signatures(records: list[Record], folder: Path) -> None:
    """What signing and checking cost an event, without Kafka; the aim is 5 µs each."""
    signer = Signer("bench", bytes(32))
    values = [avro.encode(record) for record in records]
    headers: list[bytes] = []

    def sign() -> None:
        headers.extend(signer.header(values[start : start + BATCH_EVENTS]) for start in range(0, len(values), BATCH_EVENTS))

    register = folder / "sources.yaml"
    entry = "{types: [border_crossing], signatures: %s, keys: [{kid: bench, public: %s, from: 2000-01-01T00:00:00Z}]}"

    def deciding(mode: str) -> Callable[[], None]:
        register.write_text("sources:\n  'post:*': " + entry % (mode, signer.public.hex()))
        decoder = Decoder(SomeCodes(), load_sources(register))
        # Each event brings bytes of its own, as from the broker.
        copies = [bytes(bytearray(headers[index // BATCH_EVENTS])) for index in range(len(values))]

        def work() -> None:
            for value, header in zip(values, copies, strict=True):
                found = decoder.decode(value, received_at=RECEIVED_AT, topic=PEOPLE, headers=((HEADER, header),))
                assert not isinstance(found, Rejected)

        return work

    costs = [timed(sign), timed(deciding("off")), timed(deciding("strict"))]
    costs = [cost / len(values) * 1e6 for cost in costs]
    print(f"signatures: {costs[0]:.2f} µs to sign, {costs[2] - costs[1]:.2f} µs to check, an event", flush=True)


def timed(work: Callable[[], None]) -> float:
    """Returns the CPU seconds of this process."""
    began = time.process_time()
    work()
    return time.process_time() - began


def posting(url: str, token: str, media: str, records: list[Record]) -> Callable[[], None]:
    """Requests of a thousand events, one after the other; the caller's CPU is counted too."""
    at = urlsplit(url)
    batches = [records[start : start + BATCH] for start in range(0, len(records), BATCH)]
    bodies = [
        json.dumps([to_json(record) for record in batch]).encode() if media == JSON else b"".join(map(avro.encode, batch))
        for batch in batches
    ]

    def work() -> None:
        caller = http.client.HTTPConnection(at.hostname or "", at.port)
        for body in bodies:
            caller.request("POST", "/v1/events", body, {"Content-Type": media, "Authorization": f"Bearer {token}"})
            answer = caller.getresponse()
            assert answer.status == 202, answer.read()
            answer.read()
        caller.close()

    return work


def spooled(settings: Settings, folder: Path, records: list[Record]) -> None:
    """The spool, filled and drained."""
    with Spool(folder / "spool.db", Keys([bytes(32)])) as spool:

        def fill() -> None:
            for start in range(0, len(records), BATCH):
                spool.put_many(records[start : start + BATCH])

        def drain() -> None:
            with Forwarder(spool, settings) as forwarder:
                assert forwarder.drain(600)

        measured("spool: put, by thousands", len(records), fill)
        measured("spool: drain", len(records), drain)


def main(count: int) -> None:
    """Measures everything, on a broker of its own."""
    settings = Settings()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = Broker(folder / "broker", java=java.find(settings.java_home), classpath=jars.ensure(settings.cache))
        broker.start()
        try:
            broker.wait_ready(settings)
            settings = settings.model_copy(update={"kafka": broker.bootstrap, "namespace": "bench"})
            with admin.connect(broker.bootstrap, settings) as client:
                topics.create(client, "bench", partitions=4, replication=1)
            for _ in range(2):
                measured("kafka-python, bare", count, bare(settings, crossings(count, 1)))
                measured("SDK", count, sdk(settings, crossings(count, 1)))
                measured("SDK, signing", count, signed_sdk(settings, crossings(count, 1)))
            signatures(crossings(count, 1), folder)
            delivery = Delivery(settings)
            delivery.require()
            gateway = Gateway(Tokens(folder / "tokens.json"), Intake(Decoder(SomeCodes()), None), delivery, "bench")
            server = Server(application(gateway), Listening())
            _, token = add(folder / "tokens.json", "post:*", TYPES, 1e9)
            for number, media in enumerate((JSON, AVRO), 1):
                work = posting(server.url, token, media, crossings(count, 10_000_000 * number))
                measured(f"gateway, {media}", count, work)
            server.close()
            delivery.close()
            spooled(settings, folder, crossings(count, 1))
        finally:
            broker.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
