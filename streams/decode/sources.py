"""Which source may write which event type: a register kept as data, checked on decoding (ADR 0003, ADR 0015).

All facts about a person share one topic, so Kafka's access control cannot tell a post from a register; this can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from streams.decode.envelope import Fault, is_source, shown
from streams.detect.coverage_ledger import NUMBERS_SOURCE
from streams.errors import UsageError
from streams.records import INPUTS, Record
from streams.wire.jsonform import read_instant
from streams.wire.signing import Verifier, is_kid

Signatures = Literal["off", "lenient", "strict"]
"""Whether a source's events are looked at for signatures: not at all, counted only, or refused without a good one."""

_NAMES = frozenset(kind.NAME for kind in INPUTS)
_PARTS = {"types", "own_post", "signatures", "keys", "note"}
_KEY_PARTS = {"kid", "public", "from", "until", "revoked_at", "note"}
_FOREVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class SourceKey:
    """A key a source signs with, and when it counts, by the time a message arrives.

    Attributes:
        kid: its name.
        verifier: the public key.
        from_at: first instant it counts, UTC epoch ms.
        until_at: first instant it no longer counts; none if open.
        revoked_at: from when on it is not to be trusted; none if it was not revoked.
    """

    kid: str
    verifier: Verifier
    from_at: int
    until_at: int | None
    revoked_at: int | None

    @property
    def counts(self) -> tuple[int, int]:
        """Returns the first instant it counts, and the first it no longer does, UTC epoch ms."""
        ends = [at for at in (self.until_at, self.revoked_at) if at is not None]
        return self.from_at, min(ends, default=_FOREVER)

    def counts_at(self, at_ms: int) -> bool:
        """Returns whether a message that arrived then may be signed with it."""
        first, end = self.counts
        return first <= at_ms < end


@dataclass(frozen=True, slots=True)
class Source:
    """What one source, or every source that begins alike, may write.

    Attributes:
        name: the source; with ``*`` at its end, every source that begins so.
        types: event types it may write.
        own_post: whether the post its events are about must be the one behind ``post:`` in its name.
        signatures: whether its events must be signed.
        keys: by name.
    """

    name: str
    types: frozenset[str]
    own_post: bool
    signatures: Signatures = "off"
    keys: Mapping[str, SourceKey] = field(default_factory=dict)


class Sources:
    """The register. The most exact entry counts: the source's own, else that of the longest beginning.

    Args:
        entries: of the register.
    """

    def __init__(self, entries: Mapping[str, Source]) -> None:
        self.entries = tuple(entries.values())
        self._exact = {name: one for name, one in entries.items() if not name.endswith("*")}
        starts = sorted((name[:-1] for name in entries if name.endswith("*")), key=len, reverse=True)
        self._starts = [(start, entries[f"{start}*"]) for start in starts]

    def of(self, source: str) -> Source | None:
        """Returns the entry of a source; none if it may write nothing."""
        found = self._exact.get(source)
        if found is None:
            found = next((entry for start, entry in self._starts if source.startswith(start)), None)
        return found

    def fault(self, record: Record) -> Fault | None:
        """Returns why an event may not come from its source; none if it may."""
        if record.source == NUMBERS_SOURCE and record.NAME == "post_outage":
            return None  # our own, and of no register: it can only make a grade more careful
        entry = self.of(record.source)
        if entry is None:
            return "source_not_allowed", f"source: expected one of the register of sources; came {shown(record.source)}."
        if record.NAME not in entry.types:
            return (
                "source_not_allowed",
                f"source: expected one that may write {record.NAME}; {shown(record.source)} may write "
                f"{', '.join(sorted(entry.types))}.",
            )
        if entry.own_post:
            post = getattr(record, "post", None) or (record.subject if record.SUBJECT == "post" else None)
            if post is not None and record.source != f"post:{post}":
                return "source_not_allowed", f"source: expected post:{post}, as the event is that post's; came another post."
        return None


def load_sources(path: Path) -> Sources:
    """Reads a register.

    Args:
        path: a YAML file: ``sources``, by name ``{types: [...], own_post: true}``.

    Raises:
        UsageError: it cannot be read, or is not of this form; the sentence names entry and fault.
    """
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"The register of sources {path} cannot be read: {error}.", _SEE) from error
    if not isinstance(content, dict) or set(content) != {"sources"} or not isinstance(content["sources"], dict):
        raise UsageError(f"The register {path} must have one table, sources, at its top.", _SEE)
    return Sources({str(name): _entry(path, str(name), entry) for name, entry in content["sources"].items()})


def _entry(path: Path, name: str, entry: Any) -> Source:
    def wrong(what: str) -> UsageError:
        return UsageError(f"{path}: {name}: {what}.", _SEE)

    if not is_source(name) or "*" in name[:-1]:
        raise wrong("expected a source's name of at most 64 printable characters, with * at most at its end")
    if not isinstance(entry, dict) or not set(entry) <= _PARTS:
        raise wrong(f"expected a table of {', '.join(sorted(_PARTS))}")
    types = entry.get("types")
    if not isinstance(types, list) or not types:
        raise wrong("expected types, a list of event types")
    unknown = [str(one) for one in types if one not in _NAMES]
    if unknown:
        raise wrong(f"there is no event type {', '.join(unknown)}; expected some of {', '.join(sorted(_NAMES))}")
    own_post = entry.get("own_post", False)
    if not isinstance(own_post, bool):
        raise wrong("own_post: expected true or false")
    signatures = entry.get("signatures", "off")
    if signatures is False:  # YAML reads a bare off as false
        signatures = "off"
    if signatures not in get_args(Signatures):
        raise wrong(f"signatures: expected one of {', '.join(get_args(Signatures))}")
    keys = entry.get("keys", [])
    if not isinstance(keys, list) or not all(isinstance(one, dict) and set(one) <= _KEY_PARTS for one in keys):
        raise wrong(f"keys: expected a list of tables of {', '.join(sorted(_KEY_PARTS))}")
    try:
        found = [_key(one) for one in keys]
    except (UsageError, ValueError, TypeError, KeyError) as error:
        detail = str(error) if isinstance(error, UsageError) else f"{type(error).__name__}: {error}"
        raise wrong(f"keys: expected kid, public (64 hexadecimal digits), from, and instants with an offset; {detail}") from error
    if len({key.kid for key in found}) < len(found):
        raise wrong("keys: expected every kid once")
    if signatures != "off" and not found:
        raise wrong(f"signatures {signatures} without keys: nothing could ever fit")
    return Source(name, frozenset(types), own_post, signatures, {key.kid: key for key in found})


def _key(entry: dict[str, Any]) -> SourceKey:
    kid = entry["kid"]
    if not isinstance(kid, str) or not is_kid(kid):
        raise UsageError("a kid has 1 to 32 letters, digits, dots or dashes.")
    return SourceKey(
        kid,
        Verifier(bytes.fromhex(str(entry["public"]))),
        _instant(entry["from"]),
        _instant(entry["until"]) if "until" in entry else None,
        _instant(entry["revoked_at"]) if "revoked_at" in entry else None,
    )


def _instant(value: Any) -> int:
    """Returns an instant; YAML makes moments of what looks like one."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("an instant without its offset")
        return read_instant(value.isoformat())
    return read_instant(value)


_SEE = "See docs/events.md, “Who may write what”."
