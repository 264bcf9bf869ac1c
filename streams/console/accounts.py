"""Accounts: argon2id, lock-out, one-time links. No password is ever chosen by us, shown to an administrator, or logged.

**Source**: OWASP ASVS 4.0, V2.1 (length, not too common), V2.2 (lock-out), V2.4.1 (argon2id); ADR 0090.
"""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from hashlib import sha256
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from streams.console.rights import ROLES, sees_one_oblast
from streams.console.store import Store, Writer
from streams.errors import UsageError

MIN_LENGTH = 12
MAX_LENGTH = 200
FREE_FAILURES = 5
"""Wrong passwords in a row before the account rests."""
LOCK_MS = 15 * 60_000
INVITATION_MS = 24 * 3_600_000
HASHED_AT_ONCE = 4
"""Each hash takes 64 MB on purpose: a crowd at the door waits in line instead of filling the memory."""
_LONGEST_NAME = 64

_TOO_COMMON = ("password", "parol", "пароль", "құпиясөз", "qwerty", "йцукен", "qwertyuiop", "shekara", "шекара")
_COLUMNS = (
    "id, name, role, oblast, officer, disabled, password <> '', "
    "(SELECT issuer FROM identity WHERE identity.account_id = account.id)"
)


@dataclass(frozen=True, slots=True)
class Account:
    """One account.

    Attributes:
        id: random.
        name: with which a person signs in.
        role: one of `rights.ROLES`.
        oblast: the one oblast an oblast operator sees; empty for everyone else.
        officer: pseudonym under which decisions leave, ``o1-…``.
        disabled: may not sign in.
        issuer: the sign-in provider that says who they are; empty: they have a password here.
        has_password: whether there is a password; without one and without a provider, a link waits to be used.
    """

    id: str
    name: str
    role: str
    oblast: str
    officer: str
    disabled: bool
    issuer: str = ""
    has_password: bool = False


