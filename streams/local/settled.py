"""When a group has read everything that had arrived at some instant: only then is what is missing behind it missing."""

from __future__ import annotations

import time
from collections.abc import Sequence

from kafka.errors import KafkaError

from streams.clock import monotonic_s, now_ms
from streams.local import admin, topics
from streams.settings import Settings

PATIENCE_S = 30.0
_PAUSE_S = 0.5


def settled(settings: Settings, group: str, names: Sequence[str], *, patience_s: float = PATIENCE_S) -> int | None:
    """Waits until a group has committed what the topics held when this was called.

    Args:
        settings: where Kafka is.
        group: the consumer group.
        names: full names of the topics it reads.
        patience_s: how long to wait, seconds.

    Returns:
        The instant of the call, UTC epoch ms; none if the group did not come so far in time.

    Raises:
        DependencyError: Kafka does not answer.
    """
    at_ms, deadline_s = now_ms(), monotonic_s() + patience_s
    with admin.connect(settings.kafka, settings) as client:
        ends = topics.ends(client, names)
        while True:
            try:
                done = topics.committed(client, group)
            except KafkaError as error:
                if not error.retriable:
                    raise
                done = {}  # a coordinator that has just begun reads its log first; it is asked again
            if all(done.get(place, 0) >= end for place, end in ends.items()):
                return at_ms
            if monotonic_s() >= deadline_s:
                return None
            time.sleep(_PAUSE_S)
