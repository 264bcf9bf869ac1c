"""Stays: what the crossings say about when a person was in the country, and who was seen where in between.

**Source**: docs/rules.md, Stays. An open stay is presumed to go on; an exit nobody saw leaves days that are neither
presence nor absence.
"""

from __future__ import annotations

from typing import Final

from streams.detect.days import FAR
from streams.detect.folded import Folded
from streams.policy.model import UNKNOWN_GROUP, Policy
from streams.policy.zones import Zone
from streams.records import BorderCrossing, Inspection, StayRegistration

CITIZENS: Final = "kaz"
"""The group no rule of stay, notification, work or ban applies to."""


class Stay:
    """One stay, from an entry to its exit, to the last day the person was seen, or on and on.

    Attributes:
        stay_on: local day of entry, in the zone of the entry post: the stay's key.
        last_on: last day of presence, the exit's in the zone of its own post; `FAR` while the stay is open.
        zone: zone of the entry post.
        today: today in that zone, but not before the last day of a stay that is over.
        entry: the entry.
        exit: the exit; none if it was not seen.
        group: stay group of the citizenship shown at entry, on the day of entry.
        seen: inspections in the stay, each with its day.
        notices: notices of arrival and extensions in the stay, each with its day.
    """

    __slots__ = ("entry", "exit", "group", "last_on", "notices", "seen", "stay_on", "today", "zone")

    def __init__(self, entry: BorderCrossing, stay_on: int, zone: Zone, group: str) -> None:
        self.entry = entry
        self.stay_on = stay_on
        self.zone = zone
        self.group = group
        self.exit: BorderCrossing | None = None
        self.last_on = FAR
        self.today = stay_on
        self.seen: list[tuple[int, Inspection]] = []
        self.notices: list[tuple[int, StayRegistration]] = []

    def reopen(self) -> None:
        """Lets the stay go on again that was imagined to end."""
        self.last_on = FAR

    @property
    def is_open(self) -> bool:
        """Whether the person is presumed to be in the country still."""
        return self.last_on == FAR

    @property
    def of_citizen(self) -> bool:
        """Whether the citizenship shown at entry was Kazakhstan's."""
        return self.group == CITIZENS

    @property
    def of_unknown(self) -> bool:
        """Whether the code shown at entry names no citizenship: nothing but data quality is concluded."""
        return self.group == UNKNOWN_GROUP


class Presence:
    """The stays of a dossier in order, and the crossings that fit none.

    Attributes:
        folded: visits of which only the days are left, as stays no rule judges again, by entry.
        stays: stays by entry.
        lone_exits: exits without an open stay, each with its day.
        reentries: pairs of a stay whose exit was not seen and the entry that shows it.
    """

    __slots__ = ("folded", "lone_exits", "reentries", "stays")

    def __init__(self) -> None:
        self.folded: list[Stay] = []
        self.stays: list[Stay] = []
        self.lone_exits: list[tuple[int, BorderCrossing]] = []
        self.reentries: list[tuple[Stay, BorderCrossing]] = []

    @property
    def visits(self) -> list[Stay]:
        """All stays by entry, the folded ones too: whoever counts days or entries counts these."""
        if not self.folded:
            return self.stays
        found: list[Stay] = []
        index = 0
        for stay in self.stays:
            while index < len(self.folded) and self.folded[index].stay_on < stay.stay_on:
                found.append(self.folded[index])
                index += 1
            found.append(stay)
        return found + self.folded[index:]


def presence_of(
    crossings: list[BorderCrossing],
    inspections: list[Inspection],
    registrations: list[StayRegistration],
    policy: Policy,
    now_ms: int,
) -> Presence:
    """Returns the stays that crossings tell of.

    Args:
        crossings: in order of ``(occurred_at, event_id)``; refusals are passed over.
        inspections: in the same order.
        registrations: in the same order.
        policy: for zones and groups.
        now_ms: the person's now, UTC epoch ms.
    """
    found = Presence()
    stays = found.stays
    running: Stay | None = None
    for crossing in crossings:
        if crossing.direction == "entry":
            zone = policy.zone_of(crossing.post)
            day = zone.local_day(crossing.occurred_at)
            stay = Stay(crossing, day, zone, policy.group_of(crossing.citizenship, day))
            if running is not None:
                running.last_on = running.stay_on
                found.reentries.append((running, crossing))
            stays.append(stay)
            running = stay
        elif crossing.direction == "exit":
            if running is None:
                found.lone_exits.append((policy.local_day(crossing.occurred_at, crossing.post), crossing))
            else:
                running.exit = crossing
                running.last_on = max(policy.local_day(crossing.occurred_at, crossing.post), running.stay_on)
                running = None
    if stays and (inspections or registrations):
        _place(stays, inspections, registrations, policy)
    for stay in stays:
        today = stay.zone.local_day(now_ms)
        stay.today = today if stay.last_on == FAR or stay.last_on < today else stay.last_on
    return found


def folded_stays(folded: Folded, policy: Policy) -> list[Stay]:
    """Returns folded visits as stays that ended: their days, and the group of the citizenship shown."""
    found: list[Stay] = []
    for visit in folded.visits:
        entry = BorderCrossing(
            b"", "", 0, 0, "", 0, "entry", "", visit.citizenship, "unknown", "other", "unknown", None, None
        )  # fmt: skip
        stay = Stay(entry, visit.stay_on, policy.zone_of(""), policy.group_of(visit.citizenship, visit.stay_on))
        stay.last_on = stay.today = visit.last_on
        found.append(stay)
    return found


def _place(
    stays: list[Stay],
    inspections: list[Inspection],
    registrations: list[StayRegistration],
    policy: Policy,
) -> None:
    """Puts inspections and notices into the stays running at their instants, each with its day in the stay."""
    for inspection in inspections:
        stay = _stay_at(stays, inspection.occurred_at)
        if stay is not None:
            day = policy.local_day(inspection.occurred_at, inspection.oblast)
            stay.seen.append((day, inspection))
            if stay.exit is None and not stay.is_open:
                stay.last_on = max(stay.last_on, day)
    for registration in registrations:
        if registration.kind != "deregistration":
            stay = _stay_at(stays, registration.occurred_at)
            if stay is not None:
                stay.notices.append((policy.local_day(registration.occurred_at, registration.oblast), registration))
    for stay in stays:
        if stay.seen or stay.notices:
            # A place in another zone may call it another day: it is brought into the stay's days. An open stay has no last
            # day to bring it to, least of all today: tomorrow the answer would be another.
            first = stay.stay_on
            stay.seen = [(min(max(day, first), stay.last_on), one) for day, one in stay.seen]
            stay.notices = [(min(max(day, first), stay.last_on), one) for day, one in stay.notices]


def _stay_at(stays: list[Stay], at_ms: int) -> Stay | None:
    """Returns the stay running at an instant; a later entry begins the next stay."""
    for index in range(len(stays) - 1, -1, -1):
        stay = stays[index]
        if stay.entry.occurred_at <= at_ms:
            return None if stay.exit is not None and stay.exit.occurred_at < at_ms else stay
    return None
