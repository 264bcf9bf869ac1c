"""The holes of stock Faust that docs/faust.md describes, seen to be there: what fails here has been mended upstream."""

from __future__ import annotations

import asyncio
from typing import Any

import faust
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from faust.auth import SASLCredentials
from faust.cli.worker import worker
from faust.transport.producer import ProducerBuffer
from faust.types import TP

from streams.local import admin
from tests.conftest import Kafka

pytestmark = pytest.mark.integration


def stock(name: str, bootstrap: str = "127.0.0.1:1") -> faust.App:
    """Returns an app as everybody makes one, but for the web server, which would listen on every interface."""
    return faust.App(
        name,
        broker=f"kafka://{bootstrap}",
        web_enabled=False,
        topic_partitions=1,
        topic_disable_leader=True,
        broker_commit_interval=0.2,
        stream_wait_empty=False,
        consumer_auto_offset_reset="earliest",
        value_serializer="raw",
        datadir=f"/tmp/{name}",  # noqa: S108 - Faust makes the directory; nothing is written to it
    )


async def run(app: faust.App, done: asyncio.Event, commits_s: float = 1.5) -> None:
    """Runs an app until it has done what it should, and a few commits longer."""
    app.loop = asyncio.get_running_loop()
    await app.start()
    await asyncio.wait_for(done.wait(), 60)
    await asyncio.sleep(commits_s)  # several commit intervals: a commit cannot be waited for, stock Faust tells nobody
    await app.stop()


def committed(kafka: Kafka, group: str, topic: str) -> int:
    """Returns the group's offset of partition 0."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group})
    offset: int = consumer.committed([TopicPartition(topic, 0)], timeout=10)[0].offset
    consumer.close()
    return offset


def topic_with(kafka: Kafka, name: str, records: int) -> str:
    """Makes a topic with some records."""
    from kafka.admin import NewTopic

    with admin.connect(kafka.bootstrap, kafka.settings(create=False)) as client:
        client.create_topics([NewTopic(name, 1, 1)])
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for number in range(records):
        producer.produce(name, b"%d" % number)
    assert producer.flush(20) == 0
    return name


def test_an_event_whose_agent_raised_is_acknowledged_and_lost(kafka: Kafka) -> None:
    topic = topic_with(kafka, "stock-raises", 5)
    seen: list[bytes] = []

    async def body() -> None:
        app = stock("stock-raises", kafka.bootstrap)
        done = asyncio.Event()

        async def agent(stream: Any) -> None:
            async for value in stream:
                seen.append(value)
                if len(seen) == 5:
                    done.set()
                raise ValueError("the database is down")

        app.agent(app.topic(topic, value_type=bytes), name="agent")(agent)
        await run(app, done)

    asyncio.run(body())
    assert committed(kafka, "stock-raises", topic) == 5, "all five are committed; none was processed"


def test_a_batch_of_take_whose_agent_raised_is_acknowledged_whole(kafka: Kafka) -> None:
    topic = topic_with(kafka, "stock-takes", 6)

    async def body() -> None:
        app = stock("stock-takes", kafka.bootstrap)
        done = asyncio.Event()

        async def agent(stream: Any) -> None:
            async for _ in stream.take(3, within=5):
                done.set()
                raise ValueError("the database is down")

        app.agent(app.topic(topic, value_type=bytes), name="agent")(agent)
        await run(app, done)

    asyncio.run(body())
    assert committed(kafka, "stock-takes", topic) >= 3


def test_offsets_are_committed_over_a_hole_of_one() -> None:
    app = stock("stock-offsets")

    async def body() -> int | None:
        consumer: Any = app.consumer
        tp = TP("t", 0)
        consumer._committed_offset[tp] = 10  # 10 is the next to be read, and is not acknowledged
        consumer._acked[tp] = [11, 12, 13]
        offset: int | None = consumer._new_offset(tp)
        return offset

    assert asyncio.run(body()) == 14, "record 10 is skipped"


class Running(ProducerBuffer):
    """The buffer as it is while the app runs, with a broker that is slower than a tenth of a second."""

    @property
    def state(self) -> str:
        return "running"


def test_flushing_the_producers_buffer_gives_up_after_a_tenth_of_a_second() -> None:
    async def body() -> int:
        buffer = Running()
        buffer.app = stock("stock-flush")
        buffer.pending.put_nowait(object())
        await buffer.flush()
        return buffer.size

    assert asyncio.run(body()) == 1, "flush() returned, and the message is still there"


def test_a_password_without_a_tls_context_goes_over_the_wire_in_plain_text() -> None:
    credentials = SASLCredentials(username="u", password="not a secret")
    assert credentials.protocol.value == "SASL_PLAINTEXT"


def test_the_web_server_is_switched_on_by_the_command_line_on_every_interface() -> None:
    app = stock("stock-web")
    conf: Any = app.conf
    before = bool(conf.web_enabled)
    command: Any = object.__new__(worker)
    command.app = app
    [option] = [option for option in worker.worker_options if "--with-web/--without-web" in option.args]
    command._init_worker_options(
        with_web=option.kwargs["default"], web_port=None, web_bind=None, web_host=None, web_transport=None
    )
    assert (before, conf.web_enabled) == (False, True)
    assert conf.web_bind == "0.0.0.0"  # noqa: S104 - that is the finding
