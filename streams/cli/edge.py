"""``shekara edge``: the small service beside a border post's program."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.policy.model import Policy
    from streams.publish.forwarding import Forwarder
    from streams.publish.holder import Keep
    from streams.publish.inbox import Rows
    from streams.publish.spool import Spool
    from streams.publish.statements import Statements
    from streams.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(edge)


def edge(
    *,
    spool: Annotated[Path | None, typer.Option(help="File of the spool; default: <home>/edge/spool.db.")] = None,
    spool_key: Annotated[
        Path | None, typer.Option(help="Key file of the spool, best on other media; default: beside it.")
    ] = None,
    inbox: Annotated[Path | None, typer.Option(help="Folder whose files become events: all formats of shekara publish.")] = None,
    event_type: Annotated[str, typer.Option("--type", help="Event type of rows that do not say, e.g. border_crossing.")] = "",
    source: Annotated[str, typer.Option(help="Publishing system of rows that do not say; border crossings: post:<post>.")] = "",
    zone: Annotated[str, typer.Option(help="Zone of local times whose row has no post or oblast.")] = "",
    mapping: Annotated[str, typer.Option(help="column=field,… or a YAML file (docs/events.md).")] = "",
    max_mb: Annotated[int, typer.Option(min=1, help="Size at which the spool takes no more; nothing waiting is dropped.")] = 1024,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Loopback port of POST /v1/events; 0 takes a free one.")] = 8481,
    bootstrap: Annotated[str, typer.Option(help="Kafka's address, host:port,…; else SHEKARA_KAFKA or the running stack.")] = "",
    policy: Annotated[str, typer.Option(help="Policy whose codes rows are checked against.")] = "",
    statements: Annotated[
        bool, typer.Option(help="State each post's counts once a day (count_statement), signed with SHEKARA_SIGNING_KEY_FILE.")
    ] = True,
) -> None:
    """Take events from a folder and by local HTTP, keep them encrypted on disk, and send them to Kafka whenever it answers.

    An event is answered with "stored" once it is on disk; it survives kill -9, loss of power and days without a link, and
    arrives in the order of its person. Once a day it states how many events each post has numbered, so that a lost one is
    noticed. GET /v1/state shows what waits, the link and the clock. The token lies in <home>/edge/token.
    """
    from streams.clock import now_ms
    from streams.policy.load import load
    from streams.publish.edge import Edge
    from streams.publish.forwarding import Forwarder
    from streams.publish.inbox import Inbox
    from streams.publish.mapping import read_mapping
    from streams.publish.sealing import keys_in
    from streams.publish.spool import Spool
    from streams.settings import Settings
    from streams.vault import open_vault

    settings = Settings()
    folder = settings.home / "edge"
    path = spool or folder / "spool.db"
    columns = read_mapping(mapping) if mapping else None
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    began = now_ms()
    with ExitStack() as stack:
        keys = keys_in(spool_key or folder / "spool.key", create=not path.exists())
        kept = stack.enter_context(Spool(path, keys, max_bytes=max_mb * 1024 * 1024))
        vault = open_vault(settings)
        if vault is not None:
            stack.callback(vault.close)
        keep = vault.keep if vault is not None else None
        rules = load(policy or settings.policy)
        rows = _rows(settings, rules, kept, keep, event_type=event_type, source=source, zone=zone)
        forwarder = Forwarder(kept, _reached(settings, bootstrap), name=source or "shekara-edge")
        watched = Inbox(inbox, rows, event_type=event_type, mapping=columns) if inbox is not None else None
        daily = _statements(settings, rules, kept, forwarder) if statements else None
        service = Edge(kept, forwarder, rows, watched, daily, token=_token(folder / "token"), port=port)
        stack.callback(service.close)
        waiting = kept.state().waiting
        typer.echo(f"edge    {service.url}/v1/events (token in {folder / 'token'}); {waiting} events wait in {path}", err=True)
        if watched is not None:
            typer.echo(f"inbox   {inbox}", err=True)
        stop.wait()
    typer.echo(f"Stopped after {(now_ms() - began) / 1000:.0f} s; what waits is kept.", err=True)


def _rows(settings: Settings, rules: Policy, kept: Spool, keep: Keep | None, *, event_type: str, source: str, zone: str) -> Rows:
    from functools import cache

    from streams.cli.publish import door_of
    from streams.publish.completion import Completion, zone_by
    from streams.publish.inbox import Rows
    from streams.publish.pseudonym import pseudonyms

    make_pseudonyms = cache(lambda: pseudonyms(settings))

    def completion() -> Completion:
        codes = rules.codes
        return Completion(
            event_type, source, zone_by(codes.posts, codes.oblasts, zone), frozenset(codes.countries), make_pseudonyms
        )

    return Rows(completion, door_of(rules, settings), kept, keep)


def _statements(settings: Settings, rules: Policy, kept: Spool, forwarder: Forwarder) -> Statements:
    from streams.clock import now_ms
    from streams.publish.statements import Statements
    from streams.wire.signing import signer_of

    def corrected() -> int:
        """Returns the broker's time as far as it is known: a wrong clock must not end a day too early."""
        drift = forwarder.state.drift
        return now_ms() - (0 if drift is None else drift.ahead_ms)

    return Statements(kept, {code: post.zone for code, post in rules.codes.posts.items()}, signer_of(settings), corrected)


def _reached(settings: Settings, bootstrap: str) -> Settings:
    if bootstrap or settings.kafka:
        return settings.model_copy(update={"kafka": bootstrap or settings.kafka})
    from streams.bootstrap import with_kafka

    return with_kafka(settings)


def _token(path: Path) -> str:
    """Returns the token of a file, made now if there is none; only its owner can read it."""
    import os
    import secrets

    from streams.errors import SetupError

    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(32) + "\n")
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise SetupError(f"Others can read the token in {path}.", f"Remove it: a new one is made. rm {path}")
        token = path.read_text("ascii").strip()
    except OSError as error:
        raise SetupError(f"The token cannot be kept in {path}: {error.strerror or error}.") from error
    if not token:
        raise SetupError(f"The token in {path} is empty.", f"Remove it: a new one is made. rm {path}")
    return token
