"""The person log: one person's facts become one person's alerts.

Pure: no I/O and no clock, so the same class is driven by a worker, by a test and by a simulation.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, Protocol

from streams import metrics
from streams.agents.door import Decodes, Door
from streams.agents.fit import require_fit
from streams.agents.merge import tick_key
from streams.agents.timetable import TIME_KEY, Timetable
from streams.decode import Rejected
from streams.detect.logtime import LogTime
from streams.person.step import Cause, Due, Step
from streams.policy.model import Policy
from streams.records import PersonEvent, Tick
from streams.runtime.batch import Batch, RawRecord
from streams.runtime.checkpoint import Outcome, Output
from streams.runtime.store import Store
from streams.wire import avro
from streams.wire.partition import partition_of
from streams.wire.topics import ALERTS, CASES, FINDINGS, LABOUR_LINKS, PEOPLE

_ONE_FOR_ALL: Final = "Is one pseudonym used for everybody whose document is not known? Give each a pseudonym."


class PersonSteps(Protocol):
    """The steps of one person; the module ``streams.person`` is one."""

    def take(self, state: bytes | None, record: PersonEvent, time: LogTime, cause: Cause, policy: Policy) -> Step:
        """Takes a fact."""

    def revisit(self, state: bytes, subject: str, time: LogTime, cause: Cause, policy: Policy) -> Step:
        """Looks again because time passed."""

    def due_of(self, state: bytes) -> Due:
        """Says when to look again."""


class PeopleCore:
    """The loop of one partition of the person log.

    Args:
        partition: its number.
        store: its state.
        decoder: decodes raw records.
        person: the steps of one person.
        policy: decides.
        namespace: prefix of every topic.
        partitions: how many the person log has.
    """

    def __init__(
        self,
        partition: int,
        store: Store,
        *,
        decoder: Decodes,
        person: PersonSteps,
        policy: Policy,
        namespace: str,
        partitions: int = 1,
    ) -> None:
        self._partition = partition
        self._partitions = partitions
        self._store = store
        self._person = person
        self._policy = policy
        self._door = Door(decoder, PEOPLE, namespace, keyed=True)
        self._people = PEOPLE.name(namespace)
        self._alerts = ALERTS.name(namespace)
        self._findings = FINDINGS.name(namespace)
        self._cases = CASES.name(namespace)
        self._links = LABOUR_LINKS.name(namespace)
        self._labels = (self._people, str(partition))
        self.timetable = Timetable(self._people, partition)
        self._told: Counter[tuple[Any, ...]] = Counter()

    def restore(self) -> None:
        """Rebuilds the log's clock and the deadlines from the state."""
        self.timetable.clear()
        due_of = self._person.due_of
        for key, value in self._store.items():
            if not self.timetable.restore(key, value):
                self._plan(key, due_of(value))
        self.timetable.measure()

    def process(self, batch: Batch, now_ms: int) -> Outcome:
        """Decides a batch, record by record: where it begins and ends shows nowhere but in the ledger.

        Args:
            batch: the next run of offsets.
            now_ms: wall clock, UTC epoch ms; for the ledger only.
        """
        outcome = Outcome(batch.next_offset - 1)
        open_record = self._door.open
        for raw in batch.records:
            record = open_record(raw, batch, outcome)
            if record is None:
                continue
            if isinstance(record, PersonEvent):
                key = record.subject.encode()
                changes = outcome.changes
                # Outside of what catches a rule's errors: a disk that cannot be read is no fault of the event.
                state = changes[key] if key in changes else self._store.get(key)
                try:
                    refused = self._take(raw, record, key, state, outcome)
                    if refused is not None:
                        self._door.refuse(raw, batch, outcome, refused)
                except Exception as error:
                    self._door.failed(raw, batch, outcome, error, of=record.NAME, source=record.source)
            elif isinstance(record, Tick):
                self._tick(raw, record, outcome)
        self._door.close(batch, outcome, now_ms)
        for (metric, *labels), number in self._told.items():
            metric.labels(*labels).inc(number)
        self._told.clear()
        self.timetable.measure()
        metrics.LOG_TIME.labels(*self._labels).set(self.timetable.time.now_ms / 1000)
        return outcome

    def _take(self, raw: RawRecord, record: PersonEvent, key: bytes, state: bytes | None, outcome: Outcome) -> Rejected | None:
        if state is None and (home := partition_of(key, self._partitions)) != self._partition:
            # Whoever is known here is at home here: only newcomers are looked at.
            return Rejected(
                "wrong_partition",
                f"Expected partition {home}, as murmur2 of the key says; came in {self._partition}. The person's other facts lie "
                "there. Set the producer's partitioner to murmur2_random (librdkafka's default is another); a replay puts this "
                "message right.",
                record.NAME,
                record.source,
            )
        step = self._person.take(state, record, self.timetable.time, Cause(record.event_id, raw.timestamp), self._policy)
        self._emit(key, step, outcome)
        return None

    def _tick(self, raw: RawRecord, tick: Tick, outcome: Outcome) -> None:
        before = self.timetable.time
        if not self.timetable.advance(tick, outcome.changes):
            return
        time = self.timetable.time
        # The lane of the links goes by the time that all partitions have reached.
        outcome.outputs.append(Output(self._links, tick_key(self._partition), outcome.changes[TIME_KEY] or b""))
        cause = Cause(tick.event_id, raw.timestamp)
        gaps_changed = time.gaps != before.gaps

        def look(key: bytes) -> None:
            state = outcome.changes[key] if key in outcome.changes else self._store.get(key)
            if state is not None:
                self._emit(key, self._person.revisit(state, key.decode(), time, cause, self._policy), outcome)

        due = self.timetable.deadlines.pop_due(time.now_ms, time.complete_through_ms, gaps_changed=gaps_changed)
        self.timetable.revisit(due, look, raw.offset)

    def _emit(self, key: bytes, step: Step, outcome: Outcome) -> None:
        # Everything is encoded before anything is kept, so that an error leaves no half of a step behind.
        state = step.state
        if step.alerts or step.findings or step.cases or step.links:
            outputs = [Output(self._alerts, key, avro.encode(alert)) for alert in step.alerts]
            outputs += [Output(self._findings, key, avro.encode(finding)) for finding in step.findings]
            outputs += [Output(self._cases, key, avro.encode(case)) for case in step.cases]
            outputs += [Output(self._links, key, avro.encode(link)) for link in step.links]
            require_fit(outputs, state, whose="person", ask=_ONE_FOR_ALL)
            outcome.outputs += outputs
            self._count(step)
        elif state is not None:
            require_fit((), state, whose="person", ask=_ONE_FOR_ALL)
        if step.shared:
            # Into our own log, so that the order in which states heard of each other is as fixed as everything else.
            outcome.outputs += [Output(self._people, told.subject.encode(), avro.encode(told)) for told in step.shared]
        if state is not None:
            outcome.changes[key] = state
        self._plan(key, step.due)

    def _count(self, step: Step) -> None:
        """Counts what came of a step; metrics take it at the end of the batch, because a look-up by label is dear."""
        told = self._told
        for alert in step.alerts:
            told[metrics.ALERTS, alert.rule, alert.state] += 1
        for finding in step.findings:
            told[metrics.FINDINGS, finding.rule, finding.state] += 1
        for case in step.cases:
            told[metrics.CASES, case.stage] += 1

    def _plan(self, key: bytes, due: Due) -> None:
        self.timetable.deadlines.set(key, due.at_ms, due.coverage_ms, due.on_gaps)
