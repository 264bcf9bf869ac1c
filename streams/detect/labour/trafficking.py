"""Signs of trafficking: many workers at one address of one employer, no contracts, permits that ran out together.

They lead to help and to nothing else: the family is protective, no option of it is a removal, and no conclusion about a person
follows from it.

**Source**: docs/rules.md, Employers; Concept of migration policy 2007-2015, suppression of human trafficking; Palermo Protocol of
2000, Art. 6 and 7 (assistance and protection of victims).
"""

from __future__ import annotations

from streams.detect.finding import Found
from streams.detect.labour.watch import Watch
from streams.policy.model import Policy
from streams.records import LabourLink

TRAFFICKING_INDICATORS = "trafficking_indicators"
PEOPLE_OUT = "people_out"
"""How it ends: each of them has left, has papers again, or is protected."""


def find(employer: str, kept: list[LabourLink], watch: Watch) -> list[Found]:
    """Returns a finding for each group of people kept there, in order of the day their first permit expired.

    Args:
        employer: the employer.
        kept: its links of kind kept that hold.
        watch: policy and today; the thresholds are those of the day the first permit of a window expired. Who is
            kept from a later day on does not count yet.
    """
    seen: list[LabourLink] = []
    for one in kept:
        if one.first_on > watch.today:
            watch.look_again_on(one.first_on)
        else:
            seen.append(one)
            if one.last_on is not None and one.last_on >= watch.today:
                watch.look_again_on(one.last_on + 1)
    places: dict[bytes, list[LabourLink]] = {}
    for one in seen:
        if one.address_key is not None and one.expired_on is not None:
            places.setdefault(one.address_key, []).append(one)
    by_day: dict[int, Found] = {}
    for address in sorted(places):
        for group, since in _groups(places[address], watch.policy):
            one_found = _conclude(employer, group, since, watch.today)
            if not watch.applies(TRAFFICKING_INDICATORS, one_found.first_day_on):
                continue
            known = by_day.get(one_found.stay_on)
            by_day[one_found.stay_on] = one_found if known is None else _together(known, one_found)
    return [by_day[day] for day in sorted(by_day)]


def _groups(links: list[LabourLink], policy: Policy) -> list[tuple[list[LabourLink], int]]:
    """Returns the groups at one address, each with the day from which it was large enough.

    A window begins on a day on which somebody's permit expired; windows with enough people that share somebody are one group.
    """
    links = sorted(links, key=lambda one: (_expiry(one), one.first_on, one.subject, one.link_id))
    found: list[tuple[list[LabourLink], int]] = []
    end = -1
    for start in sorted({_expiry(one) for one in links}):
        rules = policy.at(start)
        least, days = rules.trafficking_min_workers, rules.trafficking_expiry_days
        if least is None or days is None:
            continue
        window = [one for one in links if start <= _expiry(one) <= start + days]
        since = _since(window, least)
        if since is None:
            continue
        if found and start <= end:
            group, earlier = found[-1]
            found[-1] = (group + [one for one in window if one not in group], min(earlier, since))
        else:
            found.append((window, since))
        end = max(end, start + days)
    return found


def _since(window: list[LabourLink], least: int) -> int | None:
    """Returns the first day on which enough different people were kept; none if they never were."""
    first: dict[str, int] = {}
    for one in window:
        first[one.subject] = min(one.first_on, first.get(one.subject, one.first_on))
    return sorted(first.values())[least - 1] if len(first) >= least else None


def _expiry(one: LabourLink) -> int:
    if one.expired_on is None:  # pragma: no cover - such links are not looked at
        raise AssertionError
    return one.expired_on


def _conclude(employer: str, group: list[LabourLink], since: int, today: int) -> Found:
    group = sorted(group, key=lambda one: (one.first_on, one.subject, one.link_id))
    expired_on = min([_expiry(one) for one in group])
    one = Found(TRAFFICKING_INDICATORS, expired_on, expired_on, since)
    one.employer = employer
    one.oblast = group[0].oblast
    one.sector = group[0].sector
    one.evidence = tuple([link.link_id for link in group])
    ends = [link.last_on for link in group if link.last_on is not None and link.last_on < today]
    if len(ends) == len(group):
        one.last_day_on = max(*ends, since)
        one.ended_by = PEOPLE_OUT
        one.days = one.last_day_on - since + 1
    else:
        one.days = today - since + 1
    return one


def _together(one: Found, other: Found) -> Found:
    """Returns the groups of two addresses whose first permits expired on one day as one finding: they would have one id."""
    both = Found(TRAFFICKING_INDICATORS, one.stay_on, one.deadline_on, min(one.first_day_on, other.first_day_on))
    both.employer, both.oblast, both.sector = one.employer, one.oblast, one.sector
    both.evidence = one.evidence + tuple([event for event in other.evidence if event not in one.evidence])
    if one.last_day_on is not None and other.last_day_on is not None:
        both.last_day_on = max(one.last_day_on, other.last_day_on)
        both.ended_by = PEOPLE_OUT
        both.days = both.last_day_on - both.first_day_on + 1
    else:
        both.days = max(one.days, other.days)
    return both
