"""``shekara dead-letters``: what could not be processed and why; show, export, replay."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli import dead_letters_fix

if TYPE_CHECKING:
    from streams.dead_letter import Choice, Group, Letter, Replayed
    from streams.settings import Settings

Code = Annotated[str, typer.Option(help="Only with this reason, e.g. unknown_post.")]
Source = Annotated[str, typer.Option(help="Only from this publishing system.")]
EventType = Annotated[str, typer.Option("--type", help="Only of this event type.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of words.")]
Bootstrap = Annotated[str, typer.Option(help="Kafka's address, host:port,…; else SHEKARA_KAFKA or the running stack.")]
Numbers = Annotated[list[str] | None, typer.Argument(help="Letters by number: 17, 20-25.", show_default=False)]

_PREVIEW_BYTES = 256


def register(app: typer.Typer) -> None:
    """Adds the family of commands."""
    family = typer.Typer(no_args_is_help=True, help="Messages that could not be processed: list, show, export, replay, fix.")
    family.command("list")(list_letters)
    family.command()(show)
    family.command()(export)
    family.command()(replay)
    family.command()(dead_letters_fix.fix)
    family.command("trail")(dead_letters_fix.show_trail)
    app.add_typer(family, name="dead-letters")


def list_letters(
    *,
    code: Code = "",
    source: Source = "",
    event_type: EventType = "",
    every: Annotated[bool, typer.Option("--all", help="One line for each letter instead of one for each fault.")] = False,
    bootstrap: Bootstrap = "",
    as_json: AsJson = False,
) -> None:
    """List the dead letters, grouped by reason, source and type: most likely one fault of one program each."""
    from streams.dead_letter import grouped, read_letters

    settings = reached(bootstrap)
    letters = read_letters(settings, choice_of([], code, source, event_type))
    if every:
        for letter in letters:
            typer.echo(json.dumps(_summary(letter)) if as_json else _line(letter))
        return
    groups = grouped(letters)
    if as_json:
        total = sum(group.letters for group in groups)
        typer.echo(json.dumps({"letters": total, "groups": [_plain_group(group) for group in groups]}))
        return
    if not groups:
        typer.echo("No dead letters.")
        return
    _table(groups)
    typer.echo("Next: 'shekara dead-letters show NUMBER'; once the cause is mended, 'shekara dead-letters replay --code …'.")


def show(
    numbers: Numbers = None,
    *,
    value: Annotated[bool, typer.Option("--value", help="Also what the message holds; it may be about a person.")] = False,
    bootstrap: Bootstrap = "",
    as_json: AsJson = False,
) -> None:
    """Show letters by number: where they came from, what was expected, what came, what to do."""
    from streams.errors import UsageError

    settings = reached(bootstrap)
    found = 0
    for letter in _named(settings, numbers or []):
        found += 1
        plain = _summary(letter) | (_contents(letter) if value else {})
        if as_json:
            typer.echo(json.dumps(plain, ensure_ascii=False))
            continue
        for name, one in plain.items():
            typer.echo(f"{name:>12}  {one}")
        typer.echo("")
    if not found:
        raise UsageError(f"There is no dead letter {', '.join(numbers or [])}.", "See 'shekara dead-letters list --all'.")


def export(
    file: Annotated[Path, typer.Argument(help="A new file; only you will be able to read it. - writes to stdout.")],
    *,
    code: Code = "",
    source: Source = "",
    event_type: EventType = "",
    bootstrap: Bootstrap = "",
) -> None:
    """Export letters whole, as JSON lines with the original bytes in base64: for the publisher to mend."""
    from streams.dead_letter import read_letters
    from streams.errors import UsageError
    from streams.wire.jsonform import to_json

    settings = reached(bootstrap)
    letters = read_letters(settings, choice_of([], code, source, event_type))
    lines = (json.dumps({"number": letter.number} | to_json(letter.content), ensure_ascii=False) for letter in letters)
    if str(file) == "-":
        for line in lines:
            typer.echo(line)
        return
    try:
        # What is in here may be about people: nobody else on the machine may read it.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UsageError(f"{file} cannot be made: {error.strerror}.", "Name a new file in a directory that exists.") from error
    written = 0
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        for line in lines:
            out.write(line + "\n")
            written += 1
    typer.echo(f"{written} dead letters written to {file}.")


def replay(
    numbers: Numbers = None,
    *,
    code: Code = "",
    source: Source = "",
    event_type: EventType = "",
    every: Annotated[bool, typer.Option("--all", help="All letters; without it, say which.")] = False,
    because: dead_letters_fix.Because = "",
    who: dead_letters_fix.Who = "",
    policy: Annotated[str, typer.Option(help="Policy whose codes decide whether a letter would be refused again.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be published, publish nothing.")] = False,
    bootstrap: Bootstrap = "",
    as_json: AsJson = False,
) -> None:
    """Publish letters again, byte for byte, to the topics they came from: after a post was added or a bug was mended.

    Letters that would only be refused again stay where they are. Replaying twice does no harm: an event is known by its id.
    """
    from streams.dead_letter import read_letters
    from streams.dead_letter import replay as publish_again
    from streams.errors import UsageError
    from streams.publish import Publisher

    if not (numbers or code or source or event_type or every):
        raise UsageError("Expected which letters to replay; got nothing.", "Give numbers, --code, --source, --type or --all.")
    settings = reached(bootstrap)
    # Reads up to where the topic ends now: letters that come back from their own replay are not replayed again.
    letters = list(read_letters(settings, choice_of(numbers or [], code, source, event_type)))
    refuses = _refuses(policy or settings.policy, settings.sources)
    if dry_run:
        done = publish_again(letters, settings.namespace, None, still_refused=refuses)
    else:
        with Publisher(settings, source="shekara-replay") as publisher:
            chosen = frozenset(publish_again(letters, settings.namespace, None, still_refused=refuses).numbers)
            again = [letter for letter in letters if letter.number in chosen]
            dead_letters_fix.trail(settings, again, "replayed", because=because, who=who, fields=[])
            done = publish_again(letters, settings.namespace, publisher, still_refused=refuses)
            dead_letters_fix.tell(settings, publisher, again, "replayed")
    _report(done, dry_run=dry_run, as_json=as_json)


def reached(bootstrap: str) -> Settings:
    """Returns settings with the address of Kafka in them: the one named, else the running stack's."""
    from streams.local.stack import find_stack
    from streams.settings import Settings

    settings = Settings()
    if bootstrap:
        return settings.model_copy(update={"kafka": bootstrap})
    return find_stack(settings).settings(settings)


