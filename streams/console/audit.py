"""Who looked at what, when and why: a chain of hashes, with signed checkpoints beside it (ADR 0091).

Every line carries the digest of the line before it, so a changed or removed line breaks the chain behind it. A removed end
would not: therefore checkpoints, signed with a key of their own, are appended to a second file.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from streams.console.store import Store, Writer
from streams.errors import IntegrityError, SetupError

GENESIS = "0" * 64
CHECKPOINT_EVERY = 100
"""Lines between two checkpoints; another one is written when the console starts and ends."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the audit.

    Attributes:
        seq: 1, 2, … without holes.
        at: UTC epoch ms.
        actor: officer's pseudonym, or ``system``.
        action: what was done, e.g. ``see_person``.
        object: to what: an alert's or case's id, an account's id; never a person's data.
        reason: the reason given; empty where none is asked.
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

    def write(self, at: int, actor: str, action: str, object_: str, reason: str = "") -> None:
        """Appends a line; if it cannot be written, what it is about must not happen: the exception is the caller's to pass on."""
        with self._store.writing() as writer:
            self.write_in(writer, at, actor, action, object_, reason)

    def write_in(self, writer: Writer, at: int, actor: str, action: str, object_: str, reason: str = "") -> None:  # noqa: PLR0917
        """Appends a line within a transaction, together with what it is about."""
        last = writer.rows("SELECT seq, digest FROM audit ORDER BY seq DESC LIMIT 1")
        before, previous = last[0] if last else (0, GENESIS)
        seq = before + 1
        digest = _digest(seq, at, actor, action, object_, reason, previous)
        writer.run("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?)", seq, at, actor, action, object_, reason, previous, digest)
        if seq % CHECKPOINT_EVERY == 0:
            self._append(seq, digest)

    def checkpoint(self) -> None:
        """Signs where the chain ends now."""
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
        previous, expected, digests = GENESIS, 1, {}
        statement = "SELECT seq, at, actor, action, object, reason, previous, digest FROM audit ORDER BY seq"
        for row in self._store.rows(statement):
            line = Line(*row)
            if line.seq != expected:
                raise IntegrityError(f"The audit lacks line {expected}: the next one there is {line.seq}.")
            if line.previous != previous or line.digest != line.expected():
                raise IntegrityError(f"Line {line.seq} of the audit, or the one before it, is not as it was written.")
            digests[line.seq] = previous = line.digest
            expected += 1
        for number, (seq, digest) in enumerate(self._signed(), start=1):
            if digests.get(seq) != digest:
                raise IntegrityError(
                    f"Checkpoint {number} was signed at line {seq} of the audit; that line is not there as it was then."
                )
        return expected - 1

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
