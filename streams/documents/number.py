"""A document's number in its canonical form: what is hashed into a pseudonym.

**Source**: ICAO Doc 9303 part 3, section 4.3: letters A to Z and digits; separators are left out.
"""

from __future__ import annotations

import re
import unicodedata

from streams.documents.fault import DocumentError

_NUMBER = re.compile(r"[A-Z0-9]{4,20}")
_SEPARATORS = str.maketrans("", "", " -./<\u00a0\u2010\u2011\u2012\u2013\u2014")

TWINS = str.maketrans("АВЕКМНОРСТУХІЅЈ", "ABEKMHOPCTYXISJ")
"""Cyrillic letters that look like Latin ones.

Travel documents print their numbers in Latin letters (ICAO 9303), so a Cyrillic letter is a keyboard's slip and means the letter
it looks like: transliterating it (В to V) would name somebody else's document."""

COUNTRIES = {"D": "DEU"}
"""Germany's code in machine-readable zones is shorter than in ISO 3166-1."""

_COUNTRY = re.compile(r"[A-Z]{3}")


def canonical_number(text: str) -> str:
    """Returns a document's number in capitals, without separators, Cyrillic twins as the Latin letters they look like.

    Raises:
        DocumentError: it is no document number. The sentence does not repeat it.
    """
    number = unicodedata.normalize("NFKC", text).upper().translate(_SEPARATORS).translate(TWINS)
    if not _NUMBER.fullmatch(number):
        letters = any(not one.isascii() for one in number)
        why = f"{len(number)} characters (not shown)" if not letters else "a letter that is neither (not shown)"
        raise DocumentError("document_number", "4 to 20 letters A to Z and digits", why)
    return number


def canonical_country(text: str) -> str:
    """Returns an issuer's code as the register of codes has it.

    Raises:
        DocumentError: it has not the form of a code.
    """
    code = text.strip().rstrip("<").upper()
    code = COUNTRIES.get(code, code)
    if not _COUNTRY.fullmatch(code):
        raise DocumentError("issuing_country", "a code of three letters (ISO 3166-1 alpha-3 or ICAO 9303)", "something else")
    return code
