from __future__ import annotations

from typing import Any

import pytest

from streams.documents import DocumentError, TravelDocument
from streams.documents.reading import FIELDS, document_of
from tests.unit.documents.zones import MRV_A, passport

ROW: dict[str, Any] = {"document_number": "ab 123-4567", "issuing_country": "uzb"}
ZONE = passport("AB1234567", names="KARIMOV<<ANVAR")


def read(**row: Any) -> TravelDocument | None:
    return document_of(row, 2026)


def test_a_row_without_document_data_has_no_document() -> None:
    assert read(subject="p1-0", post="KZ-75-A1") is None
    assert read(**dict.fromkeys(FIELDS, "")) is None


def test_number_and_country_are_enough() -> None:
    assert read(**ROW) == TravelDocument("UZB", "AB1234567")


def test_a_zone_and_the_same_data_typed_are_one_document() -> None:
    typed = read(**ROW, surname="Каримов", given_names="Анвар", born_on="1990-05-31", sex="М", document_expires_on="2030-01-01")
    zone = read(mrz=ZONE)
    assert typed is not None
    assert zone is not None
    assert zone == TravelDocument(**{name: getattr(typed, name) or getattr(zone, name) for name in TravelDocument.__slots__})
    assert read(mrz=ZONE.split("\n")) == zone


def test_a_kazakh_number_fills_in_birth_date_and_sex() -> None:
    found = read(document_number="N12345678", issuing_country="KAZ", iin="791028302728")
    assert found is not None
    assert (found.born_on, found.sex, found.iin) == ("1979-10-28", "M", "791028302728")


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"issuing_country": "UZB"}, "issuing_country"),
        ({"surname": "Karimov"}, "surname"),
        ({"document_number": "AB1234567"}, "issuing_country"),
        (ROW | {"issuing_country": "U1"}, "issuing_country"),
        (ROW | {"document_number": "AB"}, "document_number"),
        (ROW | {"document_number": 1234567}, "document_number"),
        (ROW | {"document_number": "Иванов123"}, "document_number"),
        (ROW | {"born_on": "31.05.1990"}, "born_on"),
        (ROW | {"sex": "?"}, "sex"),
        (ROW | {"iin": "791028302728"}, "iin"),
        (ROW | {"issuing_country": "KAZ", "iin": "791028302727"}, "iin"),
        (ROW | {"issuing_country": "KAZ", "iin": "791028302728", "born_on": "1990-05-31"}, "iin"),
        (ROW | {"issuing_country": "KAZ", "iin": "791028302728", "sex": "F"}, "iin"),
        ({"mrz": MRV_A}, "mrz"),
        ({"mrz": ZONE, "document_number": "AB1234568"}, "document_number"),
        ({"mrz": ZONE, "issuing_country": "KGZ"}, "issuing_country"),
        ({"mrz": ZONE, "iin": "791028302728"}, "iin"),
        ({"mrz": [1, 2]}, "mrz"),
        ({"mrz": "x" * 500}, "mrz"),
    ],
)
def test_what_is_wrong_is_named_and_no_data_repeated(row: dict[str, Any], field: str) -> None:
    with pytest.raises(DocumentError) as caught:
        document_of(row, 2026)
    assert caught.value.field == field
    for name in ("document_number", "surname", "iin", "mrz", "born_on"):
        value = row.get(name)
        assert not isinstance(value, str) or value not in str(caught.value)
