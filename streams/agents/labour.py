"""The log of links: what people's partitions, employers and quotas tell of workers becomes alerts about employers and quotas.

Pure: no I/O and no clock, so the same class is driven by a worker, by a test and by a simulation. Every conclusion here has this
one owner (ADR 0066).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from streams import labour, metrics
from streams.agents.door import Door
from streams.agents.fit import require_fit
from streams.agents.merge import Merge, Waiting, clock_key, partition_of_tick, waiting_of
from streams.agents.timetable import Timetable
from streams.decode import Rejected
from streams.policy.model import Policy
from streams.records import EmployerDeclaration, LabourLink, QuotaAllocation, Record, Tick
from streams.runtime.batch import Batch, Raw, RawRecord
from streams.runtime.checkpoint import Outcome, Output
from streams.runtime.store import Store
from streams.wire import avro
from streams.wire.topics import ALERTS, FINDINGS, LABOUR_LINKS, Topic

_ASK = "Is one pseudonym used for many employers? Give each a pseudonym."


class OwnRecords:
    """Reads what the agents of this system write to the topic: nothing of it comes from outside."""

    def decode(
        self, value: bytes | None, *, received_at: int, topic: Topic, headers: Sequence[tuple[str, bytes]] = ()
    ) -> Record | Rejected:
        """Returns the record in a message, or why there is none; never raises."""
        try:
            record = avro.decode(value or b"")
        except avro.MalformedError as error:
            return Rejected(error.code, error.reason, error.event_type, "")
        if isinstance(record, LabourLink | EmployerDeclaration | QuotaAllocation | Tick):
            # A link is no event from outside: it has no envelope, and the door does not look at one.
            return cast("Record", record)
        return Rejected("wrong_topic", f"Expected what agents write to {topic.suffix}; came a {record.NAME}.", record.NAME, "")


class LabourCore:
    """The loop of the links' log.

    Args:
        partition: its number.
        store: its state: employers, quota lines, links.
        policy: decides.
        namespace: prefix of every topic.
        partitions: how many the log of persons has.
    """

    def __init__(self, partition: int, store: Store, *, policy: Policy, namespace: str, partitions: int = 1) -> None:
        self._store = store
        self._policy = policy
        self._door = Door(OwnRecords(), LABOUR_LINKS, namespace)
        self._alerts = ALERTS.name(namespace)
        self._findings = FINDINGS.name(namespace)
        self._partitions = partitions
        self._merge = Merge(partitions)
        self.timetable = Timetable(LABOUR_LINKS.name(namespace), partition)

    def restore(self) -> None:
        """Rebuilds the clock and the deadlines from the state."""
        self.timetable.clear()
        self._merge = Merge(self._partitions)
        for key, value in self._store.items():
            if not self._merge.restore(key, value) and not self.timetable.restore(key, value) and labour.is_judged(key):
                self.timetable.deadlines.set(key, labour.due_of(value), None, False)
        self.timetable.measure()

    def process(self, batch: Batch, now_ms: int) -> Outcome:
        """Decides a batch, record by record: where it begins and ends shows nowhere but in the ledger.

        Args:
            batch: the next run of offsets.
            now_ms: wall clock, UTC epoch ms; for the ledger only.
        """
        outcome = Outcome(batch.next_offset - 1)
        for raw in batch.records:
            record: object = self._door.open(raw, batch, outcome)
            if isinstance(record, Tick):
                self._tick(raw, record, batch, outcome)
            elif isinstance(record, LabourLink | EmployerDeclaration | QuotaAllocation):
                held = self._merge.wait(record, raw.offset, raw.timestamp, raw.value or b"", self.timetable.time)
                outcome.changes[held.key] = held.packed()
        self._door.close(batch, outcome, now_ms)
        self.timetable.measure()
        return outcome

    def _tick(self, raw: RawRecord, tick: Tick, batch: Batch, outcome: Outcome) -> None:
        """Takes a partition's tick; decides what belongs to a time all partitions have left behind, then lets time pass."""
        partition = partition_of_tick(raw.key)
        if partition is None:
            reason = "Expected the partition that hands the tick on as the message's key, tick/0; came another key or none."
            self._door.refuse(raw, batch, outcome, Rejected("wrong_key", reason, tick.NAME, ""))
            return
        if not self._merge.tick(partition, tick):
            return
        outcome.changes[clock_key(partition)] = avro.encode(tick)
        reached = self._merge.reached()
        if reached is None or reached.occurred_at <= self.timetable.time.now_ms:
            return
        for key in self._merge.due(reached.occurred_at):
            data = outcome.changes[key] if key in outcome.changes else self._store.get(key)
            outcome.changes[key] = None
            if data is not None:
                self._decide(waiting_of(key, data), batch, outcome)
        self.timetable.advance(reached, outcome.changes)

        def look(key: bytes) -> None:
            self._emit(labour.revisit(self._lane(outcome), key, reached.event_id, raw.timestamp), outcome)

        now_ms = self.timetable.time.now_ms
        self.timetable.revisit(self.timetable.deadlines.pop_due(now_ms, now_ms, gaps_changed=False), look, raw.offset)

    def _decide(self, held: Waiting, batch: Batch, outcome: Outcome) -> None:
        """Decides a record whose time has come; one on which a rule raises goes to the dead letters, alone."""
        record = avro.decode(held.value)
        if not isinstance(record, LabourLink | EmployerDeclaration | QuotaAllocation):  # pragma: no cover - nothing else waits
            raise TypeError(record.NAME)
        try:
            self._emit(labour.take(self._lane(outcome), record, held.value, held.timestamp), outcome)
        except Exception as error:
            before = outcome.dead_letters
            raw = Raw(held.offset, held.timestamp, None, held.value)
            self._door.failed(raw, batch, outcome, error, of=record.NAME, source="")
            # It was accounted for when it came: the ledger's line of this batch is about this batch's records.
            outcome.dead_letters = before

    def _lane(self, outcome: Outcome) -> labour.Lane:
        changes, stored = outcome.changes, self._store.get
        return labour.Lane(
            lambda key: changes[key] if key in changes else stored(key), _link, self.timetable.time.now_ms, self._policy
        )

    def _emit(self, step: labour.Step, outcome: Outcome) -> None:
        # Everything is encoded before anything is kept, so that an error leaves no half of a step behind.
        outputs = [Output(self._alerts, one.subject.encode(), avro.encode(one)) for one in step.alerts]
        outputs += [Output(self._findings, one.subject.encode(), avro.encode(one)) for one in step.findings]
        longest = max(step.changes.values(), key=len, default=None)
        require_fit(outputs, longest, whose="employer", ask=_ASK)
        outcome.outputs += outputs
        outcome.changes.update(step.changes)
        for key, due_ms in step.due.items():
            self.timetable.deadlines.set(key, due_ms, None, False)
        for alert in step.alerts:
            metrics.ALERTS.labels(alert.rule, alert.state).inc()
        for finding in step.findings:
            metrics.FINDINGS.labels(finding.rule, finding.state).inc()


def _link(value: bytes) -> LabourLink:
    """Returns a link that was kept as it came."""
    record = avro.decode(value)
    if not isinstance(record, LabourLink):  # pragma: no cover - nothing else is kept under a link's key
        raise TypeError(record.NAME)
    return record
