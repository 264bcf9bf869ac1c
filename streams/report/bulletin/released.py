"""From exact counts to what may be shown: disclosure control over all tables of a booklet together. Pure.

A table is released against what was released of it before. Tables of the same people share a total: if one must hide it, all do,
and a figure hidden in one cannot be had from another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from streams.policy.model import Policy
from streams.report.bulletin.booklet import Published
from streams.report.bulletin.period import Period
from streams.report.bulletin.tables import QUESTIONS, Question
from streams.report.disclosure import THRESHOLD, TOTAL, Key, Release, release

_EPOCH = date(1970, 1, 1)


def counted(question: Question, rows: Iterable[tuple[Any, ...]], period: Period, policy: Policy, day: date) -> dict[str, int]:
    """Returns people by cell; cells nobody is in are there too, as 0: that nobody is in them is not for publication either.

    Args:
        question: the question.
        rows: its answer: cell and people.
        period: what the booklet is about.
        policy: knows groups, oblasts and sectors.
        day: the log's day: months that have not begun are no cells.
    """
    last = (period.last - _EPOCH).days
    cells: Iterable[str] = question.cells
    if question.of == "months":
        cells = [month for month in period.months if month <= f"{day:%Y-%m}"]
    elif question.of == "groups":
        known = {policy.group_of(code, last) for code in policy.codes.countries} | {policy.unknown_group}
        cells = [name for name in policy.group_texts if name in known and name != "kaz"]
    elif question.of == "oblasts":
        cells = [*policy.codes.oblasts, ""]
    elif question.of == "sectors":
        cells = [*policy.codes.sectors, ""]
    found = dict.fromkeys(cells, 0)
    otherwise = policy.unknown_group if question.of == "groups" else "unknown" if "unknown" in found else ""
    for cell, people in rows:
        name = policy.group_of(cell, last) if question.of == "groups" else str(cell)
        name = name if name in found else otherwise
        if name in found:
            found[name] += int(people)
    return found


def release_all(counts: Mapping[str, Mapping[str, int]], before: Mapping[str, Release]) -> dict[str, Release]:
    """Returns every table as it may be shown.

    Args:
        counts: people by question and cell.
        before: what was released of the same period before, by question.
    """
    made: dict[str, Release] = {}
    for question in QUESTIONS:
        cells: dict[Key, int] = {(cell, ""): people for cell, people in counts[question.name].items()}
        earlier = before.get(question.name)
        for key in earlier.figures if earlier else ():
            if key[0] != TOTAL:
                cells.setdefault(key, 0)
        made[question.name] = release(cells, rows=question.name, before=earlier)
    secret = {one.population for one in QUESTIONS if one.population and made[one.name].figures[TOTAL, ""] is None}
    for question in QUESTIONS:
        if question.population in secret:
            one = made[question.name]
            made[question.name] = Release(one.rows, one.columns, {**one.figures, (TOTAL, ""): None}, one.exact)
    return made


def published(made: Mapping[str, Release], counts: Mapping[str, Mapping[str, int]]) -> dict[str, Published]:
    """Returns what is printed: cells in the order of the question, the total last.

    Raises:
        AssertionError: a figure under the threshold was about to be printed; nothing is.
    """
    found: dict[str, Published] = {}
    for name, one in made.items():
        cells = [*counts[name], TOTAL]
        table = {cell: one.figures[cell, ""] for cell in cells}
        for cell, figure in table.items():
            if figure is not None and (figure < THRESHOLD or one.exact[cell, ""] < THRESHOLD):
                raise AssertionError(f"{name}: a figure under {THRESHOLD} was about to be published.")
        found[name] = table
    return found
