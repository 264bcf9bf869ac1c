"""Topics that lost records: the worker stops loudly and says the way out, and the way out works."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs do not name them all as exported
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from streams.errors import IntegrityError
from streams.local import admin, topics
from streams.settings import Settings
from streams.wire.topics import PEOPLE, PEOPLE_CHANGELOG
from tests.chaos.checker import read_topic
from tests.chaos.conftest import Judge
from tests.chaos.crew import Crew, crew_of
from tests.chaos.feed import Feed
from tests.chaos.profile import SEED
from tests.conftest import Kafka

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
