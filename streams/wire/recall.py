"""Reads an event whose own fields came before, byte for byte: the envelope anew, the rest from memory.

Most crossings of a day differ only in who, when and which number: direction, post, citizenship, purpose, document and
transport together are a few hundred different runs of bytes. Whoever decoded such a run once need not decode it again, and
the strings of the two records are the same objects. What is not exactly as expected is left to the ordinary decoder, which
also says what is wrong with it; so nothing is accepted here that it would refuse.

Pure, and compiled where the rooms that decide are.
"""

from __future__ import annotations

from typing import Any, Final

_ID_BYTES: Final = 16
_LONGEST: Final = 32
"""Bytes of own fields that are remembered; with an id in them (a visa's) they come once and fill memory for nothing."""

_ENTRIES: Final = 4096
"""Runs of bytes remembered at most; then memory starts anew."""

Envelope = tuple[bytes, str, int, int, str, int]
Seen = tuple[bytes, str, int, int, str, int, int]
"""An envelope and where it ends in the message."""


class Recall:
    """What the own fields of one version of one event type meant when the same bytes came before."""

    __slots__ = ("_own", "_sources")

    def __init__(self) -> None:
        self._own: dict[bytes, tuple[Any, ...]] = {}
        self._sources: dict[bytes, str] = {}

    def fields(self, value: bytes, start: int) -> tuple[Any, ...] | None:
        """Returns every field of the record whose body begins at ``start``; none if it must be decoded."""
        seen = self._envelope(value, start)
        if seen is None:
            return None
        own = self._own.get(value[seen[6] :])
        return None if own is None else (*seen[:6], *own)

    def learn(self, value: bytes, start: int, own: tuple[Any, ...]) -> None:
        """Remembers what the own fields of a message meant that was decoded, and who sent it."""
        at = self._source_at(value, start)
        if at < 0:
            return
        end = at + 1 + (value[at] >> 1)
        source = value[at:end]
        if source not in self._sources:
            if len(self._sources) >= _ENTRIES:
                self._sources.clear()
            self._sources[source] = source[1:].decode()
        seen = self._envelope(value, start)
        if seen is not None and len(value) - seen[6] <= _LONGEST:
            if len(self._own) >= _ENTRIES:
                self._own.clear()
            self._own[value[seen[6] :]] = own

    def _source_at(self, value: bytes, start: int) -> int:
        """Returns where the source begins (its length byte); -1 if the envelope is not of the usual form."""
        at = start + _ID_BYTES
        size = len(value)
        if at >= size or value[at] & 129:  # a length that is negative or takes two bytes
            return -1
        at += 1 + (value[at] >> 1)
        for _ in range(2):
            while at < size and value[at] > 127:
                at += 1
            at += 1
        return -1 if at >= size or value[at] & 129 or at + (value[at] >> 1) >= size else at

    def _envelope(self, value: bytes, start: int) -> Seen | None:
        at = start + _ID_BYTES
        size = len(value)
        if at + 16 >= size or value[at] & 129:
            return None
        end = at + 1 + (value[at] >> 1)
        if end + 8 > size:
            return None
        try:
            subject = value[at + 1 : end].decode()
        except UnicodeDecodeError:
            return None
        # Epoch milliseconds from 1974 to 2248 take six bytes, seven bits each, zigzag: even.
        six = int.from_bytes(value[end : end + 6], "little")
        if six & 0x8080_8080_8081 != 0x0080_8080_8080:
            return None
        occurred_at = _squeezed(six) >> 1
        at = end + 6
        again = value[at : at + 6]
        if again == value[end:at]:
            recorded_at = occurred_at
        else:
            six = int.from_bytes(again, "little")
            if six & 0x8080_8080_8081 != 0x0080_8080_8080:
                return None
            recorded_at = _squeezed(six) >> 1
        at += 6
        if at >= size:
            return None
        end = at + 1 + (value[at] >> 1)
        source = self._sources.get(value[at:end])
        if source is None:
            return None
        number = 0
        shift = 0
        while end < size and shift < 56:
            byte = value[end]
            end += 1
            number |= (byte & 127) << shift
            if byte < 128:
                if number & 1:
                    return None
                return value[start : start + _ID_BYTES], subject, occurred_at, recorded_at, source, number >> 1, end
            shift += 7
        return None


def _squeezed(six: int) -> int:
    """Returns the 42 bits of six bytes of which the highest bit says whether another follows."""
    return (
        six & 0x7F
        | six >> 1 & 0x3F80
        | six >> 2 & 0x1F_C000
        | six >> 3 & 0xFE0_0000
        | six >> 4 & 0x7_F000_0000
        | six >> 5 & 0x3F8_0000_0000
    )
