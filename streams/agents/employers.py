"""The employers' log: what an employer declares becomes alerts about the employer.

Pure: no I/O and no clock, so the same class is driven by a worker, by a test and by a simulation.
"""

from __future__ import annotations

from streams import metrics
from streams.agents.door import Decodes, Door
from streams.agents.fit import require_fit
from streams.employer import take
from streams.policy.model import Policy
from streams.records import EmployerDeclaration
from streams.runtime.batch import Batch, RawRecord
from streams.runtime.checkpoint import Outcome, Output
from streams.runtime.store import Store
from streams.wire import avro
from streams.wire.topics import ALERTS, EMPLOYERS, FINDINGS, LABOUR_LINKS


class EmployersCore:
    """The loop of the employers' log.

    Args:
        store: its state, one value an employer.
        decoder: decodes raw records.
        policy: decides.
        namespace: prefix of every topic.
    """

    def __init__(self, store: Store, *, decoder: Decodes, policy: Policy, namespace: str) -> None:
        self._store = store
        self._policy = policy
        self._door = Door(decoder, EMPLOYERS, namespace)
        self._alerts = ALERTS.name(namespace)
        self._findings = FINDINGS.name(namespace)
        self._links = LABOUR_LINKS.name(namespace)

    def restore(self) -> None:
        """Has nothing to rebuild: the state is all there is."""

    def process(self, batch: Batch, now_ms: int) -> Outcome:
        """Decides a batch, record by record: where it begins and ends shows nowhere but in the ledger.

        Args:
            batch: the next run of offsets.
            now_ms: wall clock, UTC epoch ms; for the ledger only.
        """
        outcome = Outcome(batch.next_offset - 1)
        for raw in batch.records:
            record = self._door.open(raw, batch, outcome)
            if not isinstance(record, EmployerDeclaration):
                continue
            key = record.subject.encode()
            # Outside of what catches a rule's errors: a disk that cannot be read is no fault of the event.
            state = outcome.changes[key] if key in outcome.changes else self._store.get(key)
            try:
                self._take(raw, record, key, state, outcome)
            except Exception as error:
                self._door.failed(raw, batch, outcome, error, of=record.NAME, source=record.source)
        self._door.close(batch, outcome, now_ms)
        return outcome

    def _take(self, raw: RawRecord, record: EmployerDeclaration, key: bytes, state: bytes | None, outcome: Outcome) -> None:
        step = take(state, record, raw.timestamp, self._policy)
        # Everything is encoded before anything is kept, so that an error leaves no half of a step behind.
        outputs = [Output(self._alerts, key, avro.encode(alert)) for alert in step.alerts]
        outputs += [Output(self._findings, key, avro.encode(finding)) for finding in step.findings]
        if step.state is not None and raw.value is not None:
            # What was news here is handed on, as it came, to the lane that counts permits against it.
            outputs.append(Output(self._links, key, raw.value))
        require_fit(outputs, step.state, whose="employer", ask="Is one pseudonym used for many employers? Give each a pseudonym.")
        outcome.outputs += outputs
        if step.state is not None:
            outcome.changes[key] = step.state
        for alert in step.alerts:
            metrics.ALERTS.labels(alert.rule, alert.state).inc()
        for finding in step.findings:
            metrics.FINDINGS.labels(finding.rule, finding.state).inc()
