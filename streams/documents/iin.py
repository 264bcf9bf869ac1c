"""Kazakhstan's individual identification number (ЖСН/ИИН): twelve digits that carry birth date, century, sex and a check digit.

**Source**: Government of Kazakhstan, decree No. 565 of 11 June 2003; rules of forming the number, order No. 406 of 2007.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from streams.documents.fault import DocumentError
from streams.documents.model import Sex

_FIRST = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
_SECOND = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)
_CENTURIES: dict[str, tuple[int, Sex]] = {
    "1": (1800, "M"),
    "2": (1800, "F"),
    "3": (1900, "M"),
    "4": (1900, "F"),
    "5": (2000, "M"),
    "6": (2000, "F"),
}


@dataclass(frozen=True, slots=True, repr=False)
class Iin:
    """What a number says.

    Attributes:
        born_on: ``YYYY-MM-DD``.
        sex: F or M.
    """

    born_on: str
    sex: Sex


def iin_check_digit(eleven: str) -> str | None:
    """Returns the digit that verifies eleven; none where both passes leave 10: no such number is issued."""
    for weights in (_FIRST, _SECOND):
        rest = sum(int(digit) * weight for digit, weight in zip(eleven, weights, strict=True)) % 11
        if rest < 10:
            return str(rest)
    return None


def read_iin(text: str, field: str = "iin") -> Iin:
    """Returns what a number says of its holder.

    Args:
        text: twelve digits.
        field: its name in the sentence of an error.

    Raises:
        DocumentError: it is none; the sentence says which part, and the check digit that would fit.
    """
    if len(text) != 12 or not (text.isascii() and text.isdecimal()):
        raise DocumentError(field, "twelve digits", "something else")
    if text[6] not in _CENTURIES:
        raise DocumentError(field, "a 7th digit from 1 to 6 (century and sex)", "another")
    century, sex = _CENTURIES[text[6]]
    try:
        born = date(century + int(text[:2]), int(text[2:4]), int(text[4:6]))
    except ValueError:
        raise DocumentError(field, "a birth date (YYMMDD) in the first six digits", "no date") from None
    fitting = iin_check_digit(text[:11])
    if fitting is None:
        raise DocumentError(field, "eleven digits that some check digit fits", "digits that none fits")
    if text[11] != fitting:
        raise DocumentError(field, f"check digit {fitting} at the end", "another")
    return Iin(born.isoformat(), sex)
