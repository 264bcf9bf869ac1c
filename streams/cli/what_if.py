"""``shekara what-if``: history under a changed policy. Counts who would stand otherwise; touches no alert."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.status import Status

    from streams.detect.dossier import Dossier
    from streams.report.what_if import Outcome

_SAID_EVERY = 500
_CHANGES = ("same", "changed", "no_longer", "newly")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("what-if")(what_if)


def what_if(
    *,
    policy: Annotated[str, typer.Option(help="The changed policy: a name or a path (docs/policy.md).")],
    day_from: Annotated[str, typer.Option("--from", metavar="DATE", help="First day looked at.")],
    day_to: Annotated[str, typer.Option("--to", metavar="DATE", help="Last day looked at.")],
    against: Annotated[str, typer.Option(help="The policy to compare with; default: SHEKARA_POLICY.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Judge everybody in the warehouse, and what employers declared, under a changed policy; count who would stand otherwise.

    Reads the warehouse only: no alert is raised, changed or taken back.

    Example: shekara what-if --policy ./kz-5-days --from 2025-01-01 --to 2025-06-30
    """
    from rich.console import Console

    from streams.cli.assess import day_option
    from streams.cli.sql import asking
    from streams.policy.load import load
    from streams.report.what_if import compare, employers_in, people_in
    from streams.settings import Settings

    settings = Settings()
    before, after = load(against or settings.policy), load(policy)
    first, last = day_option(day_from, "--from", before), day_option(day_to, "--to", before)
    if last < first:
        raise UsageError(f"--to: expected a day on or after {day_from}, got {day_to}.")
    with asking(settings) as asker:

        def select(query: str) -> list[tuple[Any, ...]]:
            return asker.select(query).rows

        with Console(stderr=True).status("Reading what the warehouse knows …") as status:
            people = _counted(people_in(select), status)
            outcome = compare(people, before, after, (first, last), employers=employers_in(select))
    found = _as_json(outcome, before.version, after.version, day_from, day_to)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _show(found)


def _counted(people: Iterable[Dossier], status: Status) -> Iterator[Dossier]:
    """Yields the people and says, on a terminal, how many have been judged."""
    for number, dossier in enumerate(people):
        if number % _SAID_EVERY == 0:
            status.update(f"Judged {number} people under both policies …")
        yield dossier


def _as_json(outcome: Outcome, before: str, after: str, day_from: str, day_to: str) -> dict[str, Any]:
    from streams.report.what_if import NOT_ASKED

    return {
        "from": day_from,
        "to": day_to,
        "before": before,
        "after": after,
        "people": outcome.people,
        "people_changed": outcome.people_changed,
        "employers": outcome.employers,
        "employers_changed": outcome.employers_changed,
        "not_asked": list(NOT_ASKED),
        "by_rule": {
            rule: {change: counts[change] for change in _CHANGES}  # type: ignore[index]  # the words are Change's
            for rule, counts in sorted(outcome.by_rule.items())
        },
    }


def _show(found: dict[str, Any]) -> None:
    from rich.table import Table

    from streams.cli.assess import console

    out = console()
    out.print(f"{found['from']} to {found['to']}: {found['before']} → {found['after']}")
    out.print(f"[bold]{found['people_changed']}[/bold] of {found['people']} people would stand otherwise.")
    if found["employers"]:
        out.print(f"[bold]{found['employers_changed']}[/bold] of {found['employers']} employers would, by what they declared.")
    table = Table(header_style="bold")
    table.add_column("rule")
    for change in _CHANGES:
        table.add_column(change.replace("_", " "), justify="right")
    for rule, counts in found["by_rule"].items():
        table.add_row(rule, *(str(counts[change]) for change in _CHANGES))
    out.print(table)
    out.print(f"Not asked: {', '.join(found['not_asked'])}.", style="dim")
    out.print("Nothing was written: alerts are as they were.", style="dim")
