"""Names in Latin letters as machine-readable zones write them: Cyrillic and national Latin letters to A to Z.

**Source**: ICAO Doc 9303 part 3, section 6: table A for Latin, table B for Cyrillic letters, in the form for Russian where a
letter has several. The table lacks Kazakh letters: they are written as the letters they come from, as Kazakhstan's passports do.
"""

from __future__ import annotations

import re
import unicodedata

_CYRILLIC = {
    "А": "A", "Б": "B", "В": "V", "Г": "G", "Д": "D", "Е": "E", "Ё": "E", "Ж": "ZH", "З": "Z", "И": "I", "Й": "I", "К": "K",
    "Л": "L", "М": "M", "Н": "N", "О": "O", "П": "P", "Р": "R", "С": "S", "Т": "T", "У": "U", "Ф": "F", "Х": "KH", "Ц": "TS",
    "Ч": "CH", "Ш": "SH", "Щ": "SHCH", "Ъ": "IE", "Ы": "Y", "Ь": "", "Э": "E", "Ю": "IU", "Я": "IA",
    # Belarusian, Ukrainian, Serbian, Macedonian
    "Ў": "U", "Ґ": "G", "Є": "IE", "І": "I", "Ї": "I", "Ђ": "D", "Ѓ": "G", "Ѕ": "DZ", "Ј": "J", "Љ": "LJ", "Њ": "NJ", "Ћ": "C",
    "Ќ": "K", "Џ": "DZ",
}  # fmt: skip

KAZAKH = {"Ә": "A", "Ғ": "G", "Қ": "K", "Ң": "N", "Ө": "O", "Ұ": "U", "Ү": "U", "Һ": "H"}
"""Letters of Kazakh (and of Kyrgyz, Tatar, Bashkir) that table B does not have."""

_OTHER_TURKIC_AND_TAJIK = {"Ҳ": "H", "Ҷ": "J", "Ӣ": "I", "Ӯ": "U", "Җ": "ZH"}

_LATIN = {
    "Ä": "AE", "Å": "AA", "Æ": "AE", "Ð": "D", "Ø": "OE", "Ö": "OE", "Ü": "UE", "Þ": "TH", "ß": "SS", "ẞ": "SS", "Ĳ": "IJ",
    "Œ": "OE", "Đ": "D", "Ħ": "H", "ı": "I", "Ł": "L", "Ŋ": "N", "Ŧ": "T", "Ə": "A",
}  # fmt: skip
"""Table A where it is not the letter without its mark."""

_LETTERS = _LATIN | _CYRILLIC | KAZAKH | _OTHER_TURKIC_AND_TAJIK
_JOINED = re.compile("[^A-Z]+")
_LEFT_OUT = str.maketrans("", "", "'\u2019\u2018\u02bb\u02bc`\u00b4\u02b9")
"""Apostrophes are left out without a space (section 4.6); every other sign parts names."""


def latin(text: str) -> str:
    """Returns a name in letters A to Z, single spaces between its parts; what has no Latin form is left out.

    It is the same for a name and for its transliteration: ``latin(latin(x)) == latin(x)``.
    """
    composed = unicodedata.normalize("NFC", text).translate(_LEFT_OUT)
    written = "".join(_letter(one) for character in composed for one in _capitals(character))
    return _JOINED.sub(" ", written).strip()


def _capitals(character: str) -> str:
    return character if character in _LATIN else character.upper()


def _letter(character: str) -> str:
    found = _LETTERS.get(character)
    if found is not None:
        return found
    if character.isascii():
        return character
    bare = "".join(one for one in unicodedata.normalize("NFD", character) if not unicodedata.combining(one))
    if bare != character:
        return "".join(_LETTERS.get(one, one) for one in bare)
    return "" if character.isalpha() else " "
