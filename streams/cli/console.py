"""``shekara console``: the operations centre's web page; ``shekara audit verify``: whether its audit is whole."""

from __future__ import annotations

import signal
from typing import Annotated, Any

import typer

from streams.errors import UsageError


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(console)
    app.command(name="console-move")(move)
    audit = typer.Typer(help="The console's audit: who saw and did what.", no_args_is_help=True)
    audit.command()(verify)
    audit.callback()(lambda: None)
    app.add_typer(audit, name="audit")


def console(
    *,
    port: Annotated[int, typer.Option(help="Loopback port; 0 takes a free one.", min=0, max=65535)] = 0,
    host: Annotated[str, typer.Option(help="Address to listen on; beyond loopback only behind TLS.")] = "127.0.0.1",
    public_url: Annotated[str, typer.Option(help="https://… under which browsers reach it through your TLS proxy.")] = "",
    proxy: Annotated[
        str, typer.Option(help="Addresses of that proxy, with commas: only theirs is the word on who asks.")
    ] = "127.0.0.1,::1",
    demo_accounts: Annotated[bool, typer.Option("--demo-accounts", help="One account per role; only in a demo's home.")] = False,
) -> None:
    """Serve the operations centre's page: live alerts, why they fired, follow-up; until Ctrl-C.

    Reads the running stack of SHEKARA_HOME (or your own Kafka and ClickHouse). The first start prints a one-time link with
    which the administrator chooses a password; there is no default password.
    """
    import sys
    from urllib.parse import urlsplit

    from streams import bootstrap as parts
    from streams.console import serving
    from streams.console.app import application
    from streams.console.desk import furnish
    from streams.local.stack import is_simulated
    from streams.policy.load import load
    from streams.runtime.journal import open_journal
    from streams.runtime.probes import Probes
    from streams.settings import Settings

    public = urlsplit(public_url)
    if public_url and (public.scheme != "https" or not public.hostname):
        raise UsageError(f"--public-url {public_url}: expected https://host.", "Without TLS leave it out and stay on loopback.")
    if host not in ("127.0.0.1", "::1", "localhost") and not public_url:
        raise UsageError(f"--host {host} is not loopback: passwords would travel in clear.", "Give --public-url, behind TLS.")
    # Threads that read topics give way to whoever answers a page within a millisecond; Python's own choice is five.
    sys.setswitchinterval(0.001)
    settings = Settings()
    open_journal(settings.log_format, settings.log_level)
    settings = parts.with_kafka(settings)
    desk = furnish(settings, load(settings.policy), demo=is_simulated(settings), public_url=public_url)
    try:
        desk.connect()
        listening = serving.listen(host, port)
        url = public_url.rstrip("/") or f"http://{host}:{listening.getsockname()[1]}"
        hosts = [public.hostname] if public.hostname else None
        server = serving.server(application(desk, hosts), proxy if public_url else "")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(server, "should_exit", True))
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        typer.echo(f"console {url}", err=True)
        _welcome(serving, desk, url, demo_accounts=demo_accounts)
        probes = Probes(
            settings.metrics_host,
            settings.metrics_port,
            live=lambda: "",
            ready=lambda: desk.trouble() or ("" if server.started else "the page is not served yet"),
        )
        desk.closers.append(probes.close)
        typer.echo(f"probes  http://{settings.metrics_host}:{probes.port}/readyz", err=True)
        server.run(sockets=[listening])
    finally:
        desk.close()


def _welcome(serving: Any, desk: Any, url: str, *, demo_accounts: bool) -> None:
    if demo_accounts:
        path = serving.demo_accounts(desk)
        names = ", ".join(account.name for account in desk.accounts.all())
        typer.echo(f"accounts {names}; their password: {path.read_text(encoding='ascii').strip()} (kept in {path})", err=True)
        return
    link = serving.first_link(desk, url)
    if link:
        typer.echo(f"setup   {link}  (once, within 24 hours: choose the administrator's password)", err=True)


def move(as_json: Annotated[bool, typer.Option("--json", help="The number of rows by table, as JSON.")] = False) -> None:
    """Copy the console's own store from its file into the empty PostgreSQL SHEKARA_CONSOLE_STORE names; stop the console first.

    The file stays as it is. The audit is verified on both sides; its key and checkpoints and the second factor's key stay.
    """
    import json

    from streams.console.audit import Audit
    from streams.console.desk import folder
    from streams.console.moving import move as copy
    from streams.console.postgresql import PostgresqlStore
    from streams.console.sqlite import SqliteStore
    from streams.settings import Settings

    settings = Settings()
    place, url = folder(settings), settings.console_store.get_secret_value()
    if not url:
        raise UsageError("SHEKARA_CONSOLE_STORE is not set.", "Set it to the store to copy into: postgresql://…")
    if not (place / "console.db").exists():
        raise UsageError(f"There is no store in {place}.", "Name the stack's home with SHEKARA_HOME.")
    source = SqliteStore(place / "console.db")
    try:
        before = Audit(source, place).verify()
        target = PostgresqlStore(url)
        try:
            counts = copy(source, target, lambda table, rows: typer.echo(f"{rows:>9}  {table}", err=True) if rows else None)
            after = Audit(target, place).verify()
        finally:
            target.close()
    finally:
        source.close()
    if as_json:
        typer.echo(json.dumps(counts))
    typer.echo(f"Copied; the audit is whole on both sides: {before} and {after} lines. The file was left as it is.", err=True)


def verify() -> None:
    """Recompute the audit's chain of hashes and compare it with the signed checkpoints; exit code 5 if it is broken."""
    from streams.console.audit import Audit
    from streams.console.desk import folder
    from streams.console.store import open_store
    from streams.settings import Settings

    settings = Settings()
    place = folder(settings)
    if not settings.console_store.get_secret_value() and not (place / "console.db").exists():
        raise UsageError(f"There is no audit in {place}.", "Name the stack's home with SHEKARA_HOME.")
    store = open_store(settings, place, prepare=False)
    try:
        audit = Audit(store, place)
        lines, signed = audit.verify(), audit.signed()
    finally:
        store.close()
    typer.echo(f"The audit is whole: {lines} lines, {signed} signed checkpoints.")
    if lines and not signed:
        typer.echo(f"No checkpoint lies in {place}: a cut end would not show. Verify where the console runs.", err=True)