class Accounts:
    """Makes accounts and lets people in.

    Args:
        store: where they are kept.
        hasher: argon2id; tests may make it cheap.
    """

    def __init__(self, store: Store, hasher: PasswordHasher | None = None) -> None:
        self._store = store
        self._hasher = hasher or PasswordHasher()
        self._hashing = BoundedSemaphore(HASHED_AT_ONCE)
        # Someone unknown costs as much time as someone known.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(32))

    def all(self) -> list[Account]:
        """Returns every account by name."""
        rows = self._store.rows(f"SELECT {_COLUMNS} FROM account ORDER BY name")  # noqa: S608
        return [_account(row) for row in rows]

    def one(self, account_id: str) -> Account | None:
        """Returns an account; none if there is none."""
        rows = self._store.rows(f"SELECT {_COLUMNS} FROM account WHERE id = ?", account_id)  # noqa: S608
        return _account(rows[0]) if rows else None

    def named(self, name: str) -> Account | None:
        """Returns the account somebody means who types a name; none if there is none."""
        rows = self._store.rows(f"SELECT {_COLUMNS} FROM account WHERE name = ?", _folded(name))  # noqa: S608
        return _account(rows[0]) if rows else None

    def invite(self, name: str, role: str, oblast: str, at: int) -> tuple[Account, str]:
        """Makes an account without a password, and a one-time token with which its owner chooses one.

        Raises:
            UsageError: name, role or oblast will not do, or the name is taken. ``what`` is a key of the texts.
        """
        name = _folded(name)
        if not _is_name(name):
            raise UsageError("account.bad_name")
        if role not in ROLES or bool(oblast) != sees_one_oblast(role):
            raise UsageError("account.bad_role")
        account = Account(secrets.token_hex(16), name, role, oblast, f"o1-{secrets.token_hex(16)}", disabled=False)
        with self._store.writing() as writer:
            if writer.rows("SELECT 1 FROM account WHERE name = ?", name):
                raise UsageError("account.name_taken")
            writer.run(
                "INSERT INTO account VALUES (?, ?, ?, ?, ?, '', 0, 0, ?, 0)", account.id, name, role, oblast, account.officer, at
            )
            token = _invitation(writer, account.id, at)
        return account, token

    def invite_again(self, account_id: str, at: int) -> str:
        """Returns a new one-time token; the old password and all sessions end."""
        with self._store.writing() as writer:
            writer.run("UPDATE account SET password = '', failures = 0, locked_until_at = 0 WHERE id = ?", account_id)
            writer.run("DELETE FROM session WHERE account_id = ?", account_id)
            return _invitation(writer, account_id, at)

    def invited(self, token: str, at: int) -> Account | None:
        """Returns whose one-time token this is; none if nobody's, used or too old."""
        rows = self._store.rows("SELECT account_id FROM invitation WHERE digest = ? AND expires_at > ?", digest_of(token), at)
        return self.one(rows[0][0]) if rows else None

    def accept(self, token: str, password: str, at: int) -> Account:
        """Sets the password of whoever holds the token, and uses the token up.

        Raises:
            UsageError: the token is not good, or the password will not do. ``what`` is a key of the texts.
        """
        account = self.invited(token, at)
        if account is None:
            raise UsageError("setup.bad_link")
        hashed = self.hash(account.name, password)
        with self._store.writing() as writer:
            if not writer.run("DELETE FROM invitation WHERE digest = ?", digest_of(token)):
                raise UsageError("setup.bad_link")
            writer.run("UPDATE account SET password = ?, failures = 0, locked_until_at = 0 WHERE id = ?", hashed, account.id)
            writer.run("DELETE FROM session WHERE account_id = ?", account.id)
        return account

    def hash(self, name: str, password: str) -> str:
        """Returns the argon2id hash of a password.

        Raises:
            UsageError: it is too short, too long, too common or contains the name. ``what`` is a key of the texts.
        """
        password = unicodedata.normalize("NFKC", password)
        if len(password) < MIN_LENGTH:
            raise UsageError("password.too_short")
        if len(password) > MAX_LENGTH:
            raise UsageError("password.too_long")
        low = password.lower()
        # What is left of "Password-2026!" without digits and signs is still "password".
        letters = "".join(c for c in low if c.isalpha())
        if name in low or len(set(password)) < 5 or not letters or letters in _TOO_COMMON:
            raise UsageError("password.too_easy")
        return self._hasher.hash(password)

    def change(self, account_id: str, old: str, new: str, at: int) -> None:
        """Sets another password for whoever knows the old one, and ends all of their sessions.

        A wrong old password counts as one at the door: who found a desk unlocked cannot try for long.

        Raises:
            UsageError: the old one is wrong or the account rests (``password.wrong``: the answer does not tell which), or the new
                one will not do. ``what`` is a key of the texts.
        """
        rows = self._store.rows("SELECT name, password, locked_until_at FROM account WHERE id = ? AND disabled = 0", account_id)
        name, hashed, locked_until_at = rows[0] if rows else ("", "", 0)
        right = self._matches(hashed or self._nobody, _as_typed(old)) and bool(hashed)
        if not right or locked_until_at > at:
            if rows and locked_until_at <= at:
                self.failed(account_id, at)
            raise UsageError("password.wrong")
        if self._matches(hashed, _as_typed(new)):
            raise UsageError("password.same")
        made = self.hash(name, new)
        with self._store.writing() as writer:
            # Somebody may have changed it meanwhile: then the old one is no longer the old one.
            changed = writer.run(
                "UPDATE account SET password = ?, failures = 0, locked_until_at = 0 WHERE id = ? AND password = ?",
                made, account_id, hashed,
            )  # fmt: skip
            if not changed:
                raise UsageError("password.wrong")
            writer.run("DELETE FROM session WHERE account_id = ?", account_id)
            writer.run("DELETE FROM invitation WHERE account_id = ?", account_id)

    def vouched(self, issuer: str, subject: str) -> Account | None:
        """Returns the account of somebody a sign-in provider has vouched for before; none if it has not."""
        rows = self._store.rows("SELECT account_id FROM identity WHERE issuer = ? AND subject = ?", issuer, subject)
        return self.one(str(rows[0][0])) if rows else None

    def known_by(self, issuer: str, subject: str, name: str, role: str, oblast: str, *, at: int) -> Account:
        """Returns the account of somebody a sign-in provider vouches for, with the role of today; makes it the first time.

        A local account of the same name stays its owner's: the new one is called differently.

        Args:
            issuer: the provider.
            subject: who, for the provider, for ever.
            name: what the provider calls them; only how they are shown.
            role: what they may be today.
            oblast: of an oblast operator; else empty.
            at: UTC epoch ms.
        """
        with self._store.writing() as writer:
            found = writer.rows("SELECT account_id FROM identity WHERE issuer = ? AND subject = ?", issuer, subject)
            if found:
                account_id = str(found[0][0])
                # What was begun under another role is not gone on with.
                if writer.run(
                    "UPDATE account SET role = ?, oblast = ? WHERE id = ? AND (role <> ? OR oblast <> ?)",
                    role, oblast, account_id, role, oblast,
                ):  # fmt: skip
                    writer.run("DELETE FROM session WHERE account_id = ?", account_id)
            else:
                account_id = secrets.token_hex(16)
                free = _free_name(writer, name, f"{issuer} {subject}")
                officer = f"o1-{secrets.token_hex(16)}"
                writer.run(
                    "INSERT INTO account VALUES (?, ?, ?, ?, ?, '', 0, 0, ?, 0)", account_id, free, role, oblast, officer, at
                )
                writer.run("INSERT INTO identity VALUES (?, ?, ?)", issuer, subject, account_id)
            columns = writer.rows(f"SELECT {_COLUMNS} FROM account WHERE id = ?", account_id)  # noqa: S608
        return _account(columns[0])

    def let_in(self, name: str, password: str, at: int) -> Account:
        """Returns the account whose name and password these are.

        Raises:
            UsageError: they are nobody's (``sign_in.wrong``), whoever is asked for, locked or not: the answer does not tell.
        """
        name = _folded(name)
        password = _as_typed(password)
        rows = self._store.rows("SELECT id, password, locked_until_at, disabled FROM account WHERE name = ?", name)
        account_id, hashed, locked_until_at, disabled = rows[0] if rows else ("", "", 0, 0)
        right = self._matches(hashed or self._nobody, password) and bool(hashed)
        if not right or locked_until_at > at or disabled:
            if account_id and locked_until_at <= at:
                with self._store.writing() as writer:
                    self._count_failure(writer, account_id, at)
            raise UsageError("sign_in.wrong")
        with self._store.writing() as writer:
            # Who has a second factor is through only with its code: else the password would wipe out wrong codes.
            writer.run(
                "UPDATE account SET failures = 0, locked_until_at = 0 WHERE id = ? "
                "AND NOT EXISTS (SELECT 1 FROM otp WHERE otp.account_id = account.id AND confirmed = 1)",
                account_id,
            )
            if self._hasher.check_needs_rehash(hashed):
                writer.run("UPDATE account SET password = ? WHERE id = ?", self._hasher.hash(password), account_id)
        found = self.one(account_id)
        if found is None:
            raise UsageError("sign_in.wrong")
        return found

    def failed(self, account_id: str, at: int) -> None:
        """Counts a wrong code as a wrong password."""
        with self._store.writing() as writer:
            self._count_failure(writer, account_id, at)

    def passed(self, account_id: str) -> None:
        """Forgets the wrong codes of whoever gave the right one."""
        with self._store.writing() as writer:
            writer.run("UPDATE account SET failures = 0, locked_until_at = 0 WHERE id = ?", account_id)

    def is_locked(self, name: str, at: int) -> bool:
        """Returns whether an account rests after too many wrong passwords (for the audit, not for the page)."""
        rows = self._store.rows("SELECT locked_until_at FROM account WHERE name = ?", _folded(name))
        return bool(rows) and rows[0][0] > at

    def disable(self, account_id: str, *, disabled: bool) -> None:
        """Keeps an account out, or lets it in again; its sessions end."""
        with self._store.writing() as writer:
            writer.run("UPDATE account SET disabled = ? WHERE id = ?", int(disabled), account_id)
            writer.run("DELETE FROM session WHERE account_id = ?", account_id)

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            with self._hashing:
                return self._hasher.verify(hashed, password)
        except (Argon2Error, InvalidHashError):
            return False

    def _count_failure(self, writer: Writer, account_id: str, at: int) -> None:
        writer.run("UPDATE account SET failures = failures + 1 WHERE id = ?", account_id)
        writer.run(
            "UPDATE account SET locked_until_at = ?, failures = 0 WHERE id = ? AND failures >= ?",
            at + LOCK_MS,
            account_id,
            FREE_FAILURES,
        )


