"""Free loopback ports."""

from __future__ import annotations

import json
import os
import random
import socket
from pathlib import Path

from streams.errors import SetupError

LOOPBACK = "127.0.0.1"

_LOWEST, _HIGHEST = 20_000, 29_999
"""Below the range Linux uses for outgoing connections (from 32768): a port we remember is rarely taken when we return."""


def is_free(port: int) -> bool:
    """Returns whether nobody listens on a loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def take(count: int) -> list[int]:
    """Returns different free ports.

    Raises:
        SetupError: there are not that many.
    """
    order = list(range(_LOWEST, _HIGHEST + 1))
    random.SystemRandom().shuffle(order)
    found: list[int] = []
    for port in order:
        if len(found) == count:
            break
        if is_free(port):
            found.append(port)
    if len(found) < count:
        raise SetupError(
            f"No {count} free loopback ports between {_LOWEST} and {_HIGHEST}.",
            "End programs that hold ports there and try again.",
        )
    return found


def keep(path: Path, names: tuple[str, ...]) -> dict[str, int]:
    """Returns the ports of a data directory: those of its last start, or new ones on the first.

    Clients that were told an address yesterday must find it today, so a taken port is an error, not a reason to move.

    Args:
        path: file that remembers them.
        names: what each is for.

    Raises:
        SetupError: a remembered port is in use by another program; it is named.
    """
    known: dict[str, int] = {}
    if path.exists():
        try:
            known = {str(name): int(port) for name, port in json.loads(path.read_text(encoding="utf-8")).items()}
        except (ValueError, AttributeError) as error:
            raise SetupError(
                f"{path} is damaged: expected names and ports as JSON.", "Delete that file and start again."
            ) from error
    for name in names:
        if name in known and not is_free(known[name]):
            raise SetupError(
                f"Port {known[name]} ({name} of this data directory) is in use{_by_whom(known[name])}.",
                f"End that program, or delete {path} to choose new ports.",
            )
    fresh = [name for name in names if name not in known]
    if fresh:
        known |= dict(zip(fresh, take(len(fresh)), strict=True))
        scratch = path.with_suffix(f".{os.getpid()}")
        scratch.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
        scratch.replace(path)
    return {name: known[name] for name in names}


def _by_whom(port: int) -> str:
    import psutil

    try:
        for one in psutil.net_connections("tcp4"):
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port and one.pid:
                return f" by {psutil.Process(one.pid).name()} (process {one.pid})"
    except psutil.Error:
        pass
    return " by another program"
