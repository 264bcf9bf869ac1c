"""``shekara dead-letters fix`` and ``trail``: letters put right and published again, by whom and why."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.dead_letter import Letter
    from streams.publish import Publisher
    from streams.records import Record
    from streams.records.outputs import FeedbackState
    from streams.settings import Settings

Code = Annotated[str, typer.Option(help="Only with this reason, e.g. unknown_post.")]
Source = Annotated[str, typer.Option(help="Only from this publishing system.")]
EventType = Annotated[str, typer.Option("--type", help="Only of this event type.")]
Because = Annotated[str, typer.Option(help="Why; goes into the trail. No personal data.")]
Who = Annotated[str, typer.Option(help="Who does it; default: the user of this machine.")]
Bootstrap = Annotated[str, typer.Option(help="Kafka's address, host:port,…; else SHEKARA_KAFKA or the running stack.")]


def fix(
    numbers: Annotated[list[str] | None, typer.Argument(help="Letters by number: 17, 20-25.", show_default=False)] = None,
    *,
    changes: Annotated[list[str], typer.Option("--set", help="field=value, as in JSON lines; an empty value is null.")],
    because: Because,
    who: Who = "",
    code: Code = "",
    source: Source = "",
    event_type: EventType = "",
    policy: Annotated[str, typer.Option(help="Policy the mended events are checked against.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be published, publish nothing.")] = False,
    bootstrap: Bootstrap = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Put fields of dead letters right and publish the events again, under the same ids: when the publisher cannot.

    Every event is checked at the system's own door first; what would be refused again is left and told. Each is a line of
    <home>/dead-letters.jsonl (who, why, which fields), and its source is told on the topic feedback. The original stays where it
    lies. Where a source must sign, SHEKARA_SIGNING_KEY_FILE names a key its entry in the register of sources has.
    """
    from streams.cli.dead_letters import choice_of, reached
    from streams.cli.publish import door_of
    from streams.dead_letter import read_letters
    from streams.dead_letter.mend import changes_of, mended
    from streams.errors import UsageError
    from streams.policy.load import load
    from streams.publish import Publisher
    from streams.wire import avro

    wanted = changes_of(changes)
    if not (numbers or code or source or event_type):
        raise UsageError("Expected which letters to fix; got nothing.", "Give numbers, --code, --source or --type.")
    if not because.strip():
        raise UsageError("Expected --because with a reason; got an empty one.")
    settings = reached(bootstrap)
    door = door_of(load(policy or settings.policy), settings)
    left: Counter[str] = Counter()
    ready: list[tuple[Letter, Record]] = []
    for letter in read_letters(settings, choice_of(numbers or [], code, source, event_type)):
        record = mended(letter, wanted)
        if isinstance(record, str):
            left[record] += 1
            continue
        fault = door(record, avro.encode(record))
        if fault is None:
            ready.append((letter, record))
        else:
            left[f"{fault[0]}: {fault[1]}"] += 1
    if not dry_run and ready:
        with Publisher(settings, source="shekara-fix") as publisher:
            trail(settings, ready_letters(ready), "mended", because=because, who=who, fields=sorted(wanted))
            publisher.publish_many(record for _, record in ready)
            tell(settings, publisher, ready_letters(ready), "mended")
    _report([letter.number for letter, _ in ready], left, dry_run=dry_run, as_json=as_json)


def show_trail(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False) -> None:
    """Show who published which letters again, and check that no line was changed or taken out."""
    from streams.dead_letter import trail as kept
    from streams.settings import Settings

    for line in kept.read(Settings().home / kept.NAME):
        if as_json:
            typer.echo(json.dumps(line, ensure_ascii=False))
            continue
        fields = f" ({', '.join(line['fields'])})" if line["fields"] else ""
        typer.echo(f"{line['at']}  {line['who']}  {line['state']} {line['number']}{fields}: {line['because']}")


def ready_letters(ready: Iterable[tuple[Letter, Record]]) -> list[Letter]:
    """Returns the letters of pairs of letter and mended event."""
    return [letter for letter, _ in ready]


def trail(
    settings: Settings, letters: Iterable[Letter], state: FeedbackState, *, because: str, who: str, fields: list[str]
) -> None:
    """Notes what is about to be published again, a line each; before it is, so that nothing goes unnoted.

    Raises:
        SetupError: it cannot be noted.
    """
    from getpass import getuser

    from streams.clock import now_ms
    from streams.dead_letter import trail as kept
    from streams.wire.jsonform import instant_text

    act: dict[str, Any] = {"at": instant_text(now_ms()), "who": who or getuser(), "state": state, "because": because}
    lines = (
        act
        | {"number": letter.number, "fields": fields}
        | {name: getattr(letter.content, name) for name in ("code", "source", "topic", "partition", "offset")}
        for letter in letters
    )
    kept.note(settings.home / kept.NAME, lines)


def tell(settings: Settings, publisher: Publisher, letters: Iterable[Letter], state: FeedbackState) -> None:
    """Tells the sources, on the topic feedback, what became of their letters; returns once Kafka has it."""
    from streams.wire import avro
    from streams.wire.feedback import feedback_on
    from streams.wire.topics import FEEDBACK

    for letter in letters:
        if letter.content.source:
            value = avro.encode(feedback_on(letter.content, state))
            publisher.publish_encoded(FEEDBACK.name(settings.namespace), letter.content.source.encode(), value)
    publisher.flush()


def _report(numbers: list[int], left: Counter[str], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"dry_run": dry_run, "mended": len(numbers), "numbers": numbers, "left": left}, ensure_ascii=False))
    else:
        typer.echo(f"{len(numbers)} letters {'would be ' if dry_run else ''}put right and published again.")
        for reason, letters in left.most_common(20):
            typer.echo(f"  {letters} left: {reason}")
    if left:
        raise typer.Exit(2)
