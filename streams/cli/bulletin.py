"""``shekara bulletin``: an information booklet for the public."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.errors import SetupError, UsageError


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(bulletin)


def bulletin(
    *,
    period: Annotated[str, typer.Option(help="A year, a quarter or a month: 2026, 2026-Q3, 2026-07.")],
    lang: Annotated[str, typer.Option(help="kk, ru or en.")] = "kk",
    form: Annotated[str, typer.Option("--format", help="html (one file, no script) or pdf (tagged).")] = "html",
    out: Annotated[Path, typer.Option(help="Directory the files go to.", file_okay=False)] = Path(),
    json_: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Write an information booklet for the public: figures of people, pictures, and what they do not say.

    No figure under ten people is in it, nor one that would give such a figure away; figures are rounded. Beside the file lies a
    manifest with every question and the released figures. The same records give the same file. What was released of the period
    before is kept in the home and decides with: a second edition says nothing more about few people than the first.
    """
    import json

    from streams.cli.sql import asking
    from streams.local.stack import is_simulated
    from streams.policy.load import load
    from streams.report.bulletin import making
    from streams.report.bulletin.booklet import compose
    from streams.report.bulletin.html import html
    from streams.report.bulletin.pdf import pdf
    from streams.report.bulletin.period import period_of
    from streams.report.bulletin.words import LANGUAGES, Words
    from streams.settings import Settings

    wanted = period_of(period)
    if lang not in LANGUAGES:
        raise UsageError(f"--lang {lang}: expected {', '.join(LANGUAGES)}.")
    if form not in ("html", "pdf"):
        raise UsageError(f"--format {form}: expected html or pdf.")
    settings = Settings()
    policy = load(settings.policy)
    with asking(settings) as asker:
        made = making.make(asker, wanted, policy, making.remembered(settings.home, wanted))
    say = Words(lang)
    booklet = compose(made.figures, wanted, say, policy, as_of=made.as_of, day=made.day, invented=is_simulated(settings))
    content = html(booklet, say) if form == "html" else pdf(booklet, say, dated=made.as_of)
    path = out / f"bulletin-{wanted.name}-{lang}.{form}"
    beside = path.with_name(path.name + ".manifest.json")
    told = making.manifest(made, wanted, policy, language=lang, form=form, name=path.name, content=content)
    # First what was released is remembered: a booklet that is out and forgotten is worse than one remembered and not out.
    making.remember(settings.home, wanted, made.releases)
    making.put_private(settings.home / making.FOLDER / f"{path.name}.inputs.json", making.inputs(made, wanted))
    try:
        out.mkdir(parents=True, exist_ok=True)
        for file, data in ((path, content), (beside, (json.dumps(told, ensure_ascii=False, indent=2) + "\n").encode())):
            half = file.with_name(file.name + ".part")
            half.write_bytes(data)
            half.replace(file)
    except OSError as error:
        raise SetupError(f"{out} cannot be written: {error.strerror or error}.", "Name another with --out.") from error
    typer.echo(json.dumps(told, ensure_ascii=False) if json_ else f"{path}\n{beside}")
