"""``shekara export``: an answer of the warehouse as a file, with a manifest."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.errors import UsageError

if TYPE_CHECKING:
    from streams.report.as_of import Relation
    from streams.warehouse.ask import Asker


NO_HISTORY = ("counts", "crossings_by_person", "alerts_latest", "numbers_seen")
"""What holds what counts now; how it was is computed from the facts."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(export)


def export(
    *,
    purpose: Annotated[str, typer.Option(help="What the file is for; it stands in the manifest and in the log of exports.")],
    table: Annotated[str, typer.Option(help="A view or table to export whole, e.g. mart_external_balance.")] = "",
    query: Annotated[str, typer.Option(help="A query instead of --table.")] = "",
    form: Annotated[str, typer.Option("--format", help="parquet, csv, arrow or xlsx.")] = "parquet",
    as_of: Annotated[
        str, typer.Option("--as-of", help="Only what was received up to the end of this day, e.g. 2025-03-01.")
    ] = "",
    public: Annotated[
        str,
        typer.Option(
            help="For publication: ROWS[,COLUMNS]:COUNT of --table, through disclosure control, e.g. oblast,grade:alerts."
        ),
    ] = "",
    out: Annotated[Path, typer.Option(help="Directory the files go to.", file_okay=False)] = Path(),
    who: Annotated[str, typer.Option(help="Who exports; default: the user of this machine.")] = "",
) -> None:
    """Export a table, view or query to a file, with a manifest (schema, rows, SHA-256, purpose, who).

    The export is written to the home's log of exports. Rows are in a fixed order: the same data give the same file. --as-of
    answers what was reported on a day; --public suppresses what would tell about few people, also beside what was published
    before (docs/adr/0110, 0139), and notes the figures in published_figures.
    """
    from getpass import getuser

    from streams.cli.released import note_published, standing_published
    from streams.cli.sql import asking
    from streams.clock import now_ms
    from streams.report.export import FORMATS, Answer, record, write
    from streams.report.publication import as_rows, layout_of, published
    from streams.settings import Settings
    from streams.warehouse.published import Figure

    if bool(table) == bool(query):
        raise UsageError(
            "Give either --table or --query.", "E.g. shekara export --table mart_external_balance --purpose 'yearbook'."
        )
    if not purpose.strip():
        raise UsageError("--purpose is empty: say what the file is for.")
    if form not in FORMATS:
        raise UsageError(f"--format {form}: expected {', '.join(FORMATS)}.")
    if query and (as_of or public):
        raise UsageError("--as-of and --public go with --table, not with --query.")
    settings = Settings()
    layout = layout_of(public) if public else None
    with asking(settings) as asker:
        sql = query.strip().rstrip(";") if query else whole(asker, table, as_of)
        result = asker.select(sql)
        standing = standing_published(asker, settings) if public else []
    answer = Answer(result.names, result.types, result.rows)
    if layout is not None:
        rows = as_rows(published(answer.names, answer.rows, layout, table, standing))
        answer = Answer(("row", "column", "figure"), ("String", "String", "Nullable(Int64)"), rows)
        # First it is noted: a file that is out and forgotten is worse than one noted and not out.
        note_published(settings, [Figure(f"{table} {layout.text}", *row) for row in rows], now_ms())
    stem = "_".join(part for part in (table or "query", as_of and f"as_of_{as_of}", public and "public") if part)
    made_at = datetime.fromtimestamp(now_ms() / 1000).astimezone().isoformat(timespec="seconds")
    told = {
        "table": table,
        "query": query or f"the whole of {table}, in the order of its columns",
        "as_of": as_of or None,
        "disclosure_control": public or None,
        "made_at": made_at,
        "purpose": purpose.strip(),
        "who": who or getuser(),
    }
    path, manifest = write(answer, form, out, stem, told)
    record(settings.home, manifest)
    typer.echo(f"{path}: {len(answer.rows)} rows\n{manifest}")


def whole(asker: Asker, table: str, day: str) -> str:
    """Returns the query for the whole of a table or view, as it is or as it was at the end of a day.

    Raises:
        UsageError: there is no such table, or the day is none.
    """
    from streams.report.as_of import CATALOGUE, Relation, as_of

    relations = {name: Relation(name, definition, bool(received)) for name, definition, received in asker.select(CATALOGUE).rows}
    if table not in relations:
        raise UsageError(
            f"{table}: the warehouse has no such table or view.{_near(table, relations)}", 'shekara sql "SHOW TABLES"'
        )
    if not day:
        return f"SELECT * FROM {table} ORDER BY ALL"  # noqa: S608  # a name of the catalogue
    if table in NO_HISTORY or table.startswith("counts_"):
        raise UsageError(
            f"{table} holds what counts now and no history.",
            f"Ask a view as of {day}, e.g. mart_daily_flows or alerts_now.",
        )
    [(database,)] = asker.select("SELECT currentDatabase()").rows
    return as_of(table, relations, str(database), end_of(day))


def _near(table: str, relations: dict[str, Relation]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(table, relations, 3)
    return f" Did you mean {' or '.join(close)}?" if close else ""


def end_of(day: str) -> int:
    """Returns the first instant after a day in the zone of the country, UTC epoch ms."""
    from streams.policy.load import load

    try:
        number = (date.fromisoformat(day) - date(1970, 1, 1)).days
    except ValueError:
        raise UsageError(f"--as-of {day}: expected a date, e.g. 2025-03-01.") from None
    return load("kz").zone_of("").day_end_ms(number)
