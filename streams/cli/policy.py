"""``shekara policy show|check|diff``: read a policy, find its faults, see what a change would change."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from streams.policy.compare import Difference
    from streams.policy.model import Policy

_PIPED_COLUMNS = 180  # nobody folds lines in a file or a pager
_WHOLE = frozenset({"name", "parameter", "since", "until", "from", "confidence"})
_NAME = typer.Argument(help="kz, rolling-90-180, or the path of a policy (a directory or one YAML file).", show_default=True)
_ON = typer.Option("--on", metavar="YYYY-MM-DD", help="The day asked about; default: today.", show_default=False)
_ONLY_ON = typer.Option("--on", metavar="YYYY-MM-DD", help="Only what differs on this day; default: all.", show_default=False)
_JSON = typer.Option("--json", help="Print JSON for programs.")
_CALENDAR = typer.Option("--calendar", metavar="FILE", help="An administrator's working-day overrides, laid over the policy's.")


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    family = typer.Typer(name="policy", help="Show, check and compare the dated rules.", no_args_is_help=True)
    family.command()(show)
    family.command()(check)
    family.command()(diff)
    app.add_typer(family)


def show(
    name: Annotated[str, _NAME] = "kz",
    *,
    on: Annotated[str, _ON] = "",
    only: Annotated[str, typer.Option("--only", metavar="TEXT", help="Only parameters whose name contains this.")] = "",
    history: Annotated[bool, typer.Option("--history", help="Every value there ever was, not only the one in force.")] = False,
    calendar: Annotated[Path | None, _CALENDAR] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Show the values in force on a day: value, unit, since when, source and how sure we are.

    Example: shekara policy show kz --on 2019-06-01 --only notification
    """
    from streams.policy.load import load

    day = _day(on)
    policy = load(name, calendar=calendar)
    rows = _rows(policy, day, only, history)
    if as_json:
        head = {"policy": policy.name, "version": policy.version, "title": policy.title.en, "on": _date(day)}
        typer.echo(json.dumps(head | {"parameters": rows, "quotas": _quotas(policy, day, only)}, ensure_ascii=False, indent=2))
        return
    console = _console()
    console.print(f"[bold]{policy.title.en}[/bold]  {policy.version}  on {_date(day)}", highlight=False)
    if not rows and not _quotas(policy, day, only):
        console.print(f"No parameter's name contains {only!r}.", highlight=False, markup=False)
        return
    if rows:
        console.print(_table(rows, history))
    if quotas := _quotas(policy, day, only):
        table = _grid("quota", "oblast", "category", "sector", "persons", "since", "source", "confidence")
        for line in quotas:
            table.add_row(
                *(
                    _cell(line[column])
                    for column in ("quota", "oblast", "category", "sector", "persons", "from", "source", "confidence")
                )
            )
        console.print(table)
    console.print("Nothing here is legal advice; what says low is to be checked by a lawyer.", style="dim")


