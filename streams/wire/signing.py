"""Signatures of a source: Ed25519 over a list of event hashes, carried in a header of every event of the batch.

The header ``shekara-signature`` of an event holds the whole list, so that each event can be checked by itself, in whatever
partition it lies and however often it is read again; whoever checks keeps the lists he has verified, so that a batch costs one
Ed25519 verification and an event one SHA-256 and one look-up. Within a Kafka batch the list compresses well (ADR 0016).

    01 | length of kid (1) | kid (ASCII) | number of the batch (8) | events (2) | signature (64) | hashes (16 each)

Integers are most significant first. A hash is the first 16 bytes of SHA-256 of a message's value. Signed is
``shekara-batch-v1``, a zero byte, and the header without its signature.
"""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from streams.errors import SetupError, UsageError

if TYPE_CHECKING:
    from streams.records import CountStatement
    from streams.settings import Settings

HEADER = "shekara-signature"
"""Name of the Kafka header."""

BATCH_EVENTS = 96
"""Events under one signature that the SDK makes: one Ed25519 check then costs an event some 1 µs, the list 1.5 kilobytes."""

MAX_BATCH_EVENTS = 1024
"""Events under one signature that are read; more would make every header larger than many events."""

HASH_BYTES = 16
SIGNATURE_BYTES = 64
MAX_KID = 32

_BATCH = b"shekara-batch-v1\x00"
_STATEMENT = "shekara-statement-v1"
_VERSION = 1


def signature_in(headers: Sequence[tuple[str, bytes]]) -> bytes | None:
    """Returns the header that holds a message's signature; none if there is none."""
    for name, value in headers:
        if name == HEADER:
            return value
    return None


class SignatureError(Exception):
    """A header that is no signature, or does not fit what it signs."""


def hash_of(value: bytes) -> bytes:
    """Returns what stands for a message in a list of hashes: 16 bytes."""
    return sha256(value).digest()[:HASH_BYTES]


def is_kid(text: str) -> bool:
    """Returns whether a text can name a key: 1 to 32 ASCII letters, digits, dots, dashes, underscores."""
    return 0 < len(text) <= MAX_KID and text.isascii() and all(one.isalnum() or one in "-._" for one in text)


@dataclass(frozen=True, slots=True)
class SignedList:
    """What a header says; nothing is checked yet.

    Attributes:
        kid: name of the key.
        number: of the batch at its key, 1, 2, 3, …
        hashes: of the events.
        signature: Ed25519.
        signed: what it is over.
    """

    kid: str
    number: int
    hashes: frozenset[bytes]
    signature: bytes
    signed: bytes


def parse(header: bytes) -> SignedList:
    """Reads a header.

    Raises:
        SignatureError: it is not of the form above.
    """
    length = header[1] if len(header) > 1 else 0
    start = 2 + length
    if len(header) < start + 10 + SIGNATURE_BYTES or header[0] != _VERSION:
        raise SignatureError("it is too short, or of another version")
    try:
        kid = header[2:start].decode("ascii")
    except UnicodeDecodeError:
        kid = ""
    if not is_kid(kid):
        raise SignatureError("it names no key")
    number, count = int.from_bytes(header[start : start + 8], "big"), int.from_bytes(header[start + 8 : start + 10], "big")
    body = start + 10 + SIGNATURE_BYTES
    if not 0 < count <= MAX_BATCH_EVENTS or len(header) != body + count * HASH_BYTES:
        raise SignatureError(f"it is not as long as a list of {count} hashes")
    hashes = frozenset(header[at : at + HASH_BYTES] for at in range(body, len(header), HASH_BYTES))
    signed = _BATCH + header[: start + 10] + header[body:]
    return SignedList(kid, number, hashes, header[start + 10 : body], signed)


