"""Everybody the warehouse knows, as `shekara what-if` reads them: once each, whatever pseudonyms they came under."""

from __future__ import annotations

from typing import Literal

import pytest

from streams.detect.dossier import Dossier
from streams.detect.employers.headcounts import Headcounts
from streams.records import BorderCrossing, EmployerDeclaration, IdentityLink, PersonEvent
from streams.report import what_if
from streams.warehouse.embedded import Embedded
from tests.contract.warehouse import deliver, deliveries

pytestmark = pytest.mark.integration

DAY_MS = 86_400_000
FIRST_MS = 20_000 * DAY_MS
OLD, NEW, THIRD, OTHER = "p1-a", "p1-b", "p1-c", "p1-d"


def crossing(number: int, subject: str, day: int, direction: Literal["entry", "exit"]) -> BorderCrossing:
    at = FIRST_MS + day * DAY_MS
    return BorderCrossing(
        number.to_bytes(16, "big"), subject, at, at, "post:KZ-75-A1", number, direction, "KZ-75-A1", "UZB", "private", "passport",
        "air", None, None,
    )  # fmt: skip


def link(number: int, one: str, other: str, day: int, kind: Literal["linked", "unlinked"] = "linked") -> IdentityLink:
    at = FIRST_MS + day * DAY_MS
    name = f"{one}{other}".encode().rjust(16, b"-")
    return IdentityLink(number.to_bytes(16, "big"), one, at, at, "registry", number, kind, name, other, "new_document")


CROSSINGS: list[PersonEvent] = [
    crossing(1, OLD, 0, "entry"),
    crossing(2, OLD, 20, "exit"),
    crossing(3, NEW, 30, "entry"),
    crossing(4, THIRD, 60, "exit"),
    crossing(5, OTHER, 5, "entry"),
]
LINKED: list[PersonEvent] = [link(6, OLD, NEW, 70), link(7, NEW, THIRD, 71)]


def people(engine: Embedded) -> dict[str, list[int]]:
    """Returns, by who answers, the numbers of their crossings."""
    found: dict[str, list[int]] = {}
    for dossier in what_if.people_in(lambda query: engine.select(query).rows):
        assert isinstance(dossier, Dossier)
        assert dossier.subject not in found, "nobody is judged twice"
        crossings = [fact for fact in dossier.active() if isinstance(fact, BorderCrossing)]
        assert {fact.subject for fact in dossier.facts} == {dossier.subject}
        found[dossier.subject] = [int.from_bytes(fact.event_id, "big") for fact in crossings]
    return found


def test_linked_pseudonyms_are_one_person(engine: Embedded) -> None:
    deliver(engine, deliveries([*CROSSINGS, *LINKED]))
    assert people(engine) == {OLD: [1, 2, 3, 4], OTHER: [5]}


def test_an_undone_link_takes_them_apart_again(engine: Embedded) -> None:
    deliver(engine, deliveries([*CROSSINGS, *LINKED, link(8, OLD, NEW, 80, "unlinked")]))
    assert people(engine) == {OLD: [1, 2], NEW: [3, 4], OTHER: [5]}


def test_however_many_slices_there_are_everybody_is_in_one(engine: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(what_if, "EVENTS_AT_ONCE", 2)
    deliver(engine, deliveries([*CROSSINGS, *LINKED]))
    assert people(engine) == {OLD: [1, 2, 3, 4], OTHER: [5]}


def test_employers_are_what_they_declared(engine: Embedded) -> None:
    day = FIRST_MS // DAY_MS
    declared = [
        EmployerDeclaration(
            number.to_bytes(16, "big"),
            employer,
            FIRST_MS,
            FIRST_MS,
            "e-gov",
            number,
            day + number,
            "KZ-75",
            "F",
            "small",
            7,
            0,
            3,
            0,
        )
        for number, employer in ((1, "e1-a"), (2, "e1-b"), (3, "e1-a"))
    ]
    deliver(engine, deliveries(declared, topic="t.employers"))
    found = {one.subject: [each.as_of_on - day for each in one.effective()] for one in employers_of(engine)}
    assert found == {"e1-a": [1, 3], "e1-b": [2]}


def employers_of(engine: Embedded) -> list[Headcounts]:
    return list(what_if.employers_in(lambda query: engine.select(query).rows))
