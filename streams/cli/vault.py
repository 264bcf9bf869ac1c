"""``shekara vault``: what is kept of documents, its keys and its clocks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from streams.vault import Vault


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    vault = typer.Typer(help="Documents behind pseudonyms, sealed: state, keys, clocks.", no_args_is_help=True)
    vault.command()(status)
    vault.command()(rotate)
    vault.command()(erase)
    app.add_typer(vault, name="vault")


def status(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Say how many documents are kept, and how many of them are sealed under the key in use."""
    with opened() as vault:
        found = {"documents": vault.store.count(), "under_an_older_key": vault.outdated()}
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo(f"{found['documents']} documents are kept; {found['under_an_older_key']} are sealed under an older key.")
    if found["under_an_older_key"]:
        typer.echo("  → shekara vault rotate")


def rotate() -> None:
    """Seal everything anew under the first key of the key file; then the older keys can be taken out of it.

    Put the new key in the first line of SHEKARA_VAULT_KEY_FILE, leave the old one below it, restart what writes, run this.
    Killed in between, run it again.
    """
    with opened() as vault:
        vault.audit(who(), "vault_rotated", "", "a new key of the vault")
        number = vault.rotate()
    typer.echo(f"{number} documents are sealed anew. The older keys can be taken out of the key file.")


def erase(*, policy: Annotated[str, typer.Option(help="Policy whose clocks count; else the settings'.")] = "") -> None:
    """Forget documents nobody has given for longer than the policy keeps data where no exit was seen, its longest clock."""
    from streams.clock import now_ms
    from streams.policy.load import load
    from streams.settings import Settings

    rules = load(policy or Settings().policy)
    years = rules.at(rules.local_day(now_ms(), "")).retention_no_exit_years
    with opened() as vault:
        vault.audit(who(), "vault_erased", "", f"not given for {years} years")
        number = vault.erase_unseen(years * 366)
    typer.echo(f"{number} documents are forgotten: nobody gave them for {years} years.")


def opened() -> AbstractContextManager[Vault]:
    """Opens the vault of the settings, with the console's audit of this home.

    Raises:
        SetupError: the settings name no vault, or it cannot be opened.
    """
    from contextlib import contextmanager

    from streams.clock import now_ms
    from streams.console.audit import Audit
    from streams.console.desk import folder
    from streams.console.store import open_store
    from streams.errors import SetupError
    from streams.settings import Settings
    from streams.vault import open_vault

    settings = Settings()

    @contextmanager
    def within() -> Iterator[Vault]:
        store = open_store(settings, folder(settings))
        try:
            audit = Audit(store, folder(settings))
            vault = open_vault(settings, lambda who, action, about, why: audit.write(now_ms(), who, action, about, why))
            if vault is None:
                raise SetupError(
                    "No vault is set up: document data are not kept.",
                    "Name a key file with SHEKARA_VAULT_KEY_FILE (openssl rand -hex 32 > FILE && chmod 600 FILE).",
                )
            try:
                yield vault
            finally:
                vault.close()
                audit.checkpoint()
        finally:
            store.close()

    return within()


def who() -> str:
    """Returns whose name stands in the audit for what is done by command."""
    from getpass import getuser

    return f"cli:{getuser()}"
