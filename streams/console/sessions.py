"""Sessions on the server: the browser holds a random token, the store its digest.

**Source**: OWASP ASVS 4.0, V3: new token at sign-in, ends when idle and after a shift, ends at sign-out.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from streams.console.accounts import Account, Accounts, digest_of
from streams.console.store import Store

IDLE_MS = 60 * 60_000
LONGEST_MS = 13 * 3_600_000
"""A night shift and its hand-over."""
_SEEN_EVERY_MS = 60_000


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser.

    Attributes:
        digest: digest of its token.
        account: whose.
        csrf: what every form that changes something must carry.
    """

    digest: str
    account: Account
    csrf: str

    def allows(self, csrf: str) -> bool:
        """Returns whether a form comes from a page of this session."""
        return hmac.compare_digest(self.csrf.encode(), csrf.encode())


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(self, store: Store, accounts: Accounts) -> None:
        self._store = store
        self._accounts = accounts

    def begin(self, account: Account, at: int) -> str:
        """Returns the token of a new session."""
        token = secrets.token_urlsafe(32)
        with self._store.writing() as writer:
            writer.run("DELETE FROM session WHERE seen_at < ? OR created_at < ?", at - IDLE_MS, at - LONGEST_MS)
            writer.run(
                "INSERT INTO session VALUES (?, ?, ?, ?, ?)", digest_of(token), account.id, secrets.token_urlsafe(24), at, at
            )
        return token

    def find(self, token: str, at: int) -> Session | None:
        """Returns the session of a token; none if it ended or its account may not sign in any more."""
        if not token:
            return None
        digest = digest_of(token)
        rows = self._store.rows("SELECT account_id, csrf, created_at, seen_at FROM session WHERE digest = ?", digest)
        if not rows:
            return None
        account_id, csrf, created_at, seen_at = rows[0]
        account = self._accounts.one(account_id)
        if account is None or account.disabled or at - seen_at > IDLE_MS or at - created_at > LONGEST_MS:
            self.end(digest)
            return None
        if at - seen_at > _SEEN_EVERY_MS:
            with self._store.writing() as writer:
                writer.run("UPDATE session SET seen_at = ? WHERE digest = ?", at, digest)
        return Session(digest, account, csrf)

    def peek(self, token: str, at: int) -> Session | None:
        """Returns the session of a token as `find`, but does not take the question for a sign of life of its owner."""
        rows = self._store.rows("SELECT account_id, csrf, created_at, seen_at FROM session WHERE digest = ?", digest_of(token))
        if not rows:
            return None
        account_id, csrf, created_at, _ = rows[0]
        account = self._accounts.one(account_id)
        if account is None or account.disabled or at - created_at > LONGEST_MS:
            return None
        return Session(digest_of(token), account, csrf)

    def end_others(self, session: Session | None) -> None:
        """Ends every other session of a session's account."""
        if session is not None:
            with self._store.writing() as writer:
                writer.run("DELETE FROM session WHERE account_id = ? AND digest <> ?", session.account.id, session.digest)

    def end(self, digest: str) -> None:
        """Ends a session."""
        with self._store.writing() as writer:
            writer.run("DELETE FROM session WHERE digest = ?", digest)
