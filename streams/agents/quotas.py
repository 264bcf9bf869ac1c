"""The quotas' log: every allocation is handed on to the lane that counts permits against it (ADR 0066)."""

from __future__ import annotations

from streams.agents.door import Decodes, Door
from streams.records import QuotaAllocation
from streams.runtime.batch import Batch
from streams.runtime.checkpoint import Outcome, Output
from streams.wire.topics import LABOUR_LINKS, QUOTAS


class QuotasCore:
    """The loop of the quotas' log; it keeps nothing: a fact handed on twice is one fact there.

    Args:
        decoder: decodes raw records.
        namespace: prefix of every topic.
    """

    def __init__(self, *, decoder: Decodes, namespace: str) -> None:
        self._door = Door(decoder, QUOTAS, namespace)
        self._links = LABOUR_LINKS.name(namespace)

    def restore(self) -> None:
        """Has nothing to restore."""

    def process(self, batch: Batch, now_ms: int) -> Outcome:
        """Hands on what is good; what is bad goes to the dead letters; writes the ledger's line."""
        outcome = Outcome(batch.next_offset - 1)
        for raw in batch.records:
            record = self._door.open(raw, batch, outcome)
            if isinstance(record, QuotaAllocation) and raw.value is not None:
                outcome.outputs.append(Output(self._links, record.subject.encode(), raw.value))
        self._door.close(batch, outcome, now_ms)
        return outcome
