"""Starts the stack's processes, watches them, and stops all of them whatever happens."""

from __future__ import annotations

import errno
import http.client
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from streams.clock import monotonic_s
from streams.errors import SetupError, ShekaraError
from streams.local import ports, stack
from streams.local.broker import Broker
from streams.local.child import Child
from streams.settings import Settings

STOP_WITHIN_S = 9.0
"""Everything has ended by then: asked first, killed after its share of this time."""

_POLL_S = 0.1
_LOG_BYTES = 20_000_000
_QUOTED_LINES = 12


class Stopped(BaseException):
    """Someone asked the stack to stop, by SIGTERM or SIGINT (Ctrl-C).

    Attributes:
        signal_number: which signal it was.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number

    @property
    def exit_code(self) -> int:
        """Returns the shell's code for this signal."""
        return 128 + self.signal_number


class ChildFailedError(ShekaraError):
    """A process of the stack ended though nobody asked it to."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Service:
    """A process to run.

    Attributes:
        name: for people, and its key in ``stack.json``.
        argv: program and arguments; ``ours("worker")`` for a command of this project.
        env: variables for it alone.
        probe: it answers ``/readyz`` on the port handed to it.
        ready_within_s: how long it may take until it is ready.
        stop_share_s: how long it may take to end by itself.
        yields: how far it stands back where processors are short (niceness, 0 to 19).
    """

    name: str
    argv: Sequence[str | Path]
    env: Mapping[str, str] = field(default_factory=dict)
    probe: bool = True
    ready_within_s: float = 60.0
    stop_share_s: float = 2.5
    yields: int = 0


def ours(*command: str) -> list[str]:
    """Returns the arguments that run a command of this project with this interpreter."""
    return [sys.executable, "-m", "streams", *command]


class Supervisor:
    """The processes of one stack, stopped in the opposite order of their start.

    Use it inside ``running``; every method is called from the main thread, because a child dies with the thread that started it.

    Args:
        settings: home, namespace and what to hand to the children.
        say: tells a person what happens, one line at a time.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.kafka = settings.kafka
        self.sql_url = ""
        self.console_url = ""
        self._say = say
        self._broker: Broker | None = None
        self._children: list[tuple[Child, float]] = []
        self._urls: dict[str, str] = {}

    @property
    def log_folder(self) -> Path:
        """Returns where the children's output goes."""
        return self.settings.home.absolute() / "log"

    def pids(self) -> dict[str, int]:
        """Returns the process ids of what runs, by name."""
        return {child.name: child.pid for child, _ in list(self._children) if child.running}

    def child_settings(self) -> dict[str, str]:
        """Returns the variables that make a child find this stack."""
        values = {
            "SHEKARA_HOME": str(self.settings.home.absolute()),
            "SHEKARA_NAMESPACE": self.settings.namespace,
            "SHEKARA_PARTITIONS": str(self.settings.partitions),
            "SHEKARA_TICKS": self.settings.ticks,
            "SHEKARA_KAFKA": self.kafka,
            "PYTHONUNBUFFERED": "1",
        }
        if self._broker is not None:
            # What is set for another Kafka does not hold for ours; an empty variable counts as not set.
            values |= {f"SHEKARA_{name.upper()}": "" for name in Settings.model_fields if name.startswith("kafka_")}
        return values

    def start_broker(self, broker: Broker) -> None:
        """Starts the embedded broker and waits until it serves.

        Raises:
            SetupError: it does not start.
        """
        self._broker = broker
        # Registered before the start: whatever fails from here on, it is stopped.
        self._children.append((broker.child, 2.5))
        broker.start()
        broker.wait_ready(self.settings)
        self.kafka = broker.bootstrap
        self.describe()

    def start(self, *services: Service) -> list[Child]:
        """Starts processes at the same time and waits until each is ready.

        Args:
            services: what to run; they are stopped in the opposite order.

        Raises:
            ChildFailedError: one ended, or is not ready in time.
        """
        children = []
        begun = monotonic_s()
        for service in services:
            env = {**self.child_settings(), **service.env}
            if service.probe:
                port = ports.take(1)[0]
                env["SHEKARA_METRICS_PORT"] = str(port)
                self._urls[service.name] = f"http://{ports.LOOPBACK}:{port}"
            child = Child(service.name, service.argv, log=self.log_folder / f"{service.name}.log", env=env, yields=service.yields)
            self._children.append((child, service.stop_share_s))
            child.start()
            children.append(child)
        self.describe()
        for service, child in zip(services, children, strict=True):
            if service.probe:
                self._wait_ready(child, self._urls[service.name], begun + service.ready_within_s)
        return children

    def describe(self) -> stack.Stack:
        """Writes what runs to ``stack.json`` and returns it."""
        now = stack.Stack(
            home=str(self.settings.home.absolute()),
            supervisor=os.getpid(),
            namespace=self.settings.namespace,
            kafka=self.kafka,
            sql_url=self.sql_url,
            token_file=str(stack.token_file(self.settings)) if self.sql_url else "",
            processes={
                child.name: stack.Process(child.pid, str(child.log), self._urls.get(child.name, ""))
                for child, _ in self._children
                if child.running
            },
            console_url=self.console_url,
        )
        stack.write(self.settings, now)
        return now

    def check(self) -> None:
        """Looks after the processes once.

        Raises:
            ChildFailedError: one has ended though nobody asked it to.
        """
        for child, _ in self._children:
            if child.exit_code is not None and not child.stopping:
                raise self._failure(child, f"{child.name} ended unexpectedly ({_how(child.exit_code)})")
            if child.log is not None:
                _cut(child.log)

    def wait(self, until: Callable[[], bool] = lambda: False, *, every_s: float = _POLL_S) -> None:
        """Watches the processes until something is true.

        Args:
            until: asked again and again; never true means until a signal comes.
            every_s: pause between two looks.

        Raises:
            ChildFailedError: a process ended though nobody asked it to.
        """
        while True:
            self.check()
            if until():
                return
            time.sleep(every_s)

    def finish(self, child: Child) -> None:
        """Forgets a child that has ended by itself because its work is done."""
        child.stopping = True
        self.describe()

    def stop(self) -> list[str]:
        """Stops everything, the last started first, within ``STOP_WITHIN_S``.

        Returns:
            Names of the processes that had to be killed.
        """
        deadline = monotonic_s() + STOP_WITHIN_S
        killed = []
        for child, share_s in reversed(self._children):
            if not child.pid:
                continue
            if child.running:
                self._say(f"Stopping {child.name} …")
            if not child.stop(min(share_s, max(0.2, deadline - monotonic_s()))):
                killed.append(child.name)
        stack.remove(self.settings)
        return killed

    def _wait_ready(self, child: Child, url: str, deadline_s: float) -> None:
        begun = monotonic_s()
        while monotonic_s() < deadline_s:
            self.check()
            if is_ready(url):
                return
            time.sleep(_POLL_S)
        raise self._failure(child, f"{child.name} was not ready within {monotonic_s() - begun:.0f} s")

    def _failure(self, child: Child, what: str) -> ChildFailedError:
        if self._broker is not None and child is self._broker.child:
            error = self._broker.failure(what)
            return ChildFailedError(f"{error.what}", error.next_step)
        lines = [line for line in child.tail(_QUOTED_LINES) if line.strip()]
        for line in lines:
            self._say(f"  {child.name} | {line}")
        # A command of this project ends with one sentence and perhaps a next step: the best explanation there is.
        said = next((line.removeprefix("shekara: ") for line in reversed(lines) if line.startswith("shekara: ")), "")
        step = next((line.strip().removeprefix("→ ") for line in reversed(lines) if line.strip().startswith("→ ")), "")
        return ChildFailedError(
            f"{what}; everything else was stopped, nothing is lost." if not said else f"{what}: {said}",
            step or f"Read {child.log}, then start again.",
        )


