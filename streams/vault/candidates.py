"""Pseudonyms that may be one person: found where their documents lie, proposed to an officer, never linked here (ADR 0148).

Only documents with the same birth date, or the same personal number of one issuer, are compared: their marks are equal, so
nothing else has to be opened.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from uuid import UUID, uuid5

from streams.clock import now_ms
from streams.documents import TravelDocument
from streams.errors import UsageError
from streams.vault.likeness import ENOUGH, likeness
from streams.vault.store import Pair, State
from streams.vault.vault import SHORTEST_REASON, Vault

PAIR_IDS = UUID("0d0b3a52-6c5e-5d0f-8d2b-9a4f7f1f6f10")
"""Namespace of links' ids; never to be changed: the same two pseudonyms give the same link for ever."""

_AT_ONCE = 500
"""Documents whose likes are looked up in one go."""

_OVERLAP_MS = 60_000
"""Rows that another process was still writing at the last search are looked at again."""

SamePerson = Callable[[str, str], bool]
"""Whether registers or officers hold two pseudonyms to be one person already."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two pseudonyms, and what speaks for their being one person.

    Attributes:
        id: names the pair where a pseudonym must not stand, e.g. in an address; the id of the link it would become.
        pair: as it is kept.
    """

    id: UUID
    pair: Pair


def pair_id(first: str, second: str) -> UUID:
    """Returns the id of a pair, whichever is named first."""
    return uuid5(PAIR_IDS, "|".join(sorted((first, second))))


class Candidates:
    """Finds, lists and settles candidates.

    Args:
        vault: where the documents lie.
        same_person: what is known already.
        clock: UTC epoch ms.
    """

    def __init__(self, vault: Vault, same_person: SamePerson, clock: Callable[[], int] = now_ms) -> None:
        self._vault = vault
        self._same_person = same_person
        self._clock = clock

    def find(self) -> int:
        """Looks at what is new in the vault since the last time; returns how many pairs are proposed for the first time.

        Raises:
            SetupError: the vault cannot be read or written.
            UnsealError: a row was changed, or its key is missing.
        """
        store, now = self._vault.store, self._clock()
        since = store.note("searched_at")
        fresh = store.changed_since(max(0, since - _OVERLAP_MS))
        pairs = store.pairs()
        known = {(pair.first, pair.second) for pair in pairs}
        # A document under two keys is one document: the newest of its pseudonyms speaks for it.
        superseded = {pair.superseded() for pair in pairs}
        found: dict[tuple[str, str], Pair] = {}
        for start in range(0, len(fresh), _AT_ONCE):
            documents = {row.subject: self._vault.unsealed(row) for row in fresh[start : start + _AT_ONCE]}
            for subject, other in self._near({name: one for name, one in documents.items() if name not in superseded}):
                if other[0] in superseded:
                    continue
                pair = _pair(subject, documents[subject], *other, now)
                if pair is not None and (pair.first, pair.second) not in known:
                    found[pair.first, pair.second] = pair
        store.put_pairs(list(found.values()))
        store.set_note("searched_at", now)
        return len(found)

    def _near(self, documents: dict[str, TravelDocument]) -> Iterator[tuple[str, tuple[str, TravelDocument]]]:
        """Yields each document's pseudonym with every other one that shares a mark with it."""
        marks = {
            subject: {*self._vault.born_marks(document), *self._vault.personal_marks(document)}
            for subject, document in documents.items()
        }
        by_mark: dict[bytes, dict[str, TravelDocument]] = {}
        for row in self._vault.store.marked(set().union(*marks.values())):
            document = self._vault.unsealed(row)
            for mark in filter(None, (row.born_mark, row.personal_mark)):
                by_mark.setdefault(mark, {})[row.subject] = document
        for subject, mine in marks.items():
            near = {name: document for mark in mine for name, document in by_mark.get(mark, {}).items()}
            yield from ((subject, other) for other in near.items() if other[0] != subject)

    def open(self) -> list[Candidate]:
        """Returns what waits for an officer, the likeliest first; what has been linked otherwise meanwhile is left out."""
        return [
            Candidate(pair_id(pair.first, pair.second), pair)
            for pair in self._vault.store.pairs()
            if pair.state == "proposed" and not self._same_person(pair.first, pair.second)
        ]

    def one(self, wanted: UUID) -> Candidate | None:
        """Returns a candidate by its id, whatever its state."""
        for pair in self._vault.store.pairs():
            if pair_id(pair.first, pair.second) == wanted:
                return Candidate(wanted, pair)
        return None

    def settle(self, candidate: Candidate, *, accepted: bool, officer: str, reason: str) -> None:
        """Notes an officer's word; a rejected pair is never proposed again. The link itself is the caller's to publish, before.

        Raises:
            UsageError: there is no reason, or another officer has decided meanwhile.
        """
        if len(reason.strip()) < SHORTEST_REASON:
            raise UsageError(f"Expected a reason of at least {SHORTEST_REASON} characters.")
        store = self._vault.store
        with store.writing():
            now = self.one(candidate.id)
            if now is None or now.pair.state != "proposed":
                raise UsageError("This pair has been decided already.")
            state: State = "accepted" if accepted else "rejected"
            decided = replace(now.pair, state=state, decided_by=officer, decided_at=self._clock(), reason=reason.strip())
            store.put_pairs([decided])


def _pair(subject: str, document: TravelDocument, other: str, theirs: TravelDocument, now: int) -> Pair | None:
    alike = likeness(document, theirs)
    if alike is None or alike.score < ENOUGH:
        return None
    first, second = sorted((subject, other))
    return Pair(first, second, alike.score, json.dumps(asdict(alike)), "proposed", now)
