"""Which figures a booklet holds, and how each is counted: people, each once in a table, so that ten are ten people.

Crossings or alerts are never counted: a cell of twelve crossings may be one person. Citizenships are counted by entry regime
only: a league table of nations says nothing about conduct and invites blame.

**Source**: shared rights baseline 6 (no cell under ten); Concept of migration policy: informing the public, migrantophobia.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Question:
    """One table of the booklet; its query, which answers ``cell`` and ``people``, stands in ``questions/NAME.sql``.

    Attributes:
        name: key of its texts and of its query.
        cells: the rows there are, in their order; none: those of ``of``.
        of: where rows get their names: ``texts``, or a list of the policy: ``groups``, ``oblasts``, ``sectors``; or ``months``.
        adds_up: whether everybody is in one row only, so that the total says something.
        population: tables of the same people have the same one: what is hidden in one may not be read from another.
    """

    name: str
    cells: tuple[str, ...] = ()
    of: str = "texts"
    adds_up: bool = True
    population: str = ""

    @property
    def sql(self) -> str:
        """Returns the query; ``{first}`` and ``{last}`` are the period's days."""
        return _query(self.name)


@cache
def _query(name: str) -> str:
    return resources.files("streams.report.bulletin").joinpath("questions", f"{name}.sql").read_text(encoding="utf-8")


QUESTIONS: tuple[Question, ...] = (
    Question("came", of="months", adds_up=False),
    Question("left", of="months", adds_up=False),
    Question(
        "purpose",
        ("private", "work", "study", "family", "business", "tourism", "transit", "treatment", "official", "crew", "unknown"),
        population="came",
    ),
    Question("regime", of="groups", population="came"),
    Question("oblast", of="oblasts", population="came"),
    Question("in_time", ("in_time", "later")),
    Question("titles", ("contract", "work_permit", "household", "residence", "visa", "extension"), adds_up=False),
    Question("sectors", of="sectors"),
    Question("presumptions", ("withdrawn", "ended", "open")),
    Question("outcomes", ("legalised", "left", "cleared", "contacted", "suspected", "referred", "removed")),
    Question("kandas", ("applied", "granted", "arrived"), adds_up=False),
    Question("protection", ("asked", "granted", "trafficking", "child"), adds_up=False),
)
"""The tables, in the order of the booklet."""