@contextmanager
def running(settings: Settings, say: Callable[[str], None]) -> Iterator[Supervisor]:
    """Owns the home, gives a supervisor, and stops everything at the end of the block, however it ends.

    Inside the block SIGINT, SIGTERM and SIGHUP raise ``Stopped``; while stopping they are ignored, because stopping is bounded.

    Raises:
        SetupError: another stack owns the home, or its disk is full.
    """
    with stack.owned(settings), _signals_raise():
        supervisor = Supervisor(settings, say)
        try:
            yield supervisor
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise SetupError(
                f"No space is left on the disk of {settings.home.absolute()}.",
                "Make room, then start again: what was stored is kept.",
            ) from error
        finally:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            killed = supervisor.stop()
            if killed:
                say(f"Had to be killed because they did not end in time: {', '.join(killed)}.")


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def _signals_raise() -> Iterator[None]:
    def stop(number: int, _frame: FrameType | None) -> None:
        for one in _SIGNALS:
            signal.signal(one, signal.SIG_IGN)
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def is_ready(url: str) -> bool:
    """Returns whether a process answers its ``/readyz`` with yes.

    Args:
        url: ``http://host:port``.
    """
    host = url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def _cut(log: Path) -> None:
    """Keeps a log from filling the disk: past its limit the older half goes to ``….1``."""
    try:
        if log.stat().st_size > _LOG_BYTES:
            log.with_suffix(".log.1").write_bytes(log.read_bytes())
            with log.open("r+b") as file:
                file.truncate(0)
    except OSError:
        pass
