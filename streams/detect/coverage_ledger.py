"""How far every border post vouches for its records, from what the posts say about themselves.

Pure and independent of the order in which the records arrived: heartbeats may be late or repeated, the three messages
of an outage may come in any order. The ledger only ever forgets in the careful direction: a gap may be drawn too wide,
never too narrow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha1
from itertools import pairwise
from typing import Any

from streams.records import Gap, PostHeartbeat, PostOutage, Tick

SILENT_AFTER_MS = 6 * 3_600_000
"""A post that has vouched for nothing in the last six hours no longer holds back the others: its silence becomes a gap.

**Source**: our own choice; a working post sends a heartbeat every few minutes, and a night without power ends in the
morning. Shorter makes more gaps, longer keeps findings uncertain for longer."""

MOST_GAPS = 2000
"""Gaps in one tick, at most: a tick stays under the longest event (64 KiB). Beyond it neighbouring gaps are joined."""

_RANK = {"started": 0, "ended": 1, "backfilled": 2}
_TICK_NAMESPACE = bytes.fromhex("5b6f1a4e8d0f4a6cb6a37f0d3c2e9a10")
_TICK_SOURCE = "shekara:coverage"

NUMBERS_SOURCE = "shekara:numbers"
"""Who says ``post_outage`` of a post whose numbers did not all come (``streams.warehouse.number_watch``)."""


@dataclass(frozen=True, slots=True)
class _Outage:
    """The message that says most about one outage; the larger of two holds."""

    rank: int
    recorded_at: int
    event_id: bytes
    from_at: int
    until_at: int | None

    @property
    def weight(self) -> tuple[int, int, bytes, int, int]:
        return self.rank, self.recorded_at, self.event_id, self.from_at, self.until_at or 0


@dataclass(slots=True)
class _Post:
    through_at: int | None = None
    outages: dict[bytes, _Outage] = field(default_factory=dict)


class CoverageLedger:
    """What every post has vouched for so far.

    Args:
        silent_after_ms: see :data:`SILENT_AFTER_MS`.
        most_gaps: see :data:`MOST_GAPS`.
    """

    def __init__(self, *, silent_after_ms: int = SILENT_AFTER_MS, most_gaps: int = MOST_GAPS) -> None:
        self._silent_after_ms = silent_after_ms
        self._most_gaps = most_gaps
        self._posts: dict[str, _Post] = {}

    def take(self, record: PostHeartbeat | PostOutage) -> bool:
        """Takes a record in.

        Args:
            record: a heartbeat or a message about an outage; its subject is the post's code.

        Returns:
            Whether it said anything new, so that the post's state must be kept anew.
        """
        post = self._posts.setdefault(record.subject, _Post())
        if isinstance(record, PostHeartbeat):
            if post.through_at is not None and record.complete_through_at <= post.through_at:
                return False
            post.through_at = record.complete_through_at
            return True
        said = _Outage(_RANK[record.kind], record.recorded_at, record.event_id, record.from_at, record.until_at)
        known = post.outages.get(record.outage_id)
        if known is not None and said.weight <= known.weight:
            return False
        post.outages[record.outage_id] = said
        return True

    def coverage(self, now_ms: int) -> tuple[int, tuple[Gap, ...]]:
        """Returns how far all posts are complete, and the gaps.

        Only posts that ever sent a heartbeat or reported an outage are known. One that has vouched for nothing in the last
        ``silent_after_ms`` does not hold the others back: what it has not vouched for becomes a gap without an end.

        Args:
            now_ms: the time, UTC epoch ms.

        Returns:
            ``complete_through_at`` (0 while no post has ever sent a heartbeat), and the gaps by post and start.
        """
        silent_since = now_ms - self._silent_after_ms
        spoken = {code: post.through_at for code, post in self._posts.items() if post.through_at is not None}
        speaking = [through for through in spoken.values() if through >= silent_since]
        complete = min(min(speaking, default=max(0, silent_since)), now_ms) if spoken else 0
        gaps: dict[str, list[tuple[int, int | None]]] = {}
        for code, through in spoken.items():
            if through < silent_since:
                gaps.setdefault(code, []).append((through, None))
        for code, post in self._posts.items():
            for outage in post.outages.values():
                # An end that does not lie behind the beginning ends nothing.
                ended = outage.until_at is not None and outage.until_at > outage.from_at
                if outage.rank < _RANK["backfilled"]:
                    gaps.setdefault(code, []).append((outage.from_at, outage.until_at if ended else None))
        joined = {code: _joined(spans) for code, spans in gaps.items()}
        _thin(joined, self._most_gaps)
        return complete, tuple(Gap(code, start, end) for code in sorted(joined) for start, end in joined[code])

    def tick(self, now_ms: int) -> Tick:
        """Returns the tick record of an instant: the same instant and coverage give the same record.

        Args:
            now_ms: the time, UTC epoch ms.
        """
        complete, gaps = self.coverage(now_ms)
        return Tick(
            event_id=_tick_id(now_ms),
            subject="wall",
            occurred_at=now_ms,
            recorded_at=now_ms,
            source=_TICK_SOURCE,
            # Ticks are not counted: whoever restarts has forgotten the count. The instant grows as a number must.
            source_seq=max(1, now_ms),
            complete_through_at=complete,
            gaps=gaps,
        )

    def __iter__(self) -> Iterator[str]:
        """Returns the posts it knows."""
        return iter(self._posts)

    def pack(self, code: str) -> bytes:
        """Returns what is known of a post, to keep."""
        post = self._posts[code]
        outages = [
            [key.hex(), outage.rank, outage.recorded_at, outage.event_id.hex(), outage.from_at, outage.until_at]
            for key, outage in sorted(post.outages.items())
        ]
        return json.dumps({"through_at": post.through_at, "outages": outages}, separators=(",", ":")).encode()

    def unpack(self, code: str, kept: bytes) -> None:
        """Takes back what was kept of a post."""
        row: dict[str, Any] = json.loads(kept)
        self._posts[code] = _Post(
            row["through_at"],
            {
                bytes.fromhex(key): _Outage(rank, recorded_at, bytes.fromhex(event_id), from_at, until_at)
                for key, rank, recorded_at, event_id, from_at, until_at in row["outages"]
            },
        )


def _joined(spans: list[tuple[int, int | None]]) -> list[tuple[int, int | None]]:
    """Returns spans without overlaps, by start; what touches is one."""
    found: list[tuple[int, int | None]] = []
    for start, end in sorted(spans, key=lambda span: span[0]):
        if found and (found[-1][1] is None or start <= found[-1][1]):
            last_start, last_end = found[-1]
            found[-1] = (last_start, None if last_end is None or end is None else max(last_end, end))
        else:
            found.append((start, end))
    return found


def _thin(gaps: dict[str, list[tuple[int, int | None]]], most: int) -> None:
    """Joins the nearest neighbours of a post until there are few enough, covering what lies between them too."""
    excess = sum(len(spans) for spans in gaps.values()) - most
    if excess <= 0:
        return
    distances = sorted(
        (following[0] - (span[1] or following[0]), code, following[0])
        for code, spans in gaps.items()
        for span, following in pairwise(spans)
    )
    swallowed = {(code, start) for _, code, start in distances[:excess]}
    for code, spans in gaps.items():
        kept: list[tuple[int, int | None]] = []
        for start, end in spans:
            if (code, start) in swallowed:
                kept[-1] = (kept[-1][0], end)
            else:
                kept.append((start, end))
        gaps[code] = kept


def _tick_id(now_ms: int) -> bytes:
    """Returns the version 5 UUID of an instant, as 16 bytes."""
    digest = bytearray(sha1(_TICK_NAMESPACE + str(now_ms).encode(), usedforsecurity=False).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x50
    digest[8] = (digest[8] & 0x3F) | 0x80
    return bytes(digest)
