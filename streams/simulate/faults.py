"""The way to the log: when each event arrives, and what goes wrong on the way, at stated rates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from streams.records import BorderCrossing, Correction, StayRegistration
from streams.simulate.draft import DAY_MS, HOUR_MS, MINUTE_MS, Draft
from streams.simulate.draws import Draws
from streams.simulate.life import World
from streams.simulate.posts import Status
from streams.simulate.truth import Totals

_PAST_MS = 180 * DAY_MS
_FASTER = 180 * 48


@dataclass(slots=True, eq=False)
class Parcel:
    """One event on its way.

    Attributes:
        at_ms: when it reaches the log, UTC epoch ms of the simulated time.
        draft: the event.
        again_after_ms: after how long it is sent again; 0 if it is not.
        spoilt: whether a spoilt copy arrives just before it.
    """

    at_ms: int
    draft: Draft
    again_after_ms: int = 0
    spoilt: bool = False


class Way:
    """The way from sources to the log.

    Args:
        world: what every life shares.
        status: outages of the posts.
        totals: where faults are counted.
    """

    def __init__(self, world: World, status: Status, totals: Totals) -> None:
        self._world = world
        self._status = status
        self._totals = totals
        self._last_ms = world.end_ms - 1
        self._posts = tuple(world.places.posts)
        self._oblasts = world.places.oblasts.things

    def parcels(self, drafts: list[Draft], draws: Draws) -> Iterator[Parcel]:
        """Yields the parcels of one person's events; whatever is still on its way at the end arrives before it.

        Args:
            drafts: the person's events.
            draws: chance of the faults, apart from the story's, so that faults do not change what happened.
        """
        rates = self._world.rates
        start_ms = self._world.start_ms
        wrong_below = rates.corrected
        late_below = wrong_below + rates.late
        unordered_below = late_below + rates.out_of_order
        again_below = unordered_below + rates.duplicate
        spoilt_below = again_below + rates.corrupt
        for draft in drafts:
            at_ms = self._sent_at(draft) + (int(draws.ratio() * 30_000) if draft.recorded_at >= start_ms else 0)
            chance = draws.ratio()
            if chance >= spoilt_below:
                yield Parcel(min(at_ms, self._last_ms), draft)
            elif chance < wrong_below:
                yield from self._corrected(draft, at_ms, draws)
            elif chance < late_below:
                self._totals.late += 1
                # Mostly hours or days, sometimes weeks: the square of an even draw.
                ratio = draws.ratio()
                yield Parcel(min(at_ms + 2 * HOUR_MS + int(ratio * ratio * 21 * DAY_MS), self._last_ms), draft)
            elif chance < unordered_below:
                self._totals.out_of_order += 1
                yield Parcel(min(at_ms + 5 * MINUTE_MS + int(draws.ratio() * 12 * HOUR_MS), self._last_ms), draft)
            elif chance < again_below:
                self._totals.duplicates += 1
                yield Parcel(min(at_ms, self._last_ms), draft, again_after_ms=MINUTE_MS + int(draws.ratio() * 3 * DAY_MS))
            else:
                yield Parcel(min(at_ms, self._last_ms), draft, spoilt=True)

    def _sent_at(self, draft: Draft) -> int:
        """Returns when an event leaves its source: at once, at the start if it is older, after the outage if there was one."""
        start_ms = self._world.start_ms
        if draft.recorded_at < start_ms:
            # The initial load brings the past in the order it was written down, half a year in the first half hour.
            return start_ms + max(0, draft.recorded_at - start_ms + _PAST_MS) // _FASTER
        if draft.kind is BorderCrossing:
            outage = self._status.during(draft.rest[1], draft.occurred_at)
            if outage is not None:
                return max(draft.recorded_at, outage.backfilled_ms - HOUR_MS)
        return draft.recorded_at

    def _corrected(self, draft: Draft, at_ms: int, draws: Draws) -> Iterator[Parcel]:
        """Yields an event typed wrongly, its correction, and the event as it should have been."""
        found_ms = draft.recorded_at + 2 * HOUR_MS + int(draws.ratio() * 5 * DAY_MS)
        if not draft.may_be_wrong or found_ms >= self._last_ms:
            yield Parcel(min(at_ms, self._last_ms), draft)
            return
        wrong = self._wrong(draft, draws)
        self._totals.corrections += 1
        yield Parcel(min(at_ms, self._last_ms), wrong)
        correction = Draft(
            Correction,
            draws.uuid(),
            draft.subject,
            found_ms,
            found_ms,
            "register:corrections",
            (wrong.event_id, draft.event_id, "data_entry"),
        )
        found_at_ms = max(at_ms, found_ms) + 1_000
        yield Parcel(min(found_at_ms, self._last_ms), correction)
        yield Parcel(min(found_at_ms + 1_000, self._last_ms), replace(draft, recorded_at=found_ms + 1))

    def _wrong(self, draft: Draft, draws: Draws) -> Draft:
        if draft.kind is BorderCrossing:
            rest = (draft.rest[0], draws.pick(self._posts), *draft.rest[2:])
            return replace(draft, event_id=draws.uuid(), occurred_at=draft.occurred_at - draws.between(1, 9) * DAY_MS, rest=rest)
        if draft.kind is StayRegistration:
            return replace(draft, event_id=draws.uuid(), rest=(draft.rest[0], draws.pick(self._oblasts), *draft.rest[2:]))
        raise AssertionError(f"{draft.kind.__name__} cannot be typed wrongly")
