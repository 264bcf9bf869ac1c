"""Whole numbers and strings in few bytes: the ground the stored forms stand on."""

from __future__ import annotations

from typing import Final

VERSION: Final = 1
"""The version of every stored form."""

# Strings with a number for good: the oblasts and the neighbours most travellers come from. Append only.
COMMON: Final[tuple[str, ...]] = (
    "", "KAZ", "KZ-10", "KZ-11", "KZ-15", "KZ-19", "KZ-23", "KZ-27", "KZ-31", "KZ-33", "KZ-35", "KZ-39", "KZ-43", "KZ-47",
    "KZ-55", "KZ-59", "KZ-61", "KZ-62", "KZ-63", "KZ-71", "KZ-75", "KZ-79", "RUS", "UZB", "KGZ", "CHN", "TJK", "TKM", "BLR",
    "ARM", "TUR", "IND", "IRN", "AZE", "GEO", "UKR", "DEU", "KOR", "USA", "GBR", "MNG", "AFG", "PAK", "VNM", "eaeu",
    "visa_exempt", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U",
    "private", "tourism", "business", "work", "study", "treatment", "family", "transit", "official", "crew", "unknown",
)  # fmt: skip
_COMMON_CODE: Final = {text: code for code, text in enumerate(COMMON)}
_LITERALS_FROM: Final = 100


class Strings:
    """The strings of one dossier, by number; the first hundred numbers are the common ones."""

    __slots__ = ("codes", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.codes: dict[str, int] = {}

    def code(self, text: str) -> int:
        """Returns a string's number; a new string gets the next."""
        common = _COMMON_CODE.get(text)
        if common is not None:
            return common
        known = self.codes.get(text)
        if known is None:
            known = _LITERALS_FROM + len(self.texts)
            self.codes[text] = known
            self.texts.append(text)
        return known

    def text(self, code: int) -> str:
        """Returns the string of a number."""
        return COMMON[code] if code < _LITERALS_FROM else self.texts[code - _LITERALS_FROM]

    def pack(self, out: bytearray) -> None:
        """Appends the strings that are not common."""
        put_uint(out, len(self.texts))
        for text in self.texts:
            raw = text.encode()
            put_uint(out, len(raw))
            out += raw

    def unpack(self, data: bytes, at: int) -> int:
        """Reads what `pack` wrote; returns the position behind it."""
        count, at = take_uint(data, at)
        for _ in range(count):
            length, at = take_uint(data, at)
            self.texts.append(data[at : at + length].decode())
            at += length
        for index, text in enumerate(self.texts):
            self.codes[text] = _LITERALS_FROM + index
        return at


def put_uint(out: bytearray, value: int) -> None:
    """Appends a whole number ≥ 0, seven bits a byte."""
    while value > 127:
        out.append((value & 127) | 128)
        value >>= 7
    out.append(value)


def take_uint(data: bytes, at: int) -> tuple[int, int]:
    """Reads what `put_uint` wrote; returns the number and the position behind it."""
    byte = data[at]
    if byte < 128:
        return byte, at + 1
    value = byte & 127
    shift = 7
    while True:
        at += 1
        byte = data[at]
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at + 1
        shift += 7


def put_int(out: bytearray, value: int) -> None:
    """Appends a whole number of any sign."""
    put_uint(out, value * 2 if value >= 0 else -value * 2 - 1)


def take_int(data: bytes, at: int) -> tuple[int, int]:
    """Reads what `put_int` wrote."""
    value, at = take_uint(data, at)
    return (value >> 1 if not value & 1 else -((value + 1) >> 1)), at


def put_optional(out: bytearray, value: int | None) -> None:
    """Appends a whole number or none."""
    if value is None:
        out.append(0)
    else:
        out.append(1)
        put_int(out, value)


def take_optional(data: bytes, at: int) -> tuple[int | None, int]:
    """Reads what `put_optional` wrote."""
    if not data[at]:
        return None, at + 1
    return take_int(data, at + 1)
