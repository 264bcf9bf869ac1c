"""A small disk that can be filled to the last byte and emptied again: a tmpfs, so it needs root."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_PIECE = 64 * 1024


class SmallDisk:
    """A mounted disk of a fixed size.

    Args:
        path: where it is mounted.
        ballast_mb: megabytes taken from the beginning.
    """

    def __init__(self, path: Path, ballast_mb: int) -> None:
        self.path = path
        self._ballast = path / "ballast"
        self._ballast.write_bytes(bytes(ballast_mb << 20))

    def fill(self) -> None:
        """Takes what room is left, to the last byte."""
        with self._ballast.open("ab", buffering=0) as file:
            for piece in (_PIECE, 4096, 1):
                try:
                    while True:
                        file.write(bytes(piece))
                except OSError:
                    continue

    def make_room(self) -> None:
        """Gives all of that back."""
        self._ballast.unlink()


@contextmanager
def mounted(path: Path, megabytes: int, ballast_mb: int = 0) -> Iterator[SmallDisk]:
    """Mounts a small disk; skips the test where that is not allowed."""
    path.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"mounting a small disk needs root: {done.stderr.strip()}")
    try:
        yield SmallDisk(path, ballast_mb)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)
