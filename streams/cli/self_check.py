"""``shekara self-check``: a traveller's own dates in, days used and last lawful day out. Nothing is stored, nothing is sent."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from streams.errors import UsageError

_WORDS = ("used", "left", "last", "none", "endless", "next", "over", "past", "fine", "title", "fault", "note")
_TEXTS = {
    "en": (
        "Days used",
        "days left in the window",
        "Last lawful day",
        "no lawful day from this entry",
        "no end in sight",
        "Next lawful entry",
        "Overstay on this day, since",
        "There was an overstay on",
        "No overstay.",
        "There is no visa-free allowance: you need a visa or another permission, which these dates cannot show.",
        "Check your dates",
        "Nothing was stored. This is not legal advice; ask the migration service.",
    ),
    "ru": (
        "Использовано дней",
        "осталось дней в периоде",
        "Последний законный день",
        "нет законных дней с этого въезда",
        "конца не видно",
        "Следующий законный въезд",
        "Срок превышен, с",
        "Срок был превышен",
        "Срок не превышен.",
        "Безвизового срока нет: нужна виза или другое основание, которых по этим датам не видно.",
        "Проверьте даты",
        "Ничего не сохранено. Это не юридическая консультация; спросите в миграционной службе.",
    ),
    "kk": (
        "Пайдаланылған күндер",
        "кезеңде қалған күн",
        "Соңғы заңды күн",
        "осы келуден заңды күн жоқ",
        "соңы көрінбейді",
        "Келесі заңды келу",
        "Мерзім асып кетті, бастап",
        "Мерзім асып кеткен күн",
        "Мерзім асқан жоқ.",
        "Визасыз мерзім жоқ: виза немесе басқа негіз қажет, оны бұл күндерден көру мүмкін емес.",
        "Күндерді тексеріңіз",
        "Ештеңе сақталмады. Бұл заң кеңесі емес; көші-қон қызметінен сұраңыз.",
    ),
}

_FAULTS = {
    "ru": {
        "exit_before_entry": "Выезд {} раньше своего въезда {}.",
        "overlapping_stays": "Пребывание с {} и пребывание с {} имеют общие дни: они считаются одним.",
        "entry_without_exit": "У пребывания с {} нет выезда, и оно начинается внутри другого: его дальнейшие дни неизвестны.",
        "unknown_country": "{} — не код страны ISO 3166-1 (три буквы) и не код ИКАО 9303; гражданство считается неизвестным.",
    },
    "kk": {
        "exit_before_entry": "{} күнгі кету өзінің {} күнгі келуінен бұрын.",
        "overlapping_stays": "{} және {} күндері басталған болулардың ортақ күндері бар: олар бір болу деп саналады.",
        "entry_without_exit": "{} күні басталған болудың кетуі жоқ, ол басқа болудың ішінде басталады: кейінгі күндері белгісіз.",
        "unknown_country": "{} — ISO 3166-1 елінің коды (үш әріп) да, ИКАО 9303 коды да емес; азаматтығы белгісіз деп саналады.",
    },
}
"""What cannot be right about the dates, in the languages other than the one `dossier_input` says it in."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("self-check")(self_check)


def self_check(
    *,
    stay: Annotated[
        list[str],
        typer.Option(
            "--stay", metavar="ENTRY..EXIT", help="One stay, both days included; 2024-05-01.. for one that lasts. Repeat it."
        ),
    ] = [],  # noqa: B006 - typer copies it
    citizenship: Annotated[str, typer.Option(help="Three letters, as in the passport, e.g. UZB.")],
    on: Annotated[str, typer.Option(metavar="DATE", help="The day asked about; default: today.")] = "",
    entry: Annotated[str, typer.Option(metavar="DATE", help="A planned entry.")] = "",
    policy: Annotated[str, typer.Option(help="kz, rolling-90-180, or the path of a policy.")] = "kz",
    lang: Annotated[str, typer.Option(help="en, ru or kk.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="The JSON of `shekara assess`.")] = False,
) -> None:
    """Count your own days: how many are used, and the last lawful day. Stores and sends nothing.

    Example: shekara self-check --citizenship UZB --stay 2024-01-01..2024-01-20 --stay 2024-05-01.. --on 2024-05-10
    """
    from streams.cli.assess import console, day_option
    from streams.cli.dossier_input import plain_stays
    from streams.detect.calculator import calculate
    from streams.policy.load import load
    from streams.report.assessment import as_json as json_of

    if lang not in _TEXTS:
        raise UsageError(f"--lang: expected en, ru or kk, got {lang!r}.")
    rules = load(policy)
    given = plain_stays(citizenship, [_stay(text) for text in stay], rules)
    day = day_option(on, "--on", rules)
    wanted = day_option(entry, "--entry", rules) if entry else None
    answer = calculate(given.dossier, rules, day, entry=wanted, citizenship=given.citizenship)
    found = json_of(answer, [(fault.rule, fault.message, fault.on) for fault in given.faults], without=given.without)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    words = dict(zip(_WORDS, _TEXTS[lang], strict=True))
    out = console()
    for fault in given.faults:
        said = _FAULTS.get(lang, {}).get(fault.rule)
        out.print(
            f"{words['fault']}: {fault.message if said is None else said.format(*fault.words)}", style="yellow", markup=False
        )
    left = found["days_remaining"]
    out.print(f"{words['used']}: {found['days_used']}" + ("" if left is None else f"; {words['left']}: {left}"))
    longest = found["longest_stay"]
    last = words["endless"] if longest["days"] is None else longest["last_lawful_day"] or words["none"]
    out.print(f"{words['last']} ({longest['entry']} …): {last}")
    if found["next_lawful_entry"]:
        out.print(f"{words['next']}: {found['next_lawful_entry']}")
    first = found["first_overstay_day"]
    if found["overstay"]:
        out.print(f"{words['over']} {first}.", style="red")
    elif first is not None:
        out.print(f"{words['past']}: {first}.")
    else:
        out.print(words["title" if left is None and longest["days"] == 0 else "fine"])
    out.print(words["note"], style="dim")


def _stay(text: str) -> tuple[int, int | None]:
    from streams.cli.dossier_input import day_of

    first, dots, last = text.partition("..")
    if not dots:
        raise UsageError(f"--stay: expected ENTRY..EXIT like 2024-01-01..2024-03-30, got {text[:40]!r}.")
    try:
        return day_of(first.strip(), "--stay, entry"), day_of(last.strip(), "--stay, exit") if last.strip() else None
    except ValueError as error:
        raise UsageError(str(error)) from None
