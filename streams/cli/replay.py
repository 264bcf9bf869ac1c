"""``shekara replay``: history decided again into a namespace of its own, and compared with the alerts that stand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from streams.cli.replay_run import Replay
    from streams.report.replayed import Comparison, Version

_CHANGES = ("same", "added", "gone", "changed")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(replay)


def replay(
    *,
    day_from: Annotated[str, typer.Option("--from", metavar="DATE", help="Alerts that ended before this day are not compared.")],
    policy: Annotated[str, typer.Option(help="Policy to decide by: a name or a path; default: SHEKARA_POLICY.")] = "",
    restart: Annotated[bool, typer.Option(help="Throw away what an interrupted replay has done, and begin anew.")] = False,
    keep: Annotated[bool, typer.Option(help="Keep the replay's topics, to look into them.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs: counts, and every difference by id.")] = False,
) -> None:
    """Decide all history again, under this or another policy, and compare with the alerts that stand.

    The whole log is read, because what holds on a day may rest on facts from long before. Everything is written to topics of
    a namespace of its own, <namespace>-replay-<policy version>; live topics are only read. Ctrl-C is safe: the same command
    goes on where it was. Under the policy in force there must be no difference.

    Example: shekara replay --from 2025-01-01 --policy ./kz-5-days
    """
    from streams import bootstrap
    from streams.cli.assess import day_option
    from streams.cli.replay_run import Replay
    from streams.policy.load import load
    from streams.runtime.journal import open_journal
    from streams.settings import Settings

    settings = Settings()
    rules = load(policy or settings.policy)
    first = day_option(day_from, "--from", rules)
    open_journal(settings.log_format, "ERROR")
    with Replay(bootstrap.with_kafka(settings), rules) as run:
        if restart:
            run.remove()
        seconds = _run(run)
        found = run.compare(first)
        told = _as_json(found, run, day_from, seconds)
        if not keep:
            run.remove()
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        _show(told, keep=keep)


def _run(run: Replay) -> float:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from streams.clock import monotonic_s

    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    started = monotonic_s()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)
        run.run(lambda done, total: bar.update(task, completed=done, total=total))
    return monotonic_s() - started


def _as_json(found: Comparison, run: Replay, day_from: str, seconds: float) -> dict[str, Any]:
    return {
        "from": day_from,
        "policy": run.policy_version,
        "namespace": run.namespace,
        "offsets": run.offsets,
        "offsets_now": run.offsets_now,
        "seconds": round(seconds, 1),
        "live_behind": run.behind(),
        "by_rule": {rule: {change: counts[change] for change in _CHANGES} for rule, counts in sorted(found.by_rule.items())},  # type: ignore[index]  # the words are Change's
        "differences": [
            {
                "alert_id": one.alert_id.hex(),
                "rule": one.rule,
                "change": one.change,
                "fields": list(one.fields),
                "before": _version(one.before),
                "after": _version(one.after),
            }
            for one in found.differences
        ],
    }


def _version(version: Version | None) -> dict[str, Any] | None:
    from streams.report.replayed import COMPARED
    from streams.wire.jsonform import to_json

    if version is None:
        return None
    shown = to_json(version)
    return {name: shown[name] for name in ("version", "policy_version", *COMPARED)}


def _show(told: dict[str, Any], *, keep: bool) -> None:
    from rich.table import Table

    from streams.cli.assess import console

    out = console()
    speed = told["offsets_now"] / max(told["seconds"], 0.001)
    out.print(f"Replayed {told['offsets']:,} offsets under {told['policy']} ({speed:,.0f}/s); alerts from {told['from']} on:")
    table = Table(header_style="bold")
    table.add_column("rule")
    for change in _CHANGES:
        table.add_column(change, justify="right")
    for rule, counts in told["by_rule"].items():
        table.add_row(rule, *(str(counts[change]) for change in _CHANGES))
    out.print(table)
    for one in told["differences"][:_SHOWN]:
        fields = f" ({', '.join(one['fields'])})" if one["fields"] else ""
        out.print(f"{one['change']:8} {one['rule']} {one['alert_id']}{fields}")
    if len(told["differences"]) > _SHOWN:
        out.print(f"… and {len(told['differences']) - _SHOWN} more: --json lists them all.")
    kept = f"Its topics are kept: {told['namespace']}.…" if keep else "Its topics are removed."
    if told["live_behind"]:
        out.print(f"[yellow]The live workers have {told['live_behind']:,} offsets to go: what they will say is still missing.[/]")
    out.print(f"Live topics were only read. {kept}", style="dim")


_SHOWN = 20
