"""``shekara init``: topics and tables, created where they are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from streams.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(init)


def init() -> None:
    """Create the topics in Kafka and the tables in ClickHouse; what is there already is checked and left alone.

    With the embedded stack this happens by itself at every start.
    """
    from streams.local import admin, topics
    from streams.local.stack import find_stack
    from streams.settings import Settings
    from streams.wire.topics import TOPICS

    settings = Settings()
    stack = find_stack(settings)
    settings = stack.settings(settings)
    with admin.connect(stack.kafka, settings) as client:
        created = topics.create(client, settings.namespace, partitions=settings.partitions, replication=settings.replication)
    there = len(TOPICS) - len(created)
    typer.echo(f"Kafka at {stack.kafka}: {_count(len(created), 'topic')} created, {there} there already and as they must be.")
    if settings.clickhouse.get_secret_value():
        _tables(settings)
    else:
        typer.echo("ClickHouse: the embedded engine applies its migrations when its process starts.")


def _tables(settings: Settings) -> None:
    from streams.clock import now_ms
    from streams.policy.load import load
    from streams.warehouse import retention
    from streams.warehouse.connect import connect
    from streams.warehouse.migrate import migrate, refresh_comments
    from streams.warehouse.rows import tables

    engine = connect(settings)
    try:
        applied = migrate(engine)
        refresh_comments(engine, tables().values())
        retention.apply(engine, retention.kept_days(load(settings.policy), now_ms() // 86_400_000))
    finally:
        engine.close()
    typer.echo(f"ClickHouse: {_count(applied, 'migration')} applied; the database is up to date.")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
