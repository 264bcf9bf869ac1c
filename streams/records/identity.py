"""Who is who, and who may not enter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from streams.records.envelope import PersonEvent

LinkReason = Literal["new_document", "second_citizenship", "key_rotation", "officer_decision"]


@dataclass(frozen=True, slots=True)
class IdentityLink(PersonEvent):
    """Two pseudonyms are one person, or are no longer held to be.

    Attributes:
        kind: linked or unlinked.
        link_id: 16 bytes; ties a link and its undoing together.
        other_subject: the other pseudonym.
        reason: why.
    """

    NAME: ClassVar[str] = "identity_link"

    kind: Literal["linked", "unlinked"]
    link_id: bytes
    other_subject: str
    reason: LinkReason


@dataclass(frozen=True, slots=True)
class SharedFacts(PersonEvent):
    """What the state of one pseudonym tells the state of another that may be the same person; only workers write it.

    Attributes:
        origin: the pseudonym the facts are about.
        whole: with this message the receiver has all facts of the origin, not only those that concern links.
        facts: the facts, packed as in a dossier (``streams.detect.dossier.Dossier.pack``).
    """

    NAME: ClassVar[str] = "shared_facts"

    origin: str
    whole: bool
    facts: bytes


@dataclass(frozen=True, slots=True)
class EntryBan(PersonEvent):
    """A ban on entry, imposed or lifted.

    Attributes:
        kind: imposed or lifted.
        ban_id: 16 bytes; the deciding authority's reference.
        ground: why it was imposed.
        from_on: first day.
        until_on: last day; none for a ban without a term.
    """

    NAME: ClassVar[str] = "entry_ban"

    kind: Literal["imposed", "lifted"]
    ban_id: bytes
    ground: Literal["expulsion", "deportation", "security", "court", "other"]
    from_on: int
    until_on: int | None
