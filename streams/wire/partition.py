"""Which partition a key belongs to: Kafka's default, so that publishers in any language agree on it."""

from __future__ import annotations

from functools import lru_cache
from struct import unpack_from
from typing import Final

_SEED: Final = 0x9747B28C
_M: Final = 0x5BD1E995
_MASK: Final = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """Returns MurmurHash2 as Kafka's Java client computes it, unsigned 32 bits."""
    length = len(key)
    words = length // 4
    hashed = _SEED ^ length
    for word in unpack_from(f"<{words}I", key):
        mixed = (word * _M) & _MASK
        mixed ^= mixed >> 24
        hashed = ((hashed * _M) & _MASK) ^ ((mixed * _M) & _MASK)
    rest = key[words * 4 :]
    if rest:
        hashed ^= int.from_bytes(rest, "little")
        hashed = (hashed * _M) & _MASK
    hashed ^= hashed >> 13
    hashed = (hashed * _M) & _MASK
    return hashed ^ (hashed >> 15)


@lru_cache(maxsize=131_072)
def _positive(key: bytes) -> int:
    # People come back: their events arrive in runs, and the hash in Python costs ten times the look-up.
    return murmur2(key) & 0x7FFFFFFF


def partition_of(key: bytes, partitions: int) -> int:
    """Returns the partition of a key.

    Args:
        key: the message's key, not empty by contract but lawful if it is.
        partitions: how many the topic has.
    """
    return _positive(key) % partitions
