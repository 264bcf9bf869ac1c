"""The Faust app, for Faust's own command line: ``faust -A streams.app worker -l info``."""

from __future__ import annotations

import asyncio
from typing import Any

import uvloop

from streams import bootstrap
from streams.errors import ShekaraError
from streams.runtime.journal import logging_config, open_journal
from streams.runtime.serve import probes_of
from streams.settings import Settings


def _build() -> Any:
    settings = Settings()
    open_journal(settings.log_format, settings.log_level)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    try:
        app = bootstrap.worker(bootstrap.with_kafka(settings))
    except ShekaraError as error:
        # Faust would show a traceback of its import machinery.
        raise SystemExit(f"shekara: {error}") from error
    app.conf.logging_config = logging_config(settings.log_format, settings.log_level)

    async def open_probes() -> None:
        probes = probes_of(app, settings.metrics_host, settings.metrics_port)
        app.afterwards.append(_closing(probes))

    app.beforehand.append(open_probes)
    return app


def _closing(probes: Any) -> Any:
    async def close() -> None:
        await asyncio.get_running_loop().run_in_executor(None, probes.close)

    return close


app = _build()
