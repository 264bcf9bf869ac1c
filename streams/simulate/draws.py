"""Chance that is the same everywhere: named, seeded streams that use only what Python guarantees.

``random.Random`` promises the same ``random()`` and ``getrandbits()`` for one integer seed on every version and
machine; its other methods do not promise it, so everything here is built from those two.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")

_UUID_CLEAR = ~((0xF << 76) | (0x3 << 62)) & ((1 << 128) - 1)
_UUID_SET = (0x8 << 76) | (0x2 << 62)


def number_of(*names: object) -> int:
    """Returns 128 bits that depend on nothing but the names."""
    return int.from_bytes(digest_of(*names), "big")


def digest_of(*names: object) -> bytes:
    """Returns 16 bytes that depend on nothing but the names."""
    return blake2b("|".join(map(str, names)).encode(), digest_size=16).digest()


def uuid_of(*names: object) -> bytes:
    """Returns a version 8 UUID (free form) made from the names."""
    return ((number_of(*names) & _UUID_CLEAR) | _UUID_SET).to_bytes(16, "big")


class Weighted(Generic[T]):
    """Things with relative weights, to draw from.

    Args:
        weights: thing → relative weight, above 0; the order of the mapping is part of the result.
    """

    __slots__ = ("cumulative", "things", "total")

    def __init__(self, weights: Mapping[T, int]) -> None:
        self.things = tuple(weights)
        self.cumulative = tuple(accumulate(weights.values()))
        self.total = self.cumulative[-1]

    def at(self, ratio: float) -> T:
        """Returns the thing at a point of the scale, 0 ≤ ratio < 1."""
        return self.things[bisect_right(self.cumulative, ratio * self.total)]


class Draws:
    """One stream of chance.

    Args:
        names: what the stream is for; the same names give the same stream.
    """

    __slots__ = ("_random", "bits", "ratio")

    def __init__(self, *names: object) -> None:
        self._random = Random(number_of(*names))
        self.ratio = self._random.random
        self.bits = self._random.getrandbits

    def restart(self, *names: object) -> None:
        """Begins the stream of other names, without the cost of a new object."""
        self._random.seed(number_of(*names))

    def chance(self, ratio: float) -> bool:
        """Returns true with a probability of ``ratio``."""
        return self.ratio() < ratio

    def between(self, first: int, last: int) -> int:
        """Returns an integer, both ends included."""
        return first + int(self.ratio() * (last - first + 1))

    def pick(self, things: Sequence[T]) -> T:
        """Returns one of several, all equally likely."""
        return things[int(self.ratio() * len(things))]

    def of(self, weighted: Weighted[T]) -> T:
        """Returns one by weight."""
        return weighted.at(self.ratio())

    def uuid(self) -> bytes:
        """Returns a version 8 UUID (free form), 16 bytes."""
        return ((self.bits(128) & _UUID_CLEAR) | _UUID_SET).to_bytes(16, "big")


def shares(total: int, weights: Sequence[float]) -> list[int]:
    """Splits a whole number by weights without losing one: the largest remainders get what rounding left over.

    Args:
        total: what is split, 0 or more.
        weights: relative weights, 0 or more, at least one above 0.
    """
    scale = sum(weights)
    exact = [total * weight / scale for weight in weights]
    result = [int(value) for value in exact]
    by_remainder = sorted(range(len(weights)), key=lambda place: (result[place] - exact[place], place))
    for place in by_remainder[: total - sum(result)]:
        result[place] += 1
    return result
