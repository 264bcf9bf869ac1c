"""Several worker processes under one parent: started, started again when they fail, stopped together.

The workers share the partitions by themselves, as workers on several machines do; the parent decides nothing. Each has a
name in the group for as long as the parent lives, so that one that is started again gets back what it had, and the others
go on undisturbed (static membership).
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Sequence
from types import FrameType

import structlog

from streams.clock import monotonic_s
from streams.errors import FencedError, SetupError
from streams.local import admin
from streams.local.child import Child
from streams.local.supervisor import ours
from streams.settings import Settings

log = structlog.get_logger(__name__)

STOP_WITHIN_S = 8.0
"""How long the workers may take to stop; each takes 4 seconds at most by itself."""

_POLL_S = 0.1
_BACK_OFF_S = 1.0
_LONGEST_BACK_OFF_S = 30.0
_SETTLED_S = 60.0
_HOPELESS = frozenset({2, 3, 5})
"""Exit codes that starting again cannot cure: the command, the set-up, a contradiction between log and state."""

_UNREACHABLE = 4


class _Member:
    """One worker of the fleet."""

    def __init__(self, name: str, child: Child) -> None:
        self.name = name
        self.child = child
        self.restarts = 0
        self.back_off_s = _BACK_OFF_S
        self.started_s = 0.0
        self.again_s: float | None = None

    def start(self) -> None:
        """Starts it."""
        self.again_s = None
        self.started_s = monotonic_s()
        self.child.start()
        log.info("worker_started", worker=self.name, pid=self.child.pid, restarts=self.restarts)

    def ended(self, code: int) -> bool:
        """Plans the next start; returns false if starting again is of no use."""
        lived_s = monotonic_s() - self.started_s
        if code in _HOPELESS or (code == _UNREACHABLE and self.restarts == 0 and lived_s < _SETTLED_S):
            return False
        if lived_s > _SETTLED_S or code == FencedError.exit_code:
            self.back_off_s = _BACK_OFF_S
        log.warning("worker_ended", worker=self.name, exit_code=code, again_in_s=self.back_off_s)
        self.again_s = monotonic_s() + self.back_off_s
        self.back_off_s = min(2 * self.back_off_s, _LONGEST_BACK_OFF_S)
        self.restarts += 1
        return True


class _Asked:
    """Whether someone asked us to stop."""

    def __init__(self) -> None:
        self.stop = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.stop = True


def run_fleet(settings: Settings, processes: int, name: str = "", options: Sequence[str] = ()) -> int:
    """Runs workers until SIGINT or SIGTERM. Blocks; call it from the main thread.

    Args:
        settings: of the workers; must name a Kafka. Their probes listen on ``metrics_port`` and the ports that follow, or on
            free ones if it is 0.
        processes: how many workers.
        name: begins the workers' names in the group; nobody else may have it. One of this parent's own if empty.
        options: what else to hand to ``shekara worker``.

    Returns:
        The exit code: 0 if it was asked to stop, otherwise that of a worker which starting again cannot cure.

    Raises:
        SetupError: the last worker's port would be beyond the last port, or a process cannot be started.
    """
    if settings.metrics_port and settings.metrics_port + processes - 1 > 65535:
        raise SetupError(
            f"{processes} workers need the ports {settings.metrics_port} to {settings.metrics_port + processes - 1}, "
            "and 65535 is the last.",
            "Choose a lower --metrics-port, or 0 for free ones.",
        )
    name = name or f"{socket.gethostname()}-{os.getpid()}"
    members = [
        _member(f"{name}-{number}", settings.metrics_port + number if settings.metrics_port else 0, options)
        for number in range(processes)
    ]
    asked = _Asked()
    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for member in members:
            member.start()
        code = _watch(members, asked)
    finally:
        _stop(members)
        for number, handler in before.items():
            signal.signal(number, handler)
        _leave(settings, [member.name for member in members])
    return code


def _member(name: str, port: int, options: Sequence[str]) -> _Member:
    return _Member(name, Child(name, [*ours("worker"), "--name", name, "--metrics-port", str(port), *options], log=None))


def _watch(members: list[_Member], asked: _Asked) -> int:
    while not asked.stop:
        for member in members:
            if member.again_s is not None:
                if monotonic_s() >= member.again_s:
                    member.start()
                continue
            code = member.child.exit_code
            if code is not None and not member.ended(code):
                log.error("worker_cannot_go_on", worker=member.name, exit_code=code)
                return code
        time.sleep(_POLL_S)
    return 0


def _stop(members: list[_Member]) -> None:
    """Asks all to stop, then waits for each; what does not end in time is killed, and nothing is lost by it."""
    for member in members:
        member.child.ask_to_stop()
    deadline = monotonic_s() + STOP_WITHIN_S
    for member in members:
        member.child.stop(max(0.05, deadline - monotonic_s()))


def _leave(settings: Settings, names: list[str]) -> None:
    """Tells the group that they will not come back, so that nobody waits a session for them."""
    from kafka.admin import MemberToRemove
    from kafka.errors import KafkaError

    try:
        with admin.connect(settings.kafka, settings) as client:
            client.remove_group_members(
                f"{settings.namespace}-worker", [MemberToRemove(group_instance_id=name) for name in names]
            )
    except (KafkaError, SetupError, OSError) as error:
        # They are forgotten at the end of their session anyhow.
        log.info("group_not_left", error=type(error).__name__)
