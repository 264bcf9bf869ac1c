"""What is kept of one employer and of one quota line, as bytes; and the keys it is kept under.

Layout of both: version byte, digest of the policy's version (4), when to look again (8, UTC epoch ms, 0 never), then strings,
facts, conclusions. A link's last version is kept by itself, under a key of its own: a newer
one must find what to take back, wherever that was.
"""

from __future__ import annotations

from struct import Struct
from typing import get_args

from streams.alerts.known import Known, put_all, take_all
from streams.detect.employers.headcounts import Headcounts, take_headcounts
from streams.detect.labour.quota import Line
from streams.detect.packing import VERSION, Strings, put_int, put_optional, put_uint, take_int, take_optional, take_uint
from streams.errors import IntegrityError
from streams.records import LabourLink, QuotaAllocation
from streams.records.links import LinkKind
from streams.records.outputs import Grade

_HEAD = Struct("<BIq")
_GRADES: tuple[Grade, ...] = get_args(Grade)
_KINDS: tuple[LinkKind, ...] = ("breach", "permit", "kept")
_NONE = bytes(16)

EMPLOYER, LINE, LINK = b"e", b"q", b"l"
"""First byte of a key: what is kept under it."""


def employer_key(employer: str) -> bytes:
    """Returns the key of an employer."""
    return EMPLOYER + employer.encode()


def line_key(line: Line) -> bytes:
    """Returns the key of a quota line."""
    return LINE + f"{line.year}|{line.oblast}|{line.category}|{line.sector}".encode()


def line_of_key(key: bytes) -> Line:
    """Returns the line kept under a key."""
    year, oblast, category, sector = key[1:].decode().split("|")
    return Line(int(year), oblast, category, sector)


def link_key(link: LabourLink) -> bytes:
    """Returns the key of a link."""
    return LINK + bytes([_KINDS.index(link.kind)]) + link.link_id + link.subject.encode()


def is_judged(key: bytes) -> bool:
    """Returns whether an employer or a line is kept under a key: what `due_of` can be asked of."""
    return key[:1] in (EMPLOYER, LINE)


class EmployerState:
    """What is known and was concluded about one employer's workers.

    Attributes:
        links: links that hold and name it, in order of their keys.
        headcounts: its declarations.
        known: the last version of each conclusion.
        policy_digest: checksum of the version of the policy that decided last.
        due_ms: when time alone may change something, UTC epoch ms; none if never.
    """

    __slots__ = ("due_ms", "headcounts", "known", "links", "policy_digest")

    def __init__(self, employer: str, policy_digest: int) -> None:
        self.links: dict[bytes, LabourLink] = {}
        self.headcounts = Headcounts(employer)
        self.known: list[Known] = []
        self.policy_digest = policy_digest
        self.due_ms: int | None = None

    def pack(self) -> bytes:
        """Returns the state as bytes."""
        strings = Strings()
        body = bytearray()
        put_uint(body, len(self.links))
        for key in sorted(self.links):
            _put_link(body, self.links[key], strings)
        self.headcounts.put(body, strings)
        return _packed(self.policy_digest, self.due_ms, strings, body, self.known)


def unpack_employer(data: bytes, employer: str) -> EmployerState:
    """Returns the state that was packed.

    Raises:
        IntegrityError: it was written by a later version of the program.
    """
    digest, due_ms = _head(data)
    found = EmployerState(employer, digest)
    found.due_ms = due_ms
    strings = Strings()
    at = strings.unpack(data, _HEAD.size)
    count, at = take_uint(data, at)
    for _ in range(count):
        link, at = _take_link(data, at, strings, employer)
        found.links[link_key(link)] = link
    found.headcounts, at = take_headcounts(data, at, strings, employer)
    found.known, _ = take_all(data, at, strings)
    return found


