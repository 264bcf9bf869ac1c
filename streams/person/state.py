"""One person's state as bytes: when to look again, the dossier, what was concluded, the cases.

Layout: version byte, flags, due instant and coverage (6 bytes each), digest of the policy's version (4), then strings, facts,
conclusions, cases, folded visits in the form that has them, of few people what other pseudonyms of the same person told, and
links. Whoever rebuilds the index of deadlines reads the first 18 bytes and no more.
"""

from __future__ import annotations

import zlib
from struct import Struct
from typing import Final

from streams.alerts.known import Known, put_all, take_all
from streams.cases.follow import Followed, take_followed
from streams.detect.dossier import Dossier, take_facts
from streams.detect.folded import take_folded
from streams.detect.packing import VERSION, Strings, put_uint, take_uint
from streams.errors import IntegrityError
from streams.person.circle import Circle, Kinship, take_circle, together
from streams.person.links import Told, put_told, take_told
from streams.person.step import Due

_HEAD: Final = Struct("<BBIHIHI")
_AT, _COVERAGE, _GAPS, _CIRCLE = 1, 2, 4, 8

_FOLDED: Final = 2
"""The form of a state with folded visits: a program that knows only `VERSION` must refuse it, not lose them."""


class State:
    """What is known and was concluded about one person.

    Attributes:
        dossier: the facts.
        known: the last version of each conclusion.
        cases: the last version of each case.
        links: the last version of each link.
        due: when to look again.
        policy_digest: checksum of the version of the policy that decided last.
        circle: what other pseudonyms told; none as long as no link names this one.
    """

    __slots__ = ("cases", "circle", "dossier", "due", "known", "links", "policy_digest")

    def __init__(self, dossier: Dossier, known: list[Known], cases: list[Followed], due: Due, policy_digest: int) -> None:
        self.dossier = dossier
        self.known = known
        self.cases = cases
        self.due = due
        self.policy_digest = policy_digest
        self.links: list[Told] = []
        self.circle: Circle | None = None

    def pack(self) -> bytes:
        """Returns the state as bytes."""
        due = self.due
        at = due.at_ms or 0
        coverage = due.coverage_ms or 0
        flags = (0 if due.at_ms is None else _AT) | (0 if due.coverage_ms is None else _COVERAGE) | (_GAPS if due.on_gaps else 0)
        if self.circle is not None:
            flags |= _CIRCLE
        strings = Strings()
        body = bytearray()
        self.dossier.put(body, strings)
        put_all(body, self.known, strings)
        put_uint(body, len(self.cases))
        for case in self.cases:
            case.put(body)
        version = VERSION
        if self.dossier.folded is not None:
            version = _FOLDED
            self.dossier.folded.put(body, strings)
        if self.circle is not None:
            self.circle.put(body, strings)
        put_told(body, self.links)
        out = bytearray(
            _HEAD.pack(version, flags, at & 0xFFFFFFFF, at >> 32, coverage & 0xFFFFFFFF, coverage >> 32, self.policy_digest)
        )
        strings.pack(out)
        out += body
        return bytes(out)


def policy_digest(version: str) -> int:
    """Returns the checksum a state keeps of a policy's version."""
    return zlib.crc32(version.encode())


def due_of(state: bytes) -> Due:
    """Returns when to look at a person again, from the first bytes of the state.

    Raises:
        IntegrityError: the state was written by a later version of the program.
    """
    version, flags, low, high, coverage_low, coverage_high, _ = _HEAD.unpack_from(state)
    if version not in (VERSION, _FOLDED):
        raise IntegrityError(
            f"A person's state has form {version}; this program reads forms {VERSION} and {_FOLDED}.",
            "Start the version of the program that wrote it, or rebuild the state from the log.",
        )
    return Due(
        low | high << 32 if flags & _AT else None,
        coverage_low | coverage_high << 32 if flags & _COVERAGE else None,
        on_gaps=bool(flags & _GAPS),
    )


def unpack(state: bytes, subject: str) -> State:
    """Returns the state that was packed.

    Args:
        state: what `State.pack` gave.
        subject: the key it is kept under.

    Raises:
        IntegrityError: the state was written by a later version of the program.
    """
    due = due_of(state)
    strings = Strings()
    at = strings.unpack(state, _HEAD.size)
    dossier, at = take_facts(state, at, strings, subject)
    known, at = take_all(state, at, strings)
    count, at = take_uint(state, at)
    cases: list[Followed] = []
    for _ in range(count):
        case, at = take_followed(state, at)
        cases.append(case)
    if state[0] == _FOLDED:
        dossier.folded, at = take_folded(state, at, strings)
    digest: int = _HEAD.unpack_from(state)[6]
    found = State(dossier, known, cases, due, digest)
    if state[1] & _CIRCLE:
        found.circle, at = take_circle(state, at, strings)
    found.links = take_told(state, at)
    return found


def root_of(state: bytes, subject: str) -> str:
    """Returns the pseudonym whose state answers for the person: this one, but for who has several.

    Args:
        state: a packed state.
        subject: the key it is kept under.
    """
    if not state[1] & _CIRCLE:
        return subject
    found = unpack(state, subject)
    return Kinship(found.dossier, found.circle or Circle()).root


def dossier_of(state: bytes, subject: str) -> Dossier:
    """Returns everything known about a person, whichever pseudonym of theirs it came under, from the state of `root_of`."""
    found = unpack(state, subject)
    if found.circle is None:
        return found.dossier
    return together(found.dossier, found.circle, Kinship(found.dossier, found.circle))
