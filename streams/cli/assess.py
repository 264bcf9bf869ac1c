"""``shekara assess``: what the rules say about one dossier on one day. Reads a file, stores nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from streams.cli.dossier_input import Given
    from streams.detect.calculator import Answer
    from streams.policy.model import Policy

_STYLES = {"lawful": "green", "no_title_known": "bold red", "unknown": "yellow", "absent": "dim", "to come": "dim"}
_PIPED_COLUMNS = 140


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(assess)


def assess(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Events of one dossier, or citizenship and stays; - reads standard input.")
    ],
    *,
    policy: Annotated[str, typer.Option(help="kz, rolling-90-180, or the path of a policy.")] = "kz",
    on: Annotated[str, typer.Option(metavar="DATE", help="The day asked about; default: today.")] = "",
    entry: Annotated[
        str, typer.Option(metavar="DATE", help="Reckon the longest stay from this entry; default: the running stay, or --on.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Say which days were lawful, what is left, what was found and what can be done.

    FILE holds events, one JSON object a line (as `shekara publish` reads them), or the short form
    {"citizenship": "UZB", "stays": [["2024-01-01", "2024-03-30"], ["2024-05-01", null]]}.

    Example: shekara assess stays.json --policy rolling-90-180 --on 2024-05-01
    """
    from streams.cli.dossier_input import read_dossier
    from streams.policy.load import load

    rules = load(policy)
    name, content = _content(file)
    answer_to(read_dossier(content, name, rules), rules, on=on, entry=entry, as_json=as_json)


def answer_to(given: Given, rules: Policy, *, on: str, entry: str, as_json: bool) -> None:
    """Calculates and prints the answer.

    Raises:
        UsageError: a date given is none.
    """
    from streams.detect.calculator import calculate
    from streams.report.assessment import as_json as json_of

    day = day_option(on, "--on", rules)
    answer = calculate(
        given.dossier,
        rules,
        day,
        entry=day_option(entry, "--entry", rules) if entry else None,
        citizenship=given.citizenship,
        coverage=given.coverage(rules.day_end_ms(day, "") - 1),
    )
    found = json_of(answer, [(fault.rule, fault.message, fault.on) for fault in given.faults], without=given.without)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        show(answer, found, rules)


def day_option(text: str, option: str, rules: Policy) -> int:
    """Returns the day of an option; today in the country's zone where it is empty.

    Raises:
        UsageError: it is no date.
    """
    from streams.cli.dossier_input import day_of
    from streams.clock import now_ms

    if not text:
        return rules.local_day(now_ms(), "")
    try:
        return day_of(text, option)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _content(file: str) -> tuple[str, bytes]:
    if file == "-":
        return "standard input", sys.stdin.buffer.read()
    try:
        return file, Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}.", "Give a file, or - for standard input.") from error


def console() -> Console:
    """Returns where people read: as wide as the terminal, or wide enough for a pipe."""
    from rich.console import Console

    found = Console(highlight=False)
    return found if found.is_terminal else Console(width=_PIPED_COLUMNS, highlight=False)


def show(answer: Answer, found: dict[str, Any], rules: Policy) -> None:
    """Prints the answer for people."""
    out = console()
    out.print(f"[bold]{found['on']}[/bold]  {rules.title.en}  [dim]{rules.version}[/dim]")
    out.print(_verdict(found))
    left = found["days_remaining"]
    out.print(f"Days used: [bold]{found['days_used']}[/bold]" + ("" if left is None else f", left: [bold]{left}[/bold]"))
    longest = found["longest_stay"]
    if longest["days"] is None:
        out.print(f"A stay from {longest['entry']} has no end in sight.")
    elif longest["days"]:
        out.print(f"A stay from {longest['entry']} is lawful for {longest['days']} days, to {longest['last_lawful_day']}.")
    else:
        out.print(f"A stay from {longest['entry']} has no title from its first day.")
    following = found["next_lawful_entry"]
    out.print("No lawful entry in sight without another title." if following is None else f"Next lawful entry: {following}.")
    _show_days(out, answer)
    _show_findings(out, found, rules)
    out.print("A finding is a presumption that can be rebutted; nothing here is legal advice.", style="dim")


