"""The interlock: nobody who is protected can be put on a road to removal, from anywhere in this program.

The one function that writes the referral into a list of options, and the one that lets a case be referred, ask for an
`Unprotected`; only `prove` makes one, and only for a person whom nothing protects today.

**Source**: docs/rules.md, Protected; 1951 Convention relating to the Status of Refugees, Art. 33 (non-refoulement); Concept of
migration policy 2007-2015; ADR 0063.
"""

from __future__ import annotations

from streams.detect.assess import Assessment, dispute_states
from streams.detect.situation import Situation

_SEAL = object()


class Unprotected:
    """Proof that nothing protects a person today. It cannot be made but by `prove`."""

    __slots__ = ()

    def __init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("Only the interlock can prove that a person is not protected.")


_PROOF = Unprotected(_SEAL)


def prove(assessment: Assessment) -> Unprotected | None:
    """Returns the proof that a person is not protected today; none for a person who is."""
    return None if assessment.protected else _PROOF


def protected_at(situation: Situation, at_ms: int) -> bool:
    """Returns whether the person was protected at an instant (UTC epoch ms), as far as is known now."""
    day = situation.country.local_day(at_ms)
    if any(title.protects and title.first_on <= day <= title.last_on for title in situation.titles):
        return True
    for dispute_id, (kind, about) in dispute_states(situation.disputes).items():
        if about.occurred_at > at_ms:
            continue
        ends = [one.occurred_at for one in situation.disputes if one.dispute_id == dispute_id and one.kind != "opened"]
        if kind == "opened" or max(ends) > at_ms:
            return True
    return False
