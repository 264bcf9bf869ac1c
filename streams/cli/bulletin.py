"""``shekara bulletin``: an information booklet for the public, and the same one again from its manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from streams.errors import IntegrityError, SetupError, UsageError


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(bulletin)


def bulletin(
    *,
    period: Annotated[str, typer.Option(help="A year, a quarter or a month: 2026, 2026-Q3, 2026-07.")] = "",
    lang: Annotated[str, typer.Option(help="kk, ru or en.")] = "kk",
    form: Annotated[str, typer.Option("--format", help="html (one file, no script) or pdf (tagged).")] = "html",
    as_of: Annotated[
        str,
        typer.Option(
            "--as-of",
            help="Only what was received up to the end of this day, or up to this instant: 2026-10-01, 2026-10-01T09:00Z.",
        ),
    ] = "",
    again: Annotated[
        Path | None,
        typer.Option(help="A manifest: make its booklet again and compare; writes nothing.", exists=True, dir_okay=False),
    ] = None,
    out: Annotated[Path, typer.Option(help="Directory the files go to.", file_okay=False)] = Path(),
    json_: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Write an information booklet for the public: figures of people, pictures, and what they do not say.

    No figure under ten people is in it, nor one that would give such a figure away; figures are rounded. Beside the file lies a
    manifest with every question and the released figures. The same records give the same file. What was released of the period
    before is kept in the home and decides with: a second edition says nothing more about few people than the first.
    --again makes the booklet of a manifest from the records it was made from; exit code 5 if it is another.
    """
    import json

    from streams.cli.released import note_published, standing_published
    from streams.cli.sql import asking
    from streams.clock import now_ms
    from streams.report.bulletin import making
    from streams.report.bulletin.period import period_of
    from streams.report.bulletin.words import LANGUAGES
    from streams.settings import Settings
    from streams.warehouse.published import Figure

    settings = Settings()
    if again is not None:
        if period or as_of:
            raise UsageError("--again takes the period and the instant from the manifest.", "Leave --period and --as-of out.")
        _compare(settings, _manifest(again), again)
        return
    if not period:
        raise UsageError("--period is missing: e.g. 2026, 2026-Q3, 2026-07.")
    wanted = period_of(period)
    if lang not in LANGUAGES:
        raise UsageError(f"--lang {lang}: expected {', '.join(LANGUAGES)}.")
    if form not in ("html", "pdf"):
        raise UsageError(f"--format {form}: expected html or pdf.")
    before = making.remembered(settings.home, wanted)
    if not before:
        with asking(settings) as asker:
            before = making.known(standing_published(asker, settings), wanted)
    until_ms = _until(as_of) if as_of else None
    made, told, content = _made(settings, period, lang, form, before=before, until_ms=until_ms)
    path = out / str(told["file"])
    beside = path.with_name(path.name + ".manifest.json")
    # First what was released is remembered: a booklet that is out and forgotten is worse than one remembered and not out.
    making.remember(settings.home, wanted, made.releases)
    note_published(settings, [Figure(*cell) for cell in making.named(made, wanted)], now_ms())
    kept = making.kept_inputs(settings.home, path.name, str(told["sha256"]))
    if not kept.exists():  # made once more from the same, it must not forget what it was made from
        making.put_private(kept, making.inputs(made, wanted, before))
    try:
        out.mkdir(parents=True, exist_ok=True)
        for file, data in ((path, content), (beside, (json.dumps(told, ensure_ascii=False, indent=2) + "\n").encode())):
            half = file.with_name(file.name + ".part")
            half.write_bytes(data)
            half.replace(file)
    except OSError as error:
        raise SetupError(f"{out} cannot be written: {error.strerror or error}.", "Name another with --out.") from error
    typer.echo(json.dumps(told, ensure_ascii=False) if json_ else f"{path}\n{beside}")


def _made(
    settings: Any, period: str, lang: str, form: str, *, before: Any, until_ms: int | None
) -> tuple[Any, dict[str, Any], bytes]:
    """Returns what a booklet is made of, its manifest and its content."""
    from streams.cli.sql import asking
    from streams.local.stack import is_simulated
    from streams.policy.load import load
    from streams.report.bulletin import making
    from streams.report.bulletin.booklet import compose
    from streams.report.bulletin.html import html
    from streams.report.bulletin.pdf import pdf
    from streams.report.bulletin.period import period_of
    from streams.report.bulletin.words import Words

    wanted, policy, say = period_of(period), load(settings.policy), Words(lang)
    with asking(settings) as asker:
        made = making.make(asker, wanted, policy, before, until_ms=until_ms)
    booklet = compose(made.figures, wanted, say, policy, as_of=made.as_of, day=made.day, invented=is_simulated(settings))
    content = html(booklet, say) if form == "html" else pdf(booklet, say, dated=made.as_of)
    name = f"bulletin-{wanted.name}-{lang}.{form}"
    told = making.manifest(
        made, wanted, policy, language=lang, form=form, name=name, content=content, first=not before
    )  # fmt: skip
    return made, told, content


def _until(text: str) -> int:
    """Returns the first instant that does not count any more, UTC epoch ms.

    Raises:
        UsageError: it is neither a day nor an instant with its zone.
    """
    from datetime import datetime

    from streams.cli.export import end_of

    if "T" not in text:
        return end_of(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise UsageError(f"--as-of {text}: expected a day or an instant with its zone: 2026-10-01, 2026-10-01T09:00Z.")
    return round(at.timestamp() * 1000) + 1


def _manifest(path: Path) -> dict[str, Any]:
    """Returns a manifest.

    Raises:
        UsageError: it is none.
    """
    import json

    try:
        told = json.loads(path.read_text("utf-8"))
        wanted = ("file", "sha256", "format", "language", "period", "records_received_until", "policy", "tables")
        missing = [name for name in (*wanted, "first_release_of_period") if name not in told]
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{path} is no manifest of a booklet: {error}.") from error
    if missing:
        raise UsageError(f"{path} is no manifest of a booklet: {', '.join(missing)} is not in it.")
    return dict(told)


def _compare(settings: Any, told: dict[str, Any], path: Path) -> None:
    """Makes a booklet again.

    Raises:
        UsageError: the policy is another.
        IntegrityError: it comes out as another; says in which tables.
    """
    from streams.policy.load import load
    from streams.report.bulletin import making

    version = load(settings.policy).version
    if version != told["policy"]:
        raise UsageError(
            f"{path}: the booklet was made with policy {told['policy']}; this is {version}.",
            "Name that policy with SHEKARA_POLICY.",
        )
    before = making.released_before(settings.home, told)
    until_ms = _until(told["records_received_until"])
    _, now, _ = _made(settings, told["period"], told["language"], told["format"], before=before, until_ms=until_ms)
    if now["sha256"] != told["sha256"]:
        tables = [name for name, one in told["tables"].items() if now["tables"][name]["figures"] != one["figures"]]
        raise IntegrityError(
            f"{told['file']} made again is another: {', '.join(tables) or 'the figures are the same, its text or form is not'}.",
            f"It was made by Shekara {told.get('shekara', '?')}; this is {now['shekara']}. Are the records the same?",
        )
    typer.echo(f"{told['file']} made again is the same: {told['sha256']}.")
