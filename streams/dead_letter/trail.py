"""Who published which dead letters again, why, and what was changed: a file whose lines name the line before."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from streams.errors import IntegrityError, SetupError

NAME = "dead-letters.jsonl"


def note(path: Path, told: Iterable[Mapping[str, Any]]) -> None:
    """Adds lines; they are on disk when this returns.

    Args:
        path: the file; made if there is none, readable for its owner alone.
        told: what happened, a line each. Nothing of a message's content.

    Raises:
        SetupError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            lines = file.read().splitlines()
            before = hashlib.sha256(lines[-1]).hexdigest() if lines else ""
            for one in told:
                line = json.dumps({"before": before, **one}, ensure_ascii=False).encode()
                file.write(line + b"\n")
                before = hashlib.sha256(line).hexdigest()
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SetupError(f"The trail {path} cannot be written: {error.strerror or error}.", "Nothing was published.") from error


def read(path: Path) -> list[dict[str, Any]]:
    """Returns every line; none if there is no file.

    Raises:
        IntegrityError: a line was changed or taken out.
    """
    if not path.exists():
        return []
    before, found = "", []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        told = json.loads(line)
        if told.get("before") != before:
            raise IntegrityError(f"{path}: line {number} does not follow the one before: a line was changed or taken out.")
        before = hashlib.sha256(line).hexdigest()
        found.append(told)
    return found