class LineState:
    """What is known and was concluded about one quota line.

    Attributes:
        allocations: by event id; carry no source.
        uses: permits by the day they were issued on.
        known: the last version of each conclusion.
        policy_digest: checksum of the version of the policy that decided last.
        due_ms: when time alone may change something, UTC epoch ms; none if never.
    """

    __slots__ = ("allocations", "due_ms", "known", "policy_digest", "uses")

    def __init__(self, policy_digest: int) -> None:
        self.allocations: list[QuotaAllocation] = []
        self.uses: dict[int, int] = {}
        self.known: list[Known] = []
        self.policy_digest = policy_digest
        self.due_ms: int | None = None

    def pack(self) -> bytes:
        """Returns the state as bytes."""
        strings = Strings()
        body = bytearray()
        put_uint(body, len(self.allocations))
        for one in sorted(self.allocations, key=lambda each: each.event_id):
            body += one.event_id
            put_uint(body, strings.code(one.subject))
            for value in (one.occurred_at, one.recorded_at, one.version, one.persons, one.effective_on):
                put_int(body, value)
        put_uint(body, len(self.uses))
        for day in sorted(self.uses):
            put_int(body, day)
            put_uint(body, self.uses[day])
        return _packed(self.policy_digest, self.due_ms, strings, body, self.known)


def unpack_line(data: bytes, line: Line) -> LineState:
    """Returns the state that was packed.

    Raises:
        IntegrityError: it was written by a later version of the program.
    """
    digest, due_ms = _head(data)
    found = LineState(digest)
    found.due_ms = due_ms
    strings = Strings()
    at = strings.unpack(data, _HEAD.size)
    count, at = take_uint(data, at)
    for _ in range(count):
        event_id = data[at : at + 16]
        subject, at = take_uint(data, at + 16)
        values: list[int] = []
        for _ in range(5):
            value, at = take_int(data, at)
            values.append(value)
        occurred_at, recorded_at, version, persons, effective_on = values
        found.allocations.append(
            QuotaAllocation(
                event_id,
                strings.text(subject),
                occurred_at,
                recorded_at,
                "",
                0,
                "labour",
                line.year,
                version,
                line.oblast or None,
                line.category or None,
                line.sector or None,
                persons,
                effective_on,
            )
        )
    count, at = take_uint(data, at)
    for _ in range(count):
        day, at = take_int(data, at)
        found.uses[day], at = take_uint(data, at)
    found.known, _ = take_all(data, at, strings)
    return found


def due_of(data: bytes) -> int | None:
    """Returns when to look at an employer or a line again (UTC epoch ms), from the first bytes of its state."""
    return _head(data)[1]


def _head(data: bytes) -> tuple[int, int | None]:
    version, digest, due_ms = _HEAD.unpack_from(data)
    if version != VERSION:
        raise IntegrityError(
            f"A state of employers' workers has form {version}; this program reads form {VERSION}.",
            "Start the version of the program that wrote it, or rebuild the state from the log.",
        )
    return digest, due_ms or None


def _packed(digest: int, due_ms: int | None, strings: Strings, body: bytearray, known: list[Known]) -> bytes:
    put_all(body, known, strings)
    out = bytearray(_HEAD.pack(VERSION, digest, due_ms or 0))
    strings.pack(out)
    out += body
    return bytes(out)


def _put_link(out: bytearray, link: LabourLink, strings: Strings) -> None:
    """Appends what the rules read of a link that names the employer."""
    out.append(_KINDS.index(link.kind) | _GRADES.index(link.grade) << 2)
    out += link.link_id
    for text in (link.subject, link.oblast, link.sector, link.category):
        put_uint(out, strings.code(text))
    put_int(out, link.first_on)
    put_optional(out, link.last_on)
    put_optional(out, link.expired_on)
    put_int(out, link.decided_at)
    if link.kind == "kept":
        out += link.address_key or _NONE


def _take_link(data: bytes, at: int, strings: Strings, employer: str) -> tuple[LabourLink, int]:
    packed, link_id = data[at], data[at + 1 : at + 17]
    at += 17
    texts: list[str] = []
    for _ in range(4):
        code, at = take_uint(data, at)
        texts.append(strings.text(code))
    subject, oblast, sector, category = texts
    first_on, at = take_int(data, at)
    last_on, at = take_optional(data, at)
    expired_on, at = take_optional(data, at)
    decided_at, at = take_int(data, at)
    kind = _KINDS[packed & 3]
    address: bytes | None = None
    if kind == "kept":
        address, at = data[at : at + 16], at + 16
    return (
        LabourLink(
            link_id, 0, kind, subject, True, employer, oblast, sector, category, None, first_on, last_on, expired_on, address,
            _GRADES[packed >> 2], "", b"", 0, decided_at,
        ),
        at,
    )  # fmt: skip
