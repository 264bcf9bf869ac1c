"""``shekara publish``: a file of events to Kafka, every line accounted for."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from streams.decode import Decoder
    from streams.policy.model import Policy
    from streams.publish.completion import Completion
    from streams.publish.files import EventFile, Format
    from streams.publish.mapping import ColumnMapping
    from streams.publish.sending import Door, LineError, Outcome, Sending
    from streams.settings import Settings

MAX_ERRORS_SHOWN = 50
"""Refusals printed as they happen; a file of the wrong kind must not scroll a terminal for an hour."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """What the command line says of rows that do not say it themselves."""

    event_type: str
    source: str
    zone: str


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(publish)


def publish(
    file: Annotated[Path, typer.Argument(help="JSON lines, CSV, Avro, XLSX, fixed width, PAXLST; - reads lines from stdin.")],
    *,
    form: Annotated[str, typer.Option("--format", help="auto, jsonl, csv, avro, fixed, xlsx or paxlst.")] = "auto",
    event_type: Annotated[str, typer.Option("--type", help="Event type of rows that do not say, e.g. border_crossing.")] = "",
    source: Annotated[str, typer.Option(help="Publishing system of rows that do not say; border crossings: post:<post>.")] = "",
    zone: Annotated[str, typer.Option(help="Zone of local times whose row has no post or oblast, e.g. Asia/Almaty.")] = "",
    mapping: Annotated[str, typer.Option(help="column=field,… or a YAML file (docs/events.md).")] = "",
    bootstrap: Annotated[str, typer.Option(help="Kafka's address, host:port,…; else SHEKARA_KAFKA or the running stack.")] = "",
    policy: Annotated[str, typer.Option(help="Policy whose codes (posts, oblasts, …) rows are checked against.")] = "",
    rejects: Annotated[Path | None, typer.Option(help="Write refused lines to this new file, as they stand.")] = None,
    from_line: Annotated[int, typer.Option(min=1, help="Go on from this line, after an interruption.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, send nothing, need no Kafka.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line instead of a summary.")] = False,
) -> None:
    """Publish a file of events. Every line is sent, or refused with its reason; exit code 2 if any was refused.

    Publishing the same file again does no harm: its events have the same ids. Document numbers (columns document_number and
    issuing_country) become pseudonyms here and are never sent.
    """
    from streams.errors import UsageError
    from streams.policy.load import load
    from streams.publish.files import open_events
    from streams.publish.mapping import ColumnMapping, read_mapping
    from streams.settings import Settings

    settings = Settings()
    _check_arguments(form, event_type, zone, rejects)
    columns = read_mapping(mapping) if mapping else ColumnMapping()
    rules = load(policy or settings.policy)
    with ExitStack() as stack:
        opened, size = _open(file, stack)
        chosen = _format(file, opened, form, columns)
        try:
            events = open_events(opened, chosen, event_type, columns)
        except UsageError as error:
            raise UsageError(f"{file}: {error.what}", error.next_step) from None
        rows = _Rows(event_type, source, zone)
        sending = _sending(settings, rules, rows, bootstrap=bootstrap, dry_run=dry_run, stack=stack)
        if rejects is not None:
            sending.rejects = stack.enter_context(rejects.open("xb"))
        sending.from_line = from_line
        outcome = _run(sending, events, file, size, quiet=as_json)
        blank = events.blank()
    if rejects is not None and not outcome.refused:
        rejects.unlink()
    if outcome.rows == 0:
        raise UsageError(f"{file} has no records.", "Expected at least one line after the header, if it has one.")
    _report(outcome, file, blank, dry_run=dry_run, as_json=as_json, rejects=rejects)
    if outcome.refused:
        raise typer.Exit(2)


def _check_arguments(form: str, event_type: str, zone: str, rejects: Path | None) -> None:
    from typing import get_args
    from zoneinfo import available_timezones

    from streams.errors import UsageError
    from streams.publish.completion import KINDS
    from streams.publish.files import Format

    if form not in {"auto", *get_args(Format)}:
        raise UsageError(f"Expected --format auto, {', '.join(get_args(Format))}; got {form!r}.")
    if event_type and event_type not in KINDS:
        raise UsageError(f"Expected --type to be an event type; got {event_type!r}.", f"Event types: {', '.join(KINDS)}.")
    if zone and zone not in available_timezones():
        raise UsageError(f"Expected --zone to be a name of the tz database; got {zone!r}.", "For example Asia/Almaty.")
    if rejects is not None and rejects.exists():
        raise UsageError(f"{rejects} is there already.", "Name a new file for --rejects: it would be overwritten.")
    if rejects is not None and not rejects.parent.is_dir():
        raise UsageError(f"There is no directory {rejects.parent}.", "Name a file in a directory that exists for --rejects.")


def _open(file: Path, stack: ExitStack) -> tuple[IO[bytes], int | None]:
    from streams.errors import UsageError

    if str(file) == "-":
        return sys.stdin.buffer, None
    if not file.is_file():
        raise UsageError(f"{file} is {'no regular file' if file.exists() else 'not there'}.", "Name a file of events.")
    size = file.stat().st_size
    if size == 0:
        raise UsageError(f"{file} is empty.", "Expected JSON lines, CSV with a header, or an Avro container.")
    try:
        return stack.enter_context(file.open("rb")), size
    except OSError as error:
        raise UsageError(f"{file} cannot be opened: {error.strerror}.") from error


def _format(file: Path, opened: IO[bytes], form: str, columns: ColumnMapping) -> Format:
    from streams.publish.files import guess_format

    if form != "auto":
        return form  # type: ignore[return-value]  # checked before
    if str(file) == "-":
        return "fixed" if columns.fixed else "jsonl"
    first = opened.read(64)
    opened.seek(0)
    return guess_format(file, first, columns)


def _sending(settings: Settings, rules: Policy, rows: _Rows, *, bootstrap: str, dry_run: bool, stack: ExitStack) -> Sending:
    from streams.publish import Publisher
    from streams.publish.sending import Sending
    from streams.vault import open_vault

    publisher, keep = None, None
    if not dry_run:
        settings = _reached(settings, bootstrap)
        vault = open_vault(settings)
        if vault is not None:
            stack.callback(vault.close)
            keep = vault.keep
        publisher = stack.enter_context(Publisher(settings, source=rows.source or "shekara-publish"))
    return Sending(
        completion=_completion(settings, rules, rows),
        door=door_of(rules, settings),
        publisher=publisher,
        namespace=settings.namespace,
        rejects=None,
        on_error=lambda error: None,
        on_progress=lambda read: None,
        keep=keep,
    )


def _reached(settings: Settings, bootstrap: str) -> Settings:
    """Returns the settings with the address of Kafka in them: the one named, else the running stack's."""
    if bootstrap:
        return settings.model_copy(update={"kafka": bootstrap})
    from streams.local.stack import find_stack

    return find_stack(settings).settings(settings)


