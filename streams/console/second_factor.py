"""One-time codes as a second factor (RFC 6238), with recovery codes; secrets lie encrypted, under a key in a file of its own.

**Source**: OWASP ASVS 4.0, V2.8 (one-time verifiers: time-based, used once), V2.6 (look-up secrets), V6.4 (keys apart); ADR 0101.
"""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

import pyotp
import segno
from cryptography.fernet import Fernet, InvalidToken

from streams.console.accounts import Account, digest_of
from streams.console.rights import needs_second_factor
from streams.console.store import Store, Writer
from streams.errors import SetupError

STEP_S = 30
WINDOW = 1
"""Steps a clock may be wrong to either side."""
RECOVERY_CODES = 10
HALF_MS = 5 * 60_000
"""So long the password counts before the code must have come."""
TRIES = 5
"""Wrong codes after one password."""


class SecondFactor:
    """Enrols accounts and judges their codes.

    Args:
        store: where secrets (encrypted) and recovery codes (digests) are kept.
        folder: where the key is kept.
        required: whether the roles that must have a second factor must: not in an invented country.

    Raises:
        SetupError: the key cannot be read or made, or is not the one the secrets in the store lie under.
    """

    def __init__(self, store: Store, folder: Path, *, required: bool = True) -> None:
        self._store = store
        self._box = Fernet(_key(folder / "second-factor.key"))
        self._required = required
        kept = store.rows("SELECT secret FROM otp LIMIT 1")
        if kept:
            self._opened(kept[0][0])  # several consoles on one store need the same key: better told at the start

    def enrolled(self, account_id: str) -> bool:
        """Returns whether an account has a second factor."""
        return bool(self._store.rows("SELECT 1 FROM otp WHERE account_id = ? AND confirmed = 1", account_id))

    def lacks(self, account: Account) -> bool:
        """Returns whether an account must have a second factor and has none."""
        return self._required and needs_second_factor(account.role) and not self.enrolled(account.id)

    def begin(self, account_id: str) -> str:
        """Returns the secret to enrol with: a new one, or that of an enrolment that was begun and not confirmed.

        Raises:
            SetupError: the account is enrolled already, or its secret cannot be read.
        """
        with self._store.writing() as writer:
            found = writer.rows("SELECT secret, confirmed FROM otp WHERE account_id = ?", account_id)
            if found and found[0][1]:
                raise SetupError("This account has a second factor already.")
            if found:
                return self._opened(found[0][0])
            secret = pyotp.random_base32()
            writer.run("INSERT INTO otp VALUES (?, ?, 0, 0)", account_id, self._box.encrypt(secret.encode()).decode())
            return secret

    def confirm(self, account_id: str, code: str, at: int) -> list[str]:
        """Ends the enrolment with a first code.

        Returns:
            The recovery codes, to be shown once; empty if the code was wrong.
        """
        with self._store.writing() as writer:
            if not self._right(writer, account_id, code, at, confirmed=0):
                return []
            writer.run("UPDATE otp SET confirmed = 1 WHERE account_id = ?", account_id)
            writer.run("DELETE FROM recovery WHERE account_id = ?", account_id)
            codes = [f"{secrets.token_hex(4)}-{secrets.token_hex(4)}" for _ in range(RECOVERY_CODES)]
            for one in codes:
                writer.run("INSERT INTO recovery VALUES (?, ?)", account_id, digest_of(one))
            return codes

    def right(self, account_id: str, code: str, at: int) -> bool:
        """Returns whether a code is good now, and uses it up: no code is good twice. A recovery code is good once."""
        with self._store.writing() as writer:
            if self._right(writer, account_id, code, at, confirmed=1):
                return True
            digest = digest_of(code.strip().lower())
            return bool(writer.run("DELETE FROM recovery WHERE account_id = ? AND digest = ?", account_id, digest))

    def recovery_left(self, account_id: str) -> int:
        """Returns how many recovery codes are left."""
        return int(self._store.rows("SELECT count(*) FROM recovery WHERE account_id = ?", account_id)[0][0])

    def forget(self, account_id: str) -> None:
        """Takes an account's second factor away."""
        with self._store.writing() as writer:
            for table in ("otp", "recovery", "half_session"):
                writer.run(f"DELETE FROM {table} WHERE account_id = ?", account_id)  # noqa: S608

    def half(self, account_id: str, at: int) -> str:
        """Returns the token of a sign-in whose password was right and whose code is missing."""
        token = secrets.token_urlsafe(32)
        with self._store.writing() as writer:
            writer.run("DELETE FROM half_session WHERE until_at < ?", at)
            writer.run("INSERT INTO half_session VALUES (?, ?, ?, 0)", digest_of(token), account_id, at + HALF_MS)
        return token

    def half_of(self, token: str, at: int) -> str:
        """Returns whose half sign-in a token is; empty if nobody's, too old or tried too often."""
        rows = self._store.rows("SELECT account_id, until_at, tries FROM half_session WHERE digest = ?", digest_of(token))
        return str(rows[0][0]) if rows and rows[0][1] > at and rows[0][2] < TRIES else ""

    def count_try(self, token: str) -> None:
        """Counts a wrong code."""
        with self._store.writing() as writer:
            writer.run("UPDATE half_session SET tries = tries + 1 WHERE digest = ?", digest_of(token))

    def end_half(self, token: str) -> None:
        """Ends a half sign-in."""
        with self._store.writing() as writer:
            writer.run("DELETE FROM half_session WHERE digest = ?", digest_of(token))

    def _right(self, writer: Writer, account_id: str, code: str, at: int, *, confirmed: int) -> bool:
        found = writer.rows("SELECT secret, last_step FROM otp WHERE account_id = ? AND confirmed = ?", account_id, confirmed)
        if not found:
            return False
        generator = pyotp.TOTP(self._opened(found[0][0]), interval=STEP_S)
        given = code.replace(" ", "").strip().encode()
        now = at // 1000 // STEP_S
        for step in range(now - WINDOW, now + WINDOW + 1):
            if step > found[0][1] and hmac.compare_digest(generator.at(step * STEP_S).encode(), given):
                writer.run("UPDATE otp SET last_step = ? WHERE account_id = ?", step, account_id)
                return True
        return False

    def _opened(self, secret: str) -> str:
        try:
            return self._box.decrypt(secret.encode()).decode()
        except InvalidToken:
            raise SetupError(
                "The second factor's key does not fit the store.",
                "Restore second-factor.key from a copy, or copy it from the console that shares this store.",
            ) from None


def picture(secret: str, name: str) -> str:
    """Returns the QR code an authenticator reads, as SVG without styles of its own."""
    uri = pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=name, issuer_name="Shekara")
    return str(segno.make(uri, error="m").svg_inline(scale=5, border=3, dark="#000", light="#fff", omitsize=False))


def _key(path: Path) -> bytes:
    try:
        if path.exists():
            if path.stat().st_mode & 0o077:
                raise SetupError(f"Others can read the second factor's key in {path}.", f"Run: chmod 600 {path}")
            return path.read_bytes().strip()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = Fernet.generate_key()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key)
    except OSError as error:
        raise SetupError(f"The second factor's key in {path} cannot be kept or read: {error}.") from error
    return key