class Verifier:
    """One public key.

    Args:
        public: 32 bytes.

    Raises:
        UsageError: they are no key.
        SetupError: the cryptography package is not installed.
    """

    def __init__(self, public: bytes) -> None:
        ed25519 = _ed25519()
        try:
            self._key: Any = ed25519.Ed25519PublicKey.from_public_bytes(public)
        except ValueError as error:
            raise UsageError(f"Expected an Ed25519 public key of 32 bytes; came {len(public)} bytes.") from error

    def fits(self, signature: bytes, signed: bytes) -> bool:
        """Returns whether the key made a signature."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._key.verify(signature, signed)
        except InvalidSignature:
            return False
        return True


class Signer:
    """A source's private key; signs batches and statements.

    Args:
        kid: its name in the register of sources.
        private: 32 bytes.
        number: number of the last batch signed.

    Raises:
        UsageError: no key can be called so, or the bytes are no key.
        SetupError: the cryptography package is not installed.
    """

    def __init__(self, kid: str, private: bytes, number: int = 0) -> None:
        if not is_kid(kid):
            raise UsageError(f"Expected a key's name of 1 to {MAX_KID} letters, digits, dots or dashes; got {kid!r}.")
        if len(private) != 32:
            raise UsageError(f"Expected an Ed25519 private key of 32 bytes; came {len(private)}.")
        self.kid = kid
        self.number = number
        self._key: Any = _ed25519().Ed25519PrivateKey.from_private_bytes(private)
        self._start = bytes([_VERSION, len(kid)]) + kid.encode("ascii")

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes: what the register of sources holds."""
        raw: bytes = self._key.public_key().public_bytes_raw()
        return raw

    def header(self, values: Sequence[bytes]) -> bytes:
        """Returns the header of every message of a batch.

        Args:
            values: the messages' values, 1 to ``MAX_BATCH_EVENTS``.
        """
        self.number += 1
        before = self._start + self.number.to_bytes(8, "big") + len(values).to_bytes(2, "big")
        hashes = b"".join([sha256(value).digest()[:HASH_BYTES] for value in values])
        signature: bytes = self._key.sign(_BATCH + before + hashes)
        return before + signature + hashes

    def sign(self, content: bytes) -> bytes:
        """Returns the signature of anything; whoever calls begins it with words that say what it is."""
        signature: bytes = self._key.sign(content)
        return signature

    def sign_statement(self, statement: CountStatement) -> bytes:
        """Returns the signature of a statement of counts, whose ``kid`` is this key's."""
        return self.sign(statement_text(statement))


def statement_text(statement: CountStatement) -> bytes:
    """Returns what is signed of a statement of counts: its fields, a line each, UTF-8."""
    from streams.wire.jsonform import date_text

    lines = (
        _STATEMENT,
        statement.source,
        statement.subject,
        date_text(statement.day_on),
        statement.first_seq,
        statement.last_seq,
        statement.events,
        statement.crossings,
        statement.digest.hex(),
        statement.kid or "",
    )
    return "\n".join(str(line) for line in lines).encode()


def signer_of(settings: Settings) -> Signer | None:
    """Returns the signer the settings name; none if they name none.

    Raises:
        SetupError: the key cannot be read, others can read it, or it is no key.
    """
    path = settings.signing_key_file
    if path is None:
        return None
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SetupError(f"The signing key {path} can be read by others.", f"Run: chmod 600 {path}")
        private = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise SetupError(f"The signing key {path} cannot be read: {type(error).__name__}.", _HOW) from error
    if not settings.signing_kid:
        raise SetupError("A signing key needs its name in the register of sources.", "Set SHEKARA_SIGNING_KID.")
    try:
        return Signer(settings.signing_kid, private)
    except UsageError as error:
        raise SetupError(f"The signing key {path} cannot be used: {error.what}", _HOW) from error


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise SetupError(
            "Signatures need the package cryptography, and it is not installed.", "Install it: pip install 'shekara[spool]'."
        ) from error
    return ed25519


_HOW = "Make one with 'shekara sources key NAME'; see docs/events.md, “Signatures”."