def _verdict(found: dict[str, Any]) -> str:
    """Returns the day's standing in a sentence; a presumption that no exit was seen never reads like an overstay."""
    from streams.detect.rules.overstay import RULES, TITLE_UNKNOWN

    first = found["first_overstay_day"]
    today = [one for one in found["findings"] if one["state"] == "open" or one["last_day"] == found["on"]]
    if found["overstay"]:
        grades = {one["grade"] for one in today if one["rule"] in RULES}
        if "established" in grades:
            return f"[bold red]Overstay on this day[/bold red]; the first day of overstay was {first}."
        if grades:
            beyond = "For somebody still here this day is beyond the lawful ones"
            return f"[yellow]No exit seen. {beyond}; the first such day is {first}.[/yellow]"
        return f"[yellow]By records that are disputed this day is beyond the lawful ones; the first such day is {first}.[/yellow]"
    if first is not None:
        return f"[yellow]No overstay on this day, but the first day of overstay was {first}.[/yellow]"
    if any(one["rule"] == TITLE_UNKNOWN for one in today):
        return "[yellow]No title is known for this day: a visa or a permit may be missing in the data.[/yellow]"
    return "[green]No overstay.[/green]"


def _show_days(out: Console, answer: Answer) -> None:
    from rich.text import Text

    from streams.report.assessment import ABSENT, BREACH, LAWFUL, UNKNOWN, picture

    rows, before = picture(answer)
    if not rows:
        return
    out.print()
    for month, cells in rows:
        line = Text(f"{month}  ")
        for mark, standing in cells:
            line.append(mark, style=_STYLES[standing])
        out.print(line)
    out.print(f"{LAWFUL} lawful  {BREACH} no title  {UNKNOWN} unknown  {ABSENT} not present", style="dim")
    if before:
        out.print(f"{before} days of presence before these months.", style="dim")


def _show_findings(out: Console, found: dict[str, Any], rules: Policy) -> None:
    from rich.markup import escape

    from streams.report.explain_text import grade_text

    if found["findings"]:
        out.print()
    for one in found["findings"]:
        grade = one["grade"] if one["grade"] == "established" else f"{one['grade']}: {grade_text(one['grade'], 'en')}"
        out.print(f"[bold]{escape(one['title'])}[/bold]  {one['rule']}, {one['state']}, {grade}")
        out.print(f"  {escape(one['message'] or _when(one))}")
        if one["article"]:
            out.print(f"  {escape(one['article'])}", style="dim")
    if found["options"]:
        out.print("\n[bold]What can lawfully be done, in this order[/bold]")
        for number, option in enumerate(found["options"], 1):
            out.print(f"  {number}. {escape(rules.option_texts[option].en)}")


def _when(one: dict[str, Any]) -> str:
    """Returns the days of a finding in words: doubts about the data have no term that anybody missed."""
    from streams.detect.rules.data_quality import ENTRY_WITHOUT_EXIT, EXIT_WITHOUT_ENTRY

    if one["family"] == "reminder":
        return f"last lawful day {one['deadline']}"
    if one["rule"] in (ENTRY_WITHOUT_EXIT, EXIT_WITHOUT_ENTRY):
        return f"noticed on {one['first_day']}; nobody is suspected of anything"
    until = f"to {one['last_day']}" if one["last_day"] else "and lasting"
    span = f"from {one['first_day']} {until} ({one['days']} day{'' if one['days'] == 1 else 's'})"
    if one["family"] == "data_quality":
        return f"{span}; nobody is suspected of anything"
    return f"{span}; the last day to act or leave was {one['deadline']}"
