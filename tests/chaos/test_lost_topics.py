"""Topics that lost records: the worker stops loudly and says the way out, and the way out works."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs do not name them all as exported
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    OffsetSpec,
    ResourceType,
)

from streams.errors import IntegrityError
from streams.local import admin, topics
from streams.records import BatchMarker
from streams.runtime.transport import ConsumerThread
from streams.settings import Settings
from streams.wire import avro
from streams.wire.topics import EMPLOYERS, LEDGER, PEOPLE, PEOPLE_CHANGELOG, POSTS, QUOTAS
from tests.chaos.checker import read_topic
from tests.chaos.conftest import Judge, note
from tests.chaos.crew import Crew, crew_of
from tests.chaos.feed import Feed
from tests.chaos.profile import SEED
from tests.conftest import Kafka
from tests.integration.rig import until

pytestmark = pytest.mark.integration


def begun(settings: Settings, crew: Crew, feed: Feed) -> None:
    """Lets a worker decide a part of the country, and stops it."""
    feed.send(800)
    worker = crew.start("one")
    crew.finish(feed)
    worker.popen.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    crew.dismiss("one")


def done(futures: Mapping[Any, Any]) -> None:
    """Waits until an administrator's requests are done."""
    for future in futures.values():
        future.result(20)


def stops(crew: Crew, words: str) -> None:
    """Makes sure that a worker stops with 5 and says why."""
    worker = crew.start("one")
    assert worker.wait() == IntegrityError.exit_code
    assert words in worker.log.read_text(encoding="utf-8")
    crew.dismiss("one")


def ends(settings: Settings, client: Any) -> list[int]:
    """Returns where the partitions of the person log end."""
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    places = {TopicPartition(PEOPLE.name(settings.namespace), number): latest for number in range(settings.partitions)}
    return [future.result(20).offset for future in client.list_offsets(places).values()]


def processed(settings: Settings) -> list[int]:
    """Returns the next offset behind the ledger's last line about each partition of the person log."""
    following = [0] * settings.partitions
    for message in read_topic(settings, LEDGER.suffix):
        line = avro.decode(message.value())
        if isinstance(line, BatchMarker) and line.topic == PEOPLE.name(settings.namespace):
            following[line.partition] = max(following[line.partition], line.last_offset + 1)
    return following


def test_records_deleted_before_they_were_processed_stop_the_worker_and_the_rest_goes_on_in_a_new_namespace(
    kafka: Kafka, tmp_path: Path, judged: Judge
) -> None:
    settings, fresh = kafka.settings(partitions=2), kafka.settings(partitions=2)
    feed, again = Feed(settings, seed=SEED), Feed(fresh, seed=SEED)
    client = AdminClient({"bootstrap.servers": kafka.bootstrap})
    people = PEOPLE.name(settings.namespace)
    with crew_of(settings, tmp_path) as crew:
        begun(settings, crew, feed)
        reached = ends(settings, client)
        feed.everything()
        done(client.delete_records([TopicPartition(people, 0, reached[0] + 5)]))
        stops(crew, f"Retention deleted offsets {reached[0]} to {reached[0] + 4} of partition 0 of {people}")
        assert processed(settings)[0] == reached[0], "it did not jump over what is gone"
    # The way out it names: what the log still holds, in a namespace of its own.
    for topic in (PEOPLE, POSTS, EMPLOYERS, QUOTAS):
        for message in read_topic(settings, topic.suffix):
            again.raw(topic.name(fresh.namespace), message.value(), message.key(), message.partition())
    again.flush()
    with crew_of(fresh, tmp_path) as crew:
        crew.start("fresh")
        crew.finish(again)
    judged(fresh, source_records_lost=reached[0] + 5)


