"""``shekara explain``: why an alert is what it is, event by event, day by day."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from streams.errors import UsageError


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(explain)


def explain(
    alert: Annotated[str, typer.Argument(metavar="ALERT_ID", help="An id as 'shekara alerts list' shows it.")],
    *,
    policy: Annotated[str, typer.Option(help="Policy for texts and days; default: SHEKARA_POLICY.")] = "",
    lang: Annotated[str, typer.Option(help="en, ru or kk.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Say why an alert is what it is: the events with topic and offset, the policy and article, and what was known when.

    Example: shekara explain 3f0c2f0a-4a57-4c6e-9d1c-2a8d5c9f1b10 --lang ru
    """
    from streams.cli.sql import asking
    from streams.policy.load import load
    from streams.report.explain import alert_number
    from streams.report.explain import explain as explanation
    from streams.report.explain_text import LANGUAGES, as_text
    from streams.settings import Settings

    if lang not in LANGUAGES:
        raise UsageError(f"--lang: expected en, ru or kk, got {lang!r}.")
    number = alert_number(alert)
    settings = Settings()
    rules = load(policy or settings.policy)
    with asking(settings) as asker:
        found = explanation(number, lambda query: asker.select(query).rows, rules)
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2) if as_json else as_text(found, lang))
