"""``shekara warehouse``: carries the topics to ClickHouse and answers questions."""

from __future__ import annotations

import signal
import threading
from typing import Annotated, Any

import typer


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(warehouse)


def warehouse(
    *,
    bootstrap: Annotated[str, typer.Option(help="host:port,… of Kafka; default: SHEKARA_KAFKA, or the stack running here.")] = "",
    namespace: Annotated[str, typer.Option(help="Prefix of every topic; default: SHEKARA_NAMESPACE.")] = "",
    sql_port: Annotated[int, typer.Option(help="Loopback port of the SQL endpoint; 0 takes a free one.", min=-1, max=65535)] = -1,
    metrics_port: Annotated[
        int, typer.Option(help="Port for /metrics, /livez and /readyz; 0: a free one.", min=-1, max=65535)
    ] = -1,
    cluster: Annotated[str, typer.Option(help="Create tables replicated on this cluster of your own server.")] = "",
    migrate_only: Annotated[bool, typer.Option("--migrate-only", help="Bring the database up to date and end.")] = False,
    until_caught_up: Annotated[bool, typer.Option("--until-caught-up", help="End when everything is in ClickHouse.")] = False,
) -> None:
    """Run the warehouse: read the topics, insert into ClickHouse, then commit; serve read-only SQL on loopback.

    Without SHEKARA_CLICKHOUSE the embedded engine keeps its data in <home>/clickhouse and is asked at the SQL endpoint;
    with it, your server is filled and asked directly. Stops cleanly on SIGTERM or Ctrl-C; however it ends, nothing is lost or
    doubled.
    """
    from streams import bootstrap as parts
    from streams.clock import monotonic_s, now_ms
    from streams.policy.load import load
    from streams.runtime.collector import collect_seldom
    from streams.runtime.journal import open_journal
    from streams.runtime.probes import Probes
    from streams.settings import Settings
    from streams.warehouse import retention, source
    from streams.warehouse.connect import connect
    from streams.warehouse.counted import OUTPUTS
    from streams.warehouse.keeper import Keeper
    from streams.warehouse.migrate import migrate, refresh_comments
    from streams.warehouse.published import Intake
    from streams.warehouse.rows import layouts, tables
    from streams.warehouse.sink import Sink
    from streams.wire.topics import PEOPLE, TOPICS

    changes: dict[str, Any] = {"kafka": bootstrap, "namespace": namespace}
    changes |= {name: port for name, port in (("sql_port", sql_port), ("metrics_port", metrics_port)) if port >= 0}
    settings = Settings().model_copy(update={name: value for name, value in changes.items() if value != ""})
    open_journal(settings.log_format, settings.log_level)
    collect_seldom()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if not migrate_only:
        settings = parts.with_kafka(settings)
    engine = connect(settings)
    closers = [engine.close]
    try:
        applied = migrate(engine, cluster=cluster)
        refresh_comments(engine, tables().values(), cluster=cluster)
        policy = load(settings.policy)
        if migrate_only or engine.label == "embedded":  # on a server the sink's user may not alter tables
            retention.apply(engine, retention.kept_days(policy, now_ms() // 86_400_000), cluster=cluster)
        if migrate_only:
            typer.echo(f"{applied} migrations applied; the database is up to date.")
            return
        intake = Intake(settings.home)
        consumer = source.consumer(settings)
        sink = Sink(
            engine,
            consumer,
            layouts(policy),
            parts.refusals(settings),
            batch_rows=settings.sink_batch_rows,
            batch_s=settings.sink_batch_s,
            stop=stop,
            until_caught_up=until_caught_up,
            keeper=Keeper(
                engine,
                PEOPLE.name(settings.namespace),
                {one.name(settings.namespace): one.name(settings.namespace) for one in TOPICS if one.role == "input"}
                | {f"{settings.namespace}.{topic}": name for topic, name in OUTPUTS.items()},
                lambda names: source.committed(consumer, names),
                lambda: intake.look(engine),
            ),
        )
        closers += _serve_sql(engine, settings, lambda: sink.trouble)
        closers += _watch_sources(engine, settings)
        probes = Probes(
            settings.metrics_host,
            settings.metrics_port,
            live=lambda: "" if monotonic_s() - sink.alive_s < 60 else "the sink has not moved for 60 s",
            ready=lambda: sink.trouble,
        )
        closers.append(probes.close)
        typer.echo(f"probes  http://{settings.metrics_host}:{probes.port}/readyz", err=True)
        sink.run(source.topics(settings))
    finally:
        for close in reversed(closers):
            close()


def _watch_sources(engine: Any, settings: Any) -> list[Any]:
    """Looks at what every source sent, on connections of their own. Returns what to call at the end."""
    from streams.local.settled import settled
    from streams.publish import Publisher
    from streams.warehouse import number_watch, source, source_watch
    from streams.warehouse.ask import ServerAsker
    from streams.warehouse.embedded import Embedded
    from streams.warehouse.rounds import Rounds

    def asker() -> Any:
        if isinstance(engine, Embedded):
            return engine.reader({"max_execution_time": 60, "max_threads": 1, "max_memory_usage": 1024**3})
        return ServerAsker(settings.clickhouse.get_secret_value())

    def publish(outages: Any) -> None:
        with Publisher(settings, source="shekara-numbers") as publisher:
            for outage in outages:
                publisher.publish(outage)

    figures = asker()

    def look() -> None:
        source_watch.look(lambda query: figures.select(query).rows)

    closers = [figures.close, Rounds("source-watch", look, source_watch.INTERVAL_S).close]
    if settings.ticks == "wall":  # else somebody else says how far the posts are complete
        numbers = asker()
        group, names = source.group(settings), source.topics(settings)
        watch = number_watch.NumberWatch(
            lambda query: numbers.select(query).rows, lambda: settled(settings, group, names), publish
        )
        closers += [numbers.close, Rounds("number-watch", watch.look, number_watch.INTERVAL_S).close]
    return closers


def _serve_sql(engine: Any, settings: Any, trouble: Any) -> list[Any]:
    """Serves the embedded engine's data; a server is asked directly. Returns what to call at the end."""
    from streams.warehouse.embedded import Embedded

    if not isinstance(engine, Embedded):
        return []
    from streams.local.stack import token_file
    from streams.warehouse.endpoint import Endpoint, application, token_in
    from streams.warehouse.readonly import Reader

    reader = Reader(engine)
    endpoint = Endpoint(application(reader, token_in(token_file(settings)), trouble), settings.sql_port)
    typer.echo(f"sql     {endpoint.url} (token in {token_file(settings)})", err=True)
    return [reader.close, endpoint.close]
