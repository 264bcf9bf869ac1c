"""``shekara registry``: our schemas in a Schema Registry, where tools want one."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(registry)


def registry(
    *,
    url: Annotated[str, typer.Option(help="https://host:port of the registry; default: SHEKARA_SCHEMA_REGISTRY.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Register nothing; exit code 1 if something is missing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Register every version of every schema in a Schema Registry (Confluent's API), under the numbers of schemas/ids.json.

    Nothing of Shekara needs a registry. With the same numbers there and here, tools that frame by the registry write what the
    worker reads. A number that is taken by another schema is refused before anything is written.
    """
    from dataclasses import asdict

    from streams.errors import UsageError
    from streams.publish.registry import Registry
    from streams.settings import Settings

    settings = Settings()
    where = url or settings.schema_registry.get_secret_value()
    if not where:
        raise UsageError("Expected the address of a registry; got nothing.", "Give --url, or set SHEKARA_SCHEMA_REGISTRY.")
    asked = Registry(where, str(settings.kafka_ca) if settings.kafka_ca else None)
    try:
        missing = 0
        if not check:
            list(asked.sync(settings.namespace, write=False))  # a clash is found before anything is written
        for entry in asked.sync(settings.namespace, write=not check):
            missing += entry.state == "missing"
            if as_json:
                typer.echo(json.dumps(asdict(entry)))
            else:
                typer.echo(f"{entry.state:<10} {entry.schema_id:>3}  {entry.subject} version {entry.version}")
    finally:
        asked.close()
    if missing:
        raise typer.Exit(1)
