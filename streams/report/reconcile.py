"""What a source says it has sent, held against what is here: the numbers that are missing, refused, shared or repeated."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from streams.publish.tally import DIGEST_BYTES, digest_part
from streams.records import CountStatement, PostHeartbeat

Verdict = Literal["agrees", "differs", "nothing_said"]
SignatureState = Literal["good", "unsigned", "unknown_key", "key_not_valid", "bad_signature", "not_checked"]

Span = tuple[int, int]
"""Numbers that follow each other: the first and the last."""

_GOOD_ENOUGH = frozenset({"good", "unsigned", "not_checked"})


@dataclass(frozen=True, slots=True)
class Held:
    """One message of a source that is here.

    Attributes:
        event_type: of the event.
        event_id: 16 bytes.
        source_seq: its number at the source.
        code: why it is a dead letter; empty if it was taken.
    """

    event_type: str
    event_id: bytes
    source_seq: int
    code: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """One statement or heartbeat held against what is here.

    Attributes:
        kind: ``statement`` or ``heartbeat``.
        first_seq: first number it covers.
        last_seq: last number it covers.
        said: events (heartbeat: crossings) it says were sent.
        held: of them here, dead letters too.
        missing: numbers that are not here, as spans: first and last.
        refused: numbers that are dead letters only, with their code.
        shared: numbers that stand for more than one event.
        repeats: messages that say again what was said.
        digest_agrees: whether the very events are the same; none for a heartbeat, or while numbers are missing.
        signature: of the statement.
    """

    kind: Literal["statement", "heartbeat"]
    first_seq: int
    last_seq: int
    said: int
    held: int
    missing: tuple[Span, ...]
    refused: tuple[tuple[int, str], ...]
    shared: tuple[int, ...]
    repeats: int
    digest_agrees: bool | None
    signature: SignatureState

    @property
    def agrees(self) -> bool:
        """Whether everything that was said is here, was taken, and is what was said."""
        return (
            not (self.missing or self.refused or self.shared)
            and self.said == self.held
            and self.digest_agrees is not False
            and self.signature in _GOOD_ENOUGH
        )

    def plain(self) -> dict[str, Any]:
        """Returns it as a JSON object."""
        return {
            "kind": self.kind,
            "agrees": self.agrees,
            "first_seq": self.first_seq,
            "last_seq": self.last_seq,
            "said": self.said,
            "held": self.held,
            "missing": [words_of(span) for span in self.missing],
            "refused": [{"source_seq": seq, "code": code} for seq, code in self.refused],
            "shared": list(self.shared),
            "repeats": self.repeats,
            "digest_agrees": self.digest_agrees,
            "signature": self.signature,
        }


def verdict_of(compared: Sequence[Compared]) -> Verdict:
    """Returns what all comparisons together say."""
    if not compared:
        return "nothing_said"
    return "agrees" if all(one.agrees for one in compared) else "differs"


def compare_statement(said: CountStatement, held: Iterable[Held], signature: SignatureState) -> Compared:
    """Holds a statement against the messages of its source.

    Args:
        said: the statement.
        held: messages of its source; those outside its numbers are left out.
        signature: what was found of its signature.
    """
    found = _Found(said.first_seq, said.last_seq, held)
    missing = found.missing
    return Compared(
        "statement",
        said.first_seq,
        said.last_seq,
        said.events,
        len(found.ids),
        missing,
        found.refused,
        found.shared,
        found.repeats,
        None if missing else found.digest == int.from_bytes(said.digest, "big") and len(said.digest) == DIGEST_BYTES,
        signature,
    )


def compare_heartbeat(said: PostHeartbeat, held: Iterable[Held]) -> Compared:
    """Holds a heartbeat's count of crossings against the crossings here; numbers between them may be other events."""
    found = _Found(said.first_seq, said.last_seq, held)
    crossings = sum("border_crossing" in kinds for kinds in found.kinds.values())
    return Compared(
        "heartbeat",
        said.first_seq,
        said.last_seq,
        said.sent_count,
        crossings,
        found.missing,
        found.refused,
        found.shared,
        found.repeats,
        None,
        "not_checked",
    )


class _Found:
    """The messages of a range of numbers."""

    def __init__(self, first: int, last: int, held: Iterable[Held]) -> None:
        self.ids: dict[int, set[bytes]] = defaultdict(set)
        self.kinds: dict[int, set[str]] = defaultdict(set)
        codes: dict[int, set[str]] = defaultdict(set)
        messages: Counter[bytes] = Counter()
        for one in held:
            if first <= one.source_seq <= last and first:
                self.ids[one.source_seq].add(one.event_id)
                self.kinds[one.source_seq].add(one.event_type)
                codes[one.source_seq].add(one.code)
                messages[one.event_id] += 1
        self.missing = _between(first, last, sorted(self.ids)) if first else ()
        self.refused = tuple((seq, sorted(why)[0]) for seq, why in sorted(codes.items()) if "" not in why)
        self.shared = tuple(seq for seq, ids in sorted(self.ids.items()) if len(ids) > 1)
        self.repeats = sum(messages.values()) - len(messages)
        self.digest = 0
        for seq, ids in self.ids.items():
            for event_id in ids:
                self.digest ^= digest_part(event_id, seq)


def _between(first: int, last: int, there: Sequence[int]) -> tuple[Span, ...]:
    """Returns the spans of first to last without what is there; what somebody says was sent may be any number at all."""
    found, at = [], first
    for number in there:
        if number > at:
            found.append((at, number - 1))
        at = number + 1
    if at <= last:
        found.append((at, last))
    return tuple(found)


def words_of(span: Span) -> str:
    """Returns a span as ``7`` or ``12-15``."""
    first, last = span
    return str(first) if first == last else f"{first}-{last}"


def size_of(spans: Iterable[Span]) -> int:
    """Returns how many numbers are in spans."""
    return sum(last - first + 1 for first, last in spans)
