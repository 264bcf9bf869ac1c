"""A real worker in a process of its own, as `shekara worker` runs it, and what its probes and the kernel say of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.meter import rss_mb
from streams.settings import Settings

ROOT = Path(__file__).parents[1]
COMPILED = ROOT / "build" / "compiled"
_LOOK_EVERY_S = 0.05


def python_path(*, compiled: bool) -> str:
    """Returns the PYTHONPATH that runs the project from its sources, or from the compiled build."""
    return f"{COMPILED}{os.pathsep}{ROOT}" if compiled else str(ROOT)


def until(check: Callable[[], bool], what: str, patience_s: float) -> float:
    """Waits until something holds; returns the seconds it took.

    Raises:
        SystemExit: it did not hold in time.
    """
    started = time.monotonic()
    while not check():
        if time.monotonic() - started > patience_s:
            raise SystemExit(f"Not within {patience_s:.0f} s: {what}.")
        time.sleep(_LOOK_EVERY_S)
    return time.monotonic() - started


class Worker:
    """One running worker.

    Args:
        settings: where Kafka and the state are.
        compiled: whether to run the compiled build.
        store: ``memory`` or ``rocksdb``.
    """

    def __init__(self, settings: Settings, *, compiled: bool, store: str = "memory") -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streams", "worker", "--ticks", "log", "--metrics-port", str(self._port)],
            cwd=settings.home,
            env=os.environ
            | {
                "PYTHONPATH": python_path(compiled=compiled),
                "SHEKARA_KAFKA": settings.kafka,
                "SHEKARA_NAMESPACE": settings.namespace,
                "SHEKARA_HOME": str(settings.home),
                "SHEKARA_STORE": store,
                "SHEKARA_LOG_LEVEL": "ERROR",
            },
        )

    def ready(self) -> bool:
        """Returns whether it has recovered and works."""
        if self.process.poll() is not None:
            raise SystemExit(f"The worker ended with code {self.process.returncode}.")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    @property
    def rss_mb(self) -> float:
        """Returns the memory it holds now, MB."""
        return rss_mb(self.process.pid)

    @property
    def peak_mb(self) -> float:
        """Returns the most it ever held, MB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
        return 0.0


@contextmanager
def running(settings: Settings, *, compiled: bool, store: str = "memory") -> Iterator[Worker]:
    """Runs a worker; stops it as a service manager would."""
    worker = Worker(settings, compiled=compiled, store=store)
    try:
        yield worker
    finally:
        worker.process.send_signal(signal.SIGTERM)
        try:
            worker.process.wait(30)
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()
