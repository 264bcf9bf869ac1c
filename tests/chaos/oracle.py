"""What must be: the pure core over the raw log, person by person, with nothing of the runtime between.

Written apart from ``streams.agents``: no batches, no deadline index (every tick looks through everybody), no store. What the
workers left behind after any fault has to equal what comes out here, byte for byte.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from struct import pack
from typing import Any, NamedTuple

import streams.employer
import streams.person
from streams import labour
from streams.agents.labour import OwnRecords
from streams.agents.people import PersonSteps
from streams.decode import Decoder, Rejected
from streams.detect.logtime import START, LogTime
from streams.person.step import Cause, Due
from streams.policy.model import Policy
from streams.records import EmployerDeclaration, LabourLink, QuotaAllocation, Record, Tick
from streams.wire import avro
from streams.wire.partition import partition_of
from streams.wire.topics import EMPLOYERS, LABOUR_LINKS, PEOPLE, POSTS, QUOTAS, Topic

READ: tuple[Topic, ...] = (PEOPLE, POSTS, EMPLOYERS, QUOTAS, LABOUR_LINKS)
"""Every topic the worker reads."""

Place = tuple[str, int]
"""Suffix of an input topic, and a partition."""


class Raw(NamedTuple):
    """One record of an input topic, as the broker keeps it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


@dataclass(slots=True)
class Truth:
    """What the log says must have come of it.

    Attributes:
        outputs: by topic suffix and key, the records in their order.
        states: by changelog's source and partition, the state of every key.
        refused: the code of the dead letter by topic, partition and offset.
        produced: records by topic and partition.
    """

    outputs: dict[str, dict[bytes, list[bytes]]] = field(
        default_factory=lambda: {name: defaultdict(list) for name in ("alerts", "findings", "cases", "labour-links")}
    )
    states: dict[Place, dict[bytes, bytes]] = field(default_factory=lambda: defaultdict(dict))
    refused: dict[tuple[str, int, int], str] = field(default_factory=dict)
    produced: Counter[Place] = field(default_factory=Counter)

    def emit(self, suffix: str, key: bytes, records: Iterable[Any]) -> None:
        """Notes outputs of one key."""
        self.outputs[suffix][key] += [avro.encode(record) for record in records]


Log = dict[Place, list[Raw]]
"""Every committed record of the input topics."""


def judge(log: Log, policy: Policy, person: PersonSteps | None = None) -> Truth:
    """Returns what must have come of a log.

    Args:
        log: the raw records.
        policy: decides.
        person: the steps of one person; those of ``streams.person`` if not given.
    """
    truth = Truth()
    decoder = Decoder(policy.codes, None)
    own = OwnRecords()
    partitions = sum(1 for suffix, _ in log if suffix == PEOPLE.suffix)
    topics = {topic.suffix: topic for topic in READ}
    for place, records in log.items():
        truth.produced[place] = len(records)
        suffix, number = place
        core = _People(truth, number, partitions, policy, person or streams.person) if suffix == PEOPLE.suffix else None
        lane = _Links(truth, policy, partitions) if suffix == LABOUR_LINKS.suffix else None
        for raw in records:
            door = decoder if lane is None else own
            record = door.decode(raw.value, received_at=raw.timestamp, topic=topics[suffix])
            code = record.code if isinstance(record, Rejected) else ""
            if isinstance(record, Rejected):
                pass
            elif core is not None:
                code = core.take(raw, record)
            elif lane is not None:
                lane.take(raw, record)
            elif isinstance(record, EmployerDeclaration):
                _declare(truth, place, raw, record, policy)
            elif isinstance(record, QuotaAllocation):
                truth.outputs["labour-links"][record.subject.encode()].append(raw.value or b"")
            if code:
                truth.refused[suffix, number, raw.offset] = code
    return truth


class _People:
    """One partition of the person log."""

    def __init__(self, truth: Truth, number: int, partitions: int, policy: Policy, steps: PersonSteps) -> None:
        self._truth = truth
        self._number = number
        self._partitions = partitions
        self._policy = policy
        self._steps = steps
        self._states = truth.states[PEOPLE.suffix, number]
        self._due: dict[bytes, Due] = {}
        self._time: LogTime = START

    def take(self, raw: Raw, record: Record) -> str:
        """Takes one record in; returns the code of its dead letter, or an empty text."""
        if isinstance(record, Tick):
            self._tick(raw, record)
            return ""
        key = record.subject.encode()
        if raw.key != key:
            return "wrong_key"
        state = self._states.get(key)
        if state is None and partition_of(key, self._partitions) != self._number:
            return "wrong_partition"
        cause = Cause(record.event_id, raw.timestamp)
        try:
            self._keep(key, self._steps.take(state, record, self._time, cause, self._policy))  # type: ignore[arg-type]
        except Exception:
            return "rule_failed"
        return ""

    def _tick(self, raw: Raw, tick: Tick) -> None:
        before, self._time = self._time, self._time.after(tick)
        now = self._time
        if now is before:
            return
        self._truth.emit("labour-links", f"tick/{self._number}".encode(), [tick])

        def has_come(due: Due) -> bool:
            by_time = due.at_ms is not None and due.at_ms <= now.now_ms
            by_coverage = due.coverage_ms is not None and due.coverage_ms <= now.complete_through_ms
            return by_time or by_coverage or (due.on_gaps and now.gaps != before.gaps)

        cause = Cause(tick.event_id, raw.timestamp)
        for key in [key for key, due in self._due.items() if has_come(due)]:
            self._keep(key, self._steps.revisit(self._states[key], key.decode(), now, cause, self._policy))

    def _keep(self, key: bytes, step: Any) -> None:
        truth = self._truth
        truth.emit("alerts", key, step.alerts)
        truth.emit("findings", key, step.findings)
        truth.emit("cases", key, step.cases)
        truth.emit("labour-links", key, step.links)
        if step.state is not None:
            self._states[key] = step.state
        self._due[key] = step.due


