"""``shekara gateway``: events over HTTP, and the tokens that allow it."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.settings import Settings

TokensFile = Annotated[Path | None, typer.Option("--tokens", help="File of the tokens; default: <home>/gateway/tokens.json.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    commands = typer.Typer(help="Take events over HTTP from callers that have a token.", no_args_is_help=True)
    commands.command()(run)
    tokens = typer.Typer(help="Who may send what.", no_args_is_help=True)
    tokens.command("add")(add)
    tokens.command("list")(show)
    tokens.command("revoke")(revoke)
    commands.add_typer(tokens, name="token")
    app.add_typer(commands, name="gateway")


def run(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on; beyond loopback TLS is asked for.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8480,
    tls_certificate: Annotated[Path | None, typer.Option(help="Certificate and chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key, PEM.")] = None,
    client_ca: Annotated[Path | None, typer.Option(help="Callers must show a certificate of this CA, PEM (mutual TLS).")] = None,
    bootstrap: Annotated[str, typer.Option(help="Kafka's address, host:port,…; else SHEKARA_KAFKA or the running stack.")] = "",
    policy: Annotated[str, typer.Option(help="Policy whose codes events are checked against.")] = "",
    cloudevents: Annotated[
        bool, typer.Option("--cloudevents", help="Publish with the headers of CloudEvents (ce_id, ce_type, …) for other readers.")
    ] = False,
    tokens: TokensFile = None,
) -> None:
    """Serve POST /v1/events and Confluent's POST /topics/{topic}; an event is accepted once all replicas of Kafka have it.

    Needs a token for every caller ('shekara gateway token add'). With SHEKARA_PSEUDONYM_KEY_FILE set, callers may send document
    numbers, which become pseudonyms here and go no further. Describes itself at /v1/openapi.json.
    """
    from streams.bootstrap import with_kafka
    from streams.decode import Decoder, load_sources
    from streams.gateway.application import Gateway, application
    from streams.gateway.delivery import Delivery
    from streams.gateway.intake import Intake
    from streams.gateway.serve import Listening, Server
    from streams.gateway.tokens import Tokens
    from streams.policy.load import load
    from streams.publish.holder import Holders
    from streams.publish.pseudonym import pseudonyms
    from streams.runtime.journal import open_journal
    from streams.settings import Settings
    from streams.vault import open_vault

    settings = Settings()
    open_journal(settings.log_format, settings.log_level)
    listening = Listening(host, port, tls_certificate, tls_key, client_ca)
    listening.check()
    rules = load(policy or settings.policy)
    has_key = bool(settings.pseudonym_key.get_secret_value() or settings.pseudonym_key_file)
    sources = load_sources(settings.sources) if settings.sources else None
    keyed = pseudonyms(settings) if has_key else None
    holders = Holders(lambda: keyed, frozenset(rules.codes.countries)) if keyed is not None else None
    vault = open_vault(settings)
    intake = Intake(Decoder(rules.codes, sources), holders, vault.keep if vault is not None else None)
    file = _file(tokens, settings)
    known = Tokens(file)
    settings = with_kafka(settings.model_copy(update={"kafka": bootstrap or settings.kafka}))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    delivery = Delivery(settings, as_cloudevents=cloudevents)
    try:
        delivery.require()
        server = Server(application(Gateway(known, intake, delivery, settings.namespace)), listening)
        try:
            typer.echo(f"gateway {server.url}/v1/events ({known.count()} tokens in {file})", err=True)
            if not known.count():
                typer.echo("  → Nobody may send yet: shekara gateway token add SOURCE --type border_crossing", err=True)
            while not stop.wait(0.5) and server.running:
                pass
        finally:
            server.close()
    finally:
        delivery.close()
        if vault is not None:
            vault.close()


def add(
    source: Annotated[str, typer.Argument(help="Source it may send events of: post:KZ-75-A1, or post:* for all posts.")],
    types: Annotated[list[str], typer.Option("--type", help="Event type it may send; may be repeated.")],
    *,
    per_second: Annotated[float, typer.Option(help="Events a second it may send on average.")] = 2000.0,
    tokens: TokensFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Make a token and show it, once: only its hash is kept."""
    from streams.gateway import tokens as ledger
    from streams.settings import Settings

    token, text = ledger.add(_file(tokens, Settings()), source, types, per_second)
    if as_json:
        typer.echo(json.dumps({"id": token.id, "token": text, "source": token.source, "types": token.types}))
        return
    typer.echo(text)
    typer.echo(f"  Token {token.id} for {token.source}: {', '.join(token.types)}. It is not shown again.", err=True)


def show(
    *,
    tokens: TokensFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the tokens; the tokens themselves are kept nowhere."""
    from streams.gateway import tokens as ledger
    from streams.settings import Settings
    from streams.wire.jsonform import instant_text

    for token in ledger.read(_file(tokens, Settings())):
        made, revoked = instant_text(token.made_at), token.revoked_at and instant_text(token.revoked_at)
        if as_json:
            line = {"id": token.id, "source": token.source, "types": token.types, "per_second": token.per_second}
            typer.echo(json.dumps(line | {"made_at": made, "revoked_at": revoked}))
        else:
            state = f"revoked {revoked}" if revoked else f"{token.per_second:g}/s"
            typer.echo(f"{token.id}  {token.source}  {', '.join(token.types)}  made {made}  {state}")


def revoke(token_id: Annotated[str, typer.Argument(help="Its id, as in the list.")], *, tokens: TokensFile = None) -> None:
    """Revoke a token, from the next request on."""
    from streams.gateway import tokens as ledger
    from streams.settings import Settings

    token = ledger.revoke(_file(tokens, Settings()), token_id)
    typer.echo(f"Token {token.id} for {token.source} is revoked.")


def _file(tokens: Path | None, settings: Settings) -> Path:
    return tokens or settings.home / "gateway" / "tokens.json"
