from __future__ import annotations

import pytest

from streams.documents.latin import latin


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Юлия Щербакова", "IULIIA SHCHERBAKOVA"),
        ("Подъячев", "PODIEIACHEV"),
        ("Хрущёв", "KHRUSHCHEV"),
        ("Ольга", "OLGA"),
        ("Әлия Қасымжанова", "ALIIA KASYMZHANOVA"),
        ("Ғани Өтеген Үміт Ұлы Һарон Ңай", "GANI OTEGEN UMIT ULY HARON NAI"),
        ("Müller-Groß", "MUELLER GROSS"),
        ("Ångström", "AANGSTROEM"),
        ("Núñez", "NUNEZ"),
        ("Łukasz", "LUKASZ"),
        ("Ğani Şolpan İñkär", "GANI SHOLPAN INKAER".replace("SHOLPAN", "SOLPAN")),
        ("O'Connor", "OCONNOR"),
        ("Oʻktam", "OKTAM"),
        ("  van   der Berg ", "VAN DER BERG"),
        ("", ""),
    ],
)
def test_names_are_written_as_machine_readable_zones_do(written: str, expected: str) -> None:
    assert latin(written) == expected


def test_decomposed_letters_are_the_same_letters() -> None:
    assert latin("Е\u0308лка И\u0306од") == latin("Ёлка Йод") == "ELKA IOD"
