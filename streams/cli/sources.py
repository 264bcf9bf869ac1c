"""``shekara sources``: keys that sources sign with, and what the register of sources says."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the family of commands."""
    family = typer.Typer(no_args_is_help=True, help="Keys that sources sign their events with, and the register of sources.")
    family.command()(key)
    family.command()(check)
    app.add_typer(family, name="sources")


def key(
    file: Annotated[Path, typer.Argument(help="A new file for the private key; only you will be able to read it.")],
    *,
    kid: Annotated[str, typer.Option(help="Name of the key, e.g. kz-75-a1-2025.")],
) -> None:
    """Make a signing key, and print the line of the register of sources that lets it count from now on."""
    from streams.clock import now_ms
    from streams.errors import UsageError
    from streams.wire.jsonform import instant_text
    from streams.wire.signing import Signer

    private = secrets.token_bytes(32)
    signer = Signer(kid, private)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UsageError(f"{file} cannot be made: {error.strerror}.", "Name a new file in a directory that exists.") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        out.write(private.hex() + "\n")
    typer.echo(f"keys: [{{kid: {kid}, public: {signer.public.hex()}, from: {instant_text(now_ms())}}}]")
    typer.echo(
        f"  → The line belongs into the source's entry of SHEKARA_SOURCES; the source sets SHEKARA_SIGNING_KEY_FILE={file} "
        f"and SHEKARA_SIGNING_KID={kid}.",
        err=True,
    )


def check(
    *,
    file: Annotated[Path | None, typer.Option(help="The register; default: SHEKARA_SOURCES.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Read the register of sources as worker and gateway do, and list what each source may write and which keys count now."""
    from streams.clock import now_ms
    from streams.decode import load_sources
    from streams.errors import UsageError
    from streams.settings import Settings

    path = file or Settings().sources
    if path is None:
        raise UsageError("There is no register of sources.", "Set SHEKARA_SOURCES, or give --file.")
    now = now_ms()
    for entry in load_sources(path).entries:
        keys = {name: one.counts_at(now) for name, one in entry.keys.items()}
        if as_json:
            line = {"source": entry.name, "types": sorted(entry.types), "own_post": entry.own_post}
            typer.echo(json.dumps(line | {"signatures": entry.signatures, "keys": keys}))
            continue
        listed = ", ".join(f"{name}{'' if counts else ' (does not count now)'}" for name, counts in keys.items())
        typer.echo(
            f"{entry.name}  {', '.join(sorted(entry.types))}  signatures {entry.signatures}{f'  {listed}' if listed else ''}"
        )
