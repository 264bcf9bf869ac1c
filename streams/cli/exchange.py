"""``shekara exchange``: tells each agency what it may see."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(exchange)


def exchange(
    *,
    agencies: Annotated[Path, typer.Option(help="Register of agencies (docs/exchange.md).")],
    bootstrap: Annotated[str, typer.Option(help="Kafka's address, host:port,…; else SHEKARA_KAFKA or the running stack.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Read the register, say who gets what, carry nothing.")] = False,
    until_caught_up: Annotated[bool, typer.Option("--until-caught-up", help="End when all there is has been told.")] = False,
) -> None:
    """Tell each agency, on a topic of its own, of the alerts, findings and cases it may know, with the fields it may see.

    Messages are CloudEvents in JSON, each once. Facts never leave; signs of trafficking only where the register names them.
    """
    from streams.bootstrap import with_kafka
    from streams.exchange.agencies import load_agencies
    from streams.settings import Settings

    found = load_agencies(agencies)
    settings = Settings()
    for agency in found:
        for kind, view in agency.views.items():
            typer.echo(f"{agency.topic(settings.namespace)}  {kind}: {', '.join(view.fields)}", err=not check)
    if check:
        return
    from streams.exchange.carry import Carrier, create_topics
    from streams.runtime.journal import open_journal

    open_journal(settings.log_format, settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    settings = with_kafka(settings.model_copy(update={"kafka": bootstrap or settings.kafka}))
    create_topics(settings, found)
    carrier = Carrier(settings, found, stop, until_caught_up=until_caught_up)
    carrier.run()
    typer.echo(f"{carrier.told} messages told to {len(found)} agencies.", err=True)
