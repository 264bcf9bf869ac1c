"""Whom an employer keeps at an address after the permits expired: one person's share in a sign of trafficking.

**Source**: docs/rules.md, Employers, ``trafficking_indicators``.
"""

from __future__ import annotations

from streams.detect.days import FAR, LAST_MS, Span, first_from, intersect, subtract, union
from streams.detect.situation import Situation
from streams.detect.stays import Stay
from streams.records import Inspection, LabourContract, StayRegistration


class Kept:
    """A person at an employer's address after the permits expired.

    Attributes:
        record: the inspection that found the person, or the notice that lodges the person there.
        employer: the employer.
        address_key: keyed hash of the address, 16 bytes.
        first_on: the first day there without permit and contract.
        last_on: the last: the exit, or the day before a permit, a contract or a protection; none while it lasts.
        expired_on: last day of the permits before it.
    """

    __slots__ = ("address_key", "employer", "expired_on", "first_on", "last_on", "record")

    def __init__(self, record: Inspection | StayRegistration, employer: str, address_key: bytes) -> None:
        self.record = record
        self.employer = employer
        self.address_key = address_key
        self.first_on = 0
        self.last_on: int | None = None
        self.expired_on = 0


def find(situation: Situation, disputed: set[bytes]) -> list[Kept]:
    """Returns what the person's sightings and lodgings say, in their order.

    Args:
        situation: what is known of the person.
        disputed: records an open dispute is about: they say nothing.
    """
    if not situation.permits:
        return []
    found: list[Kept] = []
    permitted = union([(one.first_on, one.last_on) for one in situation.permits])
    for stay in situation.presence.stays:
        if stay.of_citizen or stay.of_unknown:
            continue
        for record, days in _places(situation, stay):
            employer = record.employer if isinstance(record, Inspection) else record.host_subject
            if employer is None or record.address_key is None or record.event_id in disputed:
                continue
            kept = Kept(record, employer, record.address_key)
            if _judge(kept, situation, stay, days, permitted):
                found.append(kept)
    return found


def _places(situation: Situation, stay: Stay) -> list[tuple[Inspection | StayRegistration, Span]]:
    """Returns where the person was on which days: found on one, lodged until the next registration or the stay's end."""
    found: list[tuple[Inspection | StayRegistration, Span]] = [
        (one, (day, day)) for day, one in stay.seen if one.kind == "worker_found"
    ]
    moves = stay.notices + _deregistrations(situation, stay)
    for day, one in stay.notices:
        later = [after for after, other in moves if _order(other) > _order(one)]
        found.append((one, (day, min([stay.last_on, *[after - 1 for after in later]]))))
    return found


def _deregistrations(situation: Situation, stay: Stay) -> list[tuple[int, StayRegistration]]:
    """Returns the deregistrations that belong to a stay, each with its day in it."""
    begins = stay.entry.occurred_at
    ends = [one.entry.occurred_at - 1 for one in situation.presence.stays if one.entry.occurred_at > begins]
    if stay.exit is not None:
        ends.append(stay.exit.occurred_at)
    found: list[tuple[int, StayRegistration]] = []
    for record in situation.records_of(StayRegistration):
        if not isinstance(record, StayRegistration) or record.kind != "deregistration":
            continue
        if begins <= record.occurred_at <= min([LAST_MS, *ends]):
            day = situation.policy.local_day(record.occurred_at, record.oblast)
            found.append((min(max(day, stay.stay_on), stay.last_on), record))
    return found


def _order(record: StayRegistration) -> tuple[int, bytes]:
    return record.occurred_at, record.event_id


def _judge(kept: Kept, situation: Situation, stay: Stay, days: Span, permitted: list[Span]) -> bool:
    """Sets the days of one record; returns false where nothing follows from it."""
    contracts = [
        (title.first_on, title.last_on)
        for title in situation.contracts
        if isinstance(title.record, LabourContract) and title.record.employer == kept.employer
    ]
    after: list[Span] = []
    for _, last in permitted:
        limit = situation.policy.at(last + 1).trafficking_seen_days
        if limit is not None:
            after.append((last + 1, min(last + limit, FAR)))
    papers = union(permitted + contracts)
    bare = intersect(subtract(intersect([days], [(stay.stay_on, stay.last_on)]), papers), union(after))
    if not bare:
        return False
    kept.first_on = bare[0][0]
    kept.expired_on = max([last for _, last in permitted if last < kept.first_on])
    protected = [(one.first_on, one.last_on) for one in situation.titles if one.protects]
    cured_on = first_from(union(papers + protected), kept.first_on + 1)
    last = stay.last_on if cured_on is None else min(stay.last_on, cured_on - 1)
    kept.last_on = None if last == FAR else last
    return True
