"""One lane of the benchmark in a process of its own: reads the loaded topic from its start and prints what it did.

A lane is measured from the end of its warm-up to the last event or to the end of its time, whichever comes first: events
per second of the clock, and per second of this process's CPU with all its threads.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import struct
import sys
import threading
import time
from typing import Any

from bench.meter import Meter
from streams.detect.logtime import LogTime
from streams.errors import DependencyError
from streams.person.step import NEVER, Cause, Due, Step
from streams.policy.model import Policy
from streams.records import PersonEvent
from streams.settings import Settings
from streams.wire.topics import MAX_DEAD_LETTER_BYTES, PEOPLE, PEOPLE_CHANGELOG

BATCH_RECORDS = 2000
HEADER_BYTES = 10
_LOOK_EVERY_S = 0.02


def border_crossing_schema() -> Any:
    """Returns the schema with plain longs, as every lane reads it."""
    from streams.wire import avro

    return next(codec.version.plain for kind, codec in avro.codecs().by_kind.items() if kind.NAME == "border_crossing")


def limit(given: argparse.Namespace, meter: Meter) -> None:
    """confluent-kafka and fastavro, no state: nothing that reads these events in Python can be faster."""
    from confluent_kafka import Consumer, TopicPartition
    from fastavro import schemaless_reader

    schema = border_crossing_schema()
    consumer = Consumer(
        {
            "bootstrap.servers": given.bootstrap,
            "group.id": f"limit-{given.run}",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "queued.min.messages": 100_000,
        }
    )
    topic = PEOPLE.name(given.source)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(given.partitions)])
    done = 0
    while True:
        for message in consumer.consume(BATCH_RECORDS, timeout=0.2):
            value = message.value()
            if message.error() is None and value is not None:
                schemaless_reader(io.BytesIO(value[HEADER_BYTES:]), schema, None)
                done += 1
        if meter.reached(done):
            consumer.close()
            return


class Put:
    """The work of ``ours-core``: a keyed dossier is read, changed and written back, and nothing is decided."""

    def take(self, state: bytes | None, record: PersonEvent, time: LogTime, cause: Cause, policy: Policy) -> Step:
        """Counts the person's events and keeps the last instant."""
        count, last = struct.unpack(">Iq", state) if state is not None else (0, 0)
        return Step(struct.pack(">Iq", count + 1, max(last, record.occurred_at)), (), (), (), NEVER)

    def revisit(self, state: bytes, subject: str, time: LogTime, cause: Cause, policy: Policy) -> Step:
        """Does nothing."""
        return Step(None, (), (), (), NEVER)

    def due_of(self, state: bytes) -> Due:
        """Returns never."""
        return NEVER


def ours(given: argparse.Namespace, meter: Meter, steps: Any) -> None:
    """The worker as it is: batching transport, decoder with all checks, person core, transactional checkpoint."""
    from streams import bootstrap
    from streams.agents import registry
    from streams.agents.people import PeopleCore
    from streams.decode import Decoder
    from streams.policy.load import load
    from streams.runtime.clients import KafkaClients
    from streams.runtime.journal import open_journal
    from streams.runtime.ownership import Ownership
    from streams.runtime.partition import Core, Lane
    from streams.runtime.serve import run
    from streams.runtime.store import Store
    from streams.wire import connection

    open_journal("json", "ERROR")
    settings = Settings().model_copy(update={"kafka": given.bootstrap, "namespace": given.run})
    group = f"{given.run}-worker"
    policy = load("kz")
    decoder = Decoder(policy.codes)

    def core(partition: int, store: Store) -> Core:
        return PeopleCore(
            partition,
            store,
            decoder=decoder,
            person=steps,
            policy=policy,
            namespace=given.run,
            partitions=given.partitions,
        )

    app = bootstrap.headless(settings, group)
    clients = KafkaClients(connection.librdkafka(settings), group=group, message_max_bytes=MAX_DEAD_LETTER_BYTES)
    lane = Lane(PEOPLE.name(given.source), PEOPLE_CHANGELOG.name(given.run), core)
    app.ownership = Ownership([lane], clients, rewind=app.rewind, fatal=app.halt, batch_records=given.batch_records)
    registry.register(app, app.ownership, batch_records=given.batch_records)

    def follow() -> None:
        while not meter.reached(sum(partition.next_offset or 0 for partition in app.ownership or ())):
            time.sleep(_LOOK_EVERY_S)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, daemon=True).start()
    try:
        run(app)
    except DependencyError:
        # A stop that takes too long on a busy machine says nothing about what was measured before it.
        if not meter.over:
            raise


def faust_stock(given: argparse.Namespace, meter: Meter) -> None:
    """Faust as its documentation shows it: an agent, an event at a time, a table with its changelog, in memory."""
    import faust
    from fastavro import schemaless_reader

    schema = border_crossing_schema()
    app = faust.App(
        f"{given.run}-stock",
        broker=f"kafka://{given.bootstrap}",
        store="memory://",
        topic_partitions=given.partitions,
        topic_replication_factor=1,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        web_enabled=False,
    )
    topic = app.topic(PEOPLE.name(given.source), key_serializer="raw", value_serializer="raw", value_type=bytes)
    raw: Any = faust.Schema(key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    table = app.Table("dossiers", schema=raw)
    done = 0

    async def put(stream: Any) -> None:
        nonlocal done
        async for event in stream.events():
            row: Any = schemaless_reader(io.BytesIO(event.value[HEADER_BYTES:]), schema, None)
            state = table.get(event.key)
            count, last = struct.unpack(">Iq", state) if state is not None else (0, 0)
            table[event.key] = struct.pack(">Iq", count + 1, max(last, row["occurred_at"]))
            done += 1
            if done % 100 == 0 and meter.reached(done):
                os.write(1, f"{json.dumps(meter.report())}\n".encode())  # Faust has taken sys.stdout
                os._exit(0)

    app.agent(topic)(put)
    faust.Worker(app, loglevel="ERROR").execute_from_commandline()


def main() -> None:
    """Runs the lane named on the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("lane", choices=["limit", "ours-core", "ours-full", "faust-stock"])
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--source", required=True, help="namespace of the loaded topic")
    parser.add_argument("--run", required=True, help="namespace of this run's outputs")
    parser.add_argument("--partitions", type=int, required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--warm-up", type=int, required=True)
    parser.add_argument("--limit-s", type=float, required=True)
    parser.add_argument("--batch-records", type=int, default=BATCH_RECORDS, help="of our lanes")
    given = parser.parse_args()
    meter = Meter(given.events, given.warm_up, given.limit_s)
    match given.lane:
        case "limit":
            limit(given, meter)
        case "faust-stock":
            sys.argv = sys.argv[:1]
            faust_stock(given, meter)
        case "ours-core":
            ours(given, meter, Put())
        case _:
            import streams.person

            ours(given, meter, streams.person)
    print(json.dumps(meter.report() | _parts()))


def _parts() -> dict[str, float]:
    """Returns how long a batch took on average to be decided and to be written, ms; nothing for a lane without batches."""
    from streams import metrics

    found: dict[str, float] = {}
    for name, metric in (("decide_ms", metrics.PROCESS_SECONDS), ("checkpoint_ms", metrics.CHECKPOINT_SECONDS)):
        samples = {one.name.rpartition("_")[2]: one.value for family in metric.collect() for one in family.samples}
        if samples.get("count"):
            found[name] = round(samples["sum"] / samples["count"] * 1000, 2)
    return found


if __name__ == "__main__":
    main()
