"""The transport on a real broker, in a Faust app that knows nothing of this project."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import faust
import pytest
from confluent_kafka import Consumer, TopicPartition

from streams.runtime.batch import Batch
from streams.runtime.headless import HeadlessApp
from streams.runtime.ownership import Place
from streams.runtime.transport import Batches
from streams.wire.topics import EMPLOYERS, PEOPLE
from tests.conftest import Kafka
from tests.integration.rig import Log

pytestmark = pytest.mark.integration


async def run(app: HeadlessApp, check: Callable[[], bool], within_s: float = 60) -> None:
    """Runs an app until something is true."""
    app.loop = asyncio.get_running_loop()
    await app.start()
    try:
        async with asyncio.timeout(within_s):
            while not check():  # noqa: ASYNC110 - looks at plain fields
                await asyncio.sleep(0.02)
    finally:
        await app.stop()


def app_on(kafka: Kafka, name: str) -> HeadlessApp:
    return HeadlessApp(
        name,
        broker=f"shekara://{kafka.bootstrap}",
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        broker_commit_interval=0.3,
        consumer_auto_offset_reset="earliest",
    )


def committed(kafka: Kafka, group: str, topic: str, partitions: int) -> dict[int, int]:
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group})
    places = consumer.committed([TopicPartition(topic, partition) for partition in range(partitions)], timeout=10)
    consumer.close()
    return {place.partition: place.offset for place in places}


def agent_of(app: HeadlessApp, topic: Any, name: str, body: Callable[[Any], Awaitable[None]]) -> None:
    async def consume(stream: Any) -> None:
        async for event in stream.noack().events():
            await body(event)

    app.agent(topic, name=name)(consume)


def test_batches_are_bounded_unbroken_and_committed_to_their_end(kafka: Kafka) -> None:
    settings = kafka.settings(partitions=2)
    topic = PEOPLE.name(settings.namespace)
    log = Log(settings)
    log.crossings(1_000)
    app = app_on(kafka, f"{settings.namespace}-a")
    seen: list[Batch] = []

    async def take(event: Any) -> None:
        seen.append(event.value)
        event.ack()

    agent_of(app, app.topic(topic, schema=Batches(max_records=70)), "take", take)
    asyncio.run(run(app, lambda: sum(len(batch.records) for batch in seen) == 1_000))
    ends = {}
    for partition in range(2):
        mine = [batch for batch in seen if batch.partition == partition]
        assert [batch.first_offset for batch in mine] == [0, *[batch.next_offset for batch in mine[:-1]]]
        assert [record.offset for batch in mine for record in batch.records] == list(range(mine[-1].next_offset))
        ends[partition] = mine[-1].next_offset
    assert max(len(batch.records) for batch in seen) == 70
    assert committed(kafka, app.conf.id, topic, 2) == ends


def test_a_batch_is_committed_only_when_those_before_it_are_acknowledged(kafka: Kafka) -> None:
    settings = kafka.settings(partitions=1)
    topic = PEOPLE.name(settings.namespace)
    Log(settings).crossings(100)
    app = app_on(kafka, f"{settings.namespace}-a")
    seen: list[Any] = []

    async def take(event: Any) -> None:
        seen.append(event)
        if len(seen) != 2:  # the second is never acknowledged
            event.ack()

    agent_of(app, app.topic(topic, schema=Batches(max_records=10, max_in_flight=100)), "take", take)
    asyncio.run(run(app, lambda: len(seen) == 10))
    assert committed(kafka, app.conf.id, topic, 1) == {0: 10}


def test_what_is_not_acknowledged_bounds_what_is_read(kafka: Kafka) -> None:
    settings = kafka.settings(partitions=2)
    topic = PEOPLE.name(settings.namespace)
    log = Log(settings)
    log.crossings(400)
    app = app_on(kafka, f"{settings.namespace}-a")
    stuck: list[Any] = []
    free: list[Any] = []

    async def take(event: Any) -> None:
        if event.value.partition == 0:
            stuck.append(event)
        else:
            free.append(event)
            event.ack()

    agent_of(app, app.topic(topic, schema=Batches(max_records=10, max_in_flight=30)), "take", take)

    def other_done() -> bool:
        return bool(free) and free[-1].value.next_offset == ends[1]

    ends = {p: sum(1 for message in log.read(topic) if message.partition() == p) for p in range(2)}
    asyncio.run(run(app, other_done))
    assert sum(len(event.value.records) for event in stuck) == 30
    assert committed(kafka, app.conf.id, topic, 2)[0] < 0


def test_a_topic_that_does_not_ask_for_batches_keeps_the_path_by_the_record(kafka: Kafka) -> None:
    settings = kafka.settings(partitions=1)
    log = Log(settings)
    topic, batched = EMPLOYERS.name(settings.namespace), PEOPLE.name(settings.namespace)
    for number in range(50):
        log.put(b"%d" % number, topic=topic)
    log.crossings(50)
    app = app_on(kafka, f"{settings.namespace}-a")
    records: list[bytes] = []
    batches: list[Batch] = []

    async def by_record(stream: Any) -> None:
        async for value in stream:
            records.append(value)  # noqa: PERF401 - the stream does not end

    async def by_batch(event: Any) -> None:
        batches.append(event.value)
        event.ack()

    app.agent(app.topic(topic, value_serializer="raw", value_type=bytes), name="r")(by_record)
    agent_of(app, app.topic(batched, schema=Batches()), "b", by_batch)
    asyncio.run(run(app, lambda: len(records) == 50 and sum(len(batch.records) for batch in batches) == 50))
    assert records == [b"%d" % number for number in range(50)]
    assert committed(kafka, app.conf.id, topic, 1) == {0: 50}


def test_a_reader_sent_back_reads_again_from_there(kafka: Kafka) -> None:
    settings = kafka.settings(partitions=1)
    topic = PEOPLE.name(settings.namespace)
    Log(settings).crossings(60)
    app = app_on(kafka, f"{settings.namespace}-a")
    firsts: list[int] = []

    async def take(event: Any) -> None:
        firsts.append(event.value.first_offset)
        if event.value.next_offset == 60 and len(firsts) == 6:
            await app.rewind(Place(topic, 0), 15)
            return
        event.ack()

    agent_of(app, app.topic(topic, schema=Batches(max_records=10)), "take", take)
    asyncio.run(run(app, lambda: len(firsts) >= 11))
    assert firsts == [0, 10, 20, 30, 40, 50, 15, 25, 35, 45, 55]


def test_the_scheme_is_known_to_faust() -> None:
    app = faust.App("x", broker="shekara://127.0.0.1:1")
    assert type(app.transport).__module__ == "streams.runtime.transport"