def _completion(settings: Settings, rules: Policy, rows: _Rows) -> Completion:
    from functools import cache

    from streams.publish.completion import Completion, zone_by
    from streams.publish.pseudonym import pseudonyms

    codes = rules.codes
    return Completion(
        event_type=rows.event_type,
        source=rows.source,
        zone_of=zone_by(codes.posts, codes.oblasts, rows.zone),
        countries=frozenset(codes.countries),
        pseudonyms=cache(lambda: pseudonyms(settings)),
    )


def door_of(rules: Policy, settings: Settings) -> Door:
    """Returns the very door of the system, so that a row that passes here does not end in the dead letters."""
    from streams.clock import now_ms
    from streams.decode import Decoder, Rejected, load_sources
    from streams.records import Record
    from streams.wire.topics import topic_of

    decoder: Decoder = Decoder(rules.codes, load_sources(settings.sources) if settings.sources else None)

    def door(record: Record, value: bytes) -> tuple[str, str] | None:
        outcome = decoder.decode(value, received_at=now_ms(), topic=topic_of(record.NAME), headers=None)
        return (outcome.code, outcome.reason) if isinstance(outcome, Rejected) else None

    return door


def _run(sending: Sending, events: EventFile, file: Path, size: int | None, *, quiet: bool) -> Outcome:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[refused]} refused"),
        console=console,
        disable=quiet or not console.is_terminal,
    )
    shown = 0

    def on_error(error: LineError) -> None:
        nonlocal shown
        shown += 1
        if shown <= MAX_ERRORS_SHOWN:
            typer.echo(f"{file}:{error.line}: {error.message}", err=True)
        elif shown == MAX_ERRORS_SHOWN + 1:
            typer.echo("… more lines are refused; all are counted, and --rejects keeps them.", err=True)

    with progress:
        task = progress.add_task(file.name, total=size, refused=0)
        sending.on_error = on_error
        sending.on_progress = lambda read: progress.update(task, completed=read, refused=sending.outcome.refused)
        try:
            outcome = sending.send(events)
        except KeyboardInterrupt:
            _interrupted(sending, file)
            raise
        progress.update(task, completed=size, refused=outcome.refused)
    return outcome


def _interrupted(sending: Sending, file: Path) -> None:
    """Says from where to go on, once what was sent is acknowledged."""
    if sending.publisher is not None:
        sending.publisher.flush(10)
    last = sending.outcome.last_line
    typer.echo(f"Stopped. {file} is published up to line {last}; go on with --from-line {last + 1}.", err=True)


def _report(outcome: Outcome, file: Path, blank: int, *, dry_run: bool, as_json: bool, rejects: Path | None) -> None:
    if as_json:
        summary: dict[str, Any] = {
            "file": str(file),
            "dry_run": dry_run,
            "rows": outcome.rows,
            "published": outcome.published,
            "refused": outcome.refused,
            "passed": outcome.passed,
            "blank": blank,
            "by_type": outcome.by_type,
            "errors": [error.plain() for error in outcome.errors],
        }
        typer.echo(json.dumps(summary, ensure_ascii=False))
        return
    verb = "would be published" if dry_run else "published and acknowledged"
    typer.echo(f"{file}: {outcome.published} of {outcome.rows} rows {verb}, {outcome.refused} refused.")
    if outcome.passed:
        typer.echo(f"  {outcome.passed} rows before --from-line were passed over.")
    if blank:
        typer.echo(f"  {blank} blank lines.")
    if outcome.refused:
        typer.echo(
            f"  → Mend the refused rows{f' in {rejects} and publish that file' if rejects else ' and publish the file again'}; "
            "rows already published are recognised by their ids."
        )
