"""``shekara simulate``: a synthetic country publishes what border posts and registers would."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from streams.simulate import Pace, Simulation
    from streams.simulate.run import TellTruth


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(simulate)


def simulate(
    *,
    people: Annotated[int, typer.Option(min=0, help="People whose stories are told.")] = 2_000,
    days: Annotated[int, typer.Option(min=1, help="Simulated days.")] = 30,
    seed: Annotated[int, typer.Option(help="The same seed gives the same events, byte for byte.")] = 7,
    start: Annotated[str, typer.Option(help="First simulated day.", metavar="YYYY-MM-DD")] = "2025-01-01",
    speed: Annotated[str, typer.Option(help="Simulated seconds in one real second, or max.", metavar="N|max")] = "max",
    live_last: Annotated[
        float, typer.Option(min=0, help="Real seconds the last simulated day takes; 0: like any other day.", metavar="SECONDS")
    ] = 0.0,
    calibrate: Annotated[
        str, typer.Option(help="concept: add 2001 to 2006 so that the Concept's figures come out exactly.", metavar="concept")
    ] = "",
    scale: Annotated[float, typer.Option(help="Scale of --calibrate: 0.01 is one person in a hundred.")] = 0.01,
    rates: Annotated[
        list[str] | None,
        typer.Option(help="Change a rate; may be repeated. An unknown name lists them all.", metavar="NAME=VALUE"),
    ] = None,
    truth: Annotated[Path | None, typer.Option(help="Write what is true, and what must be found, as JSON lines.")] = None,
    to_file: Annotated[Path | None, typer.Option(help="Write files into this new directory instead of publishing.")] = None,
    file_format: Annotated[str, typer.Option("--format", help="Format of --to-file.", metavar="avro|jsonl")] = "avro",
    bootstrap: Annotated[str, typer.Option(help="host:port,… of Kafka; default: SHEKARA_KAFKA, or the stack running here.")] = "",
    namespace: Annotated[str, typer.Option(help="Prefix of the topics; default: SHEKARA_NAMESPACE.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line instead of words.")] = False,
) -> None:
    """Publish a synthetic country: border flows, registrations, permits, employers, protection, returnees, moves.

    Late, repeated, out-of-order, corrected and corrupt events are injected at stated rates (--rates). The people are invented.
    Start the stack with 'shekara up --ticks log' first: the simulation writes the tick records.
    """
    from streams.errors import UsageError
    from streams.simulate import Concept, Rates, Simulation, concept

    if file_format not in ("avro", "jsonl"):
        raise typer.BadParameter(f"{file_format!r} is not one of avro, jsonl.", param_hint="--format")
    if calibrate not in ("", "concept"):
        raise typer.BadParameter(f"{calibrate!r} is not concept.", param_hint="--calibrate")
    pace = _speed(speed)
    first = _date(start)
    table = None
    if calibrate:
        table, first, days = Concept(scale), concept.FIRST_DAY, concept.DAYS
    country = Simulation(people, days, seed, start=first, rates=Rates().changed(rates or []), concept=table)
    with _truth(truth) as tell:
        if to_file is not None:
            if pace is not None or live_last or bootstrap or namespace:
                raise UsageError("--to-file writes at once; --speed, --live-last, --bootstrap and --namespace do not go with it.")
            _to_file(country, to_file, file_format, tell, as_json=as_json)
        else:
            _to_kafka(country, (pace, live_last), bootstrap, namespace, tell, as_json=as_json)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date like 2025-01-01.", param_hint="--start") from None


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if value <= 0:
        raise typer.BadParameter(f"{text!r} is neither max nor a number above 0.", param_hint="--speed")
    return value


@contextmanager
def _truth(path: Path | None) -> Iterator[TellTruth | None]:
    """Gives what takes lines of truth; a file that exists is not overwritten."""
    from streams.errors import UsageError

    if path is None:
        yield None
        return
    if path.exists():
        raise UsageError(f"The file {path} is there already.", "Name a new one: nothing is overwritten.")
    # Only a whole truth gets the name; one cut off by an error or Ctrl-C keeps the other.
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:

            def tell(line: dict[str, Any]) -> None:
                file.write(json.dumps(line, separators=(",", ":")) + "\n")

            yield tell
        part.replace(path)
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror or error}.", "Name another file.") from error


def _to_kafka(
    country: Simulation,
    pace: tuple[float | None, float],
    bootstrap: str,
    namespace: str,
    tell: TellTruth | None,
    *,
    as_json: bool,
) -> None:
    from streams.bootstrap import with_kafka
    from streams.publish import Publisher
    from streams.settings import Settings
    from streams.simulate import Pace, publish
    from streams.simulate.sending import refuse_future

    refuse_future(country)
    settings = Settings()
    changes = {name: value for name, value in (("kafka", bootstrap), ("namespace", namespace)) if value}
    settings = with_kafka(settings.model_copy(update=changes))
    plan = country.plan()
    with Publisher(settings, source="simulation") as publisher, _progress(plan.events, quiet=as_json) as progress:
        how: Pace | None = None
        if pace[0] is not None or pace[1]:
            how = Pace(plan.first_ms, plan.last_ms, speed=pace[0], live_last_s=pace[1])
        try:
            sent = publish(country, publisher, settings.namespace, progress=progress, pace=how, truth=tell)
        except KeyboardInterrupt:
            publisher.flush()
            typer.echo(f"Stopped after {publisher.acknowledged:,} messages; all of them are in Kafka.", err=True)
            raise
    rate = sent.messages / sent.seconds if sent.seconds else 0.0
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "sent": sent.messages,
                    "by_topic": sent.by_topic,
                    "by_kind": country.totals.by_kind,
                    "corrupt": sent.dead_letters,
                    "seconds": round(sent.seconds, 3),
                    "messages_per_second": round(rate),
                    "last_at": sent.last_ms,
                }
            )
        )
        return
    corrupt = sum(sent.dead_letters.values())
    typer.echo(
        f"Published {sent.messages:,} messages in {sent.seconds:.1f} s ({rate:,.0f} a second); "
        f"{corrupt:,} of them are corrupt on purpose and must become dead letters."
    )


def _to_file(country: Simulation, directory: Path, file_format: str, tell: TellTruth | None, *, as_json: bool) -> None:
    from streams.simulate import files

    with _progress(country.plan().events, quiet=as_json) as progress:
        counts = files.write(country, directory, "avro" if file_format == "avro" else "jsonl", progress=progress, truth=tell)
    if as_json:
        typer.echo(json.dumps({"directory": str(directory), "files": counts, "by_kind": country.totals.by_kind}))
        return
    typer.echo(f"Wrote {sum(counts.values()):,} messages into {directory}:")
    for name, count in counts.items():
        typer.echo(f"  {name}  {count:,}")


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Shows a progress bar with the simulated day on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True) as bar:
        task = bar.add_task("Simulating", total=total)

        def show(done: int, at_ms: int) -> None:
            day: date = datetime.fromtimestamp(at_ms / 1_000, UTC).date()
            bar.update(task, completed=done, total=max(total, done), description=day.isoformat())

        yield show
