"""One pass over a simulated country: everything on its way to the log, in the order it arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import Any

from streams.detect.coverage_ledger import CoverageLedger
from streams.records import PostHeartbeat, PostOutage, QuotaAllocation, Record
from streams.simulate.concept import Concept
from streams.simulate.corruption import spoil
from streams.simulate.draft import DAY_MS, HOUR_MS, Arrival, Corrupt, Draft, Message
from streams.simulate.draws import Draws, uuid_of
from streams.simulate.faults import Parcel, Way
from streams.simulate.life import Life, World
from streams.simulate.posts import Status
from streams.simulate.truth import Totals
from streams.simulate.workplaces import Workplaces
from streams.wire.topics import topic_of

TellTruth = Callable[[dict[str, Any]], None]
"""Takes one line of the truth file."""

_AHEAD_MS = 8 * HOUR_MS
"""A local day begins less than this before the UTC day of the same number."""


class Run:
    """What is still to arrive, and how far each source has counted.

    Args:
        world: what every life shares.
        status: what posts say about themselves.
        totals: where everything sent is counted.
        truth: takes the truth of every person; none if nobody asks.
    """

    def __init__(self, world: World, status: Status, totals: Totals, truth: TellTruth | None) -> None:
        self._world = world
        self._status = status
        self._totals = totals
        self._truth = truth
        self._workplaces = Workplaces(world)
        self._way = Way(world, status, totals)
        self._queue: list[tuple[int, int, Parcel | Record | str | None]] = []
        self._pushed = 0
        self._seqs: dict[str, int] = {}
        self._vouched: dict[str, int] = {}
        self._suffixes: dict[type[Record], str] = {}
        self._ledger = CoverageLedger(silent_after_ms=max(6, 2 * world.rates.heartbeat_hours) * HOUR_MS)
        self._spoil_draws = Draws(world.seed, "spoil")
        self._fault_draws = Draws(world.seed)

    def arrivals(self, births: Iterator[tuple[int, Iterator[Life]]], concept: Concept | None) -> Iterator[Arrival]:
        """Yields everything in the order it arrives.

        Args:
            births: day by day, ascending, the people whose stories begin; first those of the days before the start.
            concept: the people of the Concept's figures; none if they are not asked for.
        """
        world = self._world
        self._set_out()
        for on, lives in births:
            for life in lives:
                self._send(life)
            if on < world.start_on:
                continue
            if concept is not None:
                for life in concept.lives(world, on):
                    self._send(life)
            # Whoever comes on a later day leaves nothing before that.
            yield from self._until((on + 1) * DAY_MS - _AHEAD_MS)
        yield from self._until(world.end_ms + 1)
        if self._truth is not None:
            for line in self._workplaces.lines():
                self._truth(line)

    @property
    def waiting(self) -> int:
        """Events told and not yet arrived: what memory grows with."""
        return len(self._queue)

    def _set_out(self) -> None:
        """Puts on the way what does not hang on people: ticks, heartbeats, outages, declarations, quotas."""
        world = self._world
        self._push(world.start_ms + world.rates.tick_hours * HOUR_MS, None)
        for at_ms, post in self._status.beats():
            self._push(at_ms, post)
        for at_ms, draft in self._status.reports():
            self._push(at_ms, Parcel(at_ms, draft))
        for draft in (*world.employers.declarations(world.start_on, world.end_on - 1), *self._quotas()):
            at_ms = max(draft.recorded_at, world.start_ms)
            if at_ms < world.end_ms:
                self._push(at_ms, Parcel(at_ms, draft))
                self._workplaces.declared(draft)

    def _quotas(self) -> Iterator[Draft]:
        """Yields the policy's quota lines of the simulated years, scaled to the people of the simulation."""
        world = self._world
        for line in world.policy.quotas:
            if line.effective_on + 366 <= world.start_on:
                continue
            persons = max(1, round(line.persons * world.quota_ratio))
            where = (line.quota, line.year, line.oblast or "", line.category or "", line.sector or "")
            at_ms = world.places.instant(line.effective_on, world.places.capital, 9)
            yield Draft(
                QuotaAllocation,
                uuid_of(world.seed, "quota", *where, line.version),
                "-".join(str(part) for part in where if part),
                at_ms,
                at_ms,
                "register:quotas",
                (
                    line.quota,
                    line.year,
                    line.version,
                    line.oblast,
                    line.category,
                    line.sector,
                    persons,
                    line.effective_on,
                ),
            )

    def _send(self, life: Life) -> None:
        draws = self._fault_draws
        draws.restart(self._world.seed, "way", life.subject)
        for parcel in self._way.parcels(life.drafts, draws):
            self._push(parcel.at_ms, parcel)
        if self._truth is not None:
            self._workplaces.take(life)
            self._truth(life.truth.line())

    def _push(self, at_ms: int, item: Parcel | Record | str | None) -> None:
        self._pushed += 1
        heappush(self._queue, (at_ms, self._pushed, item))

    def _until(self, limit_ms: int) -> Iterator[Arrival]:
        """Yields what arrives before an instant."""
        queue = self._queue
        while queue and queue[0][0] < limit_ms:
            at_ms, _, item = heappop(queue)
            if isinstance(item, Parcel):
                record = self._numbered(item.draft)
                if item.spoilt:
                    yield Arrival(at_ms, self._count(spoil(record, self._spoil_draws)))
                if item.again_after_ms:
                    self._push(min(at_ms + item.again_after_ms, self._world.end_ms - 1), record)
                yield Arrival(at_ms, self._count(record))
            elif isinstance(item, str):
                yield Arrival(at_ms, self._count(self._beat(item, at_ms)))
            elif item is None:
                yield Arrival(at_ms, self._count(self._tick(at_ms)))
            else:
                yield Arrival(at_ms, self._count(item))

    def _numbered(self, draft: Draft) -> Record:
        """Returns the record of a draft, with the next number of its source."""
        source = draft.source
        seq = self._seqs.get(source, 0) + 1
        self._seqs[source] = seq
        record = draft.to_record(seq)
        if isinstance(record, PostOutage):
            self._ledger.take(record)
        return record

    def _beat(self, post: str, at_ms: int) -> Record:
        """Returns a heartbeat, and puts the next one on its way."""
        last = self._seqs.get(f"post:{post}", 0)
        first = self._vouched.get(post, 0) + 1
        self._vouched[post] = last
        draft = self._status.heartbeat(post, at_ms, *((first, last) if last >= first else (0, 0)))
        record = self._numbered(draft)
        if isinstance(record, PostHeartbeat):
            self._ledger.take(record)
        next_ms = self._status.next_beat(post, at_ms)
        if next_ms < self._world.end_ms:
            self._push(next_ms, post)
        return record

    def _tick(self, at_ms: int) -> Record:
        """Returns a tick, and puts the next one on its way."""
        next_ms = at_ms + self._world.rates.tick_hours * HOUR_MS
        if next_ms <= self._world.end_ms:
            self._push(next_ms, None)
        return self._ledger.tick(at_ms)

    def _count(self, message: Message) -> Message:
        totals = self._totals
        if isinstance(message, Corrupt):
            suffix = message.topic.suffix
            totals.dead_letters[message.code] = totals.dead_letters.get(message.code, 0) + 1
        else:
            kind = type(message)
            suffix = self._suffixes.get(kind) or self._suffixes.setdefault(kind, topic_of(kind).suffix)
            totals.by_kind[kind.NAME] = totals.by_kind.get(kind.NAME, 0) + 1
        totals.by_topic[suffix] = totals.by_topic.get(suffix, 0) + 1
        return message
