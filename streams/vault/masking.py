"""What of a document may stand on a page: enough to recognise one that lies on the counter, too little to copy it."""

from __future__ import annotations

from dataclasses import dataclass

from streams.documents import TravelDocument

HIDDEN = "•••"
"""Always three, so that the length tells nothing."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A document as it may be shown.

    Attributes:
        issuing_country: as it is.
        number: the first two and the last two characters.
        surname: the first letter.
        given_names: the first letter.
        citizenship: as it is.
        born: the year.
        sex: as it is.
        expires_on: ``YYYY-MM-DD``.
        personal_number: the last four characters.
        kind: passport or identity_card, or empty.
    """

    issuing_country: str
    number: str
    surname: str
    given_names: str
    citizenship: str
    born: str
    sex: str
    expires_on: str
    personal_number: str
    kind: str


def masked(document: TravelDocument) -> Masked:
    """Returns what of a document may be shown."""
    number, personal = document.number, document.personal_number
    return Masked(
        issuing_country=document.issuing_country,
        number=number[:2] + HIDDEN + number[-2:] if len(number) > 5 else number[:1] + HIDDEN,
        surname=_initial(document.surname),
        given_names=_initial(document.given_names),
        citizenship=document.citizenship,
        born=document.born_on[:4],
        sex=document.sex,
        expires_on=document.expires_on,
        personal_number=HIDDEN + personal[-4:] if len(personal) > 7 else HIDDEN if personal else "",
        kind=document.kind,
    )


def _initial(name: str) -> str:
    return name[:1] + HIDDEN if name else ""
