"""Document numbers to pseudonyms: HMAC-SHA-256 under a versioned key (ADR 0012).

A plain hash of a passport's number can be guessed by trying all numbers; a keyed one only by whoever holds the key. The
number itself never leaves this module's caller: it is not sent, not logged, and not quoted in an error.
"""

from __future__ import annotations

import hmac
import stat
from dataclasses import dataclass, field
from hashlib import sha256

from streams.documents import DocumentError, TravelDocument
from streams.documents.number import COUNTRIES, canonical_number
from streams.errors import SetupError, UsageError
from streams.settings import Settings

MIN_KEY_BYTES = 32
"""As long as the hash: a shorter key is the easier part to guess (RFC 2104, section 3)."""

_HOW = "Make a key with 'openssl rand -hex 32 > key && chmod 600 key' and set SHEKARA_PSEUDONYM_KEY_FILE=key."


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Makes pseudonyms under one key.

    Attributes:
        version: version of the key, 1, 2, …
        key: at least 32 bytes; never shown.
    """

    version: int
    key: bytes = field(repr=False)

    def person(self, issuing_country: str, document_number: str) -> str:
        """Returns the pseudonym of the holder of a travel document.

        Args:
            issuing_country: ISO 3166-1 alpha-3 or ICAO 9303 code of the issuer.
            document_number: as printed; case, spaces, dots, dashes and Cyrillic letters that look Latin do not matter.

        Raises:
            UsageError: it is no document number. The sentence does not repeat it.
        """
        try:
            number = canonical_number(document_number)
        except DocumentError as error:
            raise UsageError(f"expected {error.expected}, got {error.came}") from None
        country = issuing_country.upper()
        country = COUNTRIES.get(country, country)
        return self._made(country, number)

    def holder(self, document: TravelDocument) -> str:
        """Returns the pseudonym of a document's holder: of its issuer and number alone, so that a name changed or
        written otherwise is the same holder."""
        return self._made(document.issuing_country, document.number)

    def _made(self, country: str, number: str) -> str:
        message = b"\x1f".join((b"document", country.encode(), number.encode()))
        return f"p{self.version}-{hmac.digest(self.key, message, sha256).hex()[:32]}"


def pseudonyms(settings: Settings) -> Pseudonyms:
    """Returns what makes pseudonyms under the key in the settings.

    Raises:
        SetupError: there is no key, it is too short, not hexadecimal, or its file is open to others.
    """
    text = settings.pseudonym_key.get_secret_value()
    path = settings.pseudonym_key_file
    where = "SHEKARA_PSEUDONYM_KEY"
    if path is not None:
        if text:
            raise SetupError("Both SHEKARA_PSEUDONYM_KEY and SHEKARA_PSEUDONYM_KEY_FILE are set.", "Set one of them.")
        where = str(path)
        try:
            mode = path.stat().st_mode
            text = path.read_text("ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise SetupError(f"The pseudonym key {path} cannot be read: {type(error).__name__}.", _HOW) from error
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SetupError(f"The pseudonym key {path} can be read by others.", f"Run: chmod 600 {path}")
    text = text.strip()
    if not text:
        raise SetupError("Document numbers become pseudonyms under a secret key, and there is none.", _HOW)
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise SetupError(f"The pseudonym key in {where} is not hexadecimal.", _HOW) from None
    if len(key) < MIN_KEY_BYTES:
        raise SetupError(f"The pseudonym key in {where} has {len(key)} bytes; expected {MIN_KEY_BYTES} or more.", _HOW)
    return Pseudonyms(settings.pseudonym_key_version, key)
