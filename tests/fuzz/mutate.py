"""Bytes changed in the ways that break readers: flips, cuts, repeats, foreign pieces; the same for the same seed."""

from __future__ import annotations

import random

_NASTY = (
    b"\x00", b"\xff", b"\x80" * 10, b"\xff" * 9 + b"\x01", b"\xfe\xff\xff\xff\x0f", b"\xc3\x01", b"\x00\x00\x00\x00\x01",
    b'"', b"{", b"}" * 50, b"[" * 2000, b"\\ud800", b"\xed\xa0\x80", b"\r\n", b"'", b"?", b"+:'", b"-1", b"1e999", b"NaN",
    b"9223372036854775808", b"\xef\xbb\xbf", b"=1+1", b"\x1a", b"null", b"true", b",,,,", b";", b"\t",
)  # fmt: skip


class Mutator:
    """Changes bytes.

    Args:
        seeds: what to begin with.
        seed: of the chance.
    """

    def __init__(self, seeds: list[bytes], seed: int) -> None:
        self._seeds = seeds
        self._dice = random.Random(seed)

    def next(self) -> bytes:
        """Returns one of the seeds, changed in one to four places; one in fifty is left whole."""
        dice = self._dice
        value = bytearray(dice.choice(self._seeds))
        if dice.random() < 0.02:
            return bytes(value)
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(value) + 1)
            match dice.randrange(7):
                case 0 if at < len(value):
                    value[at] ^= 1 << dice.randrange(8)
                case 1 if dice.random() < 0.2:
                    del value[at:]
                case 2:
                    del value[at : at + dice.randint(1, 8)]
                case 3:
                    value[at:at] = dice.choice(_NASTY)
                case 4:
                    value[at : at + 1] = dice.randbytes(dice.randint(0, 6))
                case 5:
                    other = dice.choice(self._seeds)
                    value[at:] = other[dice.randrange(len(other) + 1) :]
                case _:
                    value[at:at] = value[at : at + dice.randint(1, 64)]
        return bytes(value)
