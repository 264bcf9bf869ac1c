"""One replay: where it stands, how far it goes, what it writes to, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, cast

from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.structs import TopicPartition

from streams import bootstrap
from streams.errors import DependencyError
from streams.local import admin, topics
from streams.policy.model import Policy
from streams.records import Alert, Finding
from streams.report.replayed import Comparison, Version, compare, latest
from streams.runtime.partition import Clients, Lane
from streams.runtime.rerun import rerun
from streams.settings import Settings
from streams.wire import avro
from streams.wire.topics import ALERTS, EMPLOYERS, FINDINGS, LABOUR_LINKS, PEOPLE, QUOTAS, TOPICS

_READ_AT_ONCE = 5_000
_QUIET_READS = 300
_READ_WAIT_S = 0.2

Told = Callable[[int, int], None]
"""Told how many offsets are done, and of how many."""


class Replay:
    """A replay of all that can raise an alert: the person log, employers, quotas, and what these tell of workers.

    How far it goes is settled when it is opened. Its topics stay until `remove`, so that an interrupted one goes on.

    Args:
        settings: must name a Kafka.
        policy: decides.

    Attributes:
        namespace: prefix of everything it writes.
        policy_version: which policy decides.
        offsets: offsets of the input topics in all.
        offsets_now: those this run has processed.
    """

    def __init__(self, settings: Settings, policy: Policy) -> None:
        self.namespace = f"{settings.namespace}-replay-{policy.version}"
        self.policy_version = policy.version
        self.offsets = 0
        self.offsets_now = 0
        self._settings = settings
        self._policy = policy
        self._sources = [topic.name(settings.namespace) for topic in (PEOPLE, EMPLOYERS, QUOTAS)]
        self._opened = admin.connect(settings.kafka, settings)
        self._admin: KafkaAdminClient
        self._low: dict[TopicPartition, int] = {}
        self._end: dict[TopicPartition, int] = {}
        self._cut_ms: dict[TopicPartition, int] = {}

    def __enter__(self) -> Replay:
        """Settles how far the replay goes: up to now."""
        self._admin = self._opened.__enter__()
        counts = topics.partition_counts(self._admin, self._sources)
        missing = sorted(set(self._sources) - set(counts))
        if missing:
            raise DependencyError(f"Kafka has no topic {', '.join(missing)}.", "Check SHEKARA_NAMESPACE: 'shekara topics'.")
        places = [TopicPartition(name, number) for name, count in counts.items() for number in range(count)]
        # First the time, then the end: whatever arrived up to that time lies below the end.
        newest = self._admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.MAX_TIMESTAMP))
        self._cut_ms = {place: found.timestamp for place, found in newest.items()}
        self._end = topics.ends(self._admin, self._sources)
        self._low = topics.ends(self._admin, self._sources, earliest=True)
        self.offsets = sum(self._end[place] - self._low[place] for place in places)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self._opened.__exit__(kind, error, where)

    def run(self, told: Told) -> None:
        """Processes everything that an earlier run of this replay has not.

        Raises:
            ShekaraError: as a worker would.
        """
        people = PEOPLE.name(self._settings.namespace)
        partitions = sum(place.topic == people for place in self._end)
        topics.create(self._admin, self.namespace, partitions=partitions, replication=self._settings.replication)
        lanes, clients = bootstrap.replay_lanes(self._settings, self.namespace, self._policy)
        done = 0
        for lane in lanes:
            if lane.topic == LABOUR_LINKS.name(self.namespace):
                # Ours, written by the lanes before: it counts for nothing of what was to be read.
                for place, end in topics.ends(self._admin, [lane.topic]).items():
                    rerun(lane, place.partition, end, clients, progress=lambda _: None, **self._manner(place))
                continue
            for place in sorted(place for place in self._end if place.topic == lane.topic):
                self._rerun(lane, place, clients, done, told)
                done += self._end[place] - self._low[place]

    def _manner(self, place: TopicPartition) -> dict[str, Any]:
        return {
            "transactional_id": f"{self.namespace}-{place.topic}-{place.partition}",
            "batch_records": self._settings.batch_records,
        }

    def _rerun(self, lane: Lane, place: TopicPartition, clients: Clients, done: int, told: Told) -> None:
        end, low = self._end[place], self._low[place]
        first = -1

        def progress(following: int) -> None:
            nonlocal first
            if first < 0:
                first = following
            told(done + following - low, self.offsets)

        rerun(lane, place.partition, end, clients, progress=progress, **self._manner(place))
        self.offsets_now += max(0, end - first)

    def compare(self, from_on: int) -> Comparison:
        """Compares what the replay concludes with what stands.

        Args:
            from_on: what ended before this day is left out; days since 1970-01-01.
        """
        live = latest(self._versions(self._settings.namespace))
        shadow = latest(self._versions(self.namespace))
        return compare(live, shadow, from_on)

    def behind(self) -> int:
        """Returns how many offsets of the inputs the live workers have not committed yet."""
        committed = topics.committed(self._admin, f"{self._settings.namespace}-worker")
        return sum(max(0, end - committed.get(place, self._low[place])) for place, end in self._end.items())

    def remove(self) -> None:
        """Removes every topic of the replay's namespace."""
        names = [topic.name(self.namespace) for topic in TOPICS]
        there = list(topics.partition_counts(self._admin, names))
        if there:
            self._admin.delete_topics(there)

    def _versions(self, namespace: str) -> Iterator[Version]:
        """Yields every version that came of what the replay has processed, whoever wrote it."""
        people = self._sources[0]
        for topic in (ALERTS, FINDINGS):
            for message in self._messages(topic.name(namespace)):
                version = avro.decode(cast("bytes", message.value()))
                if not isinstance(version, Alert | Finding):
                    continue
                # A person's alerts lie in the partition of the facts: both are keyed by the subject. What is said of
                # employers and quotas is caused by records of our own, written when they were decided: it counts as it stands.
                if (
                    not version.subject.startswith("p")
                    or version.caused_at <= self._cut_ms[TopicPartition(people, message.partition())]
                ):
                    yield version

    def _messages(self, topic: str) -> Iterator[Any]:
        from confluent_kafka import KafkaError
        from confluent_kafka import TopicPartition as Place

        count = topics.partition_counts(self._admin, [topic]).get(topic, 0)
        reader = bootstrap.replay_lanes(self._settings, self.namespace, self._policy)[1].reader()
        try:
            reader.assign([Place(topic, number, 0) for number in range(count)])
            ended: set[int] = set()
            quiet = 0
            while len(ended) < count:
                messages = reader.consume(_READ_AT_ONCE, timeout=_READ_WAIT_S)
                quiet = 0 if messages else quiet + 1
                if quiet > _QUIET_READS:
                    raise DependencyError(f"{topic} gave nothing for {_QUIET_READS * _READ_WAIT_S:.0f} s before its end.")
                for message in messages:
                    error = message.error()
                    if error is None:
                        yield message
                    elif error.code() == KafkaError._PARTITION_EOF:
                        ended.add(message.partition())
                    elif not error.retriable():
                        raise DependencyError(f"{topic} cannot be read: {error.str()}.")
        finally:
            reader.close()
