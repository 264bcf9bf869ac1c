"""``shekara up``: the whole stack on this machine, until Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from streams.local.stack import Stack


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(up)


def up(
    *,
    home: Annotated[Path | None, typer.Option(help="Data directory; default: SHEKARA_HOME, or .shekara here.")] = None,
    ticks: Annotated[
        str, typer.Option(help="wall: write tick records by this machine's clock; log: someone else does.", metavar="wall|log")
    ] = "",
) -> None:
    """Run the whole stack on this machine and serve until Ctrl-C: Kafka, the worker, the warehouse.

    Set SHEKARA_KAFKA or SHEKARA_CLICKHOUSE to use your own instead of the embedded parts. Data stay in the data directory.
    """
    from rich.console import Console

    from streams.local.serve import start_stack, web_page
    from streams.local.stack import is_simulated
    from streams.local.supervisor import Stopped, running
    from streams.settings import Settings

    if ticks not in ("", "wall", "log"):
        raise typer.BadParameter(f"{ticks!r} is not one of wall, log.", param_hint="--ticks")
    console = Console(stderr=True)
    settings = Settings()
    changes: dict[str, object] = {"home": (home or settings.home).absolute()}
    if ticks:
        changes["ticks"] = ticks
    settings = settings.model_copy(update=changes)
    if not ticks and is_simulated(settings):
        console.print("An invented country lives here: its time stands at its last tick (--ticks wall would make it today).")
        settings = settings.model_copy(update={"ticks": "log"})
    serving = False
    try:
        with running(settings, teller(console)) as supervisor:
            start_stack(supervisor, console, *web_page(supervisor, demo=is_simulated(settings)))
            show(console, supervisor.describe())
            serving = True
            supervisor.wait()
    except Stopped as stopped:
        console.print("Stopped; the data are kept.")
        raise typer.Exit(0 if serving else stopped.exit_code) from None


def teller(console: Console) -> Callable[[str], None]:
    """Returns a function that writes one line as it is: children may write anything."""
    return partial(console.print, markup=False, highlight=False, soft_wrap=True)


def show(console: Console, now: Stack) -> None:
    """Tells a person where everything is and what can be done now."""
    from streams.local.serve import where

    lines = where(now)
    width = max(len(name) for name, _ in lines)
    console.print()
    for name, place in lines:
        console.print(f"{name:<{width}}  {place}", highlight=False, soft_wrap=True)
    console.print()
    console.print("From another terminal: [bold]shekara alerts follow[/], [bold]shekara topics[/], [bold]shekara doctor[/],")
    console.print('[bold]shekara publish FILE[/], [bold]shekara sql "SHOW TABLES"[/]. Stop with Ctrl-C.')
