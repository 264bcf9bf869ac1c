"""Pseudonyms that may be one person: what each tells the others, and which of them answers for all.

A person with a new passport, or with two, has several pseudonyms, and their facts lie in several partitions. Each
pseudonym's state keeps, beside its own facts, those that others told it: a set of facts for each origin, so that order and
repeats do not matter. Everybody a link names is told every fact about links; the one who answers is told all other facts too.

**Source**: docs/rules.md, One person, several pseudonyms; ADR 0130.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from streams.detect.codec import FIELDS
from streams.detect.dossier import Dossier, canonical_bytes, take_facts
from streams.detect.folded import Folded, take_folded
from streams.detect.packing import Strings, put_uint, take_uint
from streams.records import Correction, Dispute, IdentityLink, PersonEvent, ProtectionStatus, SharedFacts

SOURCE = "worker:people"
"""Whose name stands on what one state tells another."""

_PIECE_BYTES = 32 * 1024
"""Bytes of facts in one message: well below the longest event (`streams.wire.topics.MAX_EVENT_BYTES`)."""

_FIRST_OF_ALL = (ProtectionStatus, Dispute)


class Circle:
    """What others told a pseudonym.

    Attributes:
        told: facts by the pseudonym they are about, never the own one.
        heard: pseudonyms that have told everything they know.
    """

    __slots__ = ("heard", "told")

    def __init__(self, told: dict[str, Dossier] | None = None, heard: frozenset[str] = frozenset()) -> None:
        self.told = told or {}
        self.heard = heard

    def take(self, record: SharedFacts) -> Circle:
        """Returns the circle with what a message tells: the very same object when that is nothing new."""
        known = self.told.get(record.origin, Dossier(record.origin))
        came = Dossier.unpack(record.facts, record.origin)
        dossier = known
        if came.folded is not None and came.folded != known.folded:
            dossier = Dossier(known.subject, known.facts, came.folded)
        for fact in came.facts:
            dossier = dossier.add(fact)
        heard = self.heard | {record.origin} if record.whole else self.heard
        if dossier is known and record.origin in self.told and heard == self.heard:
            return self
        return Circle(self.told | {record.origin: dossier}, heard)

    def put(self, out: bytearray, strings: Strings) -> None:
        """Appends the circle, as `take_circle` reads it."""
        put_uint(out, len(self.told))
        for origin in sorted(self.told):
            dossier = self.told[origin]
            put_uint(out, strings.code(origin))
            out.append((origin in self.heard) | (dossier.folded is not None) << 1)
            dossier.put(out, strings)
            if dossier.folded is not None:
                dossier.folded.put(out, strings)


def take_circle(data: bytes, at: int, strings: Strings) -> tuple[Circle, int]:
    """Reads what `Circle.put` wrote; returns it and the position behind it."""
    count, at = take_uint(data, at)
    told: dict[str, Dossier] = {}
    heard: set[str] = set()
    for _ in range(count):
        code, at = take_uint(data, at)
        origin = strings.text(code)
        flags = data[at]
        if flags & 1:
            heard.add(origin)
        told[origin], at = take_facts(data, at + 1, strings, origin)
        if flags & 2:
            told[origin].folded, at = take_folded(data, at, strings)
    return Circle(told, frozenset(heard)), at


class Kinship:
    """What the facts about links, taken together, say of one pseudonym.

    Attributes:
        facts: the facts about links, by id: links, their undoing, and corrections of either.
        named: every other pseudonym a link names, in order, whether the link still holds or not.
        members: the pseudonyms that are one person, this one included.
        root: the one of them that answers for all: the first in the order of texts, so the oldest key's.
    """

    __slots__ = ("facts", "members", "named", "root")

    def __init__(self, own: Dossier, circle: Circle) -> None:
        self.facts = _facts_about_links((own, *circle.told.values()))
        links = [fact for fact in self.facts.values() if isinstance(fact, IdentityLink)]
        self.named = sorted({name for link in links for name in (link.subject, link.other_subject)} - {own.subject})
        self.members = _members(own.subject, self.facts)
        self.root = min(self.members)


def together(own: Dossier, circle: Circle, kinship: Kinship) -> Dossier:
    """Returns the facts of all members as one person's, under the pseudonym of the one that answers."""
    members = [own, *(circle.told.get(member, Dossier(member)) for member in sorted(kinship.members - {own.subject}))]
    whole = Dossier(kinship.root)
    for member in members:
        for fact in member.facts:
            whole = whole.add(_of(fact, kinship.root))
    # The folded visits come last: a fact of one pseudonym is never too late because another one's were folded.
    folded = [member.folded for member in members if member.folded is not None]
    if folded:
        visits = sorted((visit for one in folded for visit in one.visits), key=lambda visit: (visit.stay_on, visit.last_on))
        whole = Dossier(whole.subject, whole.facts, Folded(max(one.line_ms for one in folded), tuple(visits)))
    return whole


def is_waited_for(circle: Circle, kinship: Kinship, subject: str) -> bool:
    """Returns whether a member has not told everything yet: until then nobody may say that nothing protects the person."""
    return subject == kinship.root and not kinship.members - {subject} <= circle.heard


