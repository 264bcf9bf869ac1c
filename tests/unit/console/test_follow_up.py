"""What may be decided: the interlock on the server, whatever the page says."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.cases.options import REFERRAL
from streams.console.follow_up import ACTION, DECISIONS, TOWARDS_REMOVAL, CaseNow, offered, refusal
from streams.console.handover import words_of
from streams.console.procedures import EMPLOYER_OUTCOMES
from streams.console.rights import MATRIX, ROLES, may
from streams.console.texts import catalogue
from streams.records.cases import Decision

STAGES = ("suspected", "contacted", "legalised", "left", "cleared", "referred", "removed")
OFFICERS = ("o1-a", "o1-b", "o1-c")

CASES = st.builds(
    CaseNow,
    stage=st.sampled_from(STAGES),
    protected=st.booleans(),
    options=st.sampled_from([(), ("notify_late",), ("notify_late", REFERRAL)]),
    decisions=st.lists(st.tuples(st.sampled_from(DECISIONS), st.sampled_from(OFFICERS)), max_size=6),
)
WHO = st.tuples(st.sampled_from(OFFICERS), st.sampled_from(ROLES))


@given(CASES, WHO, st.sampled_from(sorted(TOWARDS_REMOVAL)))
def test_no_role_decides_towards_the_removal_of_a_protected_person(
    case: CaseNow, who: tuple[str, str], decision: Decision
) -> None:
    if case.protected:
        assert refusal(decision, case, *who) == "refused.protected"
        assert not TOWARDS_REMOVAL & set(offered(case, *who))


@given(CASES, WHO)
def test_a_referral_needs_a_lawful_option_and_a_second_officer_who_is_a_supervisor(case: CaseNow, who: tuple[str, str]) -> None:
    officer, role = who
    if not refusal("referral_confirmed", case, officer, role):
        assert role == "supervisor"
        assert REFERRAL in case.options
        since = case.decisions[max((n for n, (one, _) in enumerate(case.decisions) if one == "reopened"), default=-1) + 1 :]
        assert any(one == "referral_proposed" and by != officer for one, by in since)


@given(CASES, WHO)
def test_what_is_offered_is_what_is_taken(case: CaseNow, who: tuple[str, str]) -> None:
    shown = offered(case, *who)
    for decision in DECISIONS:
        if decision != "acknowledged":
            assert (decision in shown) == (refusal(decision, case, *who) == "")


@given(CASES, st.sampled_from(OFFICERS), st.sampled_from(["analyst", "auditor", "administrator"]))
def test_who_does_not_work_on_cases_is_offered_nothing(case: CaseNow, officer: str, role: str) -> None:
    assert offered(case, officer, role) == []


def test_a_removal_is_recorded_only_after_two_officers_referred_it() -> None:
    proposed = CaseNow("suspected", protected=False, options=(REFERRAL,), decisions=[("referral_proposed", "o1-a")])
    assert refusal("referral_confirmed", proposed, "o1-a", "supervisor") == "refused.second_officer"
    assert refusal("referral_confirmed", proposed, "o1-b", "operator") == "refused.rights"
    assert refusal("referral_confirmed", proposed, "o1-b", "supervisor") == ""
    assert refusal("removed", proposed, "o1-b", "supervisor") == "refused.stage"
    referred = CaseNow("referred", protected=False, options=(), decisions=[])
    assert refusal("removed", referred, "o1-b", "supervisor") == ""
    assert refusal("removed", referred, "o1-b", "operator") == "refused.rights"


@pytest.mark.parametrize("stage", ["legalised", "left", "cleared", "removed"])
def test_a_settled_case_can_only_be_opened_again(stage: str) -> None:
    case = CaseNow(stage, protected=False, options=(REFERRAL,), decisions=[])
    assert offered(case, "o1-a", "supervisor") == ["reopened"]


def test_every_decision_has_a_right_and_words() -> None:
    assert set(ACTION) == set(get_args(Decision))
    assert set(ACTION.values()) <= set(MATRIX)
    assert {f"decision.{one}" for one in DECISIONS} <= set(catalogue("kk"))
    assert all(may("operator", ACTION[one]) for one in DECISIONS if one not in ("referral_confirmed", "removed"))


def test_whatever_a_decision_is_kept_under_the_hand_over_has_words_for_it() -> None:
    kept = [*DECISIONS, *(f"dispute_{one}" for one in ("opened", "upheld", "rejected", "correction")), "identity_linked"]
    kept += [f"employer_{one}" for one in EMPLOYER_OUTCOMES]
    assert {words_of(one) for one in kept} <= set(catalogue("kk"))
