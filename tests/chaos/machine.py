"""What a simulated worker runs on: threads that work when they are told to, and a disk that may lose or damage what it holds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from typing import Any, Protocol

from streams.runtime.store import MemoryStore, StoreDamagedError
from tests.chaos.fake_kafka import CrashError, Fate


class Owner(Protocol):
    """The process that has a disk open."""

    def fate(self, what: str) -> Fate:
        """Returns what becomes of a request."""


class Hands(Executor):
    """The threads of one worker: work waits until somebody says that it is done."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self.idle = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Puts work into the queue."""
        future: Future[Any] = Future()
        if self.idle:
            future.set_result(None)
        else:
            self.waiting.append((future, lambda: fn(*args, **kwargs)))
        return future

    def work(self) -> None:
        """Does the next piece of work.

        Raises:
            CrashError: the process died in it.
        """
        future, job = self.waiting.popleft()
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = job()
        except CrashError:
            raise
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)


class Disk:
    """What a machine's disk holds of one partition: batches in their order, of which a crash may lose the last ones."""

    def __init__(self) -> None:
        self.history: list[tuple[dict[bytes, bytes | None], int | None, int | None]] = []
        self.owner: Owner | None = None
        self.damaged = False

    def lose(self, batches: int) -> None:
        """Forgets the last batches, as a store without a log of its own does when its process is killed."""
        self.history = self.history[: max(0, len(self.history) - batches)]


class DiskStore(MemoryStore):
    """A store that writes what it applies to a disk."""

    def __init__(self, disk: Disk, owner: Owner) -> None:
        super().__init__()
        self._disk = disk
        self._owner = owner
        disk.owner = owner
        for changes, marker, offset in disk.history:
            super().apply(changes, marker=marker, changelog_offset=offset)

    def apply(self, changes: Any, *, marker: int | None = None, changelog_offset: int | None = None) -> None:
        """Applies, and writes."""
        if self._owner.fate("apply") == "crash":
            raise CrashError
        super().apply(changes, marker=marker, changelog_offset=changelog_offset)
        self._disk.history.append((dict(changes), marker, changelog_offset))

    def get(self, key: bytes) -> bytes | None:
        """Returns a value."""
        self._look()
        return super().get(key)

    def items(self) -> Iterable[tuple[bytes, bytes]]:
        """Returns everything."""
        self._look()
        return super().items()

    def close(self) -> None:
        """Lets go of the disk."""
        if self._disk.owner is self._owner:
            self._disk.owner = None

    def _look(self) -> None:
        if self._disk.damaged:
            self._disk.damaged = False
            self._disk.history = []
            raise StoreDamagedError("simulated")
