"""Rows that say a document instead of a ``subject``: the data become the holder's pseudonym and leave the row.

The pseudonym is what is published. The data go nowhere but to a vault, where there is one (ADR 0146, ADR 0147).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from streams.clock import now_ms
from streams.documents import DocumentError, TravelDocument
from streams.documents.reading import FIELDS, document_of
from streams.publish.pseudonym import Pseudonyms
from streams.wire.jsonform import FieldError, shown

Keep = Callable[[list[tuple[str, TravelDocument]]], None]
"""Keeps the documents behind pseudonyms, all or none; what a vault offers (``streams.vault.Vault.keep``)."""


class Holders:
    """Makes subjects of document data.

    Args:
        pseudonyms: returns what makes pseudonyms; called only when a row has a document.
        countries: codes an issuing country may have.
    """

    def __init__(self, pseudonyms: Callable[[], Pseudonyms], countries: frozenset[str]) -> None:
        self._pseudonyms = pseudonyms
        self._countries = countries

    def replaced(self, row: Mapping[str, Any]) -> tuple[dict[str, Any], TravelDocument | None]:
        """Returns a row with ``subject`` in place of document data, and the document; none if the row has no such data.

        Raises:
            FieldError: the data are wrong, or there is a subject too. No sentence repeats them.
            SetupError: there is no key.
        """
        try:
            document = document_of(row, this_year())
        except DocumentError as error:
            raise FieldError(error.field, error.expected, error.came) from None
        rest = {name: value for name, value in row.items() if name not in FIELDS}
        if document is None:
            return rest, None
        if "subject" in row:
            field = "mrz" if "mrz" in row else "document_number"
            raise FieldError(field, "either it or a subject", "both")
        if document.issuing_country not in self._countries:
            raise FieldError("issuing_country", "a country's code of the policy", shown(document.issuing_country))
        return rest | {"subject": self._pseudonyms().holder(document)}, document


def this_year() -> int:
    """Returns the year by this machine's clock: zones have years of two digits."""
    return datetime.fromtimestamp(now_ms() / 1000, UTC).year
