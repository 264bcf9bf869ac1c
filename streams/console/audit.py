"""Who looked at what, when and why: a chain of hashes, with signed checkpoints beside it (ADR 0091).

Every line carries the digest of the line before it, so a changed or removed line breaks the chain behind it. A removed end
would not: therefore checkpoints, signed with a key of their own, are appended to a second file.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from streams.console.store import Store, Writer
from streams.errors import IntegrityError, SetupError

GENESIS = "0" * 64
CHECKPOINT_EVERY = 100
"""Lines between two checkpoints, about: the first line written alone behind so many is followed by one; so is the end."""

_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the audit.

    Attributes:
        seq: 1, 2, … without holes.
        at: UTC epoch ms.
        actor: officer's pseudonym, or ``system``.
        action: what was done, e.g. ``see_person``.
        object: to what: an alert's or case's id, an account's id; never a person's data.
        reason: the reason given; where the work itself is the reason, what it was: the alert's rule and state, the case's stage.
        previous: digest of the line before.
        digest: digest of this line.
    """

    seq: int
    at: int
    actor: str
    action: str
    object: str
    reason: str
    previous: str
    digest: str

    def expected(self) -> str:
        """Returns the digest its content must have."""
        return _digest(self.seq, self.at, self.actor, self.action, self.object, self.reason, self.previous)


def _digest(*content: object) -> str:
    return sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


class Audit:
    """Writes and reads the audit.

    Args:
        store: where the lines are.
        folder: where the key and the checkpoints are kept.

    Raises:
        SetupError: the key cannot be read or made.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._key = _key(folder / "audit.key")
        self._checkpoints = folder / "audit.checkpoints"
        self._block = 0
        self._due = False

    def write(self, at: int, actor: str, action: str, object_: str, reason: str = "") -> None:
        """Appends a line; if it cannot be written, what it is about must not happen: the exception is the caller's to pass on."""
        with self._store.writing() as writer:
            self.write_in(writer, at, actor, action, object_, reason)
        if self._due:
            self.checkpoint()

    def write_in(self, writer: Writer, at: int, actor: str, action: str, object_: str, reason: str = "") -> None:  # noqa: PLR0917
        """Appends a line within a transaction, together with what it is about."""
        last = writer.rows("SELECT seq, digest FROM audit ORDER BY seq DESC LIMIT 1")
        before, previous = last[0] if last else (0, GENESIS)
        seq = before + 1
        digest = _digest(seq, at, actor, action, object_, reason, previous)
        writer.run("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?)", seq, at, actor, action, object_, reason, previous, digest)
        if seq // CHECKPOINT_EVERY > self._block:
            # Signed behind the commit: a line whose transaction is undone was never there.
            self._block, self._due = seq // CHECKPOINT_EVERY, True

    def checkpoint(self) -> None:
        """Signs where the chain ends now."""
        self._due = False
        last = self._store.rows("SELECT seq, digest FROM audit ORDER BY seq DESC LIMIT 1")
        if last:
            self._append(*last[0])

    def lines(self, *, before: int = 0, limit: int = 100) -> list[Line]:
        """Returns lines, the newest first.

        Args:
            before: only lines with a smaller number; 0: from the end.
            limit: at most so many.
        """
        where = "WHERE seq < ?" if before else "WHERE ? = 0"
        statement = "SELECT seq, at, actor, action, object, reason, previous, digest FROM audit "
        return [Line(*row) for row in self._store.rows(f"{statement}{where} ORDER BY seq DESC LIMIT ?", before, limit)]

    def verify(self) -> int:
        """Recomputes the whole chain and compares it with the signed checkpoints.

        Returns:
            The number of lines.

        Raises:
            IntegrityError: a line was changed, removed or added; the sentence says at which number.
        """
        # Checkpoints first: one written while we read may name a line we have passed.
        signed = self._signed()
        wanted, digests = {seq for seq, _ in signed}, {}
        previous, expected = GENESIS, 1
        for line in self._all():
            if line.seq != expected:
                raise IntegrityError(f"The audit lacks line {expected}: the next one there is {line.seq}.")
            if line.previous != previous or line.digest != line.expected():
                raise IntegrityError(f"Line {line.seq} of the audit, or the one before it, is not as it was written.")
            previous = line.digest
            if line.seq in wanted:
                digests[line.seq] = line.digest
            expected += 1
        for number, (seq, digest) in enumerate(signed, start=1):
            if digests.get(seq) != digest:
                raise IntegrityError(
                    f"Checkpoint {number} was signed at line {seq} of the audit; that line is not there as it was then."
                )
        return expected - 1

    def _all(self) -> Iterator[Line]:
        """Yields every line in order, a page at a time: the audit of years need not fit into memory."""
        statement = (
            "SELECT seq, at, actor, action, object, reason, previous, digest FROM audit WHERE seq > ? ORDER BY seq LIMIT ?"
        )
        last = -(2**31)
        while rows := self._store.rows(statement, last, _AT_ONCE):
            yield from (Line(*row) for row in rows)
            last = rows[-1][0]

    def signed(self) -> int:
        """Returns how many signed checkpoints there are here."""
        return len(self._signed())

    def _signed(self) -> list[tuple[int, str]]:
        if not self._checkpoints.exists():
            return []
        found = []
        for number, text in enumerate(self._checkpoints.read_text(encoding="ascii").splitlines(), start=1):
            seq, _, rest = text.partition(" ")
            digest, _, signature = rest.partition(" ")
            if not hmac.compare_digest(signature, self._sign(seq, digest)):
                raise IntegrityError(f"Checkpoint {number} in {self._checkpoints} does not carry this console's signature.")
            found.append((int(seq), digest))
        return found

    def _append(self, seq: int, digest: str) -> None:
        with os.fdopen(os.open(self._checkpoints, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", encoding="ascii") as file:
            file.write(f"{seq} {digest} {self._sign(str(seq), digest)}\n")

    def _sign(self, seq: str, digest: str) -> str:
        return hmac.digest(self._key, f"{seq} {digest}".encode(), sha256).hex()


def _key(path: Path) -> bytes:
    try:
        if path.exists():
            if path.stat().st_mode & 0o077:
                raise SetupError(f"Others can read the key of the audit in {path}.", f"Run: chmod 600 {path}")
            return bytes.fromhex(path.read_text(encoding="ascii"))
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = secrets.token_bytes(32)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(key.hex())
    except (OSError, ValueError) as error:
        raise SetupError(f"The key of the audit in {path} cannot be kept or read: {error}.") from error
    return key
