"""Laws of documents: whoever writes one, in whatever way, names the same holder; a slip of a digit names nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.documents import DocumentError
from streams.documents.checkdigit import check_digit
from streams.documents.iin import iin_check_digit, read_iin
from streams.documents.latin import latin
from streams.documents.mrz import read_mrz
from streams.documents.number import TWINS
from streams.documents.reading import document_of
from streams.publish.pseudonym import Pseudonyms
from tests.unit.documents.zones import passport

KEYED = Pseudonyms(1, bytes(range(32)))
TO_CYRILLIC = {latin_one: cyrillic for cyrillic, latin_one in ((chr(a), chr(b)) for a, b in TWINS.items())}
NUMBERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=4, max_size=9)
NAMES = st.text("АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯӘҒҚҢӨҰҮҺІ", min_size=1, max_size=12)


def subject(**row: str) -> str:
    document = document_of(row, 2026)
    assert document is not None
    return KEYED.holder(document)


@given(NUMBERS, st.data())
def test_the_same_number_in_any_spelling_is_one_pseudonym(number: str, data: st.DataObject) -> None:
    choice = data.draw(st.lists(st.booleans(), min_size=len(number), max_size=len(number)))
    separators = data.draw(st.lists(st.sampled_from(["", " ", "-", "\u00a0"]), min_size=len(number), max_size=len(number)))
    twins = "".join(TO_CYRILLIC.get(one, one) if twin else one for one, twin in zip(number, choice, strict=True))
    spelt = "".join(one + sign for one, sign in zip(twins, separators, strict=True)).lower()
    expected = subject(document_number=number, issuing_country="UZB")
    assert subject(document_number=spelt, issuing_country="uzb") == expected
    assert subject(mrz=passport(number)) == expected


@given(NAMES)
def test_a_name_and_its_transliteration_are_one_name(name: str) -> None:
    written = latin(name)
    assert latin(written) == written == latin(name.lower())
    assert all(one in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for one in written)


@given(NAMES, NAMES)
def test_transliteration_goes_letter_by_letter(one: str, other: str) -> None:
    assert latin(one + other) == latin(one) + latin(other)


@given(st.text())
def test_any_text_becomes_letters_and_single_spaces(text: str) -> None:
    written = latin(text)
    assert written == " ".join(written.split())
    assert all(one in "ABCDEFGHIJKLMNOPQRSTUVWXYZ " for one in written)
    assert latin(written) == written


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<", min_size=1, max_size=40), st.data())
def test_a_check_digit_notices_every_digit_misread(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text) - 1))
    if text[place].isdecimal():
        other = data.draw(st.sampled_from("0123456789"))
        changed = text[:place] + other + text[place + 1 :]
        assert (check_digit(changed) == check_digit(text)) == (other == text[place])


@given(st.dates().filter(lambda day: 1900 <= day.year < 2100), st.sampled_from("MF"), st.integers(0, 9999))
def test_a_number_made_by_the_rules_reads_back_and_no_other_check_digit_fits(born: object, sex: str, serial: int) -> None:
    day = str(born)
    seventh = {("19", "M"): "3", ("19", "F"): "4", ("20", "M"): "5", ("20", "F"): "6"}[day[:2], sex]
    eleven = day[2:].replace("-", "") + seventh + f"{serial:04d}"
    fitting = iin_check_digit(eleven)
    fits = []
    for digit in "0123456789":
        try:
            found = read_iin(eleven + digit)
        except DocumentError:
            continue
        assert (found.born_on, found.sex) == (day, sex)
        fits.append(digit)
    assert fits == ([] if fitting is None else [fitting])


@given(st.text(max_size=100))
def test_no_text_makes_the_reader_fail_or_repeat_it(text: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_mrz(text, 2026)
    assert len(text) < 12 or text not in str(caught.value)
