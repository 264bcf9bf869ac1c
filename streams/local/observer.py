"""Reads what the stack writes, as any client would: the ledger, alerts, cases; and measures how long an alert takes."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from streams.clock import now_ms
from streams.errors import DependencyError, ShekaraError
from streams.local.ledger import Ledger
from streams.records import Alert, BatchMarker, Case
from streams.settings import Settings
from streams.wire import avro, connection
from streams.wire.topics import ALERTS, CASES, LABOUR_LINKS, LEDGER

_POLL_S = 0.1
_RECORDS = 1_000
OPEN_STATES = frozenset({"raised", "amended", "acknowledged"})


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds of one alert now.

    Attributes:
        version: its latest version.
        rule: name of the rule.
        state: raised, amended, acknowledged, resolved, retracted or expired.
        oblast: ISO 3166-2:KZ; empty if not known.
    """

    version: int
    rule: str
    state: str
    oblast: str


class Observer:
    """A reader of committed records only, on a thread of its own, from the beginning of the log.

    Args:
        settings: name the Kafka and the namespace.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._links = LABOUR_LINKS.name(settings.namespace)
        self._last_link: dict[tuple[str, int], int] = {}
        self.ledger = Ledger({self._links})
        self._alerts: dict[bytes, Standing] = {}
        self._cases: dict[bytes, Case] = {}
        self._latencies: list[int] = []
        self._live_from_ms: int | None = None
        self._next: dict[tuple[str, int], int] = {}
        self._failure: ShekaraError | None = None
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)

    def start(self) -> None:
        """Starts reading."""
        self._thread.start()

    def stop(self) -> None:
        """Ends reading."""
        self._done.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def measure_from(self, at_ms: int) -> None:
        """Measures alerts whose cause has the broker's timestamp ``at_ms`` or a later one."""
        with self._lock:
            self._live_from_ms = at_ms
            self._latencies.clear()

    def check(self) -> None:
        """Raises what stopped the reader, if something did.

        Raises:
            IntegrityError: the ledger contradicts itself.
            DependencyError: Kafka does not answer.
        """
        if self._failure is not None:
            raise self._failure

    @property
    def has_begun(self) -> bool:
        """Returns whether it knows what there is to read."""
        return bool(self._next)

    def behind(self, ends: Mapping[tuple[str, int], int]) -> int:
        """Returns how many offsets have not been read here.

        Args:
            ends: end offset by topic and partition; topics that are not read here do not count.
        """
        with self._lock:
            return sum(max(0, ends.get(place, 0) - offset) for place, offset in self._next.items())

    def links_waiting(self) -> int:
        """Returns how many offsets of the internal log, up to the last record read here, are not accounted for yet."""
        with self._lock:
            return self.ledger.behind({place: offset + 1 for place, offset in self._last_link.items()})

    def alerts(self) -> dict[str, dict[str, int]]:
        """Returns the number of alerts by rule and state, each alert counted once, as it stands now."""
        with self._lock:
            counted = Counter((one.rule, one.state) for one in self._alerts.values())
        result: dict[str, dict[str, int]] = {}
        for (rule, state), count in sorted(counted.items()):
            result.setdefault(rule, {})[state] = count
        return result

    def alert_count(self) -> int:
        """Returns the number of alerts, each counted once."""
        return len(self._alerts)

    def open_by_oblast(self, rules: Collection[str]) -> dict[str, int]:
        """Returns the open alerts of some rules by oblast, the most first; ``unknown`` where no oblast is known."""
        with self._lock:
            counted = Counter(
                one.oblast or "unknown" for one in self._alerts.values() if one.rule in rules and one.state in OPEN_STATES
            )
        return dict(counted.most_common())

    def funnel(self) -> dict[str, int]:
        """Returns the cases by stage, each case counted once, as it stands now; ``protected`` is counted beside."""
        with self._lock:
            counted = Counter(one.stage for one in self._cases.values())
            protected = sum(one.protected for one in self._cases.values())
        return dict(counted) | {"protected": protected}

    def latency_ms(self, ratio: float) -> float | None:
        """Returns a percentile of the time from an alert's cause at the broker to its arrival at a reader of committed records.

        Args:
            ratio: 0.5 for the median.

        Returns:
            Milliseconds; none if no alert was caused in the time that is measured.
        """
        with self._lock:
            ordered = sorted(self._latencies)
        if not ordered:
            return None
        return float(ordered[min(len(ordered) - 1, int(ratio * len(ordered)))])

    def _run(self) -> None:
        try:
            self._read()
        except ShekaraError as error:
            self._failure = error
        except Exception as error:
            self._failure = ShekaraError(f"The observer failed: {type(error).__name__}: {error}.", "Report this.")

    def _read(self) -> None:
        from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

        names = [topic.name(self._settings.namespace) for topic in (LEDGER, ALERTS, CASES, LABOUR_LINKS)]
        consumer = Consumer(
            connection.librdkafka(self._settings)
            | {
                "group.id": f"{self._settings.namespace}-observer",  # asked for; nothing is committed under it
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 50,
                "queued.max.messages.kbytes": 16 * 1024,
                "log_level": 2,
            }
        )
        try:
            found = consumer.list_topics(timeout=10).topics
            places = [
                TopicPartition(name, number, OFFSET_BEGINNING)
                for name in names
                for number in found[name].partitions
                if name in found
            ]
            with self._lock:
                self._next = {(place.topic, place.partition): 0 for place in places}
            consumer.assign(places)
            while not self._done.is_set():
                # The first message wakes us up at once; `consume` alone would wait for more and spoil the latencies.
                first = consumer.poll(_POLL_S)
                if first is None:
                    continue
                came_ms = now_ms()
                with self._lock:
                    for message in (first, *consumer.consume(_RECORDS, 0)):
                        self._take(message, came_ms)
        except KafkaException as error:
            raise DependencyError(f"Kafka does not answer: {error.args[0].str()}.", "Run 'shekara doctor'.") from error
        finally:
            consumer.close()

    def _take(self, message: Any, came_ms: int) -> None:
        from confluent_kafka import KafkaError

        place = (message.topic(), message.partition())
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                self._next[place] = message.offset()  # behind the transaction marks
            return
        self._next[place] = message.offset() + 1
        if place[0] == self._links:
            self._last_link[place] = message.offset()
            return
        record = avro.decode(message.value())
        if isinstance(record, BatchMarker):
            self.ledger.take(record)
        elif isinstance(record, Alert):
            known = self._alerts.get(record.alert_id)
            if known is None or record.version > known.version:
                self._alerts[record.alert_id] = Standing(record.version, record.rule, record.state, record.oblast)
            if self._live_from_ms is not None and record.caused_at >= self._live_from_ms:
                self._latencies.append(max(0, came_ms - record.caused_at))
        elif isinstance(record, Case):
            older = self._cases.get(record.case_id)
            if older is None or record.version > older.version:
                self._cases[record.case_id] = record