def check(
    path: Annotated[str, typer.Argument(help="Path or name of a policy.")] = "kz",
    *,
    calendar: Annotated[Path | None, _CALENDAR] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Check a policy and report every fault with file and line; exit code 2 if there is one."""
    from streams.policy.load import check as check_policy
    from streams.policy.load import load

    faults = check_policy(path, calendar=calendar)
    if as_json:
        found = [{"file": fault.file, "line": fault.line, "what": fault.what} for fault in faults]
        typer.echo(json.dumps({"policy": path, "ok": not faults, "faults": found}, ensure_ascii=False, indent=2))
    elif faults:
        for fault in faults:
            typer.echo(str(fault))
        typer.echo(f"{len(faults)} fault{'s' if len(faults) > 1 else ''}: {path} would be refused.", err=True)
    else:
        policy = load(path, calendar=calendar)
        sizes = f"{len(policy.parameters)} parameters, {len(policy.codes.posts)} posts, {len(policy.quotas)} quota lines"
        typer.echo(f"{policy.version}: {sizes}, no fault.")
    if faults:
        raise typer.Exit(2)


def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="Name or path of a policy.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Name or path of another.")],
    on: Annotated[str, _ONLY_ON] = "",
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Show what B decides differently from A, and from when to when; with --on, only what differs on that day."""
    from streams.policy.compare import compare
    from streams.policy.load import load

    a, b = load(first), load(second)
    found = compare(a, b)
    if on:
        day = _day(on)
        found = tuple(one for one in found if one.from_on <= day and (one.until_on is None or day <= one.until_on))
    if as_json:
        typer.echo(
            json.dumps(
                {"a": a.version, "b": b.version, "differences": [_plain(one) for one in found]}, ensure_ascii=False, indent=2
            )
        )
        return
    if not found:
        typer.echo(f"{a.version} and {b.version} decide the same{f' on {on}' if on else ''}.")
        return
    table = _grid("parameter", "from", "until", a.version, b.version)
    for one in map(_plain, found):
        table.add_row(one["parameter"], one["from"], one["until"] or "", *_told_apart(one["before"], one["after"]))
    _console().print(table)


def _rows(policy: Policy, day: int, only: str, history: bool) -> list[dict[str, Any]]:
    from streams.policy.compare import plain

    rows: list[dict[str, Any]] = []
    for parameter in policy.parameters.values():
        if only not in parameter.name:
            continue
        for index, period in enumerate(parameter.periods):
            if not history and period is not parameter.on(day):
                continue
            later = parameter.periods[index + 1].from_on if index + 1 < len(parameter.periods) else None
            rows.append(
                {
                    "name": parameter.name,
                    "value": plain(period.value),
                    "unit": parameter.unit,
                    "since": _date(period.from_on),
                    "until": None if later is None else _date(later - 1),
                    "source": period.source,
                    "confidence": period.confidence,
                    "description": {
                        "kk": parameter.description.kk,
                        "ru": parameter.description.ru,
                        "en": parameter.description.en,
                    },
                    "where": parameter.where,
                }
            )
    return rows


def _quotas(policy: Policy, day: int, only: str) -> list[dict[str, Any]]:
    from streams.policy.registers import QUOTA_UNIT

    return [
        {
            "quota": line.quota,
            "description": {
                "kk": policy.quota_texts[line.quota].kk,
                "ru": policy.quota_texts[line.quota].ru,
                "en": policy.quota_texts[line.quota].en,
            },
            "unit": QUOTA_UNIT,
            "year": line.year,
            "version": line.version,
            "oblast": line.oblast,
            "category": line.category,
            "sector": line.sector,
            "persons": line.persons,
            "from": _date(line.effective_on),
            "source": line.source,
            "confidence": line.confidence,
        }
        for line in policy.at(day).quotas
        if only in f"quota.{line.quota}"
    ]


def _table(rows: list[dict[str, Any]], history: bool) -> Table:
    columns = ("name", "value", "unit", "since", *(("until",) if history else ()), "source", "confidence")
    table = _grid(*columns)
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in columns), style="yellow" if row["confidence"] == "low" else "")
    return table


def _console() -> Console:
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=_PIPED_COLUMNS)


def _grid(*columns: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in _WHOLE, min_width=16 if column == "source" else None)
    return table


def _cell(value: object) -> str:
    """One value in words short enough for a table."""
    from rich.markup import escape

    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return escape(", ".join(f"{key} {_cell(child)}" for key, child in value.items())) or "none"
    if isinstance(value, list):
        return escape(", ".join(str(child) for child in value)) or "none"
    return escape(str(value))


def _told_apart(before: object, after: object) -> tuple[str, str]:
    if isinstance(before, list) and isinstance(after, list) and len(before) + len(after) > 12:
        return (
            f"only here: {_cell([one for one in before if one not in after])}",
            f"only here: {_cell([one for one in after if one not in before])}",
        )
    return _cell(before), _cell(after)


def _plain(one: Difference) -> dict[str, Any]:
    return {
        "parameter": one.parameter,
        "from": _date(one.from_on),
        "until": None if one.until_on is None else _date(one.until_on),
        "before": one.before,
        "after": one.after,
    }


def _day(text: str) -> int:
    from streams.policy.document import day_number

    if not text:
        from streams.clock import now_ms

        return day_number(datetime.fromtimestamp(now_ms() / 1000, UTC).date())
    try:
        return day_number(date.fromisoformat(text))
    except ValueError:
        raise typer.BadParameter(f"expected a date like 2024-03-01, got {text!r}.", param_hint="--on") from None


def _date(day: int) -> str:
    from streams.policy.document import date_of

    return date_of(day).isoformat()
