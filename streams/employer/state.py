"""One employer's state as bytes: what it declared, what was concluded.

Layout: version byte, digest of the policy's version (4), then strings, declarations, conclusions.
"""

from __future__ import annotations

from struct import Struct

from streams.alerts.known import Known, put_all, take_all
from streams.detect.employers.headcounts import Headcounts, take_headcounts
from streams.detect.packing import VERSION, Strings
from streams.errors import IntegrityError

_HEAD = Struct("<BI")


class State:
    """What is known and was concluded about one employer.

    Attributes:
        headcounts: its declarations.
        known: the last version of each conclusion.
        policy_digest: checksum of the version of the policy that decided last.
    """

    __slots__ = ("headcounts", "known", "policy_digest")

    def __init__(self, headcounts: Headcounts, known: list[Known], policy_digest: int) -> None:
        self.headcounts = headcounts
        self.known = known
        self.policy_digest = policy_digest

    def pack(self) -> bytes:
        """Returns the state as bytes."""
        strings = Strings()
        body = bytearray()
        self.headcounts.put(body, strings)
        put_all(body, self.known, strings)
        out = bytearray(_HEAD.pack(VERSION, self.policy_digest))
        strings.pack(out)
        out += body
        return bytes(out)


def unpack(state: bytes, subject: str) -> State:
    """Returns the state that was packed.

    Args:
        state: what `State.pack` gave.
        subject: the key it is kept under.

    Raises:
        IntegrityError: the state was written by a later version of the program.
    """
    version, digest = _HEAD.unpack_from(state)
    if version != VERSION:
        raise IntegrityError(
            f"An employer's state has form {version}; this program reads form {VERSION}.",
            "Start the version of the program that wrote it, or rebuild the state from the log.",
        )
    strings = Strings()
    at = strings.unpack(state, _HEAD.size)
    headcounts, at = take_headcounts(state, at, strings, subject)
    known, _ = take_all(state, at, strings)
    return State(headcounts, known, digest)