def test_retention_that_overtakes_a_worker_at_work_stops_it_and_it_does_not_jump(
    kafka: Kafka, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    settings = kafka.settings(partitions=1)
    feed = Feed(settings, seed=SEED)
    client = AdminClient({"bootstrap.servers": kafka.bootstrap})
    people = PEOPLE.name(settings.namespace)
    with crew_of(settings, tmp_path) as crew:
        feed.send(400)
        worker = crew.start("one", "--batch", "20", "--name", "one")
        # Before its first batch a worker begins where the log begins: only what it has a state of can be lost to it.
        until(lambda: processed(settings)[0] > 0, "the worker is at work on the person log")
        worker.popen.send_signal(signal.SIGSTOP)
        until(lambda: psutil.Process(worker.popen.pid).status() == psutil.STATUS_STOPPED, "the worker is asleep")
        # A fetch that waits at the broker would be answered with what comes next, and nothing would be lost: let it time out.
        time.sleep(10 * ConsumerThread.fetch_max_wait_ms / 1000)
        [reached] = ends(settings, client)  # it may hold everything up to here in its memory, and nothing behind
        feed.everything()
        done(client.delete_records([TopicPartition(people, 0, reached + 50)]))
        worker.popen.send_signal(signal.SIGCONT)
        assert worker.wait() == IntegrityError.exit_code, worker.log.read_text(encoding="utf-8")
        said = worker.log.read_text(encoding="utf-8")
        assert re.search(rf"Retention deleted offsets \d+ to {reached + 49} of partition 0 of {people} before they were", said)
        assert "SHEKARA_NAMESPACE" in said
        assert processed(settings)[0] <= reached, "it did not jump over what is gone"
    note(request.node.name, faults={"source_records_lost": 50})


def test_the_first_worker_of_a_log_that_lost_its_beginning_says_so_and_decides_the_rest(
    kafka: Kafka, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    settings = kafka.settings(partitions=1)
    feed = Feed(settings, seed=SEED)
    client = AdminClient({"bootstrap.servers": kafka.bootstrap})
    people = PEOPLE.name(settings.namespace)
    with crew_of(settings, tmp_path) as crew:
        feed.everything()
        done(client.delete_records([TopicPartition(people, 0, 50)]))
        worker = crew.start("one")
        crew.finish(feed)
        [said] = [line for line in worker.log.read_text(encoding="utf-8").splitlines() if "log_begins_late" in line]
        assert people in said
        assert re.search(r"first_offset\W+50\b", said)
        assert processed(settings) == ends(settings, client)
    note(request.node.name, faults={"source_records_lost": 50})


def test_a_changelog_that_was_truncated_or_made_anew_stops_the_worker_and_can_be_rebuilt_from_the_log(
    kafka: Kafka, tmp_path: Path, judged: Judge
) -> None:
    settings = kafka.settings(partitions=2)
    changelog = PEOPLE_CHANGELOG.name(settings.namespace)
    feed = Feed(settings, seed=SEED)
    client = AdminClient({"bootstrap.servers": kafka.bootstrap})
    with crew_of(settings, tmp_path) as crew:
        begun(settings, crew, feed)
        people = len(read_topic(settings, PEOPLE.suffix))
        # A compacted topic refuses to lose its beginning; one whose policy somebody has changed does not.
        entry = ConfigEntry("cleanup.policy", "delete", incremental_operation=AlterConfigOpType.SET)
        done(client.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, changelog, incremental_configs=[entry])]))
        done(client.delete_records([TopicPartition(changelog, 0, 40)]))
        stops(crew, "begins at offset 40: what lay before was deleted")
        done(client.delete_topics([changelog]))
        with admin.connect(settings.kafka, settings) as ours:
            assert topics.create(ours, settings.namespace, partitions=2, replication=1) == [changelog]
        stops(crew, "the changelog topic was deleted or truncated")
        # The way out, as docs/operating.md gives it.
        done(client.delete_consumer_groups([f"{settings.namespace}-worker"]))
        feed.everything()
        crew.start("one")
        # The posts, the employers and the quotas kept their changelogs: only the person log is decided a second time.
        crew.finish(feed, twice=people)
    judged(settings, outputs_once=False, changelogs_lost=2)
