"""Who may send what: tokens bound to a source and its event types, kept as hashes in a file of their owner.

There is no default token. A token has 256 random bits, so a plain SHA-256 of it cannot be guessed; it is shown once, when made.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from streams.clock import now_ms
from streams.decode.envelope import is_source
from streams.errors import SetupError, UsageError
from streams.records import INPUTS, Tick

PREFIX = "shk_"
"""Lets scanners for leaked secrets know a token of ours."""

TYPES = tuple(kind.NAME for kind in INPUTS if kind is not Tick)
"""Event types a token may be given; ticks are written by the system alone."""

DEFAULT_PER_SECOND = 2_000.0


@dataclass(frozen=True, slots=True)
class Token:
    """What a token allows.

    Attributes:
        id: names it in lists and logs; not secret.
        digest: SHA-256 of the token, hexadecimal.
        source: source whose events it may send; with ``*`` at its end, every source that begins so.
        types: event types it may send.
        per_second: events a second on average; ten seconds' worth at once.
        made_at: UTC epoch ms.
        revoked_at: UTC epoch ms; none while it is good.
    """

    id: str
    digest: str
    source: str
    types: tuple[str, ...]
    per_second: float
    made_at: int
    revoked_at: int | None = None

    def may_speak_for(self, source: str) -> bool:
        """Returns whether it may send events of a source."""
        return source.startswith(self.source[:-1]) if self.source.endswith("*") else source == self.source


class Tokens:
    """The tokens of a file, read again when it changes.

    Args:
        path: the file; there need not be one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._good: dict[str, Token] = {}

    def find(self, text: str) -> Token | None:
        """Returns the token a caller has shown; none if it is unknown or revoked.

        Raises:
            SetupError: the file cannot be read.
        """
        self._refresh()
        return self._good.get(sha256(text.encode()).hexdigest())

    def count(self) -> int:
        """Returns how many are good."""
        self._refresh()
        return len(self._good)

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._seen, self._good = None, {}
            return
        seen = (status.st_mtime_ns, status.st_size, status.st_ino)
        if seen != self._seen:
            self._good = {token.digest: token for token in read(self._path) if token.revoked_at is None}
            self._seen = seen


def add(path: Path, source: str, types: Sequence[str], per_second: float = DEFAULT_PER_SECOND) -> tuple[Token, str]:
    """Makes a token.

    Args:
        path: the file.
        source: as in ``Token``.
        types: as in ``Token``.
        per_second: as in ``Token``.

    Returns:
        What it allows, and the token itself, which is kept nowhere.

    Raises:
        UsageError: there is no such event type, or no source can be called so.
        SetupError: the file cannot be read or written.
    """
    unknown = [name for name in types if name not in TYPES]
    if unknown or not types:
        raise UsageError(
            f"Expected event types; got {', '.join(map(repr, unknown)) or 'none'}.", f"Event types: {', '.join(TYPES)}."
        )
    if not is_source(source) or "*" in source[:-1] or source == "*":
        raise UsageError(f"Expected a source such as post:KZ-75-A1 or post:*; got {source!r}.")
    if not per_second > 0:
        raise UsageError(f"Expected events a second above 0; got {per_second}.")
    text = PREFIX + secrets.token_urlsafe(32)
    token = Token(secrets.token_hex(4), sha256(text.encode()).hexdigest(), source, tuple(types), per_second, now_ms())
    write(path, [*read(path), token])
    return token, text


def revoke(path: Path, token_id: str) -> Token:
    """Revokes a token; a running gateway knows at its next request.

    Raises:
        UsageError: there is no such token.
        SetupError: the file cannot be read or written.
    """
    tokens = read(path)
    found = next((token for token in tokens if token.id == token_id), None)
    if found is None:
        raise UsageError(f"There is no token {token_id!r} in {path}.", "List them with 'shekara gateway token list'.")
    revoked = replace(found, revoked_at=found.revoked_at or now_ms())
    write(path, [revoked if token.id == token_id else token for token in tokens])
    return revoked


def read(path: Path) -> list[Token]:
    """Returns every token of a file, revoked ones too; none if there is no file.

    Raises:
        SetupError: it cannot be read, others can read it, or it is not ours.
    """
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise SetupError(f"Others can read the tokens in {path}.", f"Run: chmod 600 {path}")
        content = json.loads(path.read_text("utf-8"))
        return [Token(**(line | {"types": tuple(line["types"])})) for line in content["tokens"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SetupError(f"The tokens in {path} cannot be read: {type(error).__name__}.", "Restore the file.") from error


def write(path: Path, tokens: Sequence[Token]) -> None:
    """Writes the file anew, whole or not at all.

    Raises:
        SetupError: it cannot be written.
    """
    scratch = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump({"tokens": [asdict(token) for token in tokens]}, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as error:
        raise SetupError(f"The tokens cannot be kept in {path}: {error.strerror or error}.") from error
