"""When a sink counts: between two of its units, before it commits, so that no lag means that the marts are up to date."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from streams import metrics
from streams.clock import monotonic_s
from streams.errors import ShekaraError
from streams.warehouse.counted import Mark
from streams.warehouse.counts import bring_up_to_date
from streams.warehouse.engine import Engine

log = structlog.get_logger(__name__)

PAUSE_S = 30.0
"""Seconds between two counts while the sink is behind; it counts at once when it has caught up."""

REST = 3.0
"""And at least so many times as long as the last count took: counting may take a quarter of the time of a sink that is behind."""


class Keeper:
    """Counts for a sink, between two of its units.

    Of several sinks that share a group, the one with partition 0 of the people's topic counts, for all of them.

    Args:
        engine: where.
        people: full name of the topic of people's facts.
        others: names in the marks by full names of the topics that are counted besides: other inputs, dead letters, alerts.
        committed: returns the group's committed offsets by topic and partition: below them everything is in ClickHouse.
        besides: what else to do at the same pace, as it may fail in the same ways.
    """

    def __init__(
        self,
        engine: Engine,
        people: str,
        others: Mapping[str, str],
        committed: Callable[[tuple[str, ...]], Mark],
        besides: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._people = people
        self._committed = committed
        self._besides = besides
        self._names = {people: people, **others}
        self._reached: dict[tuple[str, int], int] = {}
        self._ended_s = 0.0
        self._took_s = 0.0

    def forget(self) -> None:
        """Partitions were taken away: what was read of them is somebody else's to tell."""
        self._reached.clear()

    def after(self, units_next: Mark, *, caught_up: bool, alive: Callable[[], None]) -> None:
        """Takes note of a unit that is in ClickHouse, and counts when it is time to.

        A failure is logged and does not stop the sink: the counts stay as they were and the next time makes up for it.

        Args:
            units_next: next offset of every partition in the unit.
            caught_up: everything in the assigned partitions has been delivered.
            alive: called between statements.
        """
        for (topic, partition), offset in units_next.items():
            if topic in self._names:
                self._reached[self._names[topic], partition] = offset
        if (self._people, 0) not in self._reached:
            return
        if caught_up or monotonic_s() - self._ended_s >= max(PAUSE_S, REST * self._took_s):
            self._count(alive)

    def _count(self, alive: Callable[[], None]) -> None:
        begun = monotonic_s()
        try:
            shared = {
                (self._names[topic], partition): offset
                for (topic, partition), offset in self._committed(tuple(self._names)).items()
                if offset > 0
            }
            people = bring_up_to_date(self._engine, shared | self._reached, alive)
            self._besides()
        except ShekaraError as error:
            metrics.COUNTS_FAILED.inc()
            log.warning("counts not brought up to date", error=error.what)
        else:
            metrics.COUNTED_PEOPLE.inc(people)
        self._ended_s = monotonic_s()
        self._took_s = self._ended_s - begun
        metrics.COUNTING_SECONDS.observe(self._took_s)
