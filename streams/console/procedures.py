"""The paths of a follow-up, as data: tasks, working days, outcomes; and which of them are offered for whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, get_args

import yaml

from streams.errors import SetupError
from streams.policy.codes import Text
from streams.records.cases import Decision, EmployerOutcome

OUTCOMES: Mapping[str, Decision | None] = {
    "legalised": "legalised",
    "left": "left_voluntarily",
    "cleared": "cleared",
    "ordered": "order_to_leave",
    # Decided by two officers on the case's own page: here it can only be noted when it is so.
    "referred": None,
    # Established by another body, whose own event says so in the log.
    "protected": None,
    "passed_on": None,
    # An employer's: leave as events of their own.
    "in_order": None,
    "put_in_order": None,
    # A dispute's: leave as events of the dispute.
    "upheld": None,
    "rejected": None,
}
"""Every way a proceeding may end, and the decision it sends for each of its cases."""
EMPLOYER_OUTCOMES: Mapping[str, EmployerOutcome] = {name: name for name in get_args(EmployerOutcome)}
"""The ways that are sent, too, as the decision about each employer's alert."""


@dataclass(frozen=True, slots=True)
class Task:
    """A step of a procedure.

    Attributes:
        name: its key.
        title: what to do.
        days: working days from the opening.
    """

    name: str
    title: Text
    days: int


@dataclass(frozen=True, slots=True)
class Procedure:
    """A path.

    Attributes:
        name: its key.
        title: its name.
        text: what it is, in a sentence.
        source: where it comes from.
        options: lawful options it belongs to; none: it is always offered.
        about: ``person``, ``employer`` or ``any``.
        protected: whether it may be opened for somebody who is protected.
        alone: one person at a time.
        opens_by: the only form that opens it; empty: the list of paths.
        days: working days to its outcome.
        tasks: steps, in order.
        outcomes: keys of `OUTCOMES`.
    """

    name: str
    title: Text
    text: Text
    source: str
    options: frozenset[str]
    about: str
    protected: bool
    alone: bool
    opens_by: str
    days: int
    tasks: tuple[Task, ...]
    outcomes: tuple[str, ...]


@cache
def procedures() -> Mapping[str, Procedure]:
    """Returns every path by name, help first.

    Raises:
        SetupError: the file does not hold what it should.
    """
    content = resources.files("streams.console").joinpath("procedures.yaml").read_text(encoding="utf-8")
    return {name: _procedure(name, entry) for name, entry in yaml.safe_load(content).items()}


def _procedure(name: str, entry: Mapping[str, Any]) -> Procedure:
    try:
        tasks = tuple(Task(one["name"], Text(**one["title"]), int(one["days"])) for one in entry["tasks"])
        made = Procedure(
            name,
            Text(**entry["title"]),
            Text(**entry["text"]),
            entry["source"],
            frozenset(entry.get("options", ())),
            entry["about"],
            bool(entry["protected"]),
            bool(entry.get("alone", False)),
            entry.get("opens_by", ""),
            int(entry["days"]),
            tasks,
            tuple(entry["outcomes"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SetupError(f"procedures.yaml: {name}: {error} is missing or is not as it should be.") from error
    unknown = set(made.outcomes) - set(OUTCOMES)
    if unknown or made.about not in ("person", "employer", "any") or any(not 0 < task.days <= made.days for task in tasks):
        raise SetupError(f"procedures.yaml: {name}: unknown outcome {sorted(unknown)}, or a task outside the procedure's days.")
    return made


def offered(*, options: Collection[str], protected: bool, persons: int, employers: int) -> list[Procedure]:
    """Returns the paths that may be opened, help first.

    Args:
        options: the lawful options of the cases concerned.
        protected: whether anybody concerned is protected: then nothing that leads towards removal is offered.
        persons: how many persons' cases are concerned.
        employers: how many employers' alerts are among what was chosen.
    """
    found = []
    for one in procedures().values():
        if one.opens_by or (protected and not one.protected) or (one.alone and persons != 1):
            continue
        if one.about == "person" and (employers or not persons):
            continue
        if one.options and not one.options.intersection(options):
            continue
        found.append(one)
    return found
