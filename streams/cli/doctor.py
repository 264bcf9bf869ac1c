"""``shekara doctor``: looks at every part and says what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.local.checks import Check
    from streams.local.stack import Stack
    from streams.settings import Settings

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(doctor)


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Check the machine, Kafka, the topics, ClickHouse, the schemas, the policy, disk, clock and ports.

    Every line is ok, warn or fail and says what to do. Exit code 3 when anything failed.
    """
    from streams.settings import Settings

    failed = False
    found = []
    for check in _checks(Settings()):
        failed = failed or check.state == "fail"
        found.append(asdict(check))
        if not as_json:
            _print(check)
    if as_json:
        typer.echo(json.dumps({"ok": not failed, "checks": found}, ensure_ascii=False))
    raise typer.Exit(3 if failed else 0)


def _print(check: Check) -> None:
    state = typer.style(f"{check.state:<4}", fg=_COLOURS[check.state])
    typer.echo(f"{state}  {check.name}: {check.what}")
    if check.next_step:
        typer.echo(f"        → {check.next_step}")


def _checks(settings: Settings) -> Iterator[Check]:
    from streams.errors import ShekaraError
    from streams.local import checks
    from streams.local.stack import find_stack

    try:
        running = find_stack(settings)
    except ShekaraError as error:
        running, nothing_runs = None, error
    yield from checks.machine(settings, running)
    yield _schemas()
    yield _policy(settings)
    if settings.console_store.get_secret_value():
        yield _console_store(settings)
    if running is None:
        yield checks.failed("stack", nothing_runs, "warn")
        if settings.clickhouse.get_secret_value():
            yield _clickhouse(settings, None)
        return
    settings = running.settings(settings)
    yield from _processes(running)
    yield from checks.kafka(running, settings)
    yield _clickhouse(settings, running)


def _schemas() -> Check:
    from streams.local.checks import Check
    from streams.records import INPUTS, OUTPUTS
    from streams.wire import avro

    try:
        for kind in (*INPUTS, *OUTPUTS):
            avro.fingerprint(kind)
    except Exception as error:
        return Check("schemas", "fail", f"{type(error).__name__}: {error}", "Install the package again: 'make install'.")
    return Check("schemas", "ok", f"{len(INPUTS)} event types in, {len(OUTPUTS)} kinds of records out")


def _policy(settings: Settings) -> Check:
    from streams.errors import ShekaraError
    from streams.local import checks
    from streams.policy.load import load

    try:
        policy = load(settings.policy)
    except ShekaraError as error:
        return checks.failed("policy", error)
    return checks.Check("policy", "ok", f"{settings.policy}, version {policy.version}")


def _console_store(settings: Settings) -> Check:
    from streams.console.postgresql import PostgresqlStore
    from streams.errors import ShekaraError
    from streams.local import checks

    try:
        store = PostgresqlStore(settings.console_store.get_secret_value(), prepare=False)
        try:
            version = store.rows("SHOW server_version")[0][0]
            accounts = store.rows("SELECT count(*) FROM account")[0][0]
        finally:
            store.close()
    except ShekaraError as error:
        return checks.failed("the console's store", error)
    return checks.Check("the console's store", "ok", f"PostgreSQL {version}, {accounts} accounts")


def _processes(running: Stack) -> Iterator[Check]:
    from streams.local.checks import Check
    from streams.local.supervisor import is_ready

    for name, process in running.processes.items():
        if not process.url:
            yield Check(name, "ok", f"runs as process {process.pid}")
        elif is_ready(process.url):
            yield Check(name, "ok", f"ready, process {process.pid}, {process.url}")
        else:
            yield Check(name, "warn", f"process {process.pid} is not ready", f"Look at {process.url}/readyz and {process.log}.")


def _clickhouse(settings: Settings, running: Stack | None) -> Check:
    from streams.errors import ShekaraError
    from streams.local import checks
    from streams.warehouse import migrate
    from streams.warehouse.ask import Asking

    own = bool(settings.clickhouse.get_secret_value())
    sql_url, token_file = (running.sql_url, running.token_file) if running else ("", "")
    if not own and not sql_url:
        return checks.Check("ClickHouse", "warn", "no warehouse runs in this home", "Start the stack with 'shekara up'.")
    try:
        with Asking(settings, sql_url=sql_url, token_file=token_file) as asker:
            version = asker.select("SELECT version()").rows[0][0]
            there = asker.select(
                "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations'"
            )
            applied = int(asker.select("SELECT count() FROM schema_migrations FINAL").rows[0][0]) if int(there.rows[0][0]) else 0
    except ShekaraError as error:
        return checks.failed("ClickHouse", error)
    which = "your server" if own else f"embedded engine, read-only SQL at {sql_url}"
    known = len(migrate.read())
    if applied != known:
        return checks.Check("ClickHouse", "fail", f"{which}, {applied} of {known} migrations applied", "Run 'shekara init'.")
    return checks.Check("ClickHouse", "ok", f"{which}, version {version}, {applied} migrations applied")
