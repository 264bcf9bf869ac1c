"""What keeps a vault's rows: one interface, a SQLite file or ClickHouse behind it. A store sees sealed bytes only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

State = Literal["proposed", "accepted", "rejected"]

KEY_ROTATION = "key_rotation"
"""Who decided, where a new key for pseudonyms did."""


@dataclass(frozen=True, slots=True)
class Row:
    """A sealed document.

    Attributes:
        subject: the pseudonym.
        sealed: the document, sealed for this pseudonym.
        born_mark: 16 bytes equal for equal birth dates; empty if there is none.
        personal_mark: 16 bytes equal for equal personal numbers of one issuer; empty if there is none.
        seen_on: day it was last given, days since 1970-01-01: retention counts from it.
        kept_at: when its content last changed, UTC epoch ms.
    """

    subject: str
    sealed: bytes = field(repr=False)
    born_mark: bytes
    personal_mark: bytes
    seen_on: int
    kept_at: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pseudonyms that may be one person.

    Attributes:
        first: the smaller in the order of texts.
        second: the other.
        score: from 0 to 1.
        evidence: what speaks for it, as JSON (`streams.vault.likeness.Likeness`).
        state: proposed until an officer decides.
        found_at: UTC epoch ms.
        decided_by: the officer's pseudonym; empty while proposed.
        decided_at: UTC epoch ms; 0 while proposed.
        reason: the officer's; of a change of key the pseudonym under the older one.
    """

    first: str
    second: str
    score: float
    evidence: str
    state: State
    found_at: int
    decided_by: str = ""
    decided_at: int = 0
    reason: str = ""

    def superseded(self) -> str:
        """Returns the pseudonym under an older key, if this pair says that the two are one document; empty otherwise."""
        return self.reason if self.decided_by == KEY_ROTATION and self.state == "accepted" else ""


class Store(Protocol):
    """Keeps rows and pairs; safe from several threads. Everything raises ``SetupError`` when it cannot be read or written."""

    def writing(self) -> AbstractContextManager[None]:
        """Nobody else of this store writes between what is read and what is written within."""

    def get(self, subjects: Collection[str]) -> dict[str, Row]:
        """Returns rows by pseudonym."""

    def put(self, rows: Sequence[Row]) -> None:
        """Writes rows over those of the same pseudonyms, all or none."""

    def marked(self, marks: Collection[bytes]) -> list[Row]:
        """Returns the rows with any of these marks."""

    def walk(self, after: str, limit: int) -> list[Row]:
        """Returns rows in the order of pseudonyms, behind one."""

    def changed_since(self, at_ms: int) -> list[Row]:
        """Returns the rows whose content changed at or after an instant."""

    def last_seen_before(self, day: int) -> list[str]:
        """Returns pseudonyms of rows last given before a day."""

    def erase(self, subjects: Collection[str]) -> None:
        """Removes rows, and pairs that name them, from the disk."""

    def count(self) -> int:
        """Returns how many rows there are."""

    def pairs(self) -> list[Pair]:
        """Returns every pair."""

    def put_pairs(self, pairs: Sequence[Pair]) -> None:
        """Writes pairs over those of the same pseudonyms."""

    def note(self, name: str) -> int:
        """Returns a number noted under a name; 0 if none is."""

    def set_note(self, name: str, value: int) -> None:
        """Notes a number."""

    def close(self) -> None:
        """Gives back what it holds."""
