"""Topics that are read, checked and put into the ledger, and whose facts nothing is decided from yet."""

from __future__ import annotations

from streams.agents.door import Decodes, Door
from streams.runtime.batch import Batch
from streams.runtime.checkpoint import Outcome
from streams.wire.topics import Topic


class PlainCore:
    """The loop of a topic without state.

    Args:
        topic: the source topic.
        decoder: decodes raw records.
        namespace: prefix of every topic.
    """

    def __init__(self, topic: Topic, *, decoder: Decodes, namespace: str) -> None:
        self._door = Door(decoder, topic, namespace)

    def restore(self) -> None:
        """Has nothing to restore."""

    def process(self, batch: Batch, now_ms: int) -> Outcome:
        """Writes what is bad to the dead letters, and the ledger's line."""
        outcome = Outcome(batch.next_offset - 1)
        for raw in batch.records:
            self._door.open(raw, batch, outcome)
        self._door.close(batch, outcome, now_ms)
        return outcome
