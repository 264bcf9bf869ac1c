"""The demo's closing report: what a person wants to know, on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console
    from rich.table import Table

    from streams.cli.demo_run import Result
    from streams.policy.codes import Oblast

_STATES = ("raised", "amended", "acknowledged", "resolved", "retracted", "expired")
_STAGES = ("suspected", "contacted", "legalised", "left", "cleared", "referred", "removed")
_MOST = 10


def report(console: Console, result: Result, oblasts: Mapping[str, Oblast]) -> None:
    """Prints the report.

    Args:
        console: where to.
        result: what the run has found.
        oblasts: the register of oblasts, for their names.
    """
    console.print()
    console.rule("[bold]What was found[/]")
    for title, table in (
        (
            "Alerts by rule, as they stand now: presumptions, each with its reasons; retracted: it was never so",
            _alerts(result.alerts),
        ),
        ("Follow-up of cases: legalise first, officers decide", _follow_up(result.funnel)),
        ("Unregistered work by oblast, open alerts", _workers(result.workers, oblasts)),
    ):
        console.print(f"\n[bold]{title}[/]", soft_wrap=True)
        console.print(table)
    console.rule("[bold]How it went[/]")
    _went(console, result)
    console.print()
    console.print("[bold]Where to look next[/], from another terminal while this runs (or after 'shekara up'):", soft_wrap=True)
    for command in (
        "shekara alerts follow",
        'shekara sql "SELECT * FROM mart_daily_flows ORDER BY crossings DESC LIMIT 10"',
        'shekara sql "SELECT * FROM mart_unregistered_workers ORDER BY persons DESC LIMIT 10"',
        'shekara sql "SELECT stage, sum(cases_now) AS cases FROM mart_follow_up GROUP BY stage"',
        "shekara topics",
    ):
        console.print(f"  {command}", markup=False, soft_wrap=True)


def _table(*columns: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number == 0 else "right", no_wrap=True)
    return table


def _alerts(alerts: dict[str, dict[str, int]]) -> Table:
    seen = [state for state in _STATES if any(state in states for states in alerts.values())]
    table = _table("rule", *seen)
    for rule, states in alerts.items():
        table.add_row(rule, *(f"{states[state]:,}" if state in states else "" for state in seen))
    return table


def _follow_up(funnel: dict[str, int]) -> Table:
    table = _table("stage", "cases")
    for stage in _STAGES:
        table.add_row(stage, f"{funnel.get(stage, 0):,}")
    table.add_row("[dim]under protection: removal is blocked[/]", f"[dim]{funnel.get('protected', 0):,}[/]")
    return table


def _workers(workers: dict[str, int], oblasts: Mapping[str, Oblast]) -> Table:
    table = _table("oblast", "alerts")
    for oblast, count in list(workers.items())[:_MOST]:
        known = oblasts.get(oblast)
        table.add_row(f"{oblast} {known.name.en}" if known else oblast or "not known", f"{count:,}")
    if len(workers) > _MOST:
        table.add_row(f"[dim]{len(workers) - _MOST} more[/]", f"[dim]{sum(list(workers.values())[_MOST:]):,}[/]")
    return table


def _went(console: Console, result: Result) -> None:
    console.print(
        f"Produced {result.produced:,} = processed {result.processed:,} + dead letters {result.dead_letters:,}"
        f" (this run: {result.this_run['produced']:,}). In ClickHouse: {sum(result.rows.values()):,} rows.",
        highlight=False,
        soft_wrap=True,
    )
    seconds = ", ".join(f"{phase.replace('_', ' ')} {took:.1f} s" for phase, took in result.seconds.items())
    console.print(f"{result.events_per_second:,.0f} records a second. {seconds}.", highlight=False, soft_wrap=True)
    if result.p50_alert_latency_ms is not None:
        console.print(
            f"From an event to its alert in the hands of a reader: median {result.p50_alert_latency_ms:.0f} ms, "
            f"99 of 100 within {result.p99_alert_latency_ms:.0f} ms (the last simulated day, at a live pace).",
            highlight=False,
            soft_wrap=True,
        )
    memory = ", ".join(f"{name} {size:,.0f}" for name, size in result.peak_rss_mb.items())
    console.print(f"Peak memory in MB: {memory}.", highlight=False, soft_wrap=True)
