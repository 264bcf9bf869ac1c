"""A travel document, in its canonical form: the same document gives the same one, however it was written."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

Kind = Literal["", "passport", "identity_card"]
Sex = Literal["", "F", "M", "X"]


@dataclass(frozen=True, slots=True, repr=False)
class TravelDocument:
    """What a document says of itself and its holder; empty where it is not known.

    Attributes:
        issuing_country: ISO 3166-1 alpha-3 or ICAO 9303 code of the issuer.
        number: letters A to Z and digits, without fillers and separators.
        surname: primary identifier, letters A to Z and spaces.
        given_names: secondary identifier, the same.
        citizenship: code of the holder's state, as the document has it.
        born_on: ``YYYY-MM-DD``; ``YYYY-MM`` or ``YYYY`` where the rest is not known to the document.
        sex: F, M or X (not specified).
        expires_on: ``YYYY-MM-DD``.
        personal_number: the issuer's number of the holder (Kazakhstan's IIN, Uzbekistan's PINFL, …).
        kind: passport or identity card, where a machine-readable zone said so.
    """

    issuing_country: str
    number: str
    surname: str = ""
    given_names: str = ""
    citizenship: str = ""
    born_on: str = ""
    sex: Sex = ""
    expires_on: str = ""
    personal_number: str = ""
    kind: Kind = ""

    def __repr__(self) -> str:
        """Says nothing of the document: a representation ends up in logs and reports of errors."""
        return "<TravelDocument>"

    @property
    def iin(self) -> str:
        """The holder's individual identification number of Kazakhstan; empty if the document has none."""
        return self.personal_number if self.issuing_country == "KAZ" else ""

    def with_more(self, other: TravelDocument) -> TravelDocument:
        """Returns this document with what another reading of it says; the other's word counts where both say something."""
        values = {one.name: getattr(other, one.name) or getattr(self, one.name) for one in fields(self)}
        return TravelDocument(**values)
