"""The booklet as data: released figures, their names, and the sentences around them. Pure: nothing here knows exact counts.

Shares are computed from published figures, never from the counts behind them: a share with a known base tells the count.

**Source**: Concept of migration policy: informing the public, migrantophobia; ADR 0100.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from streams.policy.model import Policy
from streams.report.bulletin.period import Period
from streams.report.bulletin.tables import QUESTIONS, Question
from streams.report.bulletin.words import Words
from streams.report.disclosure import ROUND_TO, THRESHOLD, TOTAL

Published = Mapping[str, int | None]
"""One table as it may be shown: people by cell, none where suppressed; the total under ``*``."""

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table.

    Attributes:
        name: in the booklet's language.
        people: released figure; none where it is not shown.
        shown: the figure as it is written.
    """

    name: str
    people: int | None
    shown: str


@dataclass(frozen=True, slots=True)
class Section:
    """One table with what belongs to it.

    Attributes:
        name: of the question.
        title: its title.
        definition: what is counted.
        silent: what the figures do not say.
        lines: its rows.
        total: the total as it is written; empty where there is none.
    """

    name: str
    title: str
    definition: str
    silent: str
    lines: tuple[Line, ...]
    total: str


@dataclass(frozen=True, slots=True)
class Booklet:
    """Everything that is printed.

    Attributes:
        language: kk, ru or en.
        title: title.
        subtitle: subtitle.
        period: name of the period.
        invented: what a demonstration says of itself; empty for real records.
        lead: the first paragraph.
        glance: figure and what it is of.
        sections: the tables.
        facts: what is said, and what the figures say.
        rights: what the law gives and asks.
        how: how the figures are made.
    """

    language: str
    title: str
    subtitle: str
    period: str
    invented: str
    lead: str
    glance: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    facts: tuple[tuple[str, str], ...]
    rights: tuple[str, ...]
    how: tuple[str, ...]


def compose(
    figures: Mapping[str, Published], period: Period, say: Words, policy: Policy, *, as_of: datetime, day: date, invented: bool
) -> Booklet:
    """Returns the booklet.

    Args:
        figures: released tables by question.
        period: what it is about.
        say: the language.
        policy: names of groups, oblasts and sectors, and the terms of the period's last day.
        as_of: the newest record counted.
        day: the log's day.
        invented: whether the people are.
    """
    return Booklet(
        say.language,
        say("booklet.title"),
        say("booklet.subtitle"),
        say.period(period),
        say("booklet.invented") if invented else "",
        say("booklet.lead"),
        tuple(_glance(figures, say)),
        tuple(_section(question, figures[question.name], say, policy) for question in QUESTIONS),
        tuple(_facts(figures, say)),
        tuple(_rights(period, say, policy)),
        (
            say("how.small", threshold=THRESHOLD, round_to=ROUND_TO),
            say("how.people"),
            say("how.nations"),
            say("how.presumed"),
            *([say("how.until", day=say.day(day))] if day < period.last else []),
            say("how.as_of", moment=say.moment(as_of), last=say.day(period.last), policy=policy.version),
            say("how.again", threshold=THRESHOLD),
            say("how.manifest"),
        ),
    )


def _section(question: Question, published: Published, say: Words, policy: Policy) -> Section:
    lines = [
        Line(_name(question, cell, say, policy), people, say("booklet.hidden") if people is None else say.number(people))
        for cell, people in published.items()
        if cell != TOTAL
    ]
    if question.of not in ("texts", "months"):
        lines = _largest_first(lines, say)
    total = published.get(TOTAL)
    return Section(
        question.name,
        say(f"{question.name}.title"),
        say(f"{question.name}.definition"),
        say(f"{question.name}.silent"),
        tuple(lines),
        say.number(total) if question.adds_up and total is not None else "",
    )


def _largest_first(lines: list[Line], say: Words) -> list[Line]:
    """Of a long list only what can be shown, the largest first; of equal ones in the order of the policy."""
    shown = sorted((line for line in lines if line.people is not None), key=lambda line: -(line.people or 0))
    left = len(lines) - len(shown)
    return [*shown, Line(f"… ({left})", None, say("booklet.hidden"))] if left else shown


def _name(question: Question, cell: str, say: Words, policy: Policy) -> str:
    if question.of == "months":
        return say.month(cell)
    if question.of == "groups":
        return say.of(policy.group_texts[cell])
    if question.of == "oblasts" and cell in policy.codes.oblasts:
        return say.of(policy.codes.oblasts[cell].name)
    if question.of == "sectors" and cell in policy.codes.sectors:
        return say.of(policy.codes.sectors[cell].name)
    return say(f"cell.{question.name}.{cell or 'unknown'}")


def of_hundred(part: int | None, whole: int | None) -> int | None:
    """Returns a share of two published figures in whole percent; none where one of them is not shown, or both say nothing."""
    if part is None or not whole:
        return None
    return min(100 * part // whole, 100)


def _glance(figures: Mapping[str, Published], say: Words) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    purposes = {
        cell: people for cell, people in figures["purpose"].items() if people is not None and cell not in (TOTAL, "unknown")
    }
    if purposes:
        most = max(purposes, key=lambda cell: purposes[cell])
        found.append((say.number(purposes[most]), say("glance.came", purpose=say(f"cell.purpose.{most}"))))
    share = of_hundred(figures["in_time"].get("in_time"), figures["in_time"].get(TOTAL))
    if share is not None:
        found.append((say.number(share), say("glance.in_time")))
    contracts = figures["titles"].get("contract")
    if contracts is not None:
        found.append((say.number(contracts), say("glance.titles")))
    over = [figures["presumptions"].get(cell) for cell in ("withdrawn", "ended")]
    share = of_hundred(None if None in over else sum(one or 0 for one in over), figures["presumptions"].get(TOTAL))
    if share is not None:
        found.append((say.number(share), say("glance.withdrawn")))
    return found


def _facts(figures: Mapping[str, Published], say: Words) -> list[tuple[str, str]]:
    share = of_hundred(figures["in_time"].get("in_time"), figures["in_time"].get(TOTAL))
    answers = {
        "exit": say("fact.exit.answer"),
        "most": say("fact.most.answer_without") if share is None else say("fact.most.answer", share=share),
        "alert": say("fact.alert.answer"),
        "work": say("fact.work.answer"),
        "pay": say("fact.pay.answer"),
        "nation": say("fact.nation.answer"),
        "crime": say("fact.crime.answer"),
    }
    return [(say(f"fact.{name}.claim"), answer) for name, answer in answers.items()]


def _rights(period: Period, say: Words, policy: Policy) -> list[str]:
    rules = policy.at((period.last - _EPOCH).days)
    found = []
    if rules.notification_days is not None:
        by_host = rules.notification_unit == "working" and rules.notification_by == "host"
        found.append(say("right.notify" if by_host else "right.notify_calendar", days=rules.notification_days))
    if rules.extension_request_days is not None:
        found.append(say("right.extend", days=rules.extension_request_days))
    return [
        *found,
        say("right.legal"),
        say("right.protect", days=rules.asylum_appeal_days),
        say("right.traffic"),
        say("right.correct"),
        say("right.where"),
    ]