def choice_of(numbers: list[str], code: str, source: str, event_type: str) -> Choice:
    """Returns the choice the options of a command make."""
    from streams.dead_letter import Choice, numbers_of

    return Choice(numbers=numbers_of(numbers), code=code, source=source, event_type=event_type)


def _named(settings: Settings, numbers: list[str]) -> Iterator[Letter]:
    from streams.dead_letter import read_letters
    from streams.errors import UsageError

    if not numbers:
        raise UsageError("Expected the number of a dead letter; got nothing.", "See 'shekara dead-letters list --all'.")
    return read_letters(settings, choice_of(numbers, "", "", ""))


def _refuses(policy: str, sources: Path | None) -> Callable[[Letter], str]:
    """Returns what says why a letter would be refused again."""
    from streams.clock import now_ms
    from streams.decode import Decoder, Rejected, load_sources
    from streams.policy.load import load
    from streams.wire.signing import HEADER
    from streams.wire.topics import TOPICS

    decoder = Decoder(load(policy).codes, load_sources(sources) if sources else None)

    def refuses(letter: Letter) -> str:
        content = letter.content
        topic = next((topic for topic in TOPICS if content.topic.endswith(f".{topic.suffix}")), None)
        if topic is None:
            return "unknown_topic"
        headers = [] if content.signature is None else [(HEADER, content.signature)]
        outcome = decoder.decode(content.value, received_at=now_ms(), topic=topic, headers=headers)
        if isinstance(outcome, Rejected):
            return outcome.code
        if content.code == "wrong_key" and (content.key or b"") != outcome.subject.encode():
            return "wrong_key"
        return ""

    return refuses


def _summary(letter: Letter) -> dict[str, Any]:
    from streams.wire.jsonform import instant_text

    content = letter.content
    return {
        "number": letter.number,
        "written_at": instant_text(letter.written_at),
        "code": content.code,
        "reason": content.reason,
        "event_type": content.event_type,
        "source": content.source,
        "topic": content.topic,
        "partition": content.partition,
        "offset": content.offset,
        "arrived_at": instant_text(content.timestamp_at),
        "bytes": len(content.value),
    }


def _contents(letter: Letter) -> dict[str, Any]:
    """Returns what a message holds: the record if it is one, else its first bytes."""
    from streams.wire import avro
    from streams.wire.jsonform import to_json

    value = letter.content.value
    try:
        return {"record": to_json(avro.decode(value))}
    except avro.MalformedError:
        return {"base64" if len(value) <= _PREVIEW_BYTES else "base64_begins": b64encode(value[:_PREVIEW_BYTES]).decode("ascii")}


def _line(letter: Letter) -> str:
    summary = _summary(letter)
    who = " ".join(str(summary[name]) for name in ("source", "event_type") if summary[name]) or "unknown source"
    return f"{letter.number:>8}  {summary['written_at']}  {summary['code']:<22} {who}"


def _plain_group(group: Group) -> dict[str, Any]:
    from streams.wire.jsonform import instant_text

    return {
        "code": group.code,
        "source": group.source,
        "event_type": group.event_type,
        "letters": group.letters,
        "first": group.first,
        "last": group.last,
        "last_at": instant_text(group.last_at),
        "reason": group.reason,
    }


def _table(groups: list[Group]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("letters", "code", "source", "type", "last", "reason (of the last)", title="Dead letters")
    for group in groups:
        cells = (group.code, group.source or "?", group.event_type or "?", str(group.last), group.reason)
        table.add_row(str(group.letters), *(Text(cell) for cell in cells))  # Text: brackets in a reason are no markup
    Console().print(table)


def _report(done: Replayed, *, dry_run: bool, as_json: bool) -> None:
    count = sum(done.by_topic.values())
    if as_json:
        typer.echo(
            json.dumps(
                {"dry_run": dry_run, "replayed": count, "by_topic": done.by_topic, "left": done.left, "numbers": done.numbers}
            )
        )
        return
    typer.echo(f"{count} letters {'would be ' if dry_run else ''}published again.")
    for reason, letters in sorted(done.left.items()):
        typer.echo(f"  {letters} left: they would be refused again ({reason}).")
