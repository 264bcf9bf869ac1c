"""What may reach a rule: no attribute of a person, citizenship only through the policy's groups."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import cache
from inspect import isdatadescriptor
from pathlib import Path

import pytest

import streams.detect
from streams.detect.assess import assess
from streams.detect.dossier import Dossier
from streams.detect.finding import Found
from streams.detect.logtime import LogTime
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import BorderCrossing, PersonEvent, StayRegistration
from tests.unit.detect.facts import SUBJECT, at, contract, entry, inspection, leave, notice, permit

ROOM = Path(streams.detect.__file__).parent
MAY_READ_CITIZENSHIP = {"stays.py", "situation.py", "calculator.py"}
"""Modules that hand it to `Policy.group_of`, and to nothing else."""


def _attributes(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return names | {str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)}


@pytest.mark.parametrize("path", sorted((ROOM / "rules").glob("*.py")), ids=lambda path: path.name)
def test_no_rule_reads_a_citizenship(path: Path) -> None:
    assert "citizenship" not in {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}


def test_a_citizenship_is_read_only_to_ask_for_its_group() -> None:
    readers = {path.name for path in ROOM.rglob("*.py") if "citizenship" in _attributes(path)}
    assert readers - {"codec.py", "finding.py"} - {path.name for path in (ROOM / "rules").glob("*.py")} <= (
        MAY_READ_CITIZENSHIP | {"ledger.py"} | {"folded.py", "folding.py"}  # kept, to ask for its group later
    )


def test_no_rule_knows_a_country() -> None:
    for path in (ROOM / "rules").glob("*.py"):
        constants = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
        assert not constants & set(_kz().codes.countries), path.name


@cache
def _kz() -> Policy:
    return load("kz")


def _all(found: list[Found]) -> list[tuple[object, ...]]:
    # Slots, or what mypyc makes of them.
    names = sorted(name for name, member in vars(Found).items() if isdatadescriptor(member) and name[0] != "_")
    assert "first_day_on" in names
    return [tuple(getattr(one, name) for name in names) for one in found]


HISTORY: list[PersonEvent] = [
    entry(1, "2024-01-10", purpose="work"),
    notice(2, "2024-01-20"),
    inspection(3, "2024-02-25", employer="e1"),
    permit(4, "2024-03-10", "2024-04-10", employer="e2"),
    contract(5, "2024-03-15", employer="e1"),
    leave(6, "2024-06-20"),
    entry(7, "2024-07-01"),
]


def _findings(facts: list[PersonEvent]) -> list[tuple[object, ...]]:
    dossier = Dossier(SUBJECT)
    for fact in facts:
        dossier = dossier.add(fact)
    return _all(assess(dossier, _kz(), LogTime(at("2024-12-01"), at("2024-11-01"), ())).findings)


def _twins() -> list[str]:
    policy = _kz()
    timeline = (policy.group_starts["UZB"], policy.group_names["UZB"])
    return [
        code
        for code in policy.group_starts
        if (policy.group_starts[code], policy.group_names[code]) == timeline and code != "UZB"
    ]


def test_people_of_one_group_are_judged_alike_whatever_their_citizenship() -> None:
    expected = _findings(HISTORY)
    assert len(expected) > 4
    twins = _twins()
    assert twins
    for code in twins:
        assert (
            _findings([replace(one, citizenship=code) if isinstance(one, BorderCrossing) else one for one in HISTORY]) == expected
        )


def test_nothing_about_a_person_s_papers_journey_or_host_changes_a_finding() -> None:
    """Metamorphic: what events say about document, transport, host, address and visa number is not an input of any rule."""
    changed: list[PersonEvent] = []
    for one in HISTORY:
        if isinstance(one, BorderCrossing):
            changed.append(replace(one, document="refugee_document", transport="foot", visa_id=b"x" * 16))
        elif isinstance(one, StayRegistration):
            changed.append(replace(one, host="employer", host_subject="someone", address_key=b"y" * 16))
        else:
            changed.append(one)
    assert _findings(changed) == _findings(HISTORY)


def test_records_carry_no_protected_attribute_at_all() -> None:
    protected = {
        "sex",
        "gender",
        "religion",
        "ethnicity",
        "ethnic_origin",
        "race",
        "language",
        "name",
        "birthplace",
        "birth_date",
    }
    fields = {name for one in PersonEvent.__subclasses__() for name in one.__slots__}
    assert not fields & protected
