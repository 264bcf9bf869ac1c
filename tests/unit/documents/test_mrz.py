from __future__ import annotations

import pytest

from streams.documents import DocumentError
from streams.documents.mrz import read_mrz
from tests.unit.documents.zones import MRV_A, MRV_B, TD1, TD1_LONG, TD2, TD3, passport

YEAR = 2026


@pytest.mark.parametrize(
    ("zone", "form", "number"),
    [
        (TD3, "TD3", "L898902C3"),
        (TD1, "TD1", "D23145890"),
        (TD2, "TD2", "D23145890"),
        (MRV_A, "MRV-A", "L8988901C"),
        (MRV_B, "MRV-B", "L8988901C"),
        (TD1_LONG, "TD1", "D23145890734"),
    ],
)
def test_icaos_own_specimens_are_read(zone: str, form: str, number: str) -> None:
    found = read_mrz(zone, YEAR)
    assert (found.format, found.document.number, found.document.issuing_country) == (form, number, "UTO")
    assert found.is_visa == form.startswith("MRV")


def test_a_passport_says_who_holds_it() -> None:
    found = read_mrz(TD3, YEAR).document
    assert (found.surname, found.given_names, found.citizenship) == ("ERIKSSON", "ANNA MARIA", "UTO")
    assert (found.born_on, found.sex, found.expires_on) == ("1974-08-12", "F", "2012-04-15")
    assert (found.personal_number, found.kind) == ("ZE184226B", "passport")


@pytest.mark.parametrize(
    ("line", "place", "said"),
    [
        (1, 9, "check digit of the document number to be 6"),
        (1, 19, "check digit of the date of birth to be 2"),
        (1, 27, "check digit of the date of expiry to be 9"),
        (1, 42, "check digit of the personal number to be 1"),
        (1, 43, "composite check digit to be 0"),
    ],
)
def test_a_wrong_check_digit_names_its_field_and_the_digit_that_fits(line: int, place: int, said: str) -> None:
    lines = TD3.split("\n")
    wrong = str((int(lines[line][place]) + 5) % 10)
    lines[line] = lines[line][:place] + wrong + lines[line][place + 1 :]
    with pytest.raises(DocumentError, match=said) as caught:
        read_mrz("\n".join(lines), YEAR)
    assert caught.value.field == "mrz"
    assert "L898902C3" not in str(caught.value)
    assert "ERIKSSON" not in str(caught.value)


@pytest.mark.parametrize("zone", [TD3, TD1, TD2, MRV_A, MRV_B, TD1_LONG])
def test_every_digit_of_a_zone_that_is_verified_matters(zone: str) -> None:
    good = read_mrz(zone, YEAR).document
    for place, character in enumerate(zone):
        if not character.isdecimal():
            continue
        for other in set("0123456789") - {character}:
            changed = zone[:place] + other + zone[place + 1 :]
            try:
                found = read_mrz(changed, YEAR)
            except DocumentError:
                continue
            # A visa's optional data have no check digit; nothing else gets through.
            assert found.is_visa
            assert found.document == good


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "another character"),
        ("P<UTO", "5 characters in all"),
        (TD3.replace("P", "Q"), "a document code that begins with P or V"),
        (TD3.replace("<", "?"), "another character"),
        (TD3[:40] + "\n" + TD3[40:].replace("\n", ""), "lines of 44"),
        (TD3.replace("7408122", "7413120"), "check digit of the date of birth"),
    ],
)
def test_what_is_no_zone_is_refused_with_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(DocumentError, match=said):
        read_mrz(text, YEAR)


def test_a_zone_may_come_in_one_line_and_small_letters() -> None:
    assert read_mrz(TD3.replace("\n", ""), YEAR) == read_mrz(TD3.lower(), YEAR) == read_mrz(TD3 + "\r\n", YEAR)


def test_years_of_two_digits_are_births_in_the_past_and_expiries_nearby() -> None:
    assert read_mrz(passport("AB1234567", born="260101", expires="350101"), YEAR).document.born_on == "2026-01-01"
    assert read_mrz(passport("AB1234567", born="270101", expires="990101"), YEAR).document.born_on == "1927-01-01"
    assert read_mrz(passport("AB1234567", expires="990101"), YEAR).document.expires_on == "1999-01-01"


def test_a_birth_date_may_be_known_in_part() -> None:
    assert read_mrz(passport("AB1234567", born="90<<<<"), YEAR).document.born_on == "1990"
    assert read_mrz(passport("AB1234567", born="9005<<"), YEAR).document.born_on == "1990-05"
    assert read_mrz(passport("AB1234567", born="<<<<<<"), YEAR).document.born_on == ""


def test_germanys_short_code_is_germany() -> None:
    assert read_mrz(passport("C01X00T47", issuer="D<<"), YEAR).document.issuing_country == "DEU"


def test_a_kazakh_passports_personal_number_is_verified_and_agrees_with_the_zone() -> None:
    good = read_mrz(passport("N12345678", issuer="KAZ", born="791028", personal="791028302728"), YEAR).document
    assert (good.iin, good.born_on) == ("791028302728", "1979-10-28")
    with pytest.raises(DocumentError, match="check digit 8 at the end"):
        read_mrz(passport("N12345678", issuer="KAZ", born="791028", personal="791028302727"), YEAR)
    with pytest.raises(DocumentError, match="the same date of birth"):
        read_mrz(passport("N12345678", issuer="KAZ", born="791027", personal="791028302728"), YEAR)
    with pytest.raises(DocumentError, match="the same sex"):
        read_mrz(passport("N12345678", issuer="KAZ", born="791028", sex="F", personal="791028302728"), YEAR)
    assert read_mrz(passport("N12345678", issuer="KAZ"), YEAR).document.iin == ""


def test_a_document_is_never_shown_by_its_representation() -> None:
    assert "ERIKSSON" not in repr(read_mrz(TD3, YEAR))
    assert repr(read_mrz(TD3, YEAR).document) == "<TravelDocument>"
