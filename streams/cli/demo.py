"""``shekara demo``: a synthetic country, end to end, on real Kafka and ClickHouse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from streams.settings import Settings

DATA = ("kafka", "worker", "clickhouse", "log")
"""Below the home: what ``--fresh`` removes."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(demo)


def demo(
    *,
    people: Annotated[int, typer.Option(help="People in the country.", min=1, max=10_000_000)] = 20_000,
    days: Annotated[int, typer.Option(help="Simulated days.", min=2, max=3_660)] = 60,
    seed: Annotated[int, typer.Option(help="Same seed, same country, same alerts.", min=0)] = 1,
    until_done: Annotated[
        bool, typer.Option("--until-done", help="Stop when everything has arrived instead of serving.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object as the last line of stdout; all else to stderr.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove the data of earlier runs in this home first.")] = False,
    live_s: Annotated[float, typer.Option(help="Real seconds of the last simulated day.", min=0, max=3_600)] = 8.0,
    home: Annotated[Path | None, typer.Option(help="Data directory; default: SHEKARA_HOME, or .shekara here.")] = None,
) -> None:
    """Watch a synthetic country: border posts and registers publish, alerts appear, aggregates arrive in ClickHouse.

    Starts the whole stack, simulates, waits until every record is accounted for, prints a report, and serves until Ctrl-C.
    """
    from rich.console import Console

    from streams.cli.demo_report import report
    from streams.cli.demo_run import Demo
    from streams.cli.up import show, teller
    from streams.local.serve import web_page
    from streams.local.supervisor import Stopped, running
    from streams.policy.load import load
    from streams.settings import Settings

    console = Console(stderr=True)
    settings = Settings()
    settings = settings.model_copy(update={"home": (home or settings.home).absolute(), "ticks": "log"})
    done = False
    try:
        with running(settings, teller(console)) as supervisor:
            if fresh:
                remove_data(settings, console)
            run = Demo(supervisor, console, people=people, days=days, seed=seed, live_s=live_s)
            result = run.run()
            done = True
            report(console if as_json else Console(), result, load(settings.policy).codes.oblasts)
            if as_json:
                typer.echo(json.dumps(result.plain(), ensure_ascii=False))
            if not until_done:
                supervisor.start(*web_page(supervisor, demo=True))
                show(console, supervisor.describe())
                supervisor.wait()
    except Stopped as stopped:
        console.print("Stopped; the data are kept.")
        raise typer.Exit(0 if done else stopped.exit_code) from None


def remove_data(settings: Settings, console: Console) -> None:
    """Removes what earlier runs have stored in this home, and nothing else.

    Raises:
        UsageError: the Kafka or the ClickHouse is somebody's own.
        SetupError: something cannot be removed.
    """
    from streams.errors import SetupError, UsageError

    if settings.kafka or settings.clickhouse.get_secret_value():
        raise UsageError(
            "--fresh removes the data of the embedded stack, but SHEKARA_KAFKA or SHEKARA_CLICKHOUSE names one of your own.",
            "Set SHEKARA_NAMESPACE to a new name instead: it starts from nothing and touches nobody's data.",
        )
    for name in DATA:
        folder = settings.home / name
        if not folder.exists():
            continue
        # Clients keep the broker's address.
        ports = folder / "ports.json"
        kept = ports.read_bytes() if ports.exists() else None
        try:
            shutil.rmtree(folder)
            if kept is not None:
                folder.mkdir()
                ports.write_bytes(kept)
        except OSError as error:
            raise SetupError(
                f"{folder} cannot be removed: {error.strerror or error}.", "Give it the right owner, or use another --home."
            ) from error
    console.print(f"Removed the data of earlier runs from {settings.home}.")
