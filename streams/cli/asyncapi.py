"""``shekara asyncapi``: the topics and their messages, described for other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(asyncapi)


def asyncapi(
    *,
    out: Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal.")] = None,
    page: Annotated[bool, typer.Option("--page", help="A page for people (Markdown) instead of the document.")] = False,
    namespace: Annotated[str, typer.Option(help="Prefix of the topics; default: SHEKARA_NAMESPACE.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit code 2 if the file is not current.")] = False,
) -> None:
    """Describe every topic and message as an AsyncAPI 3 document (JSON), from the schemas this program came with."""
    from streams import __version__
    from streams.errors import UsageError
    from streams.settings import Settings
    from streams.wire.asyncapi import document
    from streams.wire.asyncapi_page import page as for_people

    described = document(namespace or Settings().namespace, __version__)
    text = for_people(described) if page else json.dumps(described, indent=2, ensure_ascii=False) + "\n"
    if out is None:
        typer.echo(text, nl=False)
        return
    if check:
        if not out.is_file() or out.read_text("utf-8") != text:
            raise UsageError(
                f"{out} is not what the schemas say.", f"Write it anew: shekara asyncapi{' --page' if page else ''} --out {out}"
            )
        return
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}.") from error
