"""``shekara topics``: what every topic holds and how far its readers are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from streams.local.topics import TopicState


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(topics)


def topics(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """List the topics: role, partitions, messages, and what our consumer groups have yet to read."""
    from rich.console import Console

    from streams.errors import SetupError
    from streams.local import admin
    from streams.local import topics as survey
    from streams.local.stack import find_stack
    from streams.settings import Settings

    settings = Settings()
    stack = find_stack(settings)
    settings = stack.settings(settings)
    with admin.connect(stack.kafka, settings) as client:
        states = survey.survey(client, settings.namespace)
    if not states:
        raise SetupError(
            f"Kafka at {stack.kafka} has no topics of the namespace {settings.namespace!r}.",
            "Create them with 'shekara init', or name another namespace with SHEKARA_NAMESPACE.",
        )
    if as_json:
        typer.echo(json.dumps({"kafka": stack.kafka, "namespace": settings.namespace, "topics": [_plain(one) for one in states]}))
        return
    console = Console()
    console.print(_table(states, settings.namespace, stack.kafka))
    console.print("≤: written in transactions, whose marks take up offsets too.", style="dim")


def _plain(state: TopicState) -> dict[str, object]:
    return {
        "name": state.name,
        "role": state.role,
        "partitions": state.partitions,
        "offsets": state.offsets,
        "exact": state.role == "input",
        "lag": state.lag,
    }


def _table(states: list[TopicState], namespace: str, kafka: str) -> Table:
    from rich.table import Table

    prefix = f"{namespace}-"
    table = Table(title=f"Topics {namespace}.… at {kafka}", title_justify="left")
    for name in ("Topic", "Role"):
        table.add_column(name)
    for name in ("Partitions", "Messages"):
        table.add_column(name, justify="right")
    table.add_column("Not yet read by")
    for state in states:
        messages = f"{state.offsets:,}" if state.role == "input" else f"≤ {state.offsets:,}"
        lag = ", ".join(f"{group.removeprefix(prefix)}: {count:,}" for group, count in state.lag.items())
        table.add_row(state.name.removeprefix(prefix[:-1] + "."), state.role, str(state.partitions), messages, lag)
    return table
