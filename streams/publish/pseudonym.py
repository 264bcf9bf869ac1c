"""Document numbers to pseudonyms: HMAC-SHA-256 under a versioned key (ADR 0012).

A plain hash of a passport's number can be guessed by trying all numbers; a keyed one only by whoever holds the key. The
number itself never leaves this module's caller: it is not sent, not logged, and not quoted in an error.
"""

from __future__ import annotations

import hmac
import re
import stat
from dataclasses import dataclass, field
from hashlib import sha256

from streams.errors import SetupError, UsageError
from streams.settings import Settings

MIN_KEY_BYTES = 32
"""As long as the hash: a shorter key is the easier part to guess (RFC 2104, section 3)."""

_NUMBER = re.compile(r"[A-Z0-9]{4,20}")
_SEPARATORS = str.maketrans("", "", " -./\u00a0")
_HOW = "Make a key with 'openssl rand -hex 32 > key && chmod 600 key' and set SHEKARA_PSEUDONYM_KEY_FILE=key."

MRZ_COUNTRIES = {"D": "DEU"}
"""Germany's code in machine-readable zones (ICAO 9303) is shorter than in ISO 3166-1."""


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
            document_number: as printed; case, spaces, dots and dashes do not matter.

        Raises:
            UsageError: it is no document number. The sentence does not repeat it.
        """
        number = document_number.upper().translate(_SEPARATORS)
        if not _NUMBER.fullmatch(number):
            raise UsageError(f"expected 4 to 20 letters A to Z and digits, got {len(number)} characters (not shown)")
        country = issuing_country.upper()
        country = MRZ_COUNTRIES.get(country, country)
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
