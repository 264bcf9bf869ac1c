"""A Faust app without Faust's web server, without Faust's producer, and that stops rather than go on wrongly.

Faust's web server publishes the contents of tables on every interface and ``faust worker`` switches it on whatever the
configuration says; here there is none to switch on, however the worker is started. Faust's producer is not started
either: everything is written by checkpoints.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

import faust
import structlog
from faust.app.base import BootStrategy
from faust.types import TP
from faust.types.settings import Settings

from streams import clock
from streams.errors import ShekaraError
from streams.runtime.journal import frames
from streams.runtime.ownership import Ownership, Place
from streams.runtime.watch import Watch

if TYPE_CHECKING:
    from streams.runtime.transport import Consumer

log = structlog.get_logger(__name__)

STOP_WITHIN_S = 4.0
"""How long a clean stop may take before the process ends itself; nothing is lost either way."""

_LOOK_EVERY_S = 1.0
_LIVE_LIMIT_S = 90.0


class _NoWeb(Settings):
    """Settings in which the web server cannot be switched on."""

    @property
    def web_enabled(self) -> bool:
        """Returns false."""
        return False

    @web_enabled.setter
    def web_enabled(self, wanted: Any) -> None:
        """Takes no notice: ``faust worker`` sets this to true by default."""


class _Boot(BootStrategy):
    enable_kafka_producer = False

    def web_server(self) -> Iterable[Any]:
        """Returns nothing to start."""
        return []


class HeadlessApp(faust.App):
    """A Faust app whose partitions are run by an :class:`Ownership`.

    Attributes:
        ownership: the partitions; set once, before the app starts.
        watch: how far behind they are.
        halted: the error that stops this process; none while all is well.
        on_halt: what to do then; by default the app is stopped and the process ends with the error's exit code.
    """

    # mode logs every service that starts and stops; that belongs to the libraries' logs, not to ours.
    logger = logging.getLogger("mode.app")
    BootStrategy = _Boot
    Settings = _NoWeb

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ownership: Ownership | None = None
        self.watch = Watch(limit_s=_LIVE_LIMIT_S)
        self.halted: BaseException | None = None
        self.on_halt: Callable[[], None] = self._leave
        self.beforehand: list[Callable[[], Any]] = []
        self.afterwards: list[Callable[[], Any]] = []

    def worker_init_post_autodiscover(self) -> None:
        """Announces the worker; does not build a web server as Faust would."""
        self.on_worker_init.send()

    async def on_first_start(self) -> None:
        """Makes no directories, as Faust would: there are no tables to keep in them."""

    async def on_start(self) -> None:
        """Does what must be done before partitions come."""
        for step in self.beforehand:
            await step()
        await super().on_start()

    async def on_started(self) -> None:
        """Begins to watch."""
        await super().on_started()
        self.add_future(self._look())

    async def on_stop(self) -> None:
        """Lets every partition end the batch in hand, then stops the rest."""
        if self.ownership is not None:
            await self.ownership.stop(STOP_WITHIN_S / 2)
        for step in self.afterwards:
            await step()
        await super().on_stop()

    def halt(self, error: BaseException) -> None:
        """Stops this process because of an error; what was not committed is not acknowledged."""
        if self.halted is not None:
            return
        self.halted = error
        if isinstance(error, ShekaraError):
            log.critical("stopping", error=type(error).__name__, what=error.what, next_step=error.next_step)
        else:
            # The message of a foreign exception may quote a record: the place and the type are enough to find it.
            log.critical("stopping", error=type(error).__name__, where=frames(error))
        self.on_halt()

    @property
    def exit_code(self) -> int:
        """Returns the exit code of the process: 0 unless it was halted."""
        if self.halted is None:
            return 0
        return self.halted.exit_code if isinstance(self.halted, ShekaraError) else 1

    async def rewind(self, place: Place, offset: int) -> None:
        """Reads a partition again from an offset, unless it is being taken away."""
        tp = TP(*place)
        if self.rebalancing or tp not in self.consumer.assignment():
            return
        await cast("Consumer", self.consumer).rewind(tp, offset)

    def end_of(self, place: tuple[str, int]) -> int | None:
        """Returns the offset behind the last committed record of a partition, as far as it is known."""
        try:
            end: int | None = self.consumer.highwater(TP(*place))
        except (AssertionError, AttributeError, faust.exceptions.ConsumerNotStarted):
            return None
        return end

    async def _on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        # Before Faust's own part, which lets records flow: a batch must find its partition.
        if self.ownership is not None and not self.should_stop:
            await self.ownership.assigned(assigned)
        await super()._on_partitions_assigned(assigned, generation_id)

    async def _on_partitions_revoked(self, revoked: set[TP]) -> None:
        await super()._on_partitions_revoked(revoked)
        if self.ownership is not None:
            await self.ownership.revoked(revoked)

    async def _look(self) -> None:
        while not self.should_stop:
            if self.ownership is not None:
                self.watch.look(self.ownership, self.end_of, clock.monotonic_s())
            await self.sleep(_LOOK_EVERY_S)

    def _leave(self) -> None:
        async def leave() -> None:
            try:
                await asyncio.wait_for(self.stop(), STOP_WITHIN_S)
            except Exception as error:
                log.warning("stop_failed", error=type(error).__name__)
            sys.stderr.flush()
            os._exit(self.exit_code or 1)

        self._leaving = asyncio.get_running_loop().create_task(leave())
