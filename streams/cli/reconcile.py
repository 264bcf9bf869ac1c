"""``shekara reconcile``: what a source says it sent on a day, held against what is here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.decode import Sources
    from streams.records import CountStatement
    from streams.report.log_events import Select
    from streams.report.reconcile import Compared, Held, SignatureState

_DIFFERS = 1
_SPANS_SHOWN = 50
"""Of missing numbers, for people; --json has all."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(reconcile)


def reconcile(
    *,
    source: Annotated[str, typer.Option(help="Publishing system, e.g. post:KZ-75-A1.")],
    date: Annotated[str, typer.Option(help="The post's local day, e.g. 2025-06-01.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Hold what a source says it sent on a day (its statement of counts, its heartbeats) against what the warehouse has.

    Names the numbers that are missing, refused (with their code), shared by two events, or repeated, and says whether the
    statement's digest and signature fit. Keys come from the register of sources (SHEKARA_SOURCES). Exit code 0: everything
    agrees; 1: something differs, or the source has said nothing of that day.
    """
    from streams.cli.sql import asking
    from streams.decode import load_sources
    from streams.decode.envelope import is_source
    from streams.errors import UsageError
    from streams.report.reconcile import verdict_of
    from streams.settings import Settings
    from streams.wire.jsonform import read_date

    if not is_source(source):
        raise UsageError(f"Expected --source to be a publishing system such as post:KZ-75-A1; got {source!r}.")
    try:
        day_on = read_date(date)
    except ValueError:
        raise UsageError(f"Expected --date to be a day such as 2025-06-01; got {date!r}.") from None
    settings = Settings()
    sources = load_sources(settings.sources) if settings.sources else None
    with asking(settings) as asker:
        found = _compared(lambda query: asker.select(query).rows, source, day_on, sources)
    verdict = verdict_of(found)
    if as_json:
        content = {"source": source, "date": date, "verdict": verdict, "compared": [one.plain() for one in found]}
        typer.echo(json.dumps(content))
    else:
        _tell(found, source, date)
    if verdict != "agrees":
        raise typer.Exit(_DIFFERS)


def _compared(select: Select, source: str, day_on: int, sources: Sources | None) -> list[Compared]:
    from streams.records import CountStatement, PostHeartbeat
    from streams.report.log_events import deliveries
    from streams.report.reconcile import compare_heartbeat, compare_statement
    from streams.warehouse.columns import quote
    from streams.wire.jsonform import date_text

    named, day = f"source = {quote(source)}", quote(str(date_text(day_on)))
    statements = {d.record.event_id: d for d in deliveries(CountStatement, select, f"{named} AND day_on = {day} {_TAKEN}")}
    beats = {d.record.event_id: d for d in deliveries(PostHeartbeat, select, f"{named} AND occurred_on = {day} {_TAKEN}")}
    said: list[Any] = [delivered.record for delivered in (*statements.values(), *beats.values())]
    covered = [one for one in said if one.first_seq]
    if not said:
        return []
    first = min((one.first_seq for one in covered), default=0)
    last = max((one.last_seq for one in covered), default=0)
    held = _held(select, f"{named} AND source_seq BETWEEN {first} AND {last}")
    arrived = {key: int(delivered.received_at.timestamp() * 1000) for key, delivered in statements.items()}
    check = _signature(sources)
    return [
        compare_statement(one, held, check(one, arrived[one.event_id]))
        if isinstance(one, CountStatement)
        else compare_heartbeat(one, held)
        for one in said
    ]


_TAKEN = "AND (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)"


def _held(select: Select, where: str) -> list[Held]:
    from streams.report.reconcile import Held

    # Numbers and a quoted source: nothing of the caller's own.
    rows = select(
        "SELECT DISTINCT r.event_type, toString(r.event_id), r.source_seq, r.topic, r.partition, r.offset, d.code FROM "  # noqa: S608
        "(SELECT substring(_table, 5) AS event_type, event_id, source_seq, topic, partition, offset "
        f"FROM merge(currentDatabase(), '^raw_') WHERE {where}) AS r "
        "LEFT JOIN (SELECT topic, partition, offset, code FROM dead_letters FINAL) AS d "
        "ON d.topic = r.topic AND d.partition = r.partition AND d.offset = r.offset"
    )
    return [Held(str(row[0]), UUID(str(row[1])).bytes, int(row[2]), str(row[6] or "")) for row in rows]


def _signature(sources: Sources | None) -> Callable[[CountStatement, int], SignatureState]:
    """Returns what says whether a statement was signed by its source."""
    from streams.wire.signing import statement_text

    def check(statement: CountStatement, arrived_at: int) -> SignatureState:
        if statement.kid is None or statement.signature is None:
            return "unsigned"
        if sources is None:
            return "not_checked"
        entry = sources.of(statement.source)
        key = entry.keys.get(statement.kid) if entry is not None else None
        if key is None:
            return "unknown_key"
        if not key.counts_at(arrived_at):
            return "key_not_valid"
        return "good" if key.verifier.fits(statement.signature, statement_text(statement)) else "bad_signature"

    return check


def _tell(found: list[Compared], source: str, date: str) -> None:
    from streams.report.reconcile import size_of, words_of

    if not found:
        typer.echo(f"{source} has said nothing of {date}: there is no statement of counts and no heartbeat of that day.")
        typer.echo("  → Ask the post; what has come of its numbers is in mart_sequence_gaps.")
    for one in found:
        what = "events" if one.kind == "statement" else "crossings"
        word = "agrees" if one.agrees else "DIFFERS"
        typer.echo(
            f"{one.kind:<9} {one.first_seq}-{one.last_seq}: {one.said} {what} said, {one.held} here; {word}"
            + (f"; signature {one.signature}" if one.kind == "statement" else "")
        )
        if one.missing:
            named = ", ".join(map(words_of, one.missing[:_SPANS_SHOWN])) + (" …" if len(one.missing) > _SPANS_SHOWN else "")
            typer.echo(f"  {size_of(one.missing)} missing: {named}")
        if one.shared:
            typer.echo(f"  {len(one.shared)} shared by two events: {', '.join(map(str, one.shared))}")
        if one.refused:
            typer.echo(f"  {len(one.refused)} refused: {', '.join(f'{seq} ({code})' for seq, code in one.refused)}")
        if one.repeats:
            typer.echo(f"  {one.repeats} repeated messages, which do no harm")
        if one.digest_agrees is False:
            typer.echo("  the numbers are here, but not the same events: the digest differs")
