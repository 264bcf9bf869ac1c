"""Whether an event was signed by its source: decided by data and the message alone, so that a replay says the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256

from streams import metrics
from streams.decode.envelope import Fault, shown
from streams.decode.sources import Source
from streams.wire.signing import HASH_BYTES, HEADER, SignatureError, SignedList, parse

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


class SignatureCheck:
    """Checks events of sources whose entry in the register asks for it."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, SignedList | None] = OrderedDict()
        self._verified: OrderedDict[tuple[str, bytes], bool] = OrderedDict()

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
        metrics.SIGNATURES.labels(fault[0] if fault else "good").inc()
        return fault if entry.signatures == "strict" else None

    def _fault(self, entry: Source, value: bytes, headers: Headers, received_at: int) -> Fault | None:
        header = signature_in(headers)
        if header is None:
            return "unsigned", f"{HEADER}: expected the header of a signed event of {shown(entry.name)}; came none. Sign it."
        signed = self._signed(header)
        if signed is None:
            return "bad_signature", f"{HEADER}: expected a list of hashes as docs/events.md has it; came something else."
        key = entry.keys.get(signed.kid)
        if key is None:
            return "unknown_key", f"{HEADER}: expected one of the keys of {shown(entry.name)}; came {shown(signed.kid)}."
        if not key.counts_at(received_at):
            return "key_not_valid", f"{HEADER}: expected a key in force on arrival; {shown(signed.kid)} was not, or is revoked."
        place = (entry.name, header)
        fits = self._verified.get(place)
        if fits is None:
            fits = key.verifier.fits(signed.signature, signed.signed)
            self._verified[place] = fits
            if len(self._verified) > _KNOWN:
                self._verified.popitem(last=False)
        if not fits or sha256(value).digest()[:HASH_BYTES] not in signed.hashes:
            what = "the event's hash among those signed" if fits else f"the signature of key {shown(signed.kid)}"
            return "bad_signature", f"{HEADER}: expected {what}; came another. Was the message changed on its way?"
        return None

    def _signed(self, header: bytes) -> SignedList | None:
        if header in self._known:
            return self._known[header]
        try:
            found: SignedList | None = parse(header)
        except SignatureError:
            found = None
        self._known[header] = found
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        return found
