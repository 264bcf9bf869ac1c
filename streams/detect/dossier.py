"""Everything known about one person: a set of facts, never a mutated record.

Adding a fact twice, in any order, late by years, or before the fact it corrects gives the same dossier.

**Source**: docs/rules.md, Facts, days, time; ADR 0003; ADR 0060 (storage form).
"""

from __future__ import annotations

import json
from bisect import bisect_left

from streams.detect.codec import FIELDS, own_fields, put_fact, take_fact
from streams.detect.folded import Folded, comes_too_late, take_folded
from streams.detect.packing import Strings, put_uint, take_uint
from streams.records import Correction, PersonEvent


def canonical_bytes(fact: PersonEvent) -> bytes:
    """Returns the bytes that decide between two contents sent under one id: JSON of type, time and own fields."""
    content = [fact.NAME, fact.occurred_at, *own_fields(fact)]
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _order(fact: PersonEvent) -> tuple[int, bytes]:
    return fact.occurred_at, fact.event_id


class Dossier:
    """A person's facts by ``event_id``, in order of ``(occurred_at, event_id)``.

    The facts kept carry no ``source`` and no ``source_seq``: they decide nothing.

    Args:
        subject: the person's pseudonym.
        facts: facts in order, each id once.
        folded: visits of which only the days are left (`streams.detect.folding`); none if there are none.
    """

    __slots__ = ("facts", "folded", "subject")

    def __init__(self, subject: str, facts: tuple[PersonEvent, ...] = (), folded: Folded | None = None) -> None:
        self.subject = subject
        self.facts = facts
        self.folded = folded

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dossier) and self._all == other._all

    def __hash__(self) -> int:
        return hash(self._all)

    @property
    def _all(self) -> tuple[object, ...]:
        return self.subject, self.facts, self.folded

    def __len__(self) -> int:
        return len(self.facts)

    def add(self, record: PersonEvent) -> Dossier:
        """Returns the dossier with one more fact: the very same object when that changes nothing.

        Args:
            record: an event of this person. If its id is known with other contents, the one with the smaller
                ``(recorded_at, canonical bytes)`` holds.

        A fact about a time that was folded changes nothing any more (docs/rules.md, Folding).

        Raises:
            ValueError: the event is about someone else.
        """
        if record.subject != self.subject:
            raise ValueError(f"An event of another subject came to this dossier: {record.NAME} {record.event_id.hex()}.")
        facts = self.facts
        for index, known in enumerate(facts):
            if known.event_id == record.event_id:
                if (known.recorded_at, canonical_bytes(known)) <= (record.recorded_at, canonical_bytes(record)):
                    return self
                facts = facts[:index] + facts[index + 1 :]
                break
        if self.folded is not None and comes_too_late(record, self.folded, self.active()):
            return self
        fact = bare(record)
        key = _order(fact)
        if not facts or _order(facts[-1]) < key:
            return Dossier(self.subject, (*facts, fact), self.folded)
        index = bisect_left(facts, key, key=_order)
        return Dossier(self.subject, (*facts[:index], fact, *facts[index:]), self.folded)

    def active(self) -> tuple[PersonEvent, ...]:
        """Returns the facts that no correction withdraws, in order of ``(occurred_at, event_id)``.

        A correction withdraws the event it names if it is the greater of the two by ``(recorded_at, event_id)`` and is
        not itself withdrawn; taken from the greatest down, each is decided before the ones it may withdraw.
        """
        facts = self.facts
        corrections = [fact for fact in facts if type(fact) is Correction]
        if not corrections:
            return facts
        by_id = {fact.event_id: fact for fact in facts}
        withdrawn: set[bytes] = set()
        for correction in sorted(corrections, key=lambda fact: (fact.recorded_at, fact.event_id), reverse=True):
            if correction.event_id in withdrawn:
                continue
            target = by_id.get(correction.supersedes)
            if target is not None and (target.recorded_at, target.event_id) < (correction.recorded_at, correction.event_id):
                withdrawn.add(target.event_id)
        return tuple(fact for fact in facts if fact.event_id not in withdrawn)

    def as_of(self, at_ms: int) -> Dossier:
        """Returns the dossier of the facts that had occurred before an instant (UTC epoch ms)."""
        return Dossier(self.subject, tuple(fact for fact in self.facts if fact.occurred_at < at_ms), self.folded)

    def put(self, out: bytearray, strings: Strings) -> None:
        """Appends the facts, as `take_facts` reads them."""
        put_uint(out, len(self.facts))
        for fact in self.facts:
            put_fact(out, fact, strings)

    def pack(self) -> bytes:
        """Returns the dossier as bytes: the same facts give the same bytes."""
        strings = Strings()
        body = bytearray()
        self.put(body, strings)
        if self.folded is not None:
            self.folded.put(body, strings)
        out = bytearray()
        strings.pack(out)
        return bytes(out + body)

    @staticmethod
    def unpack(data: bytes, subject: str) -> Dossier:
        """Returns the dossier that was packed; the subject is the key it is kept under."""
        strings = Strings()
        at = strings.unpack(data, 0)
        dossier, at = take_facts(data, at, strings, subject)
        if at < len(data):
            dossier.folded = take_folded(data, at, strings)[0]
        return dossier


def take_facts(data: bytes, at: int, strings: Strings, subject: str) -> tuple[Dossier, int]:
    """Reads what `Dossier.put` wrote; returns the dossier and the position behind it."""
    count, at = take_uint(data, at)
    facts: list[PersonEvent] = []
    for _ in range(count):
        fact, at = take_fact(data, at, strings, subject)
        facts.append(fact)
    return Dossier(subject, tuple(facts)), at


def bare(record: PersonEvent) -> PersonEvent:
    """Returns the record without what decides nothing: its source and the source's sequence number."""
    if not record.source and not record.source_seq:
        return record
    fields = [getattr(record, name) for name in FIELDS[type(record)]]
    fact: PersonEvent = type(record)(record.event_id, record.subject, record.occurred_at, record.recorded_at, "", 0, *fields)
    return fact
