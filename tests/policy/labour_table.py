"""The format of tests/policy/labour/*.yaml: what many people, employers and quotas did, and what follows about the latter.

README.md beside this file explains it to people who do not program.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any, Literal

from pydantic import ValidationError

from streams.policy.model import Policy
from streams.records import EmployerDeclaration, PersonEvent, QuotaAllocation
from tests.oracle.time import Calendar, day_number
from tests.policy import table
from tests.policy.table import Case, Expected, Strict, TableError, faults_in, ident, instant_of, rows_of

_DECLARED = {"oblast": "KZ-75", "sector": "F", "size": "medium"}
_COUNTS = ("citizens_12", "citizens_34", "foreigners_12", "foreigners_34")


class ExpectedConclusion(Strict):
    """One conclusion; what is left out is not compared."""

    rule: str
    subject: str | None = None
    state: Literal["open", "ended"]
    stay: date | None = None
    first_day: date | None = None
    last_day: date | None = None
    days: int | None = None
    grade: Literal["established", "presumed", "uncertain"] | None = None
    oblast: str | None = None
    rests_on: int | None = None
    options: list[str] | None = None


class LabourCase(Strict):
    """One case of a table: `who` beside an event names the people it happened to (1 if nobody is named)."""

    name: str
    policy: str = "kz"
    citizenship: str | None = "UZB"
    events: list[dict[str, dict[str, Any]]]
    on: date
    expected: list[ExpectedConclusion]
    source: str
    reasoning: str


class Facts:
    """The events of a case.

    Attributes:
        people: by pseudonym.
        declarations: of employers.
        allocations: of quotas.
    """

    def __init__(self) -> None:
        self.people: dict[str, tuple[PersonEvent, ...]] = {}
        self.declarations: list[EmployerDeclaration] = []
        self.allocations: list[QuotaAllocation] = []


def policy_of(case: LabourCase) -> Policy:
    """Returns the policy of a case."""
    return table.policy_of(_as_case(case))


def _as_case(case: LabourCase) -> Case:
    return Case.model_construct(
        name=case.name, policy=case.policy, citizenship=case.citizenship, events=[], stays=None, on=case.on, expected=Expected()
    )


def cases() -> Iterator[tuple[str, LabourCase]]:
    """Yields every case of every table with its name for the test report.

    Raises:
        TableError: a case breaks the format, or two have one name.
    """
    seen: set[str] = set()
    for path in sorted((table.HERE / "labour").glob("*.yaml")):
        for number, row in enumerate(rows_of(path), 1):
            case = read_case(row, f"{path.name}, case {number}")
            if case.name in seen:
                raise TableError(f"{path.name}, case {number}: the name {case.name!r} is already taken; choose another.")
            seen.add(case.name)
            yield f"{path.stem}: {case.name}", case


def read_case(row: object, where: str) -> LabourCase:
    """Returns one case.

    Raises:
        TableError: it breaks the format.
    """
    name = row.get("name", "without a name") if isinstance(row, dict) else "not a mapping"
    try:
        case = LabourCase.model_validate(row)
        facts_of(case)
    except ValidationError as error:
        faults = faults_in(error, LabourCase, {"expected": ExpectedConclusion})
        raise TableError(f"{where} ({name}): {faults}.") from None
    except (KeyError, TypeError, ValueError) as error:
        raise TableError(f"{where} ({name}): {error}") from None
    return case


def facts_of(case: LabourCase) -> Facts:
    """Returns the events of a case."""
    calendar = Calendar(policy_of(case))
    found = Facts()
    for number, row in enumerate(case.events, 1):
        [(name, given)] = row.items()
        said = dict(given)
        if name == "declaration":
            found.declarations.append(_declaration(number, said, calendar))
        elif name == "quota":
            found.allocations.append(_allocation(number, said, calendar))
        else:
            who = said.pop("who", 1)
            label = str(said.get("id", number))
            event = table.event_of(number, {name: said}, _as_case(case), calendar)
            for person in who if isinstance(who, list) else [who]:
                subject = f"p:{person}"
                # The same words for several people are several events; a correction names the person's own.
                changes: dict[str, Any] = {"subject": subject, "event_id": ident(f"{label}/{person}")}
                for field in ("supersedes", "disputed_event"):
                    if said.get(field) is not None:
                        changes[field] = ident(f"{said[field]}/{person}")
                for field in ("permit_id", "contract_id"):
                    if hasattr(event, field):
                        changes[field] = ident(f"{said.get(field, field)}/{person}")
                found.people[subject] = (*found.people.get(subject, ()), replace(event, **changes))
    return found


def _declaration(number: int, said: dict[str, Any], calendar: Calendar) -> EmployerDeclaration:
    at = said.pop("at")
    values = _DECLARED | dict.fromkeys(_COUNTS, 0) | said
    at_ms = instant_of(at, calendar.zone(values["oblast"]))
    employer = values.pop("employer")
    event_id = ident(str(values.pop("id", number)))
    return EmployerDeclaration(event_id, employer, at_ms, at_ms, "table", number, day_number(at), **values)


def _allocation(number: int, said: dict[str, Any], calendar: Calendar) -> QuotaAllocation:
    at = said.pop("from")
    at_ms = instant_of(at, calendar.zone(""))
    values: dict[str, Any] = {"quota": "labour", "version": 1, "oblast": None, "category": None, "sector": None} | said
    event_id = ident(str(values.pop("id", number)))
    return QuotaAllocation(event_id, "table", at_ms, at_ms, "table", number, year=at.year, effective_on=day_number(at), **values)
