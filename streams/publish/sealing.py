"""Encryption at rest, of the spool and of the vault: AES-256-GCM under keys that lie in a file of their own.

A stolen disk or a lost USB stick must not tell who crossed where. The key file belongs on other media than what it seals:
a system drive with disk encryption, a TPM-backed folder, a smart card's mount.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from hashlib import sha256
from pathlib import Path
from typing import Any

from streams.errors import IntegrityError, SetupError

KEY_BYTES = 32
ID_BYTES = 4
NONCE_BYTES = 12


class UnsealError(IntegrityError):
    """Sealed bytes were changed, belong to another place, or to a key that is not in the key file."""


class Keys:
    """Seals under the first key; opens what any of the keys sealed.

    With random 96-bit nonces one key is good for 2**32 rows (NIST SP 800-38D, section 8.3): 68 years at two events a second.

    Args:
        keys: 32 bytes each; the first is in use, the others are past ones.

    Raises:
        SetupError: the cryptography package is not installed.
    """

    def __init__(self, keys: list[bytes]) -> None:
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError as error:
            raise SetupError(
                "What is kept on disk is encrypted, and the package cryptography is not installed.", _INSTALL
            ) from error
        self._ciphers: dict[bytes, Any] = {sha256(key).digest()[:ID_BYTES]: AESGCM(key) for key in keys}
        self._current = sha256(keys[0]).digest()[:ID_BYTES]
        # Derived, because a key that seals should do nothing else.
        self._marking = [hmac.digest(key, b"shekara mark", sha256) for key in keys]

    def seal(self, value: bytes, place: bytes) -> bytes:
        """Returns the sealed bytes.

        Args:
            value: what to seal.
            place: what it belongs to; opening it elsewhere fails.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed: bytes = self._ciphers[self._current].encrypt(nonce, value, place)
        return self._current + nonce + sealed

    def is_current(self, sealed: bytes) -> bool:
        """Returns whether something was sealed under the key in use."""
        return sealed[:ID_BYTES] == self._current

    def marks(self, value: bytes) -> list[bytes]:
        """Returns 16 bytes by which equal values are found again without opening what is sealed: one under each key, the
        one in use first. Who has no key cannot tell what value a mark stands for, only that two are equal."""
        return [hmac.digest(key, value, sha256)[:16] for key in self._marking]

    def unseal(self, sealed: bytes, place: bytes) -> bytes:
        """Returns what was sealed.

        Raises:
            UnsealError: it is not what was sealed for this place under one of the keys.
        """
        from cryptography.exceptions import InvalidTag

        cipher = self._ciphers.get(sealed[:ID_BYTES])
        if cipher is None:
            raise UnsealError("It was sealed under a key that is not in the key file.", "Put that key back as a further line.")
        try:
            value: bytes = cipher.decrypt(sealed[ID_BYTES : ID_BYTES + NONCE_BYTES], sealed[ID_BYTES + NONCE_BYTES :], place)
        except (InvalidTag, ValueError):
            raise UnsealError("The sealed bytes were changed or belong elsewhere.", "Restore the file from a copy.") from None
        return value


_INSTALL = "Install it: pip install 'shekara[spool]'."


def keys_in(path: Path, *, create: bool = False) -> Keys:
    """Returns the keys of a file: one of 64 hexadecimal digits a line, the first in use.

    Args:
        path: the key file; only its owner may read it.
        create: whether to make a key if there is no file.

    Raises:
        SetupError: the file is missing, readable by others or not of this form.
    """
    try:
        if create and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(secrets.token_hex(KEY_BYTES) + "\n")
                file.flush()
                os.fsync(file.fileno())
        if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SetupError(f"The key file {path} can be read by others.", f"Run: chmod 600 {path}")
        lines = path.read_text("ascii").split()
        keys = [bytes.fromhex(line) for line in lines]
    except FileNotFoundError as error:
        raise SetupError(
            f"The key file {path} is not there; without it what was sealed cannot be read.",
            "Put it back, or name it. A new spool makes its own; for a vault: openssl rand -hex 32 > FILE && chmod 600 FILE.",
        ) from error
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise SetupError(f"The key file {path} cannot be read: {type(error).__name__}.", _FORM) from error
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise SetupError(f"The key file {path} has no key, or one that is not {KEY_BYTES} bytes long.", _FORM)
    return Keys(keys)


_FORM = "Expected one key of 64 hexadecimal digits a line: openssl rand -hex 32"
