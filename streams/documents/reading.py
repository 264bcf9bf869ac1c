"""Document data in a row of an event, in place of ``subject``: taken out of the row, read and verified.

Either a machine-readable zone (``mrz``), or ``document_number`` and ``issuing_country`` with as much of the rest as is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from streams.documents.fault import DocumentError
from streams.documents.iin import read_iin
from streams.documents.latin import latin
from streams.documents.model import Sex, TravelDocument
from streams.documents.mrz import read_mrz
from streams.documents.number import canonical_country, canonical_number

FIELDS = (
    "mrz",
    "document_number",
    "issuing_country",
    "surname",
    "given_names",
    "born_on",
    "sex",
    "iin",
    "personal_number",
    "document_expires_on",
)
"""Fields a row may have instead of ``subject``. They are never published."""

MAX_TEXT = 200
_SEXES: dict[str, Sex] = {"": "", "F": "F", "M": "M", "X": "X", "<": "X", "Ж": "F", "М": "M"}


def document_of(row: Mapping[str, Any], year: int) -> TravelDocument | None:
    """Returns the document a row describes; none if it has no document data.

    Args:
        row: field values as JSON has them; fields that are not of `FIELDS` are passed over.
        year: the year it is read in.

    Raises:
        DocumentError: the data are incomplete, contradict each other, or a check digit does not fit.
    """
    given = {name: _text(name, row[name]) for name in FIELDS if row.get(name) not in (None, "")}
    if not given:
        return None
    if "mrz" in given:
        return _by_zone(given, year)
    if "document_number" not in given:
        only = next(iter(given))
        raise DocumentError(only, "a document_number beside it", "it alone")
    if "issuing_country" not in given:
        raise DocumentError("issuing_country", "the country that issued the document", "nothing")
    return _checked(
        TravelDocument(
            issuing_country=canonical_country(given["issuing_country"]),
            number=canonical_number(given["document_number"]),
            surname=latin(given.get("surname", "")),
            given_names=latin(given.get("given_names", "")),
            born_on=_day("born_on", given.get("born_on", "")),
            sex=_sex(given.get("sex", "")),
            expires_on=_day("document_expires_on", given.get("document_expires_on", "")),
            personal_number=given.get("iin") or given.get("personal_number", ""),
        ),
        has_iin="iin" in given,
    )


def _by_zone(given: Mapping[str, str], year: int) -> TravelDocument:
    zone = read_mrz(given["mrz"], year)
    if zone.is_visa:
        raise DocumentError("mrz", "the zone of a passport or an identity card", "a visa's, whose number is not the document's")
    document = zone.document
    if "document_number" in given and canonical_number(given["document_number"]) != document.number:
        raise DocumentError("document_number", "the same as in the mrz", "another")
    if "issuing_country" in given and canonical_country(given["issuing_country"]) != document.issuing_country:
        raise DocumentError("issuing_country", "the same as in the mrz", "another")
    if given.get("iin", document.iin) != document.iin:
        raise DocumentError("iin", "the same as in the mrz", "another")
    return document


def _checked(document: TravelDocument, *, has_iin: bool) -> TravelDocument:
    if has_iin and document.issuing_country != "KAZ":
        raise DocumentError("iin", "a document of KAZ beside it", "one of another country; give personal_number")
    if not document.iin:
        return document
    said = read_iin(document.iin)
    if document.born_on and document.born_on != said.born_on:
        raise DocumentError("iin", "the birth date of born_on in its first seven digits", "another")
    if document.sex in ("F", "M") and document.sex != said.sex:
        raise DocumentError("iin", "the sex of the document in its 7th digit", "the other")
    return document.with_more(TravelDocument("", "", born_on=said.born_on, sex=document.sex or said.sex))


def _text(name: str, value: Any) -> str:
    if isinstance(value, list) and name == "mrz" and all(isinstance(line, str) for line in value):
        value = "\n".join(value)
    if not isinstance(value, str):
        raise DocumentError(name, "a text", "something else")
    if len(value) > MAX_TEXT:
        raise DocumentError(name, f"at most {MAX_TEXT} characters", "more")
    return value.strip()


def _day(name: str, text: str) -> str:
    if not text:
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise DocumentError(name, "a date such as 1990-05-31", "something else") from None


def _sex(text: str) -> Sex:
    found = _SEXES.get(text.upper())
    if found is None:
        raise DocumentError("sex", "F, M or X", "something else")
    return found
