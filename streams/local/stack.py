"""What a running stack tells about itself, in ``<home>/run``: for every client command, and for its own processes.

``lock`` is held by the supervisor while it lives; ``stack.json`` (mode 0600) says where everything is; ``sql.token``
(mode 0600) is what the read-only SQL endpoint asks for.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from streams.errors import SetupError
from streams.local import admin
from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the stack.

    Attributes:
        pid: its process id.
        log: file with what it writes.
        url: where it answers ``/livez``, ``/readyz`` and ``/metrics``; empty if it does not.
    """

    pid: int
    log: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that runs.

    Attributes:
        home: its data directory.
        supervisor: process id of ``shekara up`` or ``shekara demo``; 0 when there is only somebody's own Kafka.
        namespace: prefix of its topics.
        kafka: bootstrap servers, ``host:port,…``.
        sql_url: read-only SQL endpoint, ``http://127.0.0.1:port``; empty without a warehouse.
        token_file: file with the endpoint's token.
        processes: by name: broker, worker, warehouse, …
        console_url: the operations centre's page; empty where it does not run.
    """

    home: str
    supervisor: int
    namespace: str
    kafka: str
    sql_url: str = ""
    token_file: str = ""
    processes: dict[str, Process] = field(default_factory=dict)
    console_url: str = ""

    def settings(self, settings: Settings) -> Settings:
        """Returns the settings with this stack's Kafka and namespace in them."""
        reached = settings if settings.kafka == self.kafka else admin.embedded(settings, self.kafka)
        return reached.model_copy(update={"namespace": self.namespace})


def run_folder(settings: Settings) -> Path:
    """Returns the directory of the lock and the files below it."""
    return settings.home.absolute() / "run"


def stack_file(settings: Settings) -> Path:
    """Returns the file that describes the running stack."""
    return run_folder(settings) / "stack.json"


def token_file(settings: Settings) -> Path:
    """Returns the file that holds the token of the read-only SQL endpoint."""
    return run_folder(settings) / "sql.token"


def mark_simulated(settings: Settings) -> None:
    """Remembers that this home holds an invented country: its time stands at its last tick, and it never mixes with real data."""
    _mark(settings).write_text("An invented country lives here (shekara demo).\n", encoding="utf-8")


def is_simulated(settings: Settings) -> bool:
    """Returns whether this home holds an invented country."""
    return _mark(settings).exists()


def _mark(settings: Settings) -> Path:
    return settings.home.absolute() / "simulated"


def find_stack(settings: Settings) -> Stack:
    """Finds the stack that runs in this home; with ``SHEKARA_KAFKA`` set and nothing running, that Kafka alone.

    Raises:
        SetupError: nothing runs here and no Kafka is set.
    """
    stack = _running(settings)
    if stack is not None:
        return stack
    if settings.kafka:
        return Stack(home=str(settings.home.absolute()), supervisor=0, namespace=settings.namespace, kafka=settings.kafka)
    raise SetupError(
        f"No stack runs in {settings.home.absolute()}.",
        "Start one with 'shekara up' (or 'shekara demo'), name another home with SHEKARA_HOME, or set SHEKARA_KAFKA.",
    )


def _running(settings: Settings) -> Stack | None:
    if not is_held(run_folder(settings) / "lock"):
        return None
    try:
        content = json.loads(stack_file(settings).read_text(encoding="utf-8"))
        content["processes"] = {name: Process(**one) for name, one in content["processes"].items()}
        return Stack(**content)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SetupError(
            f"{stack_file(settings)} cannot be read: {error}.", "Stop the stack with Ctrl-C and start it again; no data are lost."
        ) from error


def write(settings: Settings, stack: Stack) -> None:
    """Writes the description, readable by its owner only."""
    path = stack_file(settings)
    scratch = path.with_suffix(".new")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(stack), file, indent=2)
        file.write("\n")
    scratch.replace(path)


def remove(settings: Settings) -> None:
    """Removes the description: nothing runs any more."""
    stack_file(settings).unlink(missing_ok=True)


@contextmanager
def owned(settings: Settings) -> Iterator[None]:
    """Owns the home for as long as the block runs; the kernel gives it back if we are killed.

    Raises:
        SetupError: another stack owns it, or the directory cannot be written.
    """
    folder = run_folder(settings)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        # Unbuffered: on a full disk nothing waits to be written when it is closed.
        file = os.fdopen(os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
    except OSError as error:
        raise SetupError(
            f"The data directory {settings.home.absolute()} cannot be written: {error.strerror or error}.",
            "Make room or give it the right owner, or choose another one with SHEKARA_HOME.",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = file.read().decode().strip()
            raise SetupError(
                f"A stack already runs in {settings.home.absolute()}{f' (process {owner})' if owner else ''}.",
                "Stop it with Ctrl-C where it runs, or start this one with another SHEKARA_HOME (--home).",
            ) from error
        file.truncate(0)
        with suppress(OSError):  # the number is for people only; the lock is what counts
            file.write(f"{os.getpid()}\n".encode())
        remove(settings)
        yield


def is_held(path: Path) -> bool:
    """Returns whether a living process holds a lock file."""
    try:
        with path.open("r", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
