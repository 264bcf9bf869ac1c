"""Who is whom in the end: pseudonyms that links hold together, by trying all pairs until nothing moves.

Written from docs/rules.md, "One person, several pseudonyms".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from streams.records import Correction, IdentityLink, PersonEvent
from tests.oracle.facts import active_facts, place_in_time


def people(events: Iterable[PersonEvent]) -> dict[str, list[PersonEvent]]:
    """Returns the events of every person, as events of the pseudonym that answers for all of theirs.

    Args:
        events: events of any pseudonyms, in any order.
    """
    everything = list(events)
    names = {event.subject for event in everything}
    names |= {event.other_subject for event in everything if isinstance(event, IdentityLink)}
    holding = _holding_links(everything)
    group = {name: name for name in names}
    moved = True
    while moved:
        moved = False
        for link in holding:
            least = min(group[link.subject], group[link.other_subject])
            for name in (link.subject, link.other_subject):
                if group[name] != least:
                    group[name] = least
                    moved = True
    found: dict[str, list[PersonEvent]] = {name: [] for name in sorted(set(group.values()))}
    for event in everything:
        found[group[event.subject]].append(replace(event, subject=group[event.subject]))
    return found


def _holding_links(events: list[PersonEvent]) -> list[IdentityLink]:
    """Returns, of every link, its last word, where that is that it holds; what a correction withdraws has no word."""
    relevant = [event for event in events if isinstance(event, IdentityLink | Correction)]
    last: dict[bytes, IdentityLink] = {}
    for fact in sorted(active_facts(relevant), key=place_in_time):
        if isinstance(fact, IdentityLink):
            last[fact.link_id] = fact
    return [link for link in last.values() if link.kind == "linked"]
