"""One child process that cannot outlive us."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from streams.errors import SetupError

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class Child:
    """A child process in a process group of its own; the kernel kills it when the thread that started it dies.

    Start children from the main thread: a thread that ends takes its children with it.

    Args:
        name: for people, e.g. ``broker``.
        argv: program and arguments.
        log: file that receives what the child writes to stdout and stderr, from the start on; without one it writes where
            we do.
        env: variables to set on top of ours.
        yields: how far it stands back where processors are short (added to our niceness, 0 to 19).
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        log: Path | None,
        env: Mapping[str, str] | None = None,
        yields: int = 0,
    ) -> None:
        self.name = name
        self.argv = [str(part) for part in argv]
        self.log = log
        self.env = dict(env or {})
        self.yields = yields
        self.stopping = False
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the process.

        Raises:
            SetupError: the program or its log file cannot be opened.
        """
        parent = os.getpid()

        def die_with_parent() -> None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
            if os.getppid() != parent:  # it died before the line above
                os._exit(1)
            os.nice(self.yields)

        try:
            with self._output() as log:
                self._process = subprocess.Popen(
                    self.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=None if log is None else subprocess.STDOUT,
                    env={**os.environ, **self.env},
                    start_new_session=True,
                    preexec_fn=die_with_parent,  # noqa: PLW1509  three system calls, no lock, no import
                )
        except OSError as error:
            raise SetupError(f"{self.name} could not be started: {error.strerror or error} ({error.filename}).") from error

    def _output(self) -> contextlib.AbstractContextManager[IO[bytes] | None]:
        if self.log is None:
            return contextlib.nullcontext()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb"):
            pass  # each run has its own log
        return self.log.open("ab")  # appended to, so that it can be cut while it is written

    @property
    def pid(self) -> int:
        """Returns the process id; 0 before the start."""
        return self._process.pid if self._process else 0

    @property
    def exit_code(self) -> int | None:
        """Returns the exit code (negative: the signal that ended it); none while it runs or before it was started."""
        return self._process.poll() if self._process else None

    @property
    def running(self) -> bool:
        """Returns whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def tail(self, lines: int = 10) -> list[str]:
        """Returns the last lines it wrote; none if they are not kept."""
        if self.log is None:
            return []
        try:
            with self.log.open(encoding="utf-8", errors="replace") as file:
                return [line.rstrip() for line in deque(file, maxlen=lines)]
        except OSError:
            return []

    def ask_to_stop(self) -> None:
        """Sends SIGTERM to the process alone, which ends its own children; returns at once."""
        self.stopping = True
        if self.running and self._process is not None:
            self._process.terminate()

    def stop(self, limit_s: float) -> bool:
        """Ends the process and everything it started.

        Args:
            limit_s: how long it may take to end by itself; then it is killed.

        Returns:
            Whether it ended by itself.
        """
        self.ask_to_stop()
        if self._process is None:
            return True
        by_itself = True
        try:
            self._process.wait(timeout=max(0.05, limit_s))
        except subprocess.TimeoutExpired:
            by_itself = False
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # whatever is left of its group
        self._process.wait()
        return by_itself

    def wait(self, limit_s: float) -> int | None:
        """Waits for its end.

        Args:
            limit_s: how long, at most.

        Returns:
            The exit code; none if it still runs.
        """
        if self._process is None:
            return None
        try:
            return self._process.wait(timeout=max(0.0, limit_s))
        except subprocess.TimeoutExpired:
            return None
