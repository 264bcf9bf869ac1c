"""A worker that must stop does stop, whatever the libraries below it do."""

from __future__ import annotations

import subprocess
import sys

_STUCK = """
import asyncio
from types import SimpleNamespace
from streams.errors import IntegrityError
from streams.runtime import serve

serve.STOP_WITHIN_S = 0.2
app = SimpleNamespace(halted=None, crash_reason=None, exit_code=5, _crashed=asyncio.Event())

async def start():
    app.halted = IntegrityError("Retention deleted offsets.")
    app.on_halt()

async def stop():
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass

app.start, app.stop = start, stop
serve.run(app)
"""


def test_a_worker_whose_stop_swallows_its_cancellation_ends_with_its_exit_code() -> None:
    ended = subprocess.run([sys.executable, "-c", _STUCK], capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 5, ended.stderr
