"""Whether an event was signed by its source: decided by data and the message alone, so that a replay says the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from streams import metrics
from streams.decode.envelope import Fault, shown
from streams.decode.sources import Source, SourceKey
from streams.wire.signing import HASH_BYTES, HEADER, SignatureError, parse

Headers = Sequence[tuple[str, bytes]]
"""A message's headers as Kafka clients give them."""

_KNOWN = 4096
"""Headers remembered with what was found: at a kilobyte or two each a few megabytes. A partition's batches follow each other,
so the header of an event is nearly always one just seen."""


def signature_in(headers: Headers) -> bytes | None:
    """Returns the header that holds the signature; none if there is none."""
    for name, value in headers:
        if name == HEADER:
            return value
    return None


@dataclass(frozen=True, slots=True)
class _Checked:
    """What was found of one header, for one entry of the register.

    Attributes:
        entry: of the source.
        header: the header.
        key: that it names; none if the entry has no such key.
        hashes: of the events, if the signature fits; none of them otherwise.
        fault: why no event can count as signed by it; none if it fits.
    """

    entry: Source
    header: bytes
    key: SourceKey | None
    hashes: frozenset[bytes]
    fault: Fault | None


class SignatureCheck:
    """Checks events of sources whose entry in the register asks for it."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, bytes], _Checked] = OrderedDict()
        self._last: _Checked | None = None
        self._counted: dict[str, Any] = {}

    def fault(self, entry: Source, value: bytes, headers: Headers, received_at: int) -> Fault | None:
        """Returns why an event counts as not signed by its source; none if it is, or its source's entry does not insist.

        Args:
            entry: of the event's source.
            value: the message's value.
            headers: the message's headers.
            received_at: the broker's timestamp, UTC epoch ms: keys count by it.
        """
        if entry.signatures == "off":
            return None
        fault = self._fault(entry, value, headers, received_at)
        outcome = "good" if fault is None else fault[0]
        counter = self._counted.get(outcome)
        if counter is None:
            counter = self._counted[outcome] = metrics.SIGNATURES.labels(outcome)
        counter.inc()
        return fault if entry.signatures == "strict" else None

    def _fault(self, entry: Source, value: bytes, headers: Headers, received_at: int) -> Fault | None:
        header = signature_in(headers)
        if header is None:
            return "unsigned", f"{HEADER}: expected the header of a signed event of {shown(entry.name)}; came none. Sign it."
        checked = self._last
        # The last header is compared, not hashed: that is what nearly every event needs.
        if checked is None or checked.entry is not entry or checked.header != header:
            checked = self._last = self._checked(entry, header)
        if checked.fault is not None and checked.key is None:
            return checked.fault
        if checked.key is not None and not checked.key.counts_at(received_at):
            kid = shown(checked.key.kid)
            return "key_not_valid", f"{HEADER}: expected a key in force on arrival; {kid} was not, or is revoked."
        if checked.fault is None and sha256(value).digest()[:HASH_BYTES] not in checked.hashes:
            return "bad_signature", f"{HEADER}: expected the event's hash among those signed; came others. Was the event changed?"
        return checked.fault

    def _checked(self, entry: Source, header: bytes) -> _Checked:
        place = (entry.name, header)
        found = self._known.get(place)
        if found is None:
            found = self._known[place] = _check(entry, header)
            if len(self._known) > _KNOWN:
                self._known.popitem(last=False)
        return found


def _check(entry: Source, header: bytes) -> _Checked:
    try:
        signed = parse(header)
    except SignatureError as error:
        fault = "bad_signature", f"{HEADER}: expected a list of hashes as docs/events.md has it; came another text: {error}."
        return _Checked(entry, header, None, frozenset(), fault)
    key = entry.keys.get(signed.kid)
    if key is None:
        fault = "unknown_key", f"{HEADER}: expected one of the keys of {shown(entry.name)}; came {shown(signed.kid)}."
        return _Checked(entry, header, None, frozenset(), fault)
    if not key.verifier.fits(signed.signature, signed.signed):
        fault = "bad_signature", f"{HEADER}: expected the signature of key {shown(signed.kid)}; came another. Was it changed?"
        return _Checked(entry, header, key, frozenset(), fault)
    return _Checked(entry, header, key, signed.hashes, None)
