"""The daily statement of counts of each post whose events go through a spool: made by itself, once a local day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import partial
from zoneinfo import ZoneInfo

from streams.publish.spool import Spool
from streams.publish.tallies import Kept
from streams.publish.tally import statement
from streams.records import CountStatement
from streams.wire.signing import Signer

_DAY_ZERO = date(1970, 1, 1).toordinal()
_POST = "post:"


class Statements:
    """Makes statements and puts them into the spool, so that they travel in the order of everything else.

    A day's statement is made as soon as the post's local day is over, or at the next start if the machine was off then. It
    covers what was numbered since the statement before, itself not included: it opens the next one's range. A day on which the
    machine never ran has none.

    Args:
        spool: whose events are counted.
        zones: tz database name by post code; sources other than ``post:<code>`` of these have no statements.
        signer: the source's key; none: statements go unsigned.
        clock: the time, UTC epoch ms; best corrected by what is known of the clock's drift.
    """

    def __init__(self, spool: Spool, zones: Mapping[str, str], signer: Signer | None, clock: Callable[[], int]) -> None:
        self._spool = spool
        self._zones = {f"{_POST}{post}": ZoneInfo(zone) for post, zone in zones.items()}
        self._signer = signer
        self._clock = clock

    def make_due(self) -> list[CountStatement]:
        """Makes what is due; returns it.

        Raises:
            SpoolFullError: the spool or the disk is full; what was made before is kept, the rest is made at the next call.
        """
        now = self._clock()
        made = []
        for kept in self._spool.counted():
            zone = self._zones.get(kept.source)
            if zone is not None and _day(kept.since_at, zone) < _day(now, zone):
                made.append(self._spool.state_counts(kept.source, partial(self._statement, zone, now)))
        return [one for one in made if one is not None]

    def _statement(self, zone: ZoneInfo, now: int, kept: Kept) -> CountStatement:
        post, day_on = kept.source.removeprefix(_POST), _day(kept.since_at, zone)
        return statement(post, kept.source, day_on, kept.tally, source_seq=0, at_ms=now, signer=self._signer)


def _day(at_ms: int, zone: ZoneInfo) -> int:
    """Returns the local day of an instant, days since 1970-01-01."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).toordinal() - _DAY_ZERO
