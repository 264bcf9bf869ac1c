"""``shekara alerts``: list what holds now, or follow versions as they are written."""

from __future__ import annotations

import json
import os
import re
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from streams.errors import UsageError

if TYPE_CHECKING:
    from streams.records import Alert

OPEN = ("raised", "amended", "acknowledged")
_STATES = ("raised", "amended", "acknowledged", "resolved", "retracted", "expired")
_COLUMNS = "decided_at, state, grade, severity, rule, oblast, first_day_on, last_day_on, days, subject, version, reason, alert_id"
_CODE = re.compile(r"[A-Za-z0-9_:-]*")

Rule = Annotated[str, typer.Option(help="Only this rule, e.g. overstay_visa_exempt (docs/rules.md).")]
State = Annotated[str, typer.Option(help="open (raised, amended, acknowledged), all, or one state.")]
Place = Annotated[str, typer.Option("--oblast", help="Only this oblast, ISO 3166-2:KZ, e.g. KZ-75.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    alerts = typer.Typer(help="List or follow alerts.", no_args_is_help=True)
    alerts.command("list")(list_)
    alerts.command()(follow)
    app.add_typer(alerts, name="alerts")


def list_(
    *,
    rule: Rule = "",
    state: State = "open",
    oblast: Place = "",
    since: Annotated[str, typer.Option(help="Decided since: 2025-03-01, 2025-03-01T08:00, or 7d, 12h, 30m ago.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many, the newest first.", min=1, max=100_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array of objects.")] = False,
) -> None:
    """List alerts by what holds now, the newest first."""
    from streams.cli.sql import asking, show
    from streams.settings import Settings
    from streams.warehouse.columns import quote

    wanted = [f"state IN ({', '.join(quote(name) for name in _states(state))})"]
    wanted += [f"{name} = {quote(_code(name, value))}" for name, value in (("rule", rule), ("oblast", oblast)) if value]
    if since:
        wanted.append(f"decided_at >= fromUnixTimestamp64Milli({_instant(since)}, 'UTC')")
    query = f"SELECT {_COLUMNS} FROM alerts_now WHERE {' AND '.join(wanted)} ORDER BY decided_at DESC, alert_id LIMIT {limit}"  # noqa: S608  # every value is checked or quoted
    with asking(Settings()) as asker:
        result = asker.select(query)
    if as_json:
        show(result, "json")
        return
    for row in result.rows:
        typer.echo(_line(dict(zip(result.names, row, strict=True))))
    typer.echo(f"{len(result.rows)} alerts{f'; more with --limit {limit * 10}' if len(result.rows) == limit else ''}", err=True)


def follow(
    *,
    rule: Rule = "",
    state: State = "all",
    oblast: Place = "",
    from_start: Annotated[bool, typer.Option("--from-start", help="Begin with the first version ever written.")] = False,
    limit: Annotated[int, typer.Option(help="End after so many; 0: go on until Ctrl-C.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Print every version of every alert as the worker writes it, one line each, until Ctrl-C."""
    from streams import bootstrap as parts
    from streams.records import Alert
    from streams.settings import Settings
    from streams.warehouse import source
    from streams.wire.avro import decode
    from streams.wire.topics import ALERTS

    states = _states(state)
    _code("rule", rule)
    _code("oblast", oblast)
    settings = parts.with_kafka(Settings())
    # A group of its own that commits nothing: following changes nothing for anyone.
    consumer = source.consumer(
        settings, group_id=f"{settings.namespace}-follow-{os.getpid()}", start="earliest" if from_start else "latest"
    )
    shown = 0
    try:
        source.assign_all(consumer, ALERTS.name(settings.namespace), from_start=from_start)
        while True:
            for message in consumer.consume(500, 0.25):
                if message.error() is not None:
                    continue
                alert = decode(message.value())
                if not isinstance(alert, Alert) or alert.state not in states:
                    continue
                if (rule and alert.rule != rule) or (oblast and alert.oblast != oblast):
                    continue
                typer.echo(json.dumps(_values(alert), ensure_ascii=False) if as_json else _line(_values(alert)))
                shown += 1
                if shown == limit:
                    return
    except KeyboardInterrupt:
        return
    finally:
        consumer.close()


def _states(state: str) -> tuple[str, ...]:
    if state == "open":
        return OPEN
    if state == "all":
        return _STATES
    if state not in _STATES:
        raise UsageError(f"--state {state}: expected open, all, {', '.join(_STATES)}.")
    return (state,)


def _code(name: str, value: str) -> str:
    if not _CODE.fullmatch(value):
        raise UsageError(f"--{name} {value!r}: expected letters, digits, '_' and '-'.")
    return value


def _instant(since: str) -> int:
    """Returns UTC epoch ms of a date, a date with time (UTC), or a time ago."""
    ago = re.fullmatch(r"(\d+)([mhd])", since)
    if ago:
        from streams.clock import now_ms

        unit = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[ago[2]]
        return now_ms() - int(ago[1]) * int(unit.total_seconds() * 1000)
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise UsageError(f"--since {since}: expected a date (2025-03-01), a date with time, or 7d, 12h, 30m.") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _day(day: int | None) -> str | None:
    return None if day is None else str(date(1970, 1, 1) + timedelta(days=day))


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _line(alert: dict[str, Any]) -> str:
    """Returns one line of a terminal, from values as ``_values`` or the warehouse gives them."""
    decided = alert["decided_at"]
    when = decided if isinstance(decided, str) else decided.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    what = f"{alert['state']:<12} {alert['grade']:<11} {alert['severity']:<6} {alert['rule']:<24} {alert['oblast'] or '-':<6}"
    days = f"{alert['first_day_on']}…{alert['last_day_on'] or '':<10} {alert['days']:>4} d"
    return f"{when}  {what} {days}  {alert['subject']}  v{alert['version']} {alert['reason']}"


def _values(alert: Alert) -> dict[str, Any]:
    """Returns an alert as JSON has it: dates and instants in words, ids as UUIDs."""
    values: dict[str, Any] = {field.name: getattr(alert, field.name) for field in fields(alert)}
    for name, value in values.items():
        if isinstance(value, bytes):
            values[name] = str(UUID(bytes=value))
        elif name.endswith("_on"):
            values[name] = _day(value)
        elif name.endswith("_at"):
            values[name] = _moment(value)
        elif name == "evidence":
            values[name] = [str(UUID(bytes=one)) for one in value]
    return values