def digest_of(token: str) -> str:
    """Returns what is kept of a secret token: whoever reads the store cannot use it."""
    return sha256(token.encode()).hexdigest()


def _invitation(writer: Writer, account_id: str, at: int) -> str:
    token = secrets.token_urlsafe(32)
    writer.run("DELETE FROM invitation WHERE account_id = ? OR expires_at < ?", account_id, at)
    writer.run("INSERT INTO invitation VALUES (?, ?, ?)", digest_of(token), account_id, at + INVITATION_MS)
    return token


def _account(row: tuple[object, ...]) -> Account:
    account_id, name, role, oblast, officer, disabled, has_password, issuer = row
    return Account(
        str(account_id),
        str(name),
        str(role),
        str(oblast),
        str(officer),
        disabled=bool(disabled),
        issuer=str(issuer or ""),
        has_password=bool(has_password),
    )


def _as_typed(password: str) -> str:
    """Returns a password as it is compared: however a keyboard composed it; no longer than one can be."""
    return unicodedata.normalize("NFKC", password)[: MAX_LENGTH + 1]


def _folded(name: str) -> str:
    """Returns a name as it is kept: however it was typed."""
    return unicodedata.normalize("NFKC", name).strip().lower()


def _is_name(name: str) -> bool:
    return 2 <= len(name) <= _LONGEST_NAME and all(c.isalnum() or c in "._-@" for c in name)


def _free_name(writer: Writer, wanted: str, identity: str) -> str:
    """Returns a name nobody has: as wanted, else with a piece of the identity's digest behind it."""
    digest = sha256(identity.encode()).hexdigest()
    low = "".join(c for c in unicodedata.normalize("NFKC", wanted).lower() if c.isalnum() or c in "._-@")[: _LONGEST_NAME - 9]
    stem = low if _is_name(low) else "officer"
    for name in (low, f"{stem}-{digest[:8]}"):
        # The first local administrator's name is kept free for them.
        if _is_name(name) and name != "administrator" and not writer.rows("SELECT 1 FROM account WHERE name = ?", name):
            return name
    return f"{stem[:20]}-{digest[:32]}"
