"""``shekara sql``: ask the warehouse."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.errors import ShekaraError, UsageError

if TYPE_CHECKING:
    from streams.warehouse.ask import Asker, Asking
    from streams.warehouse.block import Result

_FORMAT = re.compile(r"\bFORMAT\s+\w+\s*;?\s*$", re.IGNORECASE)
_PROMPT = "shekara> "
_MORE = "     ... "
_HELP = """End a query with ;   \\d lists tables   \\d NAME describes one   \\q leaves (or Ctrl-D)"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(sql)


def sql(
    query: Annotated[str, typer.Argument(help="The query; without one: --file, what is piped in, or a prompt.")] = "",
    *,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Read the queries from a file.", dir_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array of objects.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a header.")] = False,
    as_table: Annotated[bool, typer.Option("--table", help="A table for people (the default on a terminal).")] = False,
    as_of: Annotated[
        str,
        typer.Option(
            "--as-of",
            help="Instead of a query name a view or table: show it as it was at the end of this day, e.g. 2025-03-01.",
        ),
    ] = "",
) -> None:
    """Ask the warehouse, read-only: your ClickHouse, the running stack, or the data in this home when nothing runs.

    Start with: shekara sql "SHOW TABLES", then "DESCRIBE mart_alerts". Views named mart_… answer most questions.
    """
    from streams.settings import Settings

    if as_json + as_csv + as_table > 1:
        raise UsageError("--json, --csv and --table exclude each other.")
    style = "json" if as_json else "csv" if as_csv else "table" if as_table or sys.stdout.isatty() else "csv"
    with asking(Settings()) as asker:
        if not query and file is None and not as_of and sys.stdin.isatty():
            _converse(asker, style)
            return
        queries = list(_queries(query, file))
        if as_of:
            from streams.cli.export import whole

            queries = [whole(asker, _bare(one), as_of) for one in queries]
        if not queries:
            raise UsageError("There is no query.", 'E.g. shekara sql "SHOW TABLES".')
        for one in queries:
            answer(asker, one, style)


def _bare(query: str) -> str:
    """Returns a query without lines that are comments."""
    return "\n".join(line for line in query.splitlines() if not line.lstrip().startswith("--")).strip()


def asking(settings: Any) -> Asking:
    """Finds whom to ask: a server, a running stack, or the embedded data.

    Args:
        settings: a ``Settings``.

    Raises:
        SetupError: there is no warehouse.
    """
    from streams.errors import SetupError
    from streams.local.stack import find_stack
    from streams.warehouse.ask import Asking

    try:
        stack = find_stack(settings)
    except SetupError:
        return Asking(settings)
    return Asking(settings, sql_url=stack.sql_url, token_file=stack.token_file)


def answer(asker: Asker, query: str, style: str) -> None:
    """Runs one query and prints its answer.

    Args:
        asker: whom to ask.
        query: one statement.
        style: ``table``, ``csv`` or ``json``; not used when the query names a FORMAT.
    """
    if _FORMAT.search(query):
        sys.stdout.buffer.write(asker.raw(query))
        sys.stdout.buffer.flush()
        return
    show(asker.select(query), style)


def show(result: Result, style: str) -> None:
    """Prints an answer as ``table``, ``csv`` or ``json``."""
    if style == "json":
        typer.echo(
            json.dumps([dict(zip(result.names, map(_plain, row), strict=True)) for row in result.rows], ensure_ascii=False)
        )
    elif style == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(result.names)
        writer.writerows([_text(value) for value in row] for row in result.rows)
    else:
        from rich.console import Console
        from rich.table import Table

        table = Table(header_style="bold")
        for name, kind in zip(result.names, result.types, strict=True):
            table.add_column(name, justify="right" if re.search(r"Int|Float|Decimal", kind) else "left", overflow="fold")
        for row in result.rows:
            table.add_row(*(_text(value) for value in row))
        Console().print(table)
        typer.echo(f"{len(result.rows)} rows" if len(result.rows) != 1 else "1 row", err=True)


def _queries(query: str, file: Path | None) -> Iterator[str]:
    from streams.warehouse.sql import split

    if query:
        yield query.strip().rstrip(";")
        return
    if file is None:
        yield from split(sys.stdin.read())
        return
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}.") from error
    yield from split(text)


def _converse(asker: Asker, style: str) -> None:
    """Reads queries from a terminal until Ctrl-D."""
    import readline  # noqa: F401  # line editing and history of this session; nothing is kept on disk

    typer.echo(_HELP)
    lines: list[str] = []
    while True:
        try:
            line = input(_MORE if lines else _PROMPT)
        except EOFError:
            typer.echo()
            return
        except KeyboardInterrupt:
            typer.echo()
            lines = []
            continue
        if not lines and line.strip() in ("\\q", "exit", "quit", "exit;", "quit;"):
            return
        if not lines and line.strip().startswith("\\d"):
            name = line.strip()[2:].strip()
            line = f"DESCRIBE TABLE {name};" if name else "SHOW TABLES;"
        if not lines and line.strip() in ("\\?", "\\h", "help"):
            typer.echo(_HELP)
            continue
        lines.append(line)
        if line.rstrip().endswith(";"):
            query, lines = "\n".join(lines).strip().rstrip(";"), []
            try:
                if query:
                    answer(asker, query, style)
            except ShekaraError as error:
                typer.secho(str(error), fg=typer.colors.RED, err=True)


def _plain(value: Any) -> Any:
    """Returns a value as JSON has it; bytes that are no text as hexadecimal digits."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return json.dumps(_plain(value), ensure_ascii=False)
    return str(value)
