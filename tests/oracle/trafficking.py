"""Signs of trafficking: who was at an employer's address after the permits expired, and who of them together."""

from __future__ import annotations

from collections.abc import Iterator

from streams.records import Inspection, PersonEvent, StayRegistration
from tests.oracle.country import Concluded, Country, Sign
from tests.oracle.facts import Disputes, place_in_time
from tests.oracle.stays import presence
from tests.oracle.titles import Titles


def signs(country: Country, subject: str, facts: list[PersonEvent]) -> list[Sign]:
    calendar = country.calendar
    here = presence(facts, country.now_ms, calendar)
    titles = Titles(facts, here, calendar)
    disputes = Disputes(facts)
    found: list[Sign] = []
    for stay in here.stays:
        if calendar.group(stay.entry.citizenship, stay.first_day) in ("kaz", "unknown"):
            continue
        places: list[tuple[Inspection | StayRegistration, list[int]]] = [
            (seen, [day]) for day, seen in stay.inspections if seen.kind == "worker_found"
        ]
        for day, notice in stay.registrations:
            if notice.kind != "deregistration":
                moved = [on for on, other in stay.registrations if place_in_time(other) > place_in_time(notice)]
                until = min([stay.last_day, *(on - 1 for on in moved)])
                places.append((notice, list(range(day, until + 1))))
        for record, days in places:
            employer = record.employer if isinstance(record, Inspection) else record.host_subject
            if employer is None or record.address_key is None or disputes.suspends(b"", [record.event_id]):
                continue

            def papers(day: int, employer: str = employer) -> bool:
                contracts = (one for one in titles.contracts if one.record.employer == employer)  # type: ignore[attr-defined]
                return any(one.covers(day) for one in (*titles.work, *contracts))

            for day in days:
                ended = [one.until_on for one in titles.work if one.until_on < day]
                if not stay.first_day <= day <= stay.last_day or papers(day) or not ended:
                    continue
                within = calendar.rules(max(ended) + 1).trafficking_seen_days
                if within is None or day > max(ended) + within:
                    continue
                later = range(day + 1, calendar.local_day(country.now_ms) + 2)
                out = [on - 1 for on in later if papers(on) or titles.protects(on)][:1]
                if stay.end != "running":
                    out.append(stay.last_day)
                last = min(out) if out else None
                found.append(Sign(subject, record, employer, record.address_key, day, max(ended), last))
                break
    return found


def trafficking(country: Country, employer: str, today: int) -> Iterator[Concluded]:
    """Each group of people kept at an address of the employer whose permits expired together."""
    by_day: dict[int, list[tuple[list[Sign], int]]] = {}
    addresses = sorted({one.address for one in country.signs if one.employer == employer})
    for address in addresses:
        here = [one for one in country.signs if one.employer == employer and one.address == address and one.first_on <= today]
        windows: list[tuple[list[Sign], int]] = []
        for start in sorted({one.expired_on for one in here}):
            rules = country.calendar.rules(start)
            least, within = rules.trafficking_min_workers, rules.trafficking_expiry_days
            if least is None or within is None:
                continue
            inside = [one for one in here if start <= one.expired_on <= start + within]
            enough = [
                day
                for day in range(min(one.first_on for one in inside), max(one.first_on for one in inside) + 1)
                if len({one.subject for one in inside if one.first_on <= day}) >= least
            ]
            if enough:
                windows.append((inside, enough[0]))
        groups: list[tuple[list[Sign], int]] = []
        for inside, since in windows:
            shared = [group for group in groups if any(one in group[0] for one in inside)]
            if shared:
                groups.remove(shared[0])
                before, earlier = shared[0]
                groups.append((before + [one for one in inside if one not in before], min(earlier, since)))
            else:
                groups.append((inside, since))
        for group in groups:
            by_day.setdefault(min(one.expired_on for one in group[0]), []).append(group)
    for expired, together in by_day.items():
        people = [
            one
            for group, _ in together
            for one in sorted(group, key=lambda each: (each.first_on, each.subject, each.record.event_id))
        ]
        since = min(first for _, first in together)
        gone = all(one.last_on is not None and one.last_on < today for one in people)
        last = max([since, *(one.last_on for one in people if one.last_on is not None)]) if gone else None
        yield Concluded(
            "trafficking_indicators",
            employer,
            expired,
            expired,
            since,
            last,
            (today if last is None else last) - since + 1,
            tuple(dict.fromkeys(one.record.event_id for one in people)),
            people[0].record.oblast,
            (people[0].record.sector or "") if isinstance(people[0].record, Inspection) else "",
            ended_by="people_out" if gone else "",
        )
