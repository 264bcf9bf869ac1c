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
from faust.types.tuples import RecordMetadata

from streams.local import admin
from tests.conftest import Kafka

pytestmark = pytest.mark.integration


def stock(name: str, bootstrap: str = "127.0.0.1:1", **changes: Any) -> faust.App:
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
        **changes,
    )


async def run(app: faust.App, done: asyncio.Event, commits_s: float = 1.0) -> None:
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


def end(kafka: Kafka, topic: str) -> int:
    """Returns where partition 0 of a topic ends, transaction marks included; before an open transaction."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "unused", "isolation.level": "read_committed"})
    _, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
    consumer.close()
    return int(high)


def topic_with(kafka: Kafka, name: str, records: int, config: dict[str, str] | None = None) -> str:
    """Makes a topic with some records."""
    from kafka.admin import NewTopic

    with admin.connect(kafka.bootstrap, kafka.settings(create=False)) as client:
        client.create_topics([NewTopic(name, 1, 1, topic_configs=config or {})])
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for number in range(records):
        producer.produce(name, b"%d" % number)
    assert producer.flush(20) == 0
    return name


def test_an_event_whose_agent_raised_is_acknowledged_and_lost(kafka: Kafka) -> None:
    topic = topic_with(kafka, "stock-raises", 2)
    seen: list[bytes] = []

    async def body() -> None:
        app = stock("stock-raises", kafka.bootstrap)
        done = asyncio.Event()

        async def agent(stream: Any) -> None:
            async for value in stream:
                seen.append(value)
                if len(seen) == 2:
                    done.set()
                raise ValueError("the database is down")

        app.agent(app.topic(topic, value_type=bytes), name="agent")(agent)
        await run(app, done)

    asyncio.run(body())
    assert committed(kafka, "stock-raises", topic) == 2, "both are committed; none was processed"


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


def test_a_changelog_record_the_broker_refuses_is_logged_and_its_event_committed(kafka: Kafka) -> None:
    topic = topic_with(kafka, "stock-changelog", 3)
    changelog = topic_with(kafka, "stock-changelog-counts-changelog", 0, {"max.message.bytes": "200"})

    async def body() -> None:
        app = stock("stock-changelog", kafka.bootstrap)
        table: Any = app.Table("counts", partitions=1)
        done = asyncio.Event()
        seen: list[bytes] = []

        async def agent(stream: Any) -> None:
            async for value in stream:
                table["k"] = "much longer than the topic takes" * 50
                seen.append(value)
                if len(seen) == 3:
                    done.set()

        app.agent(app.topic(topic, value_type=bytes), name="agent")(agent)
        await run(app, done)

    asyncio.run(body())
    assert committed(kafka, "stock-changelog", topic) == 3, "all three are committed"
    assert end(kafka, changelog) == 0, "and no change of the state is in the changelog"


def test_exactly_once_sends_outside_of_its_transaction(kafka: Kafka) -> None:
    topic, out = topic_with(kafka, "stock-once", 5), topic_with(kafka, "stock-once-out", 0)

    async def body() -> None:
        app = stock("stock-once", kafka.bootstrap, processing_guarantee="exactly_once")
        done = asyncio.Event()
        seen: list[bytes] = []

        async def agent(stream: Any) -> None:
            async for value in stream:
                await app.topic(out).send(value=value)
                seen.append(value)
                if len(seen) == 5:
                    done.set()

        app.agent(app.topic(topic, value_type=bytes), name="agent")(agent)
        await run(app, done)

    asyncio.run(body())
    assert committed(kafka, "stock-once", topic) == 5
    assert end(kafka, out) == 5, "five records are visible, and no transaction has left its mark behind them"


def test_a_table_cannot_be_written_where_take_yields(kafka: Kafka) -> None:
    topic = topic_with(kafka, "stock-take-table", 4)
    raised: list[BaseException] = []

    async def body() -> None:
        app = stock("stock-take-table", kafka.bootstrap)
        table: Any = app.Table("counts", partitions=1)
        done = asyncio.Event()

        async def agent(stream: Any) -> None:
            async for _ in stream.take(2, within=2):
                try:
                    table["k"] = 1
                except Exception as error:
                    raised.append(error)
                done.set()

        app.agent(app.topic(topic, value_type=bytes), name="agent")(agent)
        await run(app, done)

    asyncio.run(body())
    assert raised
    assert "outside of stream iteration" in str(raised[0])


def test_a_table_cannot_be_written_by_a_timer() -> None:
    table: Any = stock("stock-timer").Table("counts", partitions=1)
    with pytest.raises(TypeError, match="outside of stream iteration"):
        table["k"] = 1


def test_the_offset_in_a_local_table_is_written_when_the_changelog_has_the_record_not_when_the_source_is_committed() -> None:
    async def body() -> dict[TP, int]:
        table: Any = stock("stock-ahead").Table("counts", partitions=1)
        kept: dict[TP, int] = {}
        table._data = Kept(kept)
        sent = asyncio.get_running_loop().create_future()
        sent.set_result(RecordMetadata("counts-changelog", 0, TP("counts-changelog", 0), 41))
        table._on_changelog_sent(sent)
        return kept

    assert asyncio.run(body()) == {TP("counts-changelog", 0): 41}, "and nothing of the source was asked for"


class Kept:
    """A local table that keeps where it stands."""

    def __init__(self, kept: dict[TP, int]) -> None:
        self._kept = kept

    def set_persisted_offset(self, tp: TP, offset: int) -> None:
        self._kept[tp] = offset


def test_commits_stop_for_good_once_the_lowest_acknowledged_lies_further_than_one_ahead() -> None:
    app = stock("stock-stuck")

    async def body() -> list[int | None]:
        consumer: Any = app.consumer
        tp = TP("t", 0)
        consumer._committed_offset[tp] = 10
        found = []
        for offset in range(12, 20):  # 10 and 11 were acknowledged before the race and are remembered by nobody
            consumer._acked[tp].append(offset)
            found.append(consumer._new_offset(tp))
        return found

    assert set(asyncio.run(body())) == {None}, "however many follow, nothing is committed and nothing fails"


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
