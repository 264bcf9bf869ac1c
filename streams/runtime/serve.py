"""Runs a worker in this process until it is told to stop, or must."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

import structlog

from streams import clock
from streams.errors import DependencyError, ShekaraError
from streams.runtime.collector import collect_seldom
from streams.runtime.headless import STOP_WITHIN_S, HeadlessApp
from streams.runtime.probes import Probes

log = structlog.get_logger(__name__)


def probes_of(app: HeadlessApp, host: str, port: int) -> Probes:
    """Returns the probes of a worker.

    Args:
        app: the worker.
        host: address to listen on.
        port: 0 takes a free one.
    """

    def live() -> str:
        return app.watch.trouble(clock.monotonic_s())

    def ready() -> str:
        if app.halted is not None:
            return "stopping"
        if app.ownership is None or not app.ownership.assigned_once:
            return "no partitions assigned yet"
        return "" if app.ownership.ready else "recovering state"

    return Probes(host, port, live=live, ready=ready)


def run(app: HeadlessApp, *, announce: str = "") -> None:
    """Runs a worker until SIGINT or SIGTERM, then stops it cleanly.

    Args:
        app: the worker; it is finished afterwards.
        announce: where its probes listen, for the log.

    Raises:
        ShekaraError: what stopped it, if it was not a signal.
    """
    import uvloop

    collect_seldom()
    log.info("starting", probes=announce)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(app))
    if app.halted is not None:
        raise app.halted


async def _serve(app: HeadlessApp) -> None:
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    app.on_halt = asked.set
    app.loop = loop
    starting = loop.create_task(app.start())
    waiting = [loop.create_task(asked.wait()), loop.create_task(_crashed(app))]
    done, _ = await asyncio.wait([starting, *waiting], return_when=asyncio.FIRST_COMPLETED)
    if starting in done and starting.exception() is None:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    _note_failure(app, starting)
    log.info("stopping")
    stopping = loop.create_task(_stop(app, [starting, *waiting]))
    # Not wait_for: that waits on for whoever swallows the cancellation, and Faust's services may.
    done, _ = await asyncio.wait([stopping], timeout=STOP_WITHIN_S)
    if not done:
        log.warning("stopped_hard", after_s=STOP_WITHIN_S)
        sys.stderr.flush()
        os._exit(app.exit_code)
    stopping.result()


async def _stop(app: HeadlessApp, tasks: list[asyncio.Task[Any]]) -> None:
    await app.stop()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _crashed(app: HeadlessApp) -> None:
    """Returns when Faust itself has crashed."""
    await app._crashed.wait()


def _note_failure(app: HeadlessApp, starting: asyncio.Task[Any]) -> None:
    error = starting.exception() if starting.done() and not starting.cancelled() else None
    error = error or app.crash_reason
    if error is None or app.halted is not None:
        return
    if isinstance(error, ShekaraError):
        app.halted = error
        return
    log.error("faust_failed", error=type(error).__name__)
    app.halted = DependencyError(
        f"The worker's connection to Kafka failed: {type(error).__name__}: {error}.",
        "Check that the broker runs at that address and that the topics exist ('shekara doctor', 'shekara init').",
    )
