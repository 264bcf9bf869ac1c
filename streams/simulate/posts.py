"""What border posts say about themselves: heartbeats, and outages with what was typed in afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from streams.records import PostHeartbeat, PostOutage
from streams.simulate.draft import DAY_MS, HOUR_MS, MINUTE_MS, Draft
from streams.simulate.draws import Draws, number_of, uuid_of

_PERIOD_DAYS = 30

VOUCHES_AFTER_MS = 5 * MINUTE_MS
"""A heartbeat vouches for everything older than this: by then an honest crossing has been sent."""


@dataclass(frozen=True, slots=True)
class Outage:
    """One time in which a post could not record.

    Attributes:
        post: its code.
        from_ms: first instant without records, UTC epoch ms.
        until_ms: first instant with records again.
        backfilled_ms: by when everything missed has been typed in.
    """

    post: str
    from_ms: int
    until_ms: int
    backfilled_ms: int


class Status:
    """Heartbeats and outages of every post in one simulation.

    Args:
        seed: of the simulation.
        posts: codes of the posts.
        start_ms: first simulated instant, UTC epoch ms.
        end_ms: last simulated instant.
        outage: outages of a post in 30 days, 0 to 1.
        heartbeat_hours: hours between heartbeats.
    """

    def __init__(
        self, seed: int, posts: tuple[str, ...], start_ms: int, end_ms: int, *, outage: float, heartbeat_hours: int
    ) -> None:
        self._seed = seed
        self._posts = posts
        self._start_ms = start_ms
        self._end_ms = end_ms
        self._every_ms = heartbeat_hours * HOUR_MS
        self._outages = {post: tuple(self._plan(post, outage)) for post in posts}

    def _plan(self, post: str, ratio: float) -> Iterator[Outage]:
        draws = Draws(self._seed, "outages", post)
        for period_ms in range(self._start_ms, self._end_ms, _PERIOD_DAYS * DAY_MS):
            chance, from_ms = draws.ratio(), period_ms + draws.between(1, _PERIOD_DAYS - 4) * DAY_MS
            from_ms += int(draws.ratio() * DAY_MS)
            until_ms = from_ms + draws.between(2, 20) * HOUR_MS
            backfilled_ms = until_ms + draws.between(3, 24) * HOUR_MS
            if chance < ratio and backfilled_ms < self._end_ms:
                yield Outage(post, from_ms, until_ms, backfilled_ms)

    @property
    def outages(self) -> tuple[Outage, ...]:
        """Every outage, post by post."""
        return tuple(outage for outages in self._outages.values() for outage in outages)

    def during(self, post: str, at_ms: int) -> Outage | None:
        """Returns the outage of a post at an instant, if there was one."""
        for outage in self._outages.get(post, ()):
            if outage.from_ms <= at_ms < outage.until_ms:
                return outage
        return None

    def reports(self) -> Iterator[tuple[int, Draft]]:
        """Yields the messages about every outage, with the instant they are sent; three each, in no order."""
        for outage in self.outages:
            outage_id = uuid_of(self._seed, "outage", outage.post, outage.from_ms)
            for kind, sent_ms, until_ms in (
                ("started", outage.from_ms + 10 * MINUTE_MS, None),
                ("ended", outage.until_ms + 2 * MINUTE_MS, outage.until_ms),
                ("backfilled", outage.backfilled_ms, outage.until_ms),
            ):
                event_id = uuid_of(self._seed, "outage", outage.post, outage.from_ms, kind)
                rest = (outage_id, kind, outage.from_ms, until_ms)
                yield sent_ms, Draft(PostOutage, event_id, outage.post, sent_ms, sent_ms, status_source(outage.post), rest)

    def beats(self) -> Iterator[tuple[int, str]]:
        """Yields the first heartbeat of every post: when, and whose."""
        for post in self._posts:
            yield self._start_ms + number_of(self._seed, "beat", post) % (50 * MINUTE_MS) + 10 * MINUTE_MS, post

    def next_beat(self, post: str, after_ms: int) -> int:
        """Returns when a post sends its next heartbeat; a post that is down keeps silent."""
        at_ms = after_ms + self._every_ms
        outage = self.during(post, at_ms)
        while outage is not None:
            at_ms = outage.until_ms + 5 * MINUTE_MS
            outage = self.during(post, at_ms)
        return at_ms

    def heartbeat(self, post: str, at_ms: int, first_seq: int, last_seq: int) -> Draft:
        """Returns a heartbeat.

        Args:
            post: whose.
            at_ms: when it is sent.
            first_seq: number of the first crossing sent since the last heartbeat; 0 if none was.
            last_seq: number of the last one; 0 if none was.
        """
        count = last_seq - first_seq + 1 if last_seq else 0
        through_ms = max(at_ms - VOUCHES_AFTER_MS, self._start_ms)
        event_id = uuid_of(self._seed, "heartbeat", post, at_ms)
        rest = (through_ms, first_seq, last_seq, count)
        return Draft(PostHeartbeat, event_id, post, at_ms, at_ms, status_source(post), rest)


def status_source(post: str) -> str:
    """Returns the source of what a post says about itself; apart from its crossings, so that each counts without gaps."""
    return f"post:{post}:status"