def tell(before: Dossier, was: Kinship, own: Dossier, now: Kinship, at_ms: int) -> tuple[SharedFacts, ...]:
    """Returns what a pseudonym has to tell others after a change.

    Args:
        before: its own facts before.
        was: what the links said before.
        own: its own facts.
        now: what the links say.
        at_ms: when, UTC epoch ms: the broker's timestamp of what changed.
    """
    subject = own.subject
    news = [fact for event_id, fact in now.facts.items() if was.facts.get(event_id) != fact]
    found: list[SharedFacts] = []
    for name in now.named:
        if news:
            found += _messages(name, news if name in was.named else now.facts.values(), at_ms)
    if now.root != subject:
        # Whenever links change everything is told again: whoever answers may have set aside what it had heard.
        changed = own.facts if news else [fact for fact in own.facts if fact not in before.facts]
        if news or changed:
            found += _pieces(now.root, subject, changed, at_ms, whole=bool(news), folded=own.folded if news else None)
    return tuple(found)


def forget_who_left(circle: Circle, was: Kinship, now: Kinship) -> Circle:
    """Returns the circle in which nobody who left counts as heard: should they come back, they tell everything again."""
    left = (was.members - now.members) & circle.heard
    return Circle(circle.told, circle.heard - left) if left else circle


def _facts_about_links(dossiers: Iterable[Dossier]) -> dict[bytes, PersonEvent]:
    found: dict[bytes, PersonEvent] = {}
    for dossier in dossiers:
        about: dict[bytes, PersonEvent] = {fact.event_id: fact for fact in dossier.facts if type(fact) is IdentityLink}
        corrections = [fact for fact in dossier.facts if type(fact) is Correction]
        while reached := [one for one in corrections if one.event_id not in about and one.supersedes in about]:
            about.update({one.event_id: one for one in reached})
        for event_id, fact in about.items():
            known = found.get(event_id)
            if known is None or _rank(fact) < _rank(known):
                found[event_id] = fact
    return dict(sorted(found.items()))


def _rank(fact: PersonEvent) -> tuple[int, bytes, str]:
    return fact.recorded_at, canonical_bytes(fact), fact.subject


def _members(subject: str, facts: dict[bytes, PersonEvent]) -> frozenset[str]:
    order = sorted(facts.values(), key=lambda fact: (fact.occurred_at, fact.event_id))
    latest = {fact.link_id: fact for fact in Dossier("", tuple(order)).active() if isinstance(fact, IdentityLink)}
    pairs = [(link.subject, link.other_subject) for link in latest.values() if link.kind == "linked"]
    members = {subject}
    while reached := {name for pair in pairs if members.intersection(pair) for name in pair} - members:
        members |= reached
    return frozenset(members)


def _of(fact: PersonEvent, subject: str) -> PersonEvent:
    """Returns a fact as one about another pseudonym of the same person."""
    fields = [getattr(fact, name) for name in FIELDS[type(fact)]]
    moved: PersonEvent = type(fact)(fact.event_id, subject, fact.occurred_at, fact.recorded_at, "", 0, *fields)
    return moved


def _messages(receiver: str, facts: Iterable[PersonEvent], at_ms: int) -> list[SharedFacts]:
    """Returns facts of whatever origin as messages to one pseudonym, which knows its own."""
    by_origin: dict[str, list[PersonEvent]] = {}
    for fact in facts:
        if fact.subject != receiver:
            by_origin.setdefault(fact.subject, []).append(fact)
    return [piece for origin in sorted(by_origin) for piece in _pieces(receiver, origin, by_origin[origin], at_ms, whole=False)]


def _pieces(
    receiver: str, origin: str, facts: Iterable[PersonEvent], at_ms: int, *, whole: bool, folded: Folded | None = None
) -> list[SharedFacts]:
    # What protects goes first, should the rest be long; the last piece says that it was everything.
    ordered = sorted(facts, key=lambda fact: (type(fact) not in _FIRST_OF_ALL, fact.occurred_at, fact.event_id))
    cuts: list[list[PersonEvent]] = [[]]
    size = 0
    for fact in ordered:
        length = len(Dossier(origin, (fact,)).pack())
        if size + length > _PIECE_BYTES and cuts[-1]:
            cuts.append([])
            size = 0
        cuts[-1].append(fact)
        size += length
    told = [tuple(sorted(cut, key=lambda fact: (fact.occurred_at, fact.event_id))) for cut in cuts]
    *first, last = [Dossier(origin, cut) for cut in told]
    last.folded = folded
    return [
        *(_piece(receiver, dossier, at_ms, whole=False) for dossier in first),
        _piece(receiver, last, at_ms, whole=whole),
    ]


def _piece(receiver: str, dossier: Dossier, at_ms: int, *, whole: bool) -> SharedFacts:
    origin, packed = dossier.subject, dossier.pack()
    named = hashlib.sha256(f"{receiver}|{origin}|{whole}|".encode() + packed).digest()[:16]
    return SharedFacts(named, receiver, at_ms, at_ms, SOURCE, 1, origin, whole, packed)
