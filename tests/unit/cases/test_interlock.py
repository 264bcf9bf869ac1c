"""No function in the code base can put a protected person on a road to removal."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import streams
from streams.cases.follow import case_id_of
from streams.cases.interlock import Unprotected, protected_at, prove
from streams.cases.options import REFERRAL, offered, options_of, with_referral
from streams.detect.assess import Assessment, assess
from streams.detect.dossier import Dossier
from streams.detect.finding import Found
from streams.detect.logtime import LogTime
from streams.person import START, Cause, revisit, take
from streams.person import LogTime as Time
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import Case, PersonEvent
from tests.unit.detect.facts import SUBJECT, at, day, decision, dispute, entry, inspection, number, protection

SOURCE = Path(streams.__file__).parent


@cache
def _kz() -> Policy:
    return load("kz")


def _assess(*facts: PersonEvent, now: str = "2024-06-01") -> Assessment:
    dossier = Dossier(SUBJECT)
    for fact in facts:
        dossier = dossier.add(fact)
    return assess(dossier, _kz(), LogTime(at(now), at(now), ()))


OVERSTAYED: tuple[PersonEvent, ...] = (entry(1, "2024-02-01"), inspection(2, "2024-05-01"))


def _overstay_options(assessment: Assessment) -> tuple[str, ...]:
    return next(options for found, options in offered(assessment) if found.rule == "overstay_visa_exempt")


def test_the_proof_cannot_be_made_by_hand() -> None:
    with pytest.raises(TypeError):
        Unprotected(object())


def test_without_protection_and_with_evidence_a_referral_comes_last() -> None:
    options = _overstay_options(_assess(*OVERSTAYED))
    assert options[-1] == REFERRAL
    assert len(options) > 3


def test_a_presumption_alone_never_leads_to_a_referral() -> None:
    assert REFERRAL not in _overstay_options(_assess(entry(1, "2024-02-01")))


@pytest.mark.parametrize(
    "protecting",
    [
        protection(3, "2024-05-20", "asylum_applied"),
        protection(3, "2024-05-20", "asylum_recognised"),
        protection(3, "2024-05-20", "asylum_refused"),
        protection(3, "2024-05-20", "appeal_filed"),
        protection(3, "2024-05-20", "appeal_upheld"),
        protection(3, "2024-05-20", "trafficking_victim"),
        protection(3, "2024-05-20", "minor"),
        dispute(3, "2024-05-20", event=99),
    ],
    ids=lambda fact: fact.kind,
)
def test_whoever_is_protected_sees_no_referral(protecting: PersonEvent) -> None:
    assessment = _assess(*OVERSTAYED, protecting)
    assert prove(assessment) is None
    assert REFERRAL not in _overstay_options(assessment)


@pytest.mark.parametrize("kind", ["appeal_dismissed", "status_ended"])
def test_what_is_over_protects_no_more(kind: Any) -> None:
    facts = (*OVERSTAYED, protection(3, "2024-05-10", "asylum_applied"), protection(4, "2024-05-20", kind))
    assert prove(_assess(*facts, now="2024-08-01")) is not None
    assert protected_at(_assess(*facts).situation, at("2024-05-15"))


def test_a_referral_is_added_in_one_place_and_named_in_two() -> None:
    """It stands where policies are checked (it must come last) and in `cases.options`: no other module can write it."""
    holders = set()
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docs = {
            ast.get_docstring(node, clean=False)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        }
        constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        if REFERRAL in constants - docs:
            holders.add(path.relative_to(SOURCE).as_posix())
    assert holders == {"policy/build.py", "cases/options.py"}


@pytest.mark.parametrize("rule", ["arrival_not_notified", "work_without_permit", "title_unknown", "expiry_reminder"])
def test_only_an_overstay_or_a_ban_can_lead_there_even_with_proof(rule: str) -> None:
    proof = prove(_assess(*OVERSTAYED))
    assert proof is not None
    found = Found(rule, 1, 2, 3)
    assert with_referral((), found, proof) == ()
    assert options_of((REFERRAL,), found, window=False, proof=proof) == ()


def _cases(facts: list[PersonEvent]) -> Case:
    state: bytes | None = None
    case: Case | None = None
    for fact in facts:
        step = take(state, fact, START, Cause(number(9), 1), _kz())
        state = step.state or state
        case = step.cases[-1] if step.cases else case
    assert state is not None
    assert case is not None
    time = Time(at("2024-06-20"), at("2024-06-20"), ())
    step = revisit(state, SUBJECT, time, Cause(number(9), 1), _kz())
    return step.cases[-1] if step.cases else case


CASE = case_id_of(SUBJECT, day("2024-02-01"))
REFERRED = [
    decision(10, "2024-06-01", CASE, "referral_proposed", officer="o1"),
    decision(11, "2024-06-02", CASE, "referral_confirmed", officer="o2"),
]


def test_two_officers_refer_and_then_only_a_removal_can_be_noted() -> None:
    assert _cases([*OVERSTAYED, *REFERRED]).stage == "referred"
    assert _cases([*OVERSTAYED, *REFERRED, decision(12, "2024-06-03", CASE, "removed")]).stage == "removed"
    assert _cases([*OVERSTAYED, decision(12, "2024-06-03", CASE, "removed")]).stage == "suspected"


def test_one_officer_alone_refers_nobody() -> None:
    twice = [REFERRED[0], decision(11, "2024-06-02", CASE, "referral_confirmed", officer="o1")]
    assert _cases([*OVERSTAYED, *twice]).stage == "suspected"


def test_protection_that_comes_later_takes_a_referral_back() -> None:
    case = _cases([*OVERSTAYED, *REFERRED, protection(3, "2024-06-10", "asylum_applied")])
    assert (case.stage, case.path, case.protected) == ("suspected", "protection", True)
    assert REFERRAL not in case.options


def test_a_referral_decided_while_protected_does_not_count_afterwards() -> None:
    facts = [protection(3, "2024-05-20", "asylum_applied"), protection(4, "2024-06-05", "status_ended")]
    assert _cases([*OVERSTAYED, *facts, *REFERRED]).stage == "suspected"