def _declare(truth: Truth, place: Place, raw: Raw, record: EmployerDeclaration, policy: Policy) -> None:
    key = record.subject.encode()
    states = truth.states[place]
    step = streams.employer.take(states.get(key), record, raw.timestamp, policy)
    truth.emit("alerts", key, step.alerts)
    truth.emit("findings", key, step.findings)
    if step.state is not None:
        states[key] = step.state
        truth.outputs["labour-links"][key].append(raw.value or b"")


class _Links:
    """The lane in which workers of many partitions are counted: it decides what belongs to a time all partitions have left."""

    def __init__(self, truth: Truth, policy: Policy, partitions: int) -> None:
        self._truth = truth
        self._policy = policy
        self._partitions = partitions
        self._states = truth.states[LABOUR_LINKS.suffix, 0]
        self._due: dict[bytes, int | None] = {}
        self._ticks: dict[int, Tick] = {}
        self._waiting: dict[tuple[int, bytes], tuple[Raw, Any]] = {}
        self._time: LogTime = START

    def take(self, raw: Raw, record: Any) -> None:
        """Takes one record in."""
        if not isinstance(record, Tick):
            self._wait(raw, record)
            return
        number = int((raw.key or b"").removeprefix(b"tick/"))
        if number in self._ticks and record.occurred_at <= self._ticks[number].occurred_at:
            return
        self._ticks[number] = record
        self._states[f"\x00clock/{number}".encode()] = avro.encode(record)
        slowest = min(self._ticks.values(), key=lambda tick: tick.occurred_at)
        if len(self._ticks) < self._partitions or slowest.occurred_at <= self._time.now_ms:
            return
        for place in sorted(place for place in self._waiting if place[0] < slowest.occurred_at):
            held, fact = self._waiting.pop(place)
            self._states.pop(_waiting_key(place), None)
            self._keep(labour.take(self._lane(), fact, held.value or b"", held.timestamp))
        self._time = self._time.after(slowest)
        due = sorted((at, key) for key, at in self._due.items() if at is not None and at <= self._time.now_ms)
        for _, key in due:
            self._due[key] = None
        for _, key in due:
            self._keep(labour.revisit(self._lane(), key, slowest.event_id, raw.timestamp))

    def _wait(self, raw: Raw, record: Any) -> None:
        if isinstance(record, LabourLink):
            known = self._ticks.get(partition_of(record.subject.encode(), self._partitions))
            at_ms = known.occurred_at if known else 0
            name = b"l" + record.kind.encode() + record.link_id + record.subject.encode() + record.version.to_bytes(4, "big")
        else:
            at_ms = max(record.recorded_at, self._time.now_ms)
            kind = b"d" if isinstance(record, EmployerDeclaration) else b"a"
            name = kind + record.event_id + raw.offset.to_bytes(8, "big")
        self._waiting[at_ms, name] = raw, record
        self._states[_waiting_key((at_ms, name))] = pack(">qq", raw.offset, raw.timestamp) + (raw.value or b"")

    def _lane(self) -> labour.Lane:
        def link(value: bytes) -> LabourLink:
            record = avro.decode(value)
            assert isinstance(record, LabourLink)
            return record

        return labour.Lane(self._states.get, link, self._time.now_ms, self._policy)

    def _keep(self, step: labour.Step) -> None:
        for suffix, records in (("alerts", step.alerts), ("findings", step.findings)):
            for record in records:
                self._truth.emit(suffix, record.subject.encode(), [record])
        self._states.update(step.changes)
        self._due.update(step.due)


def _waiting_key(place: tuple[int, bytes]) -> bytes:
    return b"w" + pack(">q", place[0] + (1 << 62)) + place[1]


Read = Callable[[str], Iterable[Any]]
"""Takes the suffix of a topic, returns its committed records as confluent-kafka messages."""


def raw_log(read: Read, partitions: int) -> Log:
    """Returns the input topics as they lie on the broker.

    Args:
        read: reads a topic.
        partitions: of the person log.
    """
    log: Log = {(topic.suffix, number): [] for topic in READ for number in range(partitions if topic.partitioned else 1)}
    for topic in READ:
        for message in read(topic.suffix):
            raw = Raw(message.offset(), message.timestamp()[1], message.key(), message.value())
            log[topic.suffix, message.partition()].append(raw)
    for records in log.values():
        records.sort(key=lambda raw: raw.offset)
    return log
