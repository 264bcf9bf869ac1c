"""Whether an event was signed by its source: decided by data and the message alone, so that a replay says the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from streams import metrics
from streams.decode.envelope import Fault, shown
from streams.decode.sources import Source, SourceKey
from streams.wire.signing import HASH_BYTES, HEADER, SignatureError, parse, signature_in

Headers = Sequence[tuple[str, bytes]]
"""A message's headers as Kafka clients give them."""

_KNOWN = 4096
"""Headers remembered with what was found: at a kilobyte or two each a few megabytes. A partition's batches follow each other,
so the header of an event is nearly always one just seen."""


@dataclass(frozen=True, slots=True)
class _Checked:
    """What was found of one header, for one entry of the register.

    Attributes:
        entry: of the source.
        header: the header.
        key: that it names; none if the entry has no such key.
        hashes: of the events, if the signature fits; none of them otherwise.
        fault: why no event can count as signed by it; none if it fits.
        from_at: first arrival at which its key counts, UTC epoch ms.
        until_at: first arrival at which it no longer does.
    """

    entry: Source | None
    header: bytes
    key: SourceKey | None
    hashes: frozenset[bytes]
    fault: Fault | None
    from_at: int = 0
    until_at: int = 0


_NOTHING = _Checked(None, b"", None, frozenset(), None)


class SignatureCheck:
    """Checks events of sources whose entry in the register asks for it."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, bytes], _Checked] = OrderedDict()
        self._last = _NOTHING
        self._good: Callable[[], None] = metrics.SIGNATURES.labels("good").inc

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
        last = self._last
        header = headers[0][1] if headers and headers[0][0] == HEADER else signature_in(headers)
        # What nearly every event needs, and nothing more: the last header is compared, not hashed.
        if (
            header == last.header
            and entry is last.entry
            and last.from_at <= received_at < last.until_at
            and sha256(value).digest()[:HASH_BYTES] in last.hashes
        ):
            self._good()
            return None
        fault = self._fault(entry, value, header, received_at)
        if fault is None:
            self._good()
            return None
        metrics.SIGNATURES.labels(fault[0]).inc()
        return fault if entry.signatures == "strict" else None

    def _fault(self, entry: Source, value: bytes, header: bytes | None, received_at: int) -> Fault | None:
        if header is None:
            return "unsigned", f"{HEADER}: expected the header of a signed event of {shown(entry.name)}; came none. Sign it."
        checked = self._last = self._checked(entry, header)
        if checked.key is None:
            return checked.fault
        if not checked.from_at <= received_at < checked.until_at:
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
        return _Checked(entry, header, key, frozenset(), fault, *key.counts)
    return _Checked(entry, header, key, signed.hashes, None, *key.counts)
